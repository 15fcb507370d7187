"""One environment that is damaged again and again, and what `safepip doctor` says of it.

    patient.fresh()
    patient.environment.pip("install", "owned==2.0")
    assert patient.kinds() == ["replaced"]

It is made once, in several shapes of records, and put back from a copy of hard links: nothing that
damages it may write into a file in place (see `tests.lab.replace`).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import forked
from tests.forked import SAFEPIP
from tests.guarded import PATIENCE_SECONDS
from tests.lab import CondaEnvironment, Ledger, Recipe, Writer, conda_bytes, create, restyle

Finding = dict[str, Any]


@dataclass(frozen=True)
class Patient:
    """An environment, the wheels for it, and its copies."""

    environment: CondaEnvironment
    links: Path
    """What `--find-links` leads to."""

    @property
    def prefix(self) -> Path:
        return self.environment.prefix

    @property
    def site(self) -> Path:
        return self.environment.site_packages

    def keep(self, writer: Writer) -> None:
        """Keep a copy with the records of this writer."""
        _link_tree(self.prefix, self._copy("rattler"))
        restyle(self.prefix, writer)
        if writer != "rattler":
            _link_tree(self.prefix, self._copy(writer))

    def _copy(self, writer: Writer) -> Path:
        return self.prefix.with_name(f"kept-{writer}")

    def fresh(self, writer: Writer = "rattler") -> None:
        """Have the environment as it was made, with the records of this writer."""
        if not self._copy(writer).exists():
            self.fresh("rattler")
            restyle(self.prefix, writer)
            _link_tree(self.prefix, self._copy(writer))
        shutil.rmtree(self.prefix, ignore_errors=True)
        _link_tree(self._copy(writer), self.prefix)

    def pip(self, *words: str | Path) -> None:
        """Let plain pip do something."""
        offline = ("--no-index", "--find-links", str(self.links)) if "install" in words else ()
        self.environment.pip(*words, *offline)

    def install(self, *words: str) -> None:
        """Let plain pip install something, without what it requires."""
        self.pip("install", "--no-deps", *words)

    def run(
        self, *words: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run safepip in a shell in which the environment is active."""
        given, place = self.environment.environ(env), cwd or self.prefix.parent
        return forked.run([*SAFEPIP, *words], given, cwd=place, timeout=PATIENCE_SECONDS)

    def doctor(
        self, *words: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> dict[str, Any]:
        """The answer of `doctor --json`, whose exit code has to be the one that it says."""
        done = self.run("doctor", "--json", *words, env=env, cwd=cwd)
        assert done.stderr == "", done.stderr
        answer = json.loads(done.stdout)
        assert isinstance(answer, dict)
        assert done.returncode == answer["exit_code"]
        return answer

    def findings(self, **where: Any) -> list[Finding]:
        """All that `doctor` finds."""
        found = self.doctor(**where)["findings"]
        assert isinstance(found, list)
        return found

    def the(self, kind: str, **where: Any) -> Finding:
        """The one finding of a kind."""
        found = [finding for finding in self.findings(**where) if finding["kind"] == kind]
        assert len(found) == 1, found
        return found[0]

    def bytes(self) -> Ledger:
        """Every conda-owned file but bytecode."""
        return {p: s for p, s in conda_bytes(self.prefix).items() if not p.endswith(".pyc")}


def patient(folder: Path, *recipes: Recipe, available: tuple[Recipe, ...] = ()) -> Patient:
    """Make an environment to be damaged."""
    links = folder / "links"
    links.mkdir()
    made = Patient(create(folder / "env", *recipes, available=available), links)
    made.keep("rattler")
    return made


def _link_tree(source: Path, target: Path) -> None:
    """Copy a tree by hard links; the records for real, as they are rewritten in place."""
    shutil.copytree(source, target, symlinks=True, copy_function=_link)


def _link(source: str, target: str) -> str:
    if "/conda-meta/" in source:
        shutil.copy2(source, target)
    else:
        os.link(source, target, follow_symlinks=False)
    return target


def damage_of(before: Ledger, after: Ledger) -> tuple[list[str], list[str]]:
    """The conda-owned paths that have other bytes, and those that are gone."""
    altered = [p for p, was in before.items() if after.get(p, "missing") not in (was, "missing")]
    gone = [p for p in before if after.get(p, "missing") == "missing"]
    return altered, gone
