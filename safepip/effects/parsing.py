"""What pip's own parsers make of a command line, learnt from a process that does nothing else."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from safepip.decisions.planning.report import parse_options
from safepip.effects.asking import RUNNER, not_started
from safepip.values.errors import NoEngine, UnreadableReport
from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from safepip.effects.asking import Asking
    from safepip.effects.processes import Processes
    from safepip.effects.requirement_files import Inputs
    from safepip.effects.streams import Said
    from safepip.values.request import PipOptions


@dataclass(frozen=True)
class Parsed:
    """A command line as pip understands it, with its variables and configuration."""

    verb: str
    options: PipOptions
    arguments: tuple[str, ...]
    """What stands on the line without an option: requirements."""
    requirements: tuple[str, ...]
    """Files, and so in the next two."""
    constraints: tuple[str, ...]
    build_constraints: tuple[str, ...]
    editables: tuple[str, ...]
    find_links: tuple[str, ...]
    network: tuple[str, ...]
    """Arguments for `pip wheel`, to find and build the same artifacts."""
    no_binary: bool
    require_hashes: bool
    unseen: bool
    """Requirements come from where only pip reads them: dependency groups, scripts."""
    isolated: bool
    caches: bool
    """pip keeps what it downloads and builds for the next command."""
    compiles: bool
    breaks: bool
    """`--break-system-packages` is an option of this pip."""
    report: str | None
    """Where the user wants pip's report."""
    places: Mapping[str, Any]
    scheme: Mapping[str, str]
    """Where files go; `headers` lacks the name of the distribution."""


@dataclass(frozen=True)
class Command:
    """What the user gave, so that it can be given to pip more than once."""

    arguments: tuple[str, ...]
    environ: Mapping[str, str]
    parsed: Parsed
    inputs: Inputs


@dataclass(frozen=True)
class Greeting:
    """How a process that parsed a command line ended, and what it told before."""

    code: int
    said: Said
    interpreter: object
    pip_version: str
    python: str | None
    """Another interpreter that pip was told to act on."""
    verb: str
    parsed: Parsed | None
    """None: the line cannot be understood, or asks for help; pip has said so."""


def ask_parsers(asking: Asking, processes: Processes) -> Greeting:
    """Let the environment's pip parse its arguments.

    Raises: NoEngine, UnreadableReport.
    """
    answers = asking.folder() / "parsed.jsonl"
    code, said = _run(asking, processes, answers)
    messages = [_message(line) for line in answers.read_bytes().splitlines()]
    by_type = {str(message.get("type")): message for message in messages}
    if (hello := by_type.get("hello")) is None:
        raise not_started(asking.python, code, why=said.text[-2000:].strip())
    if moved := hello.get("moved"):
        raise NoEngine(f"this pip cannot be asked how it reads its arguments: {moved[0]}")
    general, parsed = by_type.get("general", {}), by_type.get("parsed")
    return Greeting(
        code=code,
        said=said,
        interpreter=hello.get("interpreter"),
        pip_version=str(hello.get("pip_version", "")),
        python=general.get("python"),
        verb=str(general.get("verb") or ""),
        parsed=_parsed(parsed) if parsed is not None else None,
    )


def _run(asking: Asking, processes: Processes, answers: Path) -> tuple[int, Said]:
    write = os.open(answers, os.O_WRONLY | os.O_CREAT, 0o600)
    read = os.open(os.devnull, os.O_RDONLY)
    try:
        for handle in (read, write):
            os.set_inheritable(handle, True)  # noqa: FBT003 - that is its signature
        setup = {
            "read": read,
            "write": write,
            "pip": asking.pip_from,
            "arguments": list(asking.arguments),
            "parse_only": True,
        }
        return processes.run_quietly([asking.python, RUNNER, json.dumps(setup)], asking.environ)
    finally:
        os.close(read)
        os.close(write)


def _message(line: bytes) -> Mapping[str, Any]:
    try:
        message = json.loads(line)
    except ValueError as error:
        raise UnreadableReport("parsed", "JSON", str(error)) from error
    return message if isinstance(message, dict) else {}


def _parsed(raw: Mapping[str, Any]) -> Parsed:
    def listed(name: str) -> tuple[str, ...]:
        value: Sequence[object] = raw.get(name) or ()
        return tuple(map(str, value))

    return Parsed(
        verb=str(raw.get("verb")),
        options=parse_options(raw.get("options")),
        arguments=listed("arguments"),
        requirements=listed("requirements"),
        constraints=listed("constraints"),
        build_constraints=listed("build_constraints"),
        editables=listed("editables"),
        find_links=listed("find_links"),
        network=listed("network"),
        no_binary=bool(raw.get("no_binary")),
        require_hashes=bool(raw.get("require_hashes")),
        unseen=bool(raw.get("unseen")),
        isolated=bool(raw.get("isolated")),
        caches=bool(raw.get("caches")),
        compiles=bool(raw.get("compiles")),
        breaks=bool(raw.get("breaks")),
        report=raw.get("report"),
        places=raw.get("places") or {},
        scheme=raw.get("scheme") or {},
    )
