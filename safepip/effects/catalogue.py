"""What is on the user's indexes, asked of a pip that the user's own arguments were given to.

`lister.py` answers inside that pip. Everything is asked once, and in bounds: what takes too long
or too many questions is `TooHard`, and then less is said.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from packaging.version import Version

from safepip.decisions.judging.requirements import parse_requirement, parse_version
from safepip.effects.one_pass import OnePass
from safepip.values.questions import MOST_QUESTIONS
from safepip.values.universe import Needs, Release, TooHard, TooLong

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from packaging.requirements import Requirement

    from safepip.effects.asking import Asking

_LEAST = Version("0.dev0")
SECONDS = 20.0
"""For all questions of one command together."""


class Wanted(NamedTuple):
    """What pip makes of the arguments and of the files that they name."""

    requirements: tuple[Requirement, ...]
    direct: tuple[str, ...]
    """Names of what is given by URL or path; empty where pip does not know one yet."""
    bounds: tuple[Requirement, ...]
    """The user's own constraints."""
    pre: bool


class Catalogue(OnePass):
    """A shelf of releases. Use it as a context manager; `open` it first."""

    def __init__(
        self,
        asking: Asking,
        known: Mapping[tuple[str, str], tuple[str, ...]],
        seconds: float = SECONDS,
        looking: Callable[[int], None] | None = None,
    ) -> None:
        """``known``: requirement lines by name and version, of which nobody need be asked.

        ``looking`` is called before each question, with the number of those before.
        """
        super().__init__(asking)
        self._known = {key: Needs(lines) for key, lines in known.items()}
        self._until = time.monotonic() + seconds
        self._looking = looking
        self._releases: dict[str, tuple[Release, ...]] = {}
        self._requires: dict[tuple[str, str], Needs | None] = {}

    def open(self) -> Wanted:
        """Let pip read its arguments, and give what is wanted.

        Raises: TooHard; SeamsMoved, OtherPython, NoEngine; KeyboardInterrupt.
        """
        self.greet()
        message = self._asked({"do": "go"}, "wanted")
        found = [each for each in message.get("wanted", []) if each["active"]]
        plain = [each for each in found if each["requirement"]]
        parsed = [(parse_requirement(each["requirement"]), each["constraint"]) for each in plain]
        if any(requirement is None for requirement, _ in parsed):
            raise TooHard("a requirement that only pip can read")
        return Wanted(
            tuple(r for r, is_bound in parsed if r is not None and not is_bound),
            tuple(e["name"] for e in found if not e["requirement"] and not e["constraint"]),
            tuple(r for r, is_bound in parsed if r is not None and is_bound),
            bool(message.get("pre")),
        )

    def offer(self, name: str, version: str) -> None:
        """Have just this version of something, which was given by a path or URL."""
        self._releases[name] = (Release(version),)

    def releases(self, name: str) -> tuple[Release, ...]:
        """Give the releases of a distribution, the newest first.

        Raises: TooHard.
        """
        self._go_on()
        if name not in self._releases:
            found = self._asked({"do": "releases", "name": name}, "releases")["found"]
            listed = [
                Release(each["version"], each["requires_python"], each["yanked"])
                for each in found
                if parse_version(each["version"]) is not None
            ]
            self._releases[name] = self._with_known(name, listed)
        return self._releases[name]

    def _with_known(self, name: str, listed: Sequence[Release]) -> tuple[Release, ...]:
        """Add what is known though it has no wheel: what pip has built for its plan."""
        versions = {release.version for release in listed if not release.requires_python}
        more = [v for of, v in self._known if of == name and v not in versions and parse_version(v)]
        if not more:
            return tuple(listed)
        kept = [release for release in listed if release.version not in more]
        both = [*map(Release, more), *kept]
        return tuple(sorted(both, key=lambda r: parse_version(r.version) or _LEAST, reverse=True))

    def requires(self, name: str, version: str) -> Needs | None:
        """Give what a release needs; None when that cannot be had.

        Raises: TooHard.
        """
        self._go_on()
        key = (name, version)
        if key in self._known:
            return self._known[key]
        if key not in self._requires:
            question = {"do": "metadata", "name": name, "version": version}
            found = self._asked(question, "metadata")["found"]
            needs = None if found is None else Needs(tuple(found["lines"]), found["python"])
            self._requires[key] = needs
        return self._requires[key]

    def _go_on(self) -> None:
        """End a search that takes too long, also where it asks nothing new.

        Raises: TooHard; KeyboardInterrupt.
        """
        if self.interrupted:
            raise KeyboardInterrupt
        if time.monotonic() > self._until:
            raise TooLong("it takes too long")

    def _asked(self, question: Mapping[str, Any], kind: str) -> dict[str, Any]:
        asked = len(self._releases) + len(self._requires)
        if asked > MOST_QUESTIONS:
            raise TooLong(f"it takes more than {MOST_QUESTIONS} questions")
        if self._looking is not None:
            self._looking(asked)
        self._answer(question)
        message = self._receive()
        if self.interrupted:  # pip has heard that, too, and may have no answer
            raise KeyboardInterrupt
        if message is None and time.monotonic() > self._until:
            raise TooLong("it takes too long")
        if message is None or message.get("type") != kind:
            raise TooHard("pip gave no answer")
        return message

    def _setup(self) -> dict[str, Any]:
        return {**super()._setup(), "lists": str(self._asking.folder())}

    def _while_waiting(self) -> None:
        super()._while_waiting()
        if time.monotonic() > self._until:
            self._process.kill()
