"""Installs, removals, undos and undos of undos in any order: each undo restores every byte."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.lab import Ledger, make_wheel
from tests.test_transaction import MOMENTS
from tests.test_undo import Undoing

State = tuple[Ledger, Mapping[str, int]]

VERSIONS = st.sampled_from(["1.0", "2.0"])
NAMES = st.sampled_from(["many", "big", "leaf", "shared"])


class Changes(RuleBasedStateMachine):
    """A real environment, and what it was before each change that stands."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.place = Undoing(Path(self.folder.name))
        for version in ("1.0", "2.0"):
            files = {"shared.py": f"# {version}\n", f"shared_{version[0]}/x.py": "x = 1\n"}
            make_wheel("shared", version, files).write(self.place.world.links)
        make_wheel("leaf", "2.0").write(self.place.world.links)
        self.stack = [("", self.place.state())]
        """The ids of the changes that stand, each with what was there after it."""
        self.undone: list[tuple[str, State]] = []
        """The undos that stand at the end of the stack, each with what was there before it."""

    def _changed(self, *words: str) -> None:
        done = self.place.safepip(words[0], "--json", *words[1:])
        if done.exit_code == 0 and (name := self.place.id_of(done)):
            self.stack.append((name, self.place.state()))
            self.undone.clear()

    @rule(name=NAMES, version=VERSIONS)
    def install(self, name: str, version: str) -> None:
        self._changed("install", f"{name}=={version}")

    @rule(name=NAMES)
    def reinstall(self, name: str) -> None:
        self._changed("install", "--force-reinstall", "--no-deps", name)

    @rule(name=NAMES)
    def uninstall(self, name: str) -> None:
        self._changed("uninstall", "-y", name)

    @precondition(lambda self: len(self.stack) > 1)
    @rule()
    def undo(self) -> None:
        name, before = self.stack.pop()
        by = self.place.undo(name)["undo"]
        self.undone.append((str(by), before))
        assert self.place.state() == self.stack[-1][1]

    @precondition(lambda self: self.undone)
    @rule()
    def undo_the_undo(self) -> None:
        by, before = self.undone.pop()
        name = str(self.place.undo(by)["undo"])
        assert self.place.state() == before
        self.stack.append((name, before))

    def teardown(self) -> None:
        self.folder.cleanup()


Changes.TestCase.settings = settings(
    max_examples=max(2, MOMENTS // 2), stateful_step_count=6, deadline=None
)
test_every_undo_restores_every_byte = Changes.TestCase
