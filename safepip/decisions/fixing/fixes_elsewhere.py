"""Ways out of a refusal that leave the environment as it is, and work in another one. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.fixing.again import can_be_pasted
from safepip.decisions.fixing.commands import can_be_repeated
from safepip.values.verdict import Fix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safepip.decisions.fixing.fix_case import Case
    from safepip.decisions.fixing.shell import Shell
    from safepip.values.environment import Environment


def in_a_clone(case: Case) -> Iterator[Fix]:
    """Work in a copy of the environment."""
    # mamba and micromamba before 2.5 cannot clone, and what is sealed by a file among the
    # packages is sealed in the clone.
    sealed_within = any(f.marker == "externally-managed" for f in case.sealed)
    # What is refused for more than the seal would be refused in the copy.
    is_all = len(case.sealed) == len(case.refusals)
    if case.shell.tool == "conda" and not sealed_within and is_all:
        what = ("--clone", case.environment.prefix)
        is_judged = case.removes or case.plan.changes
        says = "work in a copy of your own"
        says += "" if is_judged else "; what you ask for is judged there"
        yield from _elsewhere(case, what, says)


def in_a_new_environment(case: Case) -> Iterator[Fix]:
    """Leave this environment alone."""
    what = (f"python={case.environment.interpreter.minor}", "pip")
    if case.removes:
        return  # there is nothing to be removed
    yield from _elsewhere(case, what, "use a new environment, and leave this one as it is")


def with_another_python(
    shell: Shell,
    environment: Environment,
    arguments: tuple[str, ...],
    bound: str,
    *,
    same: str,
    known: bool,
) -> Iterator[Fix]:
    """Leave this environment alone for one with a Python within the bound.

    ``known``: the channels have one. ``same``: what the command is called where it cannot be given.
    """
    what = (bound, "pip")
    says = f"use a new environment, with {bound}{'' if known else ', if conda has it (unchecked)'}"
    for fix in _made_anew(shell, environment, arguments, what, says, same=same):
        if can_be_pasted(fix.command, in_notebook=shell.in_notebook):
            yield fix


def _elsewhere(case: Case, what: tuple[str, ...], says: str) -> Iterator[Fix]:
    return _made_anew(case.shell, case.environment, case.arguments, what, says, same=case.same)


def _made_anew(
    shell: Shell,
    environment: Environment,
    arguments: tuple[str, ...],
    what: tuple[str, ...],
    says: str,
    *,
    same: str,
) -> Iterator[Fix]:
    if shell.manager == "pixi":
        return
    name = f"my-{environment.name}" if environment.name else "mine"
    there = replace(shell, prefix=name, obvious=False)
    create = shell.create(name, what)
    if can_be_repeated(arguments):
        yield Fix(shell.then(create, there.safepip(arguments)), says)
    else:
        yield Fix(create, f"{says}; then {same} with `--env {name}`")
