"""The commands of each tool, as one environment takes them. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.fixing.channels import channels_of
from safepip.values.environment import FAMILY
from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from safepip.decisions.fixing.shell import CondaVerb, Shell
    from safepip.values.environment import Environment
    from safepip.values.inspection import Inspection

_MOST_CHANNELS = 3
_CHANNEL = re.compile(r"https://conda\.anaconda\.org/([\w.-]+)")
_PLAIN = re.compile(r"[\w.-]+|https?://[^\s@]+|file://[^\s]+")
_DEFAULTS = "https://repo.anaconda.com/pkgs/"


@dataclass(frozen=True)
class Ways:
    """The commands of each tool, as this environment takes them."""

    inspection: Inspection
    shell: Shell
    names: tuple[str, ...] = ()
    has_tool: bool = False
    """The tool whose commands these are is here."""

    def with_tool(self) -> Ways:
        """Give the ways by a tool that is here: the environment's own, or one of its family.

        Only pixi can change what pixi made.
        """
        tools, shell = self.inspection.family, self.shell
        if (shell.manager if shell.manager == "pixi" else shell.tool) in tools:
            return replace(self, has_tool=True)
        others = [tool for tool in FAMILY if tool in tools]
        if shell.manager == "pixi" or not others:
            return self
        return replace(self, shell=replace(shell, manager=others[0]), has_tool=True)

    @property
    def environment(self) -> Environment:
        """What is to be mended."""
        return self.inspection.environment

    @property
    def although(self) -> str:
        """What is said of a command that passes a seal."""
        sealed = self._is_frozen or self._is_managed
        return ", although the environment is not to be changed" if sealed else ""

    @property
    def _is_frozen(self) -> bool:
        return self.environment.frozen is not None

    @property
    def _is_managed(self) -> bool:
        return self.environment.externally_managed is not None

    def fix(self, *options: str) -> str:
        """Give `doctor --fix`, for what was asked about."""
        passes = ("--override-frozen",) if self._is_frozen or self._is_managed else ()
        return self.shell.safepip(("doctor", "--fix", *options, *passes, *self.names))

    def install(self, *words: str) -> str:
        """Give a guarded install."""
        return self.shell.safepip(("install", *self.passing(), *words))

    def passing(self) -> tuple[str, ...]:
        """Give the options by which a guarded command passes the seals that are here."""
        return (*(("--override-frozen",) if self._is_frozen else ()), *self._breaking())

    def uninstall(self, *names: str) -> str:
        """Give pip's own uninstall: what lies over conda's files may be conda's by name."""
        return self.shell.safepip(("pip", "uninstall", "-y", *self._breaking(), *names))

    def sources(self, dists: Iterable[str]) -> tuple[str, ...]:
        """Give the channels in which packages without a record may be found: known, or all."""
        known = [self.inspection.channels.get(dist, "") for dist in dists]
        found = known if all(known) else [r.channel for r in self.environment.records]
        return tuple(dict.fromkeys(found))[:_MOST_CHANNELS]

    def conda(
        self,
        verb: CondaVerb,
        specs: Sequence[str],
        channels: Iterable[str],
        options: Sequence[str] = (),
    ) -> str:
        """Give a command of the environment's own tool; nothing where it could not pass a seal."""
        options = [*options]
        if self._is_frozen:
            if self.shell.tool != "conda":
                return ""
            options.append("--override-frozen")
        if self.shell.manager != "pixi":
            options += self._from(tuple(dict.fromkeys(channels)))
        return self.shell.conda(verb, tuple(specs), tuple(options))

    def _from(self, channels: tuple[str, ...]) -> tuple[str, ...]:
        """Give the options by which a tool asks these channels first, then the environment's.

        No others, where all are known and can be typed; what is needed besides is there, too.
        """
        named = tuple(dict.fromkeys(map(_as_option, channels)))
        others = map(_as_option, channels_of(self.environment.records))
        every = tuple(dict.fromkeys((*named, *others)))
        alone = ("--override-channels",) if named and all(every) else ()
        asked = every if alone else filter(None, named)
        return (*alone, *(word for one in asked for word in ("-c", one)))

    def _breaking(self) -> tuple[str, ...]:
        return ("--break-system-packages",) if self._is_managed else ()


def _as_option(channel: str) -> str:
    """Give a channel as the tools take it; nothing where there is a secret in it, or none known."""
    url = channel.rstrip("/")
    if url.startswith(_DEFAULTS):
        return "defaults"
    if "/" in url and url.rpartition("/")[2] in ("noarch", _subdir(url)):
        url = url.rpartition("/")[0]
    named = _CHANNEL.fullmatch(url)
    if named is not None:
        return named[1]
    return url if _PLAIN.fullmatch(url) and "/t/" not in url else ""


def _subdir(url: str) -> str:
    """Give the last part of a URL where it is the name of a platform, such as `linux-64`."""
    last = url.rpartition("/")[2]
    return last if re.fullmatch(r"(linux|osx|win|emscripten|freebsd)-[\w]+", last) else ""
