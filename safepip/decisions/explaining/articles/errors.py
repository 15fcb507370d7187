"""Articles on what kept safepip from its work. Pure."""

from __future__ import annotations

from safepip.values.explanation import Article

_REFUSED = "what cannot be judged is refused: nothing is installed, exit code 10"


def _unreadable(kind: str, title: str, what: str, example: str, fix: tuple[str, str]) -> Article:
    return Article(kind, title, _REFUSED, (what,), (example,), (fix,))


ERRORS = (
    Article(
        "usage",
        "an option of safepip cannot be understood",
        "exit code 2",
        ("safepip's own options are written in full; all others are pip's.",),
        ("error[usage]: `--env` needs a value",),
        (("see the options", "safepip --help"),),
    ),
    _unreadable(
        "unreadable",
        "something that the verdict depends on cannot be read",
        "safepip never becomes plain pip by itself: what it cannot judge it refuses.",
        "error[unreadable]: cannot judge this install",
        ("see whether the environment is damaged", "safepip doctor"),
    ),
    Article(
        "unreadable-record",
        "a record of conda cannot be read",
        _REFUSED,
        (
            (
                "What a package owns is known from its record alone. While one cannot be read, "
                "any install may write over its files."
            ),
        ),
        ("error[unreadable-record]: cannot read the conda record `numpy-1.26.4-0.json`: ...",),
        (
            (
                "have conda write it anew, which does not read it either",
                "mv RECORD RECORD.unreadable && conda install -p PREFIX NAME=VERSION=BUILD",
            ),
        ),
    ),
    _unreadable(
        "unreadable-report",
        "pip's account of its plan is not as documented",
        "safepip reads what pip says it would do, and takes nothing for granted in it.",
        "error[unreadable-report]: expected dict, got list in pip's report at `install[0]`",
        ("ask pip by its public options", "SAFEPIP_ENGINE=two-pass safepip install NAME"),
    ),
    _unreadable(
        "unreadable-wheel",
        "an artifact is no wheel",
        "The list of files is read from the wheel itself; one that cannot be opened has none. "
        "Nor is one believed that writes conda's books, or the settings and the guard of safepip, "
        "or that claims them in its RECORD.",
        "error[unreadable-wheel]: cannot read the wheel `x-1.0-py3-none-any.whl`: not a zip file",
        ("have it fetched anew", "safepip install --no-cache-dir NAME"),
    ),
    Article(
        "no-wheel",
        "a project would be installed by its own setup.py",
        _REFUSED,
        ("Which files that writes is known only when it has run, so that nothing can be judged.",),
        ("error[no-wheel]: docopt 0.6.2 would be installed by its own `setup.py`",),
        (("build a wheel of it first", "safepip install --use-pep517 NAME"),),
    ),
    _unreadable(
        "no-engine",
        "the environment's pip cannot be asked for its plan",
        "Neither pip's insides nor its public options can be used: its Python does not start, or "
        "pip is damaged.",
        "error[no-engine]: cannot run `PREFIX/bin/python`: No such file or directory",
        (
            "have conda write its Python anew",
            "conda install -p PREFIX --force-reinstall python pip",
        ),
    ),
    _unreadable(
        "wild-removal",
        "uninstalling would delete what is nobody's to delete",
        "pip deletes whatever a RECORD names, and this one names folders that no distribution has, "
        "or what safepip goes by. Whether a package brought the latter or only names it, nobody "
        "can tell: a command is printed that moves it aside first, or that takes the lines that "
        "name the rest out of the RECORD, so that pip leaves that alone.",
        "error[wild-removal]: uninstalling x would delete `PREFIX/lib`, whoever has files in it",
        ("see what is wrong", "safepip doctor"),
    ),
    Article(
        "undo",
        "a change cannot be taken back as things are",
        "exit code 10",
        (
            (
                "A later change touched the same files, something else needs what would go, or "
                "there is no such change. The message says what to do first."
            ),
        ),
        ("error[undo]: there is no change `2026-11-25-9`",),
        (("see the changes", "safepip history"),),
    ),
    _unreadable(
        "unreadable-journal",
        "what safepip wrote of its own changes cannot be read",
        "An entry in conda-meta/safepip is damaged, or somebody else wrote it.",
        "error[unreadable-journal]: cannot read the change `2026-11-25-1` in safepip's journal",
        ("see the changes that can be read", "safepip history"),
    ),
    Article(
        "repair",
        "the environment cannot be mended, or not wholly",
        "exit code 10",
        ("What is needed to mend it is not to be had, or somebody changed it meanwhile.",),
        ("error[repair]: nothing was mended",),
        (("see what is wrong", "safepip doctor"),),
    ),
    Article(
        "unreadable-file",
        "a file that was named cannot be read",
        "exit code 2",
        ("It is not there, is no YAML, or has something else than an environment file has.",),
        ("error[unreadable-file]: cannot read `environment.yml`: expected a list at `pip`",),
        (("see what is wrong with one that can be read", "safepip check-file FILE"),),
    ),
    Article(
        "create",
        "an environment cannot be made",
        "exit code 10; nothing is left of the attempt",
        (
            (
                "Something is there already, what makes conda's part is missing, or that part "
                "cannot be had from its channels."
            ),
        ),
        ("error[create]: py-rattler could not make conda's part of `environment.yml`",),
        (("see whether the file is the reason", "safepip check-file FILE --solve"),),
    ),
    Article(
        "prefer-conda",
        "conda's part of an install is left to you, or could not be done",
        "exit code 10; 13 where conda's part is done and pip's is not",
        (
            (
                "With --prefer-conda, what conda's channels have is installed by conda, and the "
                "rest by pip. By itself safepip lets conda only add: where something that is there "
                "would change, go, or come a second time, the commands are printed instead."
            ),
            (
                "What conda has is asked by py-rattler (the extra `conda`). Where it is not there, "
                "or the channels did not answer and were never fetched, nothing is known of it."
            ),
        ),
        (("error[prefer-conda]: conda's part would change what is there: numpy 1.26.4 -> 2.4.1"),),
        (("see what conda would do, and what pip", "safepip plan --prefer-conda NAME"),),
    ),
    Article(
        "lock",
        "an environment cannot be locked",
        "exit code 10; nothing was written",
        (
            (
                "A lock names exact artifacts with hashes. The journal knows those of what safepip "
                "installed; of the rest the environment's pip is asked, which did not find one."
            ),
        ),
        ("error[lock]: which artifact this was installed from is not known: rich",),
        (("write versions instead of artifacts", "safepip export -f environment.yml"),),
    ),
    Article(
        "needs-yes",
        "a question that nobody can answer",
        "exit code 11",
        (
            (
                "Only what takes something away or back asks (`uninstall`, `undo`, "
                "`doctor --fix`), and only where somebody sits at a terminal."
            ),
        ),
        ("error[needs-yes]: pip asks whether to go on, and nobody can answer here",),
        (("answer in advance", "safepip uninstall -y NAME"),),
    ),
    Article(
        "not-written",
        "what was asked for cannot be written",
        "exit code 1",
        (
            (
                "Environment files, constraints and functions of shells go to the standard output. "
                "Where that is a file on a full disk, it is incomplete, and no success."
            ),
        ),
        ("error[not-written]: cannot write to the standard output: No space left on device",),
        (("write it where there is room", "safepip export -o /elsewhere/environment.yml"),),
    ),
    Article(
        "busy",
        "another safepip is at work in this environment",
        "exit code 14",
        ("pip has no lock; safepip has one, and waits for it for 30 seconds.",),
        ("error[busy]: another safepip works on this environment",),
        (("wait longer", "SAFEPIP_LOCK_SECONDS=600 safepip install NAME"),),
    ),
    Article(
        "wrong-env",
        "it is unclear which environment is meant, or it is not the one in use",
        "exit code 15",
        (
            (
                "The active environment and the `pip` on PATH are of different environments: "
                "typical where the active one has no pip of its own."
            ),
            (
                "In a notebook, `!` runs with the PATH of the Jupyter server, which may live in "
                "another environment than the kernel; `%safepip` acts on the kernel's."
            ),
        ),
        ("error[wrong-env]: the active environment is lab, and `pip` on PATH is that of base",),
        (("say which is meant", "safepip install --env PREFIX NAME"),),
    ),
    Article(
        "verify-failed",
        "what was installed is not as judged, or does not work",
        "exit code 12 when it was taken back, 13 when it could not be",
        (
            (
                "After an install, files and versions are compared with what was judged, and the "
                "new modules are imported. What fails there is taken back at once."
            ),
        ),
        ("error[verify-failed]: pip has finished, and what it installed does not work here",),
        (
            ("see what stands", "safepip history"),
            ("have it all the same", "safepip install --no-import-check NAME"),
        ),
    ),
    Article(
        "exec",
        "the command that `exec` is to run does not start",
        "exit code 127 where there is none of that name, else 126",
        (
            (
                "`safepip exec -- COMMAND` becomes that command, with shims before every pip on "
                "PATH. A COMMAND is a program; for a line with `&&` or `|` it is a shell."
            ),
        ),
        ("error[exec]: found no `mak`",),
        (("run a line", "safepip exec -- sh -c 'pip install NAME && make'"),),
    ),
    Article(
        "half-guarded",
        "`guard on` or `guard off` was cut off, and some of its files are of the one state still",
        "exit code 13",
        (
            (
                "The manifest names what each file was and what it was to be, so that the next "
                "`guard on` or `guard off` finishes it, and takes nothing of its own for yours."
            ),
        ),
        ("error[half-guarded]: 3 of 12 files were written",),
        (("take it all away", "safepip guard off"), ("finish it", "safepip guard on")),
    ),
    Article(
        "interrupted",
        "the command was interrupted",
        "exit code 130",
        ("What had begun was taken back; the message says in which state the environment is.",),
        ("safepip: interrupted. Nothing was installed.",),
        (("see what stands", "safepip history"),),
    ),
    Article(
        "pip-failed",
        "pip itself failed",
        "pip's own exit code",
        ("pip has said why. Where it had begun to change something, that was taken back.",),
        ("ERROR: No matching distribution found for absent",),
        (("have pip say more", "safepip install -v NAME"),),
    ),
)
