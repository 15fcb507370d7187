"""Sent by the start-up of Python: `pip install` and `pip uninstall` become safepip's.

This file is a script, copied by `safepip guard on --deep` to `libexec/safepip/hook.py` of an
environment, where a path file among the packages runs it at each start of Python that has one of
these verbs among its arguments: before `python -m pip`, before any `pip` that this Python runs, and
before `python -m uv`, where it is `pip` or may take a conda environment for that of a project.
It imports next to nothing, and whatever goes wrong in it, Python starts.
"""

from __future__ import annotations

import os
import re
import sys

SAFEPIP: list[str] = []
"""The words that start safepip; filled in when this is copied."""
PACKAGE = ""
"""The folder of safepip; filled in likewise."""

_VERBS = ("install", "uninstall")
_OF_PROJECTS = ("add", "check", "metadata", "remove", "run", "sync", "version")
_NAMES = re.compile(r"pip(\d+(\.\d+)?)?(-script\.py)?")
_ARCHIVES = re.compile(r".*\.whl/pip|(.*/)?pip\.pyz")
_RUNNERS = ("__main__.py", "__pip-runner__.py")
_STARTS = re.compile(rb"""from pip\b|import pip\b|entry_point\(\s*['"]pip\b""")
_START_BYTES = 2000
_BY_SH = re.compile(rb"""#![^\n]*\n'''exec' (?:"([^"\n]+)"|(\S+))""")
"""A script whose interpreter does not fit behind `#!`, being long or with spaces."""
_FROZEN = 16
_MAMBAS_BYTE = 21
_SEAL = b"# safepip seal"


def pips_arguments(words: list[str]) -> list[str] | None:
    """Give the arguments of pip, where these start it; None where they start something else.

    ``words`` are those behind the interpreter. Of uv, the first argument is `uv`.
    """
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word == "-":
            return rest if is_pip(word) else None
        if word.startswith("--"):
            if word == "--check-hash-based-pycs":
                del rest[:1]
            continue
        for at, letter in enumerate(word[1:], 2):
            if letter == "c":
                return None
            if letter == "m":
                module = word[at:] or (rest.pop(0) if rest else "")
                return arguments_of(module, rest)
            if letter in "WX":
                if not word[at:]:
                    del rest[:1]
                break
    return None


def arguments_of(module: str, rest: list[str]) -> list[str] | None:
    """Give the same where a module is started."""
    if module in ("uv", "uv.__main__"):
        return ["uv", *rest]
    return rest if module in ("pip", "pip.__main__") else None


def is_pip(script: str) -> bool:
    """Say whether a script is pip: one of its commands, its folder, or a file that runs it."""
    folder, name = os.path.split(script.rstrip("/"))
    if _ARCHIVES.fullmatch(script):
        return True
    if name in _RUNNERS:
        return os.path.basename(folder) == "pip"
    if os.path.isdir(script):
        return name == "pip" and os.path.isfile(script + "/__pip-runner__.py")
    if not (_NAMES.fullmatch(name) or _NAMES.fullmatch(os.path.basename(os.path.realpath(script)))):
        return False
    with open(script, "rb") as file:
        return _STARTS.search(file.read(_START_BYTES)) is not None


def builds_for_pip(arguments: list[str]) -> bool:
    """Say whether an outer pip runs this one, to get what a build needs into another folder."""
    return "PIP_BUILD_TRACKER" in os.environ and "--prefix" in arguments


def is_condas() -> bool:
    """Say whether this Python is that of a conda environment, and of none on top of it."""
    return sys.prefix == sys.base_prefix and os.path.isdir(sys.prefix + "/conda-meta")


def is_wanted(arguments: list[str]) -> bool:
    """Say whether safepip is to take these arguments of pip."""
    environ = os.environ
    if environ.get("SAFEPIP_INSIDE") or environ.get("SAFEPIP_GUARD") == "off":
        return False
    if not is_condas():
        return False
    if arguments[:1] == ["uv"]:
        is_pips = "pip" in arguments and not {*_VERBS, "sync"}.isdisjoint(arguments)
        is_projects = not set(_OF_PROJECTS).isdisjoint(arguments)
        return is_pips or (is_projects and may_be_condas(arguments))
    return not set(_VERBS).isdisjoint(arguments) and not builds_for_pip(arguments)


def may_be_condas(arguments: list[str]) -> bool:
    """Say whether uv may take a conda environment for that of a project; safepip finds out.

    The same as in the shims, without a start of anything where an ordinary project is at work.
    """
    environ = os.environ
    folders = [environ.get("UV_PROJECT_ENVIRONMENT") or ".venv"]
    if "--active" in arguments and environ.get("VIRTUAL_ENV"):
        folders.append(environ["VIRTUAL_ENV"])
    moved = any(word.startswith(("--directory", "--project")) for word in arguments)
    moved = moved or bool(environ.get("UV_WORKING_DIR") or environ.get("UV_PROJECT"))
    if moved and not all(map(os.path.isabs, folders)):
        return True
    above = os.getcwd()
    while True:
        if any(os.path.isdir(os.path.join(above, one, "conda-meta")) for one in folders):
            return True
        if os.path.dirname(above) == above:
            return False
        above = os.path.dirname(above)


def is_mambas(arguments: list[str]) -> bool:
    """Say whether mamba, at work here, has pip remove what it brings a package of its own for.

    safepip would wait for mamba to end, and mamba for safepip.

    Source: https://github.com/mamba-org/mamba/blob/main/libmamba/src/core/transaction.cpp
    """
    if arguments[:-1] != ["uninstall", "-y"]:
        return False
    lock = sys.prefix + "/conda-meta/conda-meta.lock"
    if not os.access(lock, os.R_OK | os.W_OK):
        return False
    import fcntl

    with open(lock, "rb+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _MAMBAS_BYTE)
        except OSError:
            return True
    return False


def pass_own_seal() -> None:
    """Have pip pass the seal of safepip, and nobody else's."""
    seal = os.path.dirname(os.__file__) + "/EXTERNALLY-MANAGED"
    if os.path.isfile(seal):
        with open(seal, "rb") as file:
            if file.read(len(_SEAL)) == _SEAL:
                os.environ["PIP_BREAK_SYSTEM_PACKAGES"] = "1"


def become_safepip(arguments: list[str]) -> None:
    """Replace this process by safepip; where there is none, say so and let pip go on."""
    environ = dict(os.environ, SAFEPIP_TARGET_PREFIX=sys.prefix, SAFEPIP_HANDED="1")
    if arguments[0] == "uv":  # the module starts the one beside its Python, and says who it is
        environ["PATH"] = sys.prefix + "/bin:" + environ.get("PATH", os.defpath)
        environ["UV_INTERNAL__PARENT_INTERPRETER"] = sys.executable
    if os.environ.get("SAFEPIP_HANDED"):
        # safepip takes it away: this was called by what should have been safepip.
        say("error: SAFEPIP_EXE leads back to pip, which was not run: unset SAFEPIP_EXE")
        os._exit(_FROZEN)
    own = [os.environ.get("SAFEPIP_EXE", "")]
    code = os.environ.get("SAFEPIP_EXE_CODE")
    own += ["-c", code] if code else []
    for command in (own, SAFEPIP, ["safepip"]):
        try:
            if command[0] and starts(command):
                os.execvpe(command[0], command + arguments, environ)  # noqa: S606 - no shell, ever
        except OSError:
            continue
    who = "uv" if arguments[0] == "uv" else "pip"
    go_on_without("safepip is gone", missing(who), who)


def starts(command: list[str]) -> bool:
    """Say whether it starts, as far as can be told: its package may be gone."""
    if command[0] == SAFEPIP[0] and os.path.isfile(PACKAGE + "/doors/launch.py"):
        with open(command[0], "rb") as file:
            by_sh = _BY_SH.match(file.read(_START_BYTES))
        # (Where it is the kernel that starts the interpreter, that says itself what it cannot.)
        return by_sh is None or os.access(by_sh[1] or by_sh[2], os.X_OK)
    import subprocess

    null = subprocess.DEVNULL
    words = [*command, "--help"]
    return subprocess.run(words, stdin=null, stdout=null, stderr=null, check=False).returncode == 0


def missing(who: str) -> str:
    """Say what does not start, and the ways out."""
    text = "  '" + SAFEPIP[0] + "' does not start; SAFEPIP_GUARD=off has " + who + " run without it"
    manifest = sys.prefix + "/etc/safepip/guard.json"
    if os.path.isfile(manifest):
        text += ",\n  and '" + manifest + "' lists the files of the guard"
    return "\n" + text


def go_on_without(why: str, more: str = "", who: str = "pip") -> None:
    """Say that pip is not guarded, or uv, or end where it has to be."""
    if os.environ.get("SAFEPIP_GUARD", "") not in ("", "on", "off"):  # a slip is no permission
        say("error: " + why + ", and SAFEPIP_GUARD=required: " + who + " was not run" + more)
        os._exit(_FROZEN)
    if os.environ.pop("SAFEPIP_MISSED", None) and more:
        return  # the shim has said so
    say("warning: " + why + ", so " + who + " runs WITHOUT the guard" + more)


def say(text: str) -> None:
    """Say it, where anybody listens."""
    if sys.stderr is not None:
        sys.stderr.write("safepip: " + text + "\n")
        sys.stderr.flush()


def main() -> None:
    """Decide, and never fail."""
    try:
        arguments = pips_arguments(sys.orig_argv[1:])
    except Exception:  # noqa: BLE001 - a script that cannot be read is nobody's pip
        return
    if arguments is None:
        return
    try:
        if os.environ.get("SAFEPIP_GUARD") == "off" and is_condas():
            pass_own_seal()
        if not is_wanted(arguments):
            return
        if is_mambas(arguments):
            pass_own_seal()
        else:
            become_safepip(arguments)
    except Exception as error:  # noqa: BLE001 - whatever it is, Python is to start
        go_on_without("its hook failed (" + repr(error) + ")")


main()
