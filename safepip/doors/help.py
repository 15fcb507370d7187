"""`safepip --help`. click lays it out; it parses nothing, since the arguments are pip's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from safepip import __version__
from safepip.doors.arguments import FLAGS, VALUES
from safepip.doors.changes import commands
from safepip.doors.saying import print_text

if TYPE_CHECKING:
    from collections.abc import Sequence

_SUMMARY = f"""safepip {__version__}: pip for conda environments. What conda put there stays whole.

install, uninstall and plan take pip's arguments, in every spelling that pip accepts. Any other
verb or option is pip's own and reaches it unchanged."""

_VERBS = {
    "install": "Plan, judge against conda's records, act on just that.",
    "uninstall": "Remove what pip owns; refuse what conda owns.",
    "plan": "Say what `install` would do; change nothing.",
    "uv": "Run uv; `uv pip install` and `uninstall` are guarded.",
    "pip": "Run the real pip, unguarded.",
    "exec": "Run any command with the guard before each pip on PATH.",
}

_OPTIONS = {
    "--env": ("PATH|NAME", "The environment to act on."),
    "--allow": ("NAME[,NAME]", "Let pip take these over from conda."),
    "--strict": ("", "Refuse, instead of choosing other versions that fit."),
    "--prefer-conda": ("", "install, plan: from conda what it has, and pip the rest."),
    "--override-frozen": ("", "Act although the environment is marked frozen."),
    "--no-undo": ("", "Keep nothing to take the change back with."),
    "--no-import-check": ("", "Do not import what was installed to see whether it works."),
    "--json": ("", "One JSON object on stdout; pip's output goes to stderr."),
    "--tree": ("", "plan: as a tree, the usual form."),
    "--table": ("", "plan: a row for each change."),
    "--markdown": ("", "plan: for a pull request or the summary of CI, with a graph."),
    "--html": ("FILE", "plan: write a page with table and picture, too."),
}

_EPILOG = """\b
Exit codes: pip's own (1, 2, 3, 4, 23, 120), and
  10 blocked; nothing was changed      14 another is at work here
  11 needs a yes and cannot ask        15 which environment is unclear
  12 failed, and was taken back        16 frozen, sealed or not writable
  13 failed, and is not as it was
  70 a bug in safepip                 130 interrupted"""


_PLAN = """Say what `safepip install` with the same arguments would do and decide. Changes nothing,
and ends with the exit code that the install would end with."""
_PLAN_TOO = "All that `pip install` takes may stand there too; `safepip install --help` lists that."
_NOT_OF_PLANS = ("--no-undo", "--no-import-check")


def _option(name: str, *, of: str = "") -> click.Option:
    """Give an option as click describes it. ``of``: what need not be said again before it."""
    metavar, says = _OPTIONS[name]
    says = says.partition(of)[2] or says if of else says
    says = says[0].upper() + says[1:] if of else says
    return click.Option([name], help=says, metavar=metavar or None, is_flag=not metavar)


def show_help() -> int:
    """Print the help."""
    group = command()
    with click.Context(group, info_name="safepip") as context:
        print_text(f"{group.get_help(context)}\n")
    return 0


def asks_for_help(arguments: Sequence[str]) -> bool:
    """Say whether help on a verb is what is asked for."""
    before = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return not {"--help", "-h"}.isdisjoint(before)


def show_plan_help() -> int:
    """Print the help of `plan`: safepip's own options; pip tells those of its `install`."""
    plan = click.Command("plan", help=_PLAN, epilog=_PLAN_TOO, options_metavar="[OPTIONS]")
    plan.params += [click.Argument(["arguments"], nargs=-1, metavar="INSTALL-ARGUMENTS")]
    plan.params += [
        _option(name, of="plan: ") for name in (*VALUES, *FLAGS) if name not in _NOT_OF_PLANS
    ]
    with click.Context(plan, info_name="safepip plan") as context:
        print_text(f"{plan.get_help(context)}\n")
    return 0


def command() -> click.Group:
    """Give the command line as click describes it."""
    group = click.Group(
        "safepip",
        help=_SUMMARY,
        epilog=_EPILOG,
        subcommand_metavar="VERB [ARGUMENTS]",
        options_metavar="[OPTIONS]",
    )
    for name in (*VALUES, *FLAGS):
        group.params.append(_option(name))
    for name, says in _VERBS.items():
        group.add_command(click.Command(name, short_help=says))
    for name, own in commands().items():
        group.add_command(own, name)
    return group
