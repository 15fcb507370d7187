"""What several quiet pips said, told as the one pip would have said it that plans and acts.

The plan was made from the user's indexes, and the act from a private folder; of the act only what
comes after "Installing collected packages" is news.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from safepip.effects.streams import Said

_WOULD = b"Would install "
_INSTALLS = b"Installing collected packages"
_BUILDS = b"Building wheels for collected packages"
_BUILT = (b"Successfully built ", b"Failed to build ")


@dataclass(frozen=True)
class Told:
    """For the user's streams; ``err`` is empty where both streams are one."""

    out: bytes
    err: bytes


def as_one(plan: Said, fetches: Iterable[Said], act: Said, code: int) -> Told:
    """Give what a single pip would have said to the user."""
    lines = _planned(plan)
    lines += [line for said in fetches for line in _builds(_lines(said.out.read_bytes()))]
    acted = _lines(act.out.read_bytes())
    starts = [count for count, line in enumerate(acted) if line.startswith(_INSTALLS)]
    lines += acted[starts[0] :] if starts else acted if code else []
    warned = _warned(plan)
    return Told(b"".join(lines), b"".join(warned + _without(_warned(act), warned or lines)))


def failed(plan: Said | None, last: Said) -> Told:
    """Give what a single pip would have said that failed in the ``last`` of several."""
    if plan is None:
        return Told(last.out.read_bytes(), b"".join(_warned(last)))
    said = _lines(last.out.read_bytes())
    lines = _planned(plan) + (said if last.err == last.out else list(_builds(said)))
    warned = _warned(plan)
    return Told(b"".join(lines), b"".join(warned + _without(_warned(last), warned)))


def _planned(plan: Said) -> list[bytes]:
    return [line for line in _lines(plan.out.read_bytes()) if not line.startswith(_WOULD)]


def _warned(said: Said) -> list[bytes]:
    return [] if said.err == said.out else _lines(said.err.read_bytes())


def _lines(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


def _without(lines: Iterable[bytes], known: Iterable[bytes]) -> list[bytes]:
    """Give the lines that are not known yet, each as often as it is news."""
    left = Counter(known)
    news = []
    for line in lines:
        if left[line]:
            left[line] -= 1
        else:
            news.append(line)
    return news


def _builds(lines: Sequence[bytes]) -> Iterator[bytes]:
    """Give what `pip wheel` said of building."""
    building = False
    for line in lines:
        building |= line.startswith(_BUILDS)
        if building:
            yield line
        if line.startswith(_BUILT):
            building = False
