"""A plan as a tree: what was asked for, and below it what that needs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.fixing.commands import command_line, what_is_asked_for
from safepip.decisions.wording.layout import Node, Span, clean
from safepip.decisions.wording.phrases import count, few, needed_by, versions
from safepip.values.findings import CondaOwned

if TYPE_CHECKING:
    from collections.abc import Iterable

    from safepip.decisions.wording.picture import Branch, Picture
    from safepip.values.environment import Distribution

_TITLE = 72


def plan_tree(picture: Picture, *, whole: bool = True) -> Node:
    """Give the tree of a plan.

    What is not ``whole`` shows the branches that lead to a refusal, and counts the others.
    """
    visible = set(picture.plan.by_name) if whole else picture.leading_to_refusals()
    branches = [_node(picture, branch) for branch in picture.branches(visible)]
    if hidden := len(picture.plan.changes) - len(visible):
        branches.append(Node((Span("+ ", "add"), Span(f"{count(hidden, 'other change')}"))))
    unchanged = picture.unchanged() if whole else ()
    if unchanged:
        branches.append(Node((Span("= ", "dim"), Span(already_there(unchanged)))))
    return Node((Span(_title(picture)),), tuple(branches))


def already_there(unchanged: Iterable[Distribution]) -> str:
    """Say what stays as it is, conda's marked by the word."""
    return f"already there: {few(map(_with_owner, unchanged))}"


def _with_owner(here: Distribution) -> str:
    return f"{here.name} {here.version}" + (" (conda)" if here.record is not None else "")


def _node(picture: Picture, branch: Branch) -> Node:
    change = branch.change
    finding = picture.refusals.get(change.name)
    dependents = finding.dependents if isinstance(finding, CondaOwned) else ()
    below = [Node((Span(needed_by(dependents)),))] if dependents else []
    below += (_node(picture, child) for child in branch.below)
    sign, style = picture.sign(change)
    words = ", ".join(picture.words(change))
    said = (Span("  "), Span(words, style if finding is not None else "dim")) if words else ()
    label = Span(f"{clean(change.name)} {versions(change)}")
    return Node((Span(f"{sign} ", style), label, *said), tuple(below))


def _title(picture: Picture) -> str:
    """Give the command; of one that is too long, what was asked for rather than the options."""
    command = picture.command
    title = clean(f"safepip {command_line(*command)}")
    asked = what_is_asked_for(picture.arguments)
    if len(title) > _TITLE and asked:
        verb = command.index(picture.arguments[0]) if picture.arguments[0] in command else 0
        # What stands right before the verb is whose verb it is: `uv pip`.
        words = (*command[max(verb - 2, 0) : verb + 1], *asked)
        title = clean(f"safepip {command_line(*words)} ...")
    return title if len(title) <= _TITLE else title[: _TITLE - 4].rstrip() + " ..."
