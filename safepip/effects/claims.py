"""Which files the distributions that are not conda's say are theirs, and where they came from."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from safepip.effects.records import read_text
from safepip.effects.removals import declared_files, script_paths, why_unlisted
from safepip.effects.states import state_of
from safepip.values.damage import Source
from safepip.values.inspection import Claim
from safepip.values.text import shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from safepip.values.environment import Distribution, Environment

_WORD_LIMIT = 40
_FILE_LIMIT = 64 * 1024


def read_claims(environment: Environment, altered: Collection[str]) -> tuple[Claim, ...]:
    """Give what each distribution in the environment claims that conda did not bring.

    ``altered``: paths below the prefix with other bytes than conda linked. Where a RECORD of
    conda's is among them, somebody installed the same version over it, and it is his by now; but
    not where it is none any more.
    """
    claims = []
    for distribution in environment.distributions:
        if not distribution.outside and _is_not_condas(environment, distribution, altered):
            unlisted = why_unlisted(distribution)
            if unlisted and distribution.record is not None:
                continue
            listed = declared_files(distribution)
            scripts = script_paths(distribution, environment.interpreter)
            claim = Claim(
                distribution,
                _below(environment, listed),
                _below(environment, scripts),
                _source(distribution),
                record_state=state_of(f"{distribution.metadata_path}/RECORD"),
                has_files=_is_any_there(distribution, listed),
                unlisted=unlisted,
            )
            claims.append(claim)
    return tuple(claims)


def _is_any_there(distribution: Distribution, listed: Iterable[str]) -> bool:
    own = f"{distribution.metadata_path}/"
    return any(os.path.isfile(path) for path in listed if not path.startswith(own))


def _below(environment: Environment, paths: Iterable[str]) -> frozenset[str]:
    return frozenset(path for path in map(environment.relative, paths) if path)


def _is_not_condas(
    environment: Environment, distribution: Distribution, altered: Collection[str]
) -> bool:
    record = environment.relative(f"{distribution.metadata_path}/RECORD")
    return distribution.record is None or record in altered


def _source(distribution: Distribution) -> Source:
    info = distribution.metadata_path
    return Source(
        installer=_word(f"{info}/INSTALLER"),
        requested=os.path.exists(f"{info}/REQUESTED"),
        written=_day(f"{info}/RECORD"),
    )


def _word(path: str) -> str:
    try:
        return shown(read_text(path, _FILE_LIMIT).strip(), _WORD_LIMIT)
    except (OSError, ValueError):
        return ""


def _day(path: str) -> str:
    try:
        return time.strftime("%Y-%m-%d", time.gmtime(os.stat(path).st_mtime))
    except (OSError, ValueError, OverflowError):
        return ""
