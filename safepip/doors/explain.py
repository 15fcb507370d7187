"""`explain`: a package, a word in brackets, or the last verdict, in words and as JSON."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from safepip.decisions.explaining.articles import ARTICLES
from safepip.decisions.wording.as_json import article_as_json, portrait_as_json
from safepip.decisions.wording.explained import article_lines, portrait_lines, verdict_lines
from safepip.decisions.wording.layout import Line, Span
from safepip.doors.arguments import without_env
from safepip.doors.progress import Progress
from safepip.doors.recovering import recover_first
from safepip.doors.saying import print_json
from safepip.doors.target import target_of
from safepip.doors.terminal import show, width_of
from safepip.effects.astray import no_condas
from safepip.effects.last import read_last
from safepip.effects.prefixes import name_of
from safepip.recipes.explain import explain
from safepip.values.errors import UsageError
from safepip.values.exits import SCHEMA, Exit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safepip.doors.arguments import OwnOptions
    from safepip.values.target import Target


def explain_command(*common: click.Parameter) -> click.Command:
    """Give the verb as click describes it."""
    return click.Command(
        "explain",
        params=[click.Argument(["name"], required=False), *common],
        short_help="Say why: a package, a kind of finding, or the last verdict.",
        help="Say who owns the package NAME, who needs it and with which bounds, and what pip may "
        "do with it. NAME may also be a module, such as numpy.linalg, the path of a file, or the "
        "word in brackets of a message, such as conda-owned; a package may have bounds, such as "
        "'numpy>=2'. "
        "Without NAME: the last verdict, in full.",
    )


def run_explain(
    own: OwnOptions, name: str | None, said: Sequence[str], *, as_module: bool, as_json: bool
) -> int:
    """Explain, and give the exit code. ``said`` is the command, from its verb on.

    Raises: SafepipError.
    """
    if name is not None and not name.strip():
        raise UsageError("the NAME to explain is empty; without one: `safepip explain`")
    article = ARTICLES.get(name.strip("[]").lower()) if name is not None else None
    if article is not None:  # it is the same in every environment, and without one
        if as_json:
            print_json({"schema": SCHEMA, "exit_code": 0, "article": article_as_json(article)})
        else:
            show(article_lines(article, width_of()), sys.stdout)
        return Exit.DONE
    target = target_of(own, said, as_module=as_module)
    if not target.is_conda:
        raise no_condas(target, os.environ, without_env(said))
    recover_first(target.prefix)
    if name is None:
        return _last(target, as_json=as_json)
    return _package(target, name, as_json=as_json)


def _package(target: Target, name: str, *, as_json: bool) -> int:
    with Progress("looking at the environment and conda's channels"):
        found = explain(target, name, os.environ, tuple(ARTICLES))
    if as_json:
        packages = [
            portrait_as_json(
                p,
                found.last.get(p.name),
                found.taken_back,
                found.offers.get(p.name),
                module=found.module,
                verdict=found.verdict,
                asked=found.asked,
                is_guess=found.is_guess,
            )
            for p in found.portraits
        ]
        print_json({**_start(target), "packages": packages})
        return Exit.DONE
    for at, portrait in enumerate(found.portraits):
        lines = portrait_lines(
            portrait,
            found.environment,
            found.last.get(portrait.name),
            found.taken_back,
            width=width_of(),
            offer=found.offers.get(portrait.name),
            module=found.module,
            verdict=found.verdict,
            asked=found.asked,
            is_guess=found.is_guess,
        )
        show((Line(), *lines) if at else lines, sys.stdout)
    return Exit.DONE


def _last(target: Target, *, as_json: bool) -> int:
    told = read_last(target.prefix, os.environ)
    if as_json:
        print_json({**_start(target), "last": told})
    elif told is None:
        said = f"safepip: no verdict on {name_of(target.prefix)} is known; see `safepip plan NAME`"
        show((Line((Span(said),)),), sys.stdout)
    else:
        show(verdict_lines(told, width_of()), sys.stdout)
    return Exit.DONE


def _start(target: Target) -> dict[str, Any]:
    where = {"prefix": target.prefix, "python": target.python}
    return {"schema": SCHEMA, "exit_code": 0, "target": where}
