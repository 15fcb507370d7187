"""Why `doctor --fix` leaves something as it is, in words. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.wording.layout import clean
from safepip.decisions.wording.phrases import few

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.values.repair import Reason, Why

_FEW_PATHS = 3

_SENTENCES: Mapping[Why, str] = {
    "follows": "it may follow from something else that is wrong, and is looked at again afterwards",
    "one-of-two": "which of them is meant is yours to say: uninstall one",
    "was-met": "it was met by the version that pip had put there",
    "found-again": "it was found again afterwards",
    "not-here": "it is not for safepip to mend",
    "own-package": "its own package has to be installed again",
    "only-copy": "what it was is not there again, so that it may be the only copy",
    "book-unreadable": "it may be of a package whose record cannot be read",
    "unknown-build": "no package cache has it, and nothing tells where it came from",
    "unknown-version": "which version and build of it conda had is unknown: no package cache has "
    "it, and neither conda's history nor a record tells",
    "gone-source": "no package cache has it, and `{0}`, which it came from, is not there",
    "no-source": "nothing tells where it came from",
    "no-tool": "its files are not in a package cache, and to fetch them takes py-rattler (the "
    "extra `conda` of safepip), or conda, mamba or micromamba on PATH",
    "offline": "no package cache has it, and channels are not asked, as conda or pip is set to "
    "work offline",
    "no-answer": "no package cache has it, and a channel gave no answer: {0}",
    "not-offered": "no package cache has it, and its channel has no {0}",
    "no-row": "`{0}` has no `{1}`",
    "no-package": "`{0}` holds no package",
    "is-link": "`{0}` is a link, and no file",
    "other-bytes": "`{0}` has other bytes",
    "gives-other-bytes": "`{0}` comes out with other bytes than the record says, as where an "
    "environment was moved or copied",
    "command-differs": "the command gets other bytes than the record says",
    "leads-out": "`{0}`: it is a link that leads out of the environment",
    "no-folder": "`{0}`: it is no folder, and conda has files in one of this name",
    "not-writable": "`{0}`: it may not be written",
    "full-folder": "`{0}`: it is a folder with files in it, where conda has a file",
    "special-file": "`{0}`: it is a pipe, a socket or a device, where conda has a file",
    "put-back-wrong": "what was put back is not as it should be: `{0}`",
    "said": "{0}",
}
"""Of those that take no more than a name or two."""


def why_left(reason: Reason) -> str:
    """Give the reason, without secrets and without what a terminal would obey."""
    match reason.why:
        case "several":
            return f"which of these it was is unknown: {few(reason.what)}"
        case "unlisted":
            name, *paths = reason.what
            named = few((f"`{path}`" for path in paths), _FEW_PATHS)
            known = f"whether {named} came with {clean(name)} is unknown"
            return f"{known}, as it has no list of its files"
        case _:
            return _SENTENCES[reason.why].format(*map(clean, reason.what))
