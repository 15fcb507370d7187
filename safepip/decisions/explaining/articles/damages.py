"""Articles on what `doctor` finds: damage that is there, and what is worth knowing. Pure."""

from __future__ import annotations

from safepip.values.explanation import Article

_LOOK = (
    ("see whether and how it can be mended; nothing is changed", "safepip doctor --fix --dry-run"),
)


def _damage(kind: str, title: str, what: str, example: str, severity: str = "damage") -> Article:
    return Article(kind, title, severity, (what,), (example,), _LOOK)


DAMAGES = (
    _damage(
        "replaced",
        "a distribution of conda was replaced",
        "pip or another installer put its own version over conda's. conda's book still has the "
        "old "
        "one, and its next change may write those files back over the new.",
        " !  numpy  conda has 1.26.4, on disk is 2.4.6, put there by pip on 2026-11-25",
    ),
    _damage(
        "two-copies",
        "two distributions of one name lie in one folder",
        "Each has its own metadata, the files are mixed, and the order of a folder's names "
        "decides "
        "which of them pip and Python count.",
        " !  numpy  1.26.4 and 2.4.6 are both there; chance decides which of them counts",
    ),
    _damage(
        "overwritten",
        "files of a conda package were written over by a distribution with another name",
        "Both claim the files. Uninstalling the other one deletes them.",
        " !  opencv-python  4.11 was written over 41 files of conda's py-opencv 4.9.0",
    ),
    _damage(
        "shared-files",
        "files of a conda package are whole, and another distribution claims them, too",
        "Nothing is wrong until that distribution is uninstalled by something else than safepip.",
        " ~  tool  1.0 claims 2 files of conda's tool-base 1.0, which are whole",
        "note",
    ),
    _damage(
        "altered",
        "files of a conda package have other bytes",
        "They are not what conda wrote, and no distribution claims them.",
        " !  numpy  2 files of conda's numpy 1.26.4 altered, by whom is unknown",
    ),
    _damage(
        "missing",
        "files of a conda package are gone",
        "Where its metadata is among them, Python does not see the package any more.",
        " !  six  9 of 9 files of conda's six 1.16.0 are gone",
    ),
    _damage(
        "lost-record",
        "a conda package has no record any more",
        "conda deletes a record when it sees that pip replaced the package; `conda list` does so, "
        "too. "
        "What conda no longer knows of it does not keep or repair.",
        " !  numpy  conda had numpy-1.26.4 (by conda's history), and has no record of it any more",
    ),
    _damage(
        "leftover",
        "a trace of an install or uninstall that did not end",
        "pip moves old files aside to folders such as `~umpy`, and leaves them when it is cut off.",
        " !  numpy  lib/python3.11/site-packages/~umpy is left of what did not end",
    ),
    _damage(
        "depends",
        "a conda package does not have what it depends on",
        "By conda's book it has, but what is really installed is another version, or nothing.",
        " !  scipy  conda's 1.11.4 was built for numpy >=1.26,<2, and numpy 2.4.6 is there",
    ),
    _damage(
        "wrong-python",
        "commands of the environment start another Python",
        "The first line of a command names its interpreter. A copied or renamed environment has "
        "commands that act on the one that it was copied from.",
        " !  pip  1 command starts /opt/conda/envs/old/bin/python: bin/pip",
    ),
    _damage(
        "wrong-kernel",
        "a notebook kernel starts another Python",
        "The kernel that is offered under the environment's name does not run in it.",
        " !  kernel  the notebook kernel share/jupyter/kernels/python3 starts /usr/bin/python3",
    ),
    _damage(
        "wrong-path",
        "a command on PATH is another environment's",
        "The environment is active, and something else comes before it on PATH.",
        " ~  pip  `pip` on PATH is /usr/bin/pip, not that of this environment",
        "note",
    ),
    _damage(
        "hidden-module",
        "a module lies before the environment's own on sys.path",
        "It is imported in place of conda's or the standard library's: from the working folder, "
        "PYTHONPATH, the user site, or a path file.",
        " ~  numpy  ~/.local/lib/python3.11/site-packages/numpy is imported in place of conda's",
        "note",
    ),
    _damage(
        "stale-constraints",
        "a file of constraints that safepip wrote does not say what conda has here by now",
        "What is installed with it elsewhere gets other versions. conda's plugin keeps such files "
        "in step, where safepip is installed in conda's base; `safepip constraints -o FILE` does.",
        " ~  stale-constraints  constraints.txt, which safepip wrote, is out of date: ... numpy",
        "note",
    ),
    _damage(
        "no-python",
        "the environment's Python does not start",
        "What Python's own book says could not be looked at.",
        " !  python  the environment's Python cannot be asked: it is not there",
    ),
    _damage(
        "unfinished",
        "a change of safepip's was cut off, and could not be taken back",
        "The next command of safepip that may change something tries again.",
        " !  unfinished  the change 2026-11-25-1 of safepip was cut off, and is not taken back yet",
    ),
    _damage(
        "unreadable-change",
        "a change in safepip's journal cannot be read",
        "It cannot be taken back. Other changes can, as far as they do not touch the same files.",
        " !  unreadable-change  .../2026-11-25-1 cannot be read, safepip's note of the change ...",
    ),
    _damage(
        "unchecked",
        "files that could not be read",
        "Nothing is known of them: mostly a matter of permissions.",
        " ~  unchecked  3 files cannot be read: lib/private",
        "note",
    ),
)
