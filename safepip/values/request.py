"""What the user asked for, and where. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from safepip.values.light import NamedTuple
from safepip.values.setting import USUAL

if TYPE_CHECKING:
    from safepip.values.setting import Configuration
    from safepip.values.target import Target

Verb = Literal["install", "uninstall", "plan"]

THROUGH = ("uv", "pip")
"""The words that stand between `safepip` and the verb where uv is who acts."""


class Policy(NamedTuple):
    """How strict to be, by safepip's own options."""

    strict: bool = False
    allow: tuple[str, ...] = ()
    """Normalised names that pip may take over from conda."""
    override_frozen: bool = False
    imports: bool = True
    """Import what was installed, to see whether it works."""
    keeps_undo: bool = True
    """Keep what is needed to take the change back later."""
    prefers_conda: bool = False
    """Take from conda what its channels have, and only the rest from pip."""
    strict_for_all: bool = False
    """Strictness is set, and not an option of this command, which need not say so again."""
    strict_by: str = ""
    """The file or variable that sets it, where no option of this command says so as well."""
    settings: Configuration = USUAL
    """What is set for all commands, as it was read for this one; some of it is above as well."""

    @property
    def options(self) -> tuple[str, ...]:
        """The options that say so again, but for those of how a change is checked and kept."""
        return (
            *(("--prefer-conda",) if self.prefers_conda else ()),
            *(("--strict",) if self.strict and not self.strict_for_all else ()),
            *(("--allow", ",".join(self.allow)) if self.allow else ()),
            *(("--override-frozen",) if self.override_frozen else ()),
        )


class PipOptions(NamedTuple):
    """What pip's own parser made of the arguments, its environment and its configuration."""

    target_dir: str | None = None
    prefix_path: str | None = None
    root_path: str | None = None
    use_user_site: bool | None = None
    """None: not said, so that pip decides by what it can write."""
    dry_run: bool = False
    yes: bool = False
    ignore_dependencies: bool = False
    ignore_installed: bool = False
    force_reinstall: bool = False
    upgrade: bool = False
    pre: bool = False
    no_index: bool = False
    no_binary: bool = False
    """Something is to be built from its sources."""
    require_hashes: bool = False
    eager: bool = False
    """`--upgrade` is for what is needed, too."""
    constrained: bool = False
    """There are constraints, in files."""
    constraints: tuple[str, ...] = ()
    """These files, where they are known: on the command line, in variables, in pip's settings."""
    break_system_packages: bool = False
    log: str | None = None
    """A file that pip writes what it does to, as given."""
    report: str | None = None
    """A file for pip's report, as given; `-` for stdout."""
    caches: bool = True
    """False: `--no-cache-dir`, as in the making of images."""
    verbosity: int = 0
    """`-v` counts up, `-q` down."""
    no_color: bool = False


class Request(NamedTuple):
    """One guarded command."""

    verb: Verb
    arguments: tuple[str, ...]
    """pip's arguments, the verb among them, exactly as given; for `plan` that is `install`."""
    policy: Policy
    target: Target
    undoes: str = ""
    """The change that this one takes back."""
    told: tuple[str, ...] = ()
    """The words to write down where the arguments lead to a file that is gone afterwards."""
    part_of: str = ""
    """The change of which this one takes a part back; the rest comes after it."""
    conda_back: str = ""
    """The command that takes back what conda has installed for the same request just before."""
    uv: str = ""
    """The uv that plans and acts, by its path; empty where that is pip."""

    @property
    def through(self) -> tuple[str, ...]:
        """The words that stand between `safepip` and the verb."""
        return THROUGH if self.uv else ()

    @property
    def words(self) -> tuple[str, ...]:
        """The arguments with the verb first, as pip itself reads them, and without `--python`.

        Which Python is meant is settled by then; behind the verb pip would not take the option.
        """
        verb = "uninstall" if self.verb == "uninstall" else "install"
        at = self.arguments.index(verb) if verb in self.arguments else 0
        leading: list[str] = []
        words = iter(self.arguments[:at])
        for word in words:
            if word.startswith("--py"):
                if "=" not in word:
                    next(words, None)
            else:
                leading.append(word)
        return (verb, *leading, *self.arguments[at + 1 :])
