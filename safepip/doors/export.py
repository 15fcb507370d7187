"""`export` and `constraints`: what is in an environment, as files to make it again from."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from safepip.decisions.exporting.names import constraints_name
from safepip.decisions.exporting.sheet import Wanted
from safepip.decisions.fixing.shell import shell_of
from safepip.decisions.wording.exported import note_lines, stale_lines, written_lines
from safepip.decisions.wording.layout import Line, Span, clean, command
from safepip.doors.arguments import OwnOptions
from safepip.doors.recovering import recover_first
from safepip.doors.saying import print_json, print_text
from safepip.doors.target import target_of
from safepip.doors.terminal import show, width_of
from safepip.effects.followers import NAME
from safepip.recipes.constraints import check_constraints, constraints, keep_in_step
from safepip.recipes.export import export
from safepip.values.errors import SafepipError, UsageError
from safepip.values.exits import SCHEMA, Exit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.recipes.export import Exported
    from safepip.values.target import Target

_NAME = re.compile(r"[\w+][\w.+-]*")


def export_command(*common: click.Parameter) -> click.Command:
    """Give the verb as click describes it."""
    return click.Command(
        "export",
        params=[
            click.Option(["--file", "-f"], metavar="FILE", help="Write it there, or update it."),
            click.Option(
                ["--from-history"], is_flag=True, help="Of conda's, only what you asked it for."
            ),
            click.Option(["--no-builds"], is_flag=True, help="conda's packages by version only."),
            click.Option(["--all"], is_flag=True, help="Of pip's, what comes by itself, too."),
            click.Option(["--requirements"], is_flag=True, help="Only pip's part, for `pip -r`."),
            click.Option(
                ["--lock"],
                is_flag=True,
                help="Exact artifacts with hashes, in two files beside it.",
            ),
            click.Option(
                ["--constraints"],
                metavar="NAME",
                help="The file beside it that holds conda's versions; usually constraints.txt for "
                "environment.yml, and x.constraints.txt for x.yml.",
            ),
            click.Option(["--no-constraints"], is_flag=True, help="Write no such file."),
            *common,
        ],
        short_help="Write an environment.yml that makes the environment again.",
        help="Write what conda installed, and below `pip:` what was asked of pip, to standard "
        "output or to FILE. A FILE that is there keeps its comments and its order.",
    )


def constraints_command(*common: click.Parameter) -> click.Command:
    """Give the verb as click describes it."""
    return click.Command(
        "constraints",
        params=[
            click.Option(["--output", "-o"], metavar="FILE", help="Write them there."),
            click.Option(
                ["--check"], metavar="FILE", help="Say whether FILE is stale; then end with 1."
            ),
            *common,
        ],
        short_help="Write conda's versions for pip -c, uv and tox.",
        help="Write the versions of what conda owns as constraints, to standard output or to FILE, "
        "which follows what conda changes where safepip is installed beside conda.",
    )


def run_export(target: Target, options: dict[str, Any], *, as_json: bool) -> int:
    """Write the files, and give the exit code.

    Raises: SafepipError.
    """
    recover_first(target.prefix)
    path = options["file"] or ""
    _refuse_what_goes_not_together(options)
    beside = options["constraints"] or constraints_name(path)
    wanted = Wanted(
        from_history=options["from_history"],
        builds=not options["no_builds"],
        everything=options["all"],
        constraints=beside,
        holds=not options["no_constraints"],
    )
    done = export(
        target,
        os.environ,
        wanted,
        path=path,
        as_requirements=options["requirements"],
        lock=options["lock"],
    )
    if as_json:
        print_json(_as_json(done, target))
    elif not path:
        print_text(done.text, whole=True)
    if not as_json:
        _say(done, path)
    return Exit.DONE


def _refuse_what_goes_not_together(options: Mapping[str, Any]) -> None:
    path, beside = options["file"], options["constraints"]
    if path in ("", "-"):
        raise UsageError(f"`-f` is `{path}`, expected a file; without it, it goes to stdout")
    if options["lock"] and not path:
        raise UsageError("`--lock` writes files; expected `-f FILE`")
    if beside is None:
        return
    if options["no_constraints"] or not path:
        other = "not `--no-constraints`" if path else "`-f FILE`"
        raise UsageError(f"`--constraints` names a file beside another; expected {other}")
    if not _NAME.fullmatch(beside) or beside == os.path.basename(path):
        expected = "another name than the file itself has, in its folder, without spaces"
        raise UsageError(f"`--constraints` is `{clean(beside)}`, expected {expected}")


def _say(done: Exported, path: str) -> None:
    width = width_of()
    said = written_lines(done.sheet, done.written, (path,), width=width) if path else ()
    show((*said, *note_lines(done.sheet.notes, width=width)))


def _as_json(done: Exported, target: Target) -> dict[str, Any]:
    sheet = done.sheet
    return {
        **_start(target),
        "written": list(done.written),
        "environment": {
            "name": sheet.name,
            "channels": list(sheet.channels),
            "dependencies": list(sheet.specs),
            "pip": [*sheet.options, *(entry.text for entry in sheet.entries)],
            "variables": dict(sheet.variables),
        },
        "taken_over": {e.name: e.takes_over for e in sheet.entries if e.takes_over},
        "text": done.text,
        "notes": [asdict(note) for note in sheet.notes],
    }


def run_constraints(target: Target, options: dict[str, Any], *, as_json: bool) -> int:
    """Write constraints, or say whether a file of them is stale, and give the exit code.

    Raises: SafepipError.
    """
    recover_first(target.prefix)
    if options["check"]:
        if options["output"]:
            raise UsageError("`--check` writes nothing; expected it or `-o`")
        return _check(target, options["check"], as_json=as_json)
    done = constraints(target, os.environ, options["output"] or "")
    if as_json:
        pins = [line for line in done.text.splitlines() if not line.startswith("#")]
        print_json({**_start(target), "written": list(done.written), "constraints": pins})
    elif not options["output"]:
        print_text(done.text, whole=True)
    elif done.written:
        show((_line(f"safepip: wrote {done.written[0]}"),))
    return Exit.DONE


def _check(target: Target, path: str, *, as_json: bool) -> int:
    found = check_constraints(target, os.environ, path)
    code = Exit.DAMAGED if found else Exit.DONE
    again = shell_of(target).safepip(("constraints", "-o", path))
    if as_json:
        changed = [{"name": name, "from": was, "to": is_now} for name, was, is_now in found]
        fixes = [{"command": again, "says": "write it anew"}] if found else []
        print_json(
            {
                **_start(target),
                "exit_code": int(code),
                "stale": bool(found),
                "changes": changed,
                "fixes": fixes,
            }
        )
        return code
    lines = stale_lines(path, found, width=width_of())
    fix = (_line("fix   write it anew:"), *command(again, 8)) if found else ()
    show((*lines, *fix), sys.stdout)
    return code


def _line(text: str) -> Line:
    return Line((Span(clean(text)),))


def follow(prefix: str, *, quiet: bool) -> None:
    """Keep the files of constraints in step with an environment; never fails."""
    if not os.path.exists(f"{prefix}/{NAME}"):
        return
    try:
        target = target_of(OwnOptions(env=prefix), ["install"], as_module=False)
        written = keep_in_step(target, os.environ)
    except Exception as error:  # noqa: BLE001 - conda's own command is done, and must not fail
        reason = error.message if isinstance(error, SafepipError) else repr(error)
        said = f"safepip: constraints were not kept in step: {reason}"
    else:
        said = (
            f"safepip: wrote {', '.join(written)}, as conda's versions changed" if written else ""
        )
    if said and not quiet:
        show((_line(said),))


def _start(target: Target) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "exit_code": 0,
        "target": {"prefix": target.prefix, "python": target.python},
    }
