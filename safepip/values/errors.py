"""Why safepip could not do its work. A refusal is not here: it is a verdict.

SafepipError
├── UsageError            2   an option of safepip that cannot be understood
├── CannotJudge          10   ownership or plan cannot be read, so nothing is installed
│   ├── UnreadableRecord      a conda record
│   ├── UnreadableReport      what pip said it would do
│   ├── UnreadableWheel       an artifact
│   ├── NoWheel               an artifact of which pip makes no wheel
│   ├── NoEngine              no way to ask this environment's pip for its plan
│   ├── CannotUndo            a change that cannot be taken back as things are
│   ├── CannotRepair          damage that cannot be mended as things are
│   └── WildRemoval           an uninstall that would take away what is nobody's to take
├── UnreadableJournal    10   what safepip wrote of its own changes
│   └── NoSuchChange          an id that no change has
├── UnreadableFile        2   a file that the user named
├── NotWritten            1   what was asked for, where it was to go
├── CannotCreate         10   an environment that cannot be made
│   ├── AlreadyThere          something is where it was to be
│   └── Unsolvable            what the file asks for cannot be had together
├── CondaUnknown         10   what conda has, where it is to be preferred
├── CondaFailed          10   conda's part of a command, of which nothing was done
├── HalfDone             13   conda's part is done, and pip's could not be begun
├── CannotLock           10   an environment whose artifacts are not known
├── NeedsYes             11   a question that nobody can answer here
├── Busy                 14   another safepip holds the environment
├── WrongEnvironment     15   the target is unclear, or not the one in use
├── NotWritable          16   the prefix cannot be written
├── HalfGuarded          13   the guard is written in part, and the rest cannot be
├── CannotStart         126   what `exec` is to run is there, and cannot be run
├── NoCommand           127   what `exec` is to run is not there
└── VerifyFailed         13   installed, and what is there is not what was judged

The one parent is caught once in each door. Each class states its exit code and, where there is
one, the way out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from safepip.values.exits import Exit
from safepip.values.retry import Retry
from safepip.values.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safepip.values.verdict import Fix


class SafepipError(Exception):
    """safepip could not do its work."""

    exit: ClassVar[Exit] = Exit.BUG
    code: ClassVar[str] = "error"

    def __init__(
        self,
        message: str,
        *,
        why: str = "",
        fixes: Sequence[Fix] = (),
        retry: Retry | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.why = why
        self.fixes = tuple(fixes)
        self.retry = retry
        """How the command would work; whoever knows the command makes a fix of it."""


class UsageError(SafepipError):
    """An option of safepip itself cannot be understood."""

    exit = Exit.USAGE
    code = "usage"


class CannotJudge(SafepipError):
    """Something that the verdict depends on cannot be read, so nothing is installed."""

    exit = Exit.BLOCKED
    code = "unreadable"


class UnreadableRecord(CannotJudge):
    """A conda record that cannot be read: what it owns is unknown."""

    code = "unreadable-record"

    def __init__(self, record: str, reason: object, *, fixes: Sequence[Fix] = ()) -> None:
        super().__init__(
            f"cannot read the conda record `{record}`: {reason}",
            why="what that package owns is unknown, so no install can be called safe",
            fixes=fixes,
        )
        self.record = record


class UnreadableReport(CannotJudge):
    """pip's account of its plan is not what its documentation says."""

    code = "unreadable-report"

    def __init__(self, at: str, expected: str, found: object) -> None:
        super().__init__(f"expected {expected}, got {found} in pip's report at `{at}`")
        self.at = at


class UnreadableWheel(CannotJudge):
    """An artifact of the plan that cannot be opened as a wheel."""

    code = "unreadable-wheel"

    def __init__(self, wheel: str, reason: object) -> None:
        super().__init__(f"cannot read the wheel `{wheel}`: {reason}")
        self.wheel = wheel


class NoWheel(CannotJudge):
    """pip would run `setup.py install`: what that writes is known only when it has been written."""

    code = "no-wheel"

    def __init__(self, name: str, version: str) -> None:
        super().__init__(
            f"{name} {version} would be installed by its own `setup.py`, without a wheel",
            why="which files that writes is known only after it has run, so it cannot be judged",
            retry=Retry("build a wheel of it first", more=("--use-pep517",)),
        )
        self.name = name


class NoEngine(CannotJudge):
    """The environment's pip cannot be asked for its plan."""

    code = "no-engine"


class WildRemoval(CannotJudge):
    """The metadata of a distribution claims folders that no distribution has."""

    code = "wild-removal"

    def __init__(
        self,
        name: str,
        path: str,
        moves: Sequence[tuple[str, ...]] = (),
        cuts: Sequence[tuple[str, ...]] | None = None,
    ) -> None:
        """Name the commands that are run first.

        Those of ``moves`` take what can be moved out of the way, those of ``cuts`` what names the
        rest out of its list; where that cannot be done, ``cuts`` is None.
        """
        back = "bring it back if it was not the package's"
        cut = "take the lines that lead there out of its RECORD first"
        says = f"move it aside first; {back}"
        if cuts:
            says = f"{cut}, and move aside what safepip goes by; {back}" if moves else cut
        first = (*moves, *(cuts or ()))
        super().__init__(
            f"uninstalling {name} would delete `{path}`, whoever has files in it",
            why="pip deletes whatever a distribution's RECORD names, and this one's is not right",
            retry=Retry(says, first=first) if first and cuts is not None else None,
        )
        self.name = name
        self.path = path


class CannotUndo(CannotJudge):
    """A change that cannot be taken back as things are."""

    code = "undo"


class CannotRepair(CannotJudge):
    """Damage that cannot be mended as things are."""

    code = "repair"


class UnreadableJournal(SafepipError):
    """An entry of the journal that is not as safepip writes them."""

    exit = Exit.BLOCKED
    code = "unreadable-journal"

    def __init__(self, entry: str, reason: object) -> None:
        super().__init__(f"cannot read the change `{entry}` in safepip's journal: {reason}")
        self.entry = entry
        self.reason = str(reason)


class NoSuchChange(UnreadableJournal):
    """No change has this id."""

    code = "undo"

    def __init__(self, entry: str) -> None:
        super().__init__(entry, "there is none")
        self.args = (f"there is no change `{entry}`",)
        self.message = self.args[0]


class UnreadableFile(SafepipError):
    """A file that the user named cannot be read, or is not what it should be."""

    exit = Exit.USAGE
    code = "unreadable-file"

    def __init__(self, path: str, reason: object) -> None:
        super().__init__(f"cannot read `{shown(path)}`: {shown(reason)}")
        self.path = path


class NotWritten(SafepipError):
    """What was asked for cannot be written where it was to go: no room on the disk, say."""

    exit = Exit.DAMAGED
    code = "not-written"

    def __init__(self, reason: object) -> None:
        super().__init__(f"cannot write to the standard output: {shown(reason)}")


class CannotCreate(SafepipError):
    """An environment that cannot be made; nothing is left of the attempt."""

    exit = Exit.BLOCKED
    code = "create"


class AlreadyThere(CannotCreate):
    """Something is where an environment was to be made."""

    def __init__(self, prefix: str, *fixes: Fix) -> None:
        message = f"`{shown(prefix)}` is there already, and was left alone"
        super().__init__(message, fixes=fixes)


class Unsolvable(CannotCreate):
    """What a file asks of conda cannot be had together, or is not in its words."""


class CondaUnknown(SafepipError):
    """What conda has is not known, and it is what was to be preferred."""

    exit = Exit.BLOCKED
    code = "prefer-conda"


class CondaFailed(SafepipError):
    """Conda did not do its part of a command; the environment is as it was."""

    exit = Exit.BLOCKED
    code = "prefer-conda"


class HalfDone(SafepipError):
    """Conda's part of a command is done, and pip's is not."""

    exit = Exit.CHANGED
    code = "prefer-conda"


class CannotLock(SafepipError):
    """Something of which no artifact is known, so that nothing exact can be written."""

    exit = Exit.BLOCKED
    code = "lock"

    def __init__(self, names: str, why: str) -> None:
        super().__init__(f"which artifact this was installed from is not known: {names}", why=why)


class NeedsYes(SafepipError):
    """A question that nobody can answer here."""

    exit = Exit.NEEDS_YES
    code = "needs-yes"


class Busy(SafepipError):
    """Another safepip works on this environment."""

    exit = Exit.BUSY
    code = "busy"


class WrongEnvironment(SafepipError):
    """It is unclear which environment is meant, or it is not the one in use."""

    exit = Exit.WRONG_ENV
    code = "wrong-env"


class NotWritable(SafepipError):
    """The prefix cannot be written."""

    exit = Exit.FROZEN
    code = "frozen"


class HalfGuarded(SafepipError):
    """Some files of the guard were written or removed, and then one could not be."""

    exit = Exit.CHANGED
    code = "half-guarded"


class CannotStart(SafepipError):
    """The command that `exec` is to run cannot be run."""

    exit = Exit.CANNOT_START
    code = "exec"


class NoCommand(SafepipError):
    """The command that `exec` is to run is not there."""

    exit = Exit.NO_COMMAND
    code = "exec"


class VerifyFailed(SafepipError):
    """pip finished, and the environment is not what was judged."""

    exit = Exit.CHANGED
    code = "verify-failed"
