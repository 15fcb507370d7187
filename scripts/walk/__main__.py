"""`scripts/demo`: the steps, one after the other, on stdout; what goes wrong goes to stderr."""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.walk.making import CannotMake, Made, make
from scripts.walk.story import Story, steps_of, story_of
from scripts.walk.walking import Unexpected, carry_out
from tests.lab import conda_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.lab import Ledger

_PLAYERS = ("python", "pip", "numpy", "pandas", "ninja", "msgpack-python", "python-xxhash")


def main(arguments: Sequence[str] | None = None) -> int:
    """Walk through the steps; 1 when the environment cannot be made, or a step goes otherwise."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="Show what safepip does, in a conda environment made for it.",
        epilog="SAFEPIP_DEMO_CHANNEL: the channel to take packages from; empty: make them here",
    )
    add = parser.add_argument
    add("folder", nargs="?", default=".demo", type=Path, help="where `env` is made (.demo)")
    prefix = parser.parse_args(arguments).folder.resolve() / "env"
    channel = os.environ.get("SAFEPIP_DEMO_CHANNEL", "conda-forge")
    story = story_of(sys.version_info[:2])
    since = time.monotonic()
    _tell(f"Making a conda environment in {_short(prefix)}")
    try:
        made = make(prefix, story, channel)
    except CannotMake as error:
        return _fail(f"cannot make the environment: {error}")
    before = conda_bytes(prefix)
    _tell(_description(made, before))
    _tell("It is active below, and pip's lines on what it fetches are left out.")
    return _walk(made, story, before, since)


def _walk(made: Made, story: Story, before: Ledger, since: float) -> int:
    steps = steps_of(story, genuine=made.genuine)
    last = len(steps) + 1
    for number, step in enumerate(steps, 1):
        print(f"\n--- {number}/{last}  {step.heading}")
        try:
            carry_out(step, made.environment, before)
        except Unexpected as error:
            return _fail(f"step {number} went otherwise than said: {error}")
    print(f"\n--- {last}/{last}  The proof: every file of conda's, hashed before and after")
    after = conda_bytes(made.environment.prefix)
    if after != before:
        return _fail(f"step {last} went otherwise than said: files of conda's changed")
    alike = sum(after[path] == digest for path, digest in before.items())
    print(f"before: {len(before):,} files   after: {len(after):,} files   equal: {alike:,}")
    print(f"As said, all of it, in {time.monotonic() - since:.0f} seconds.\n")
    print(_how_to_go_on(made, story))
    return 0


def _description(made: Made, before: Ledger) -> str:
    records = (made.environment.prefix / "conda-meta").glob("*.json")
    read = [json.loads(record.read_bytes()) for record in records]
    versions = {record["name"]: record["version"] for record in read}
    players = [f"{name} {versions[name]}" for name in _PLAYERS if name in versions]
    others = len(versions) - len(players)
    return f"{made.how}: {', '.join(players)}, and {others} more; {len(before):,} files"


def _how_to_go_on(made: Made, story: Story) -> str:
    command = f"{_short(Path(sys.executable).parent / 'safepip')} --env "
    command += _short(made.environment.prefix)
    lines = [
        f"The environment stays, until the next run. To go on, in {Path.cwd()}:",
        f"  {command} install PACKAGE",
        f"  {command} plan {story.exactly}",
        f"  {command} list",
    ]
    return "\n".join(lines)


def _short(path: Path) -> str:
    """Name a path as it is typed in the project's folder, where this runs."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _tell(text: str) -> None:
    print(textwrap.fill(text, 80, break_long_words=False, break_on_hyphens=False), flush=True)


def _fail(reason: str) -> int:
    sys.stdout.flush()
    print(f"scripts/demo: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
