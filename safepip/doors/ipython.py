"""`%safepip` in IPython and Jupyter, and `%pip` where the guard is on.

`%load_ext safepip` imports this file. `safepip guard on` also copies it to
`libexec/safepip/notebook.py` of an environment, where a startup file of IPython runs it: there the
kernel's Python may be old, and safepip may live elsewhere. So it imports nothing of safepip. How a
command ended, it reads from a file that safepip writes, what is to be shown included.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import sys
import tempfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    _Mark = tuple[int, int, int]
    """What a file is known to be the same by: size, time and inode."""
    InteractiveShell = Any  # of IPython, whose types differ from release to release

SAFEPIP: list[str] = []
"""The words that start safepip; filled in when this is copied."""
PACKAGE = ""
"""The folder of safepip; filled in likewise."""

MIME = "application/vnd.safepip.plan+json"
_COLABS_MIME = "application/vnd.colab-display-data+json"
_KERNEL, _RESULT = "SAFEPIP_KERNEL_PREFIX", "SAFEPIP_RESULT_FILE"
_TARGET, _ACTIVE = "SAFEPIP_TARGET_PREFIX", "SAFEPIP_KERNEL_ACTIVE"
_PROCESS = "SAFEPIP_KERNEL_PID"
"""Of which kernel the others speak: those that are started from it have them, too."""
_MANIFEST = "/etc/safepip/guard.json"
_SHIMS = "/libexec/safepip/active"
_LIMIT = 64 * 1024 * 1024
_SHOWN = 5
_NOTE = "Note: you may need to restart the kernel to use updated packages."
_SIGNALS = 128
"""Exit codes of shells above this are signals; IPython also has those as negative numbers."""
_VERB = re.compile(r"(?<![\w.-])(un)?install(?![\w.-])")
_MAY_BE_GONE = ("", "on", "off")
"""Values of `SAFEPIP_GUARD` with which pip runs where safepip is gone; any other is `required`."""
_PIPS_OWN = (1, 2, 3, 4, 23, 120)
"""Exit codes of pip itself, for which `%pip` has never stopped a notebook."""


class SafepipStop(Exception):
    """A command that was refused, or failed: papermill and nbconvert stop here."""

    def _render_traceback_(self) -> list[str]:
        """Say it in one line: there is nothing in the notebook's code to look for."""
        return [f"{type(self).__name__}: {self}"]


class _Gone(Exception):
    """safepip does not start."""

    def __init__(self, words: list[str]) -> None:
        by = " ".join(words if words[-1] == "safepip" else words[:1])
        manifest = sys.prefix + _MANIFEST
        listed = f"; `{manifest}` lists the guard's files" if os.path.isfile(manifest) else ""
        super().__init__(f"safepip is gone (`{by}` does not start{listed})")


class Notebook:
    """What safepip has changed in one shell of IPython, until it is unloaded."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._old: dict[str, Callable[[str], Any]] = {}
        """IPython's own `%pip` and `%uv`, while ours stand before them."""
        self._imported: dict[str, tuple[Any, set[tuple[int, int]]]] = {}
        """How modules were imported, and what files are as good as what was: size and time."""
        self._wanted, self._start = "", ""
        """What is to be first on `PATH`, and what was put there for that."""
        self._before = {name: os.environ.get(name) for name in (_KERNEL, _ACTIVE, _PROCESS)}

    @property
    def _magics(self) -> dict[str, Any]:
        found: dict[str, Any] = self._shell.magics_manager.magics["line"]
        return found

    def load(self) -> None:
        """Have the magics, and commands behind `!` that find the kernel's environment."""
        self._magics["safepip"] = self.safepip
        os.environ[_KERNEL] = sys.prefix
        os.environ[_ACTIVE] = os.environ.get("CONDA_PREFIX", "")
        os.environ[_PROCESS] = str(os.getpid())
        self.follow_guard()

    def unload(self) -> None:
        """Leave the shell as it was before."""
        # (Not yet: `%reload_ext` looks for it behind this.)
        self._shell.events.register("post_execute", self._give_back_module)
        self._give_back_magics()
        self._magics.pop("safepip", None)
        self._give_back_path()
        for name, value in self._before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value

    def _give_back_module(self) -> None:
        """Once the cell has ended, let a real `safepip` be imported: what stands in for it goes."""
        with contextlib.suppress(ValueError):
            self._shell.events.unregister("post_execute", self._give_back_module)
        there = getattr(sys.modules.get("safepip"), "__spec__", None)
        is_stand_in = there is not None and there.loader is _StandIn
        if is_stand_in and _loaded_in(self._shell) is None:
            del sys.modules["safepip"]

    def follow_guard(self) -> None:
        """Guard `%pip` and `!pip` where the guard of the kernel's environment is on."""
        is_on = os.path.isfile(sys.prefix + _MANIFEST)
        if not is_on:
            self._give_back_magics()
        for name, ours in (("pip", self.pip), ("uv", self.uv)) if is_on else ():
            # (Not from the table: there may be what only stands in for it until it is called.)
            old = self._shell.find_line_magic(name) if name not in self._old else None
            if old is not None:
                self._old[name], self._magics[name] = old, ours
        folders = [os.path.dirname(sys.executable)]
        if os.path.isfile(f"{sys.prefix}{_SHIMS}/pip"):
            folders.insert(0, sys.prefix + _SHIMS)
        start = os.pathsep.join(folders)
        if start == self._wanted:  # whoever has put something before it since, means that
            return
        self._give_back_path()
        self._wanted, path = start, os.environ.get("PATH", os.defpath)
        if not f"{path}{os.pathsep}".startswith(f"{start}{os.pathsep}"):
            os.environ["PATH"] = f"{start}{os.pathsep}{path}"
            self._start = start

    def _give_back_magics(self) -> None:
        for name, ours in (("pip", self.pip), ("uv", self.uv)):
            if name in self._old and self._magics.get(name) == ours:
                self._magics[name] = self._old[name]
        self._old = {}

    def _give_back_path(self) -> None:
        """Take our folders away from `PATH`, also where somebody put others before them."""
        folders = os.environ.get("PATH", "").split(os.pathsep)
        for folder in self._start.split(os.pathsep) if self._start else ():
            if folder in folders:
                folders.remove(folder)
        if self._start:
            os.environ["PATH"] = os.pathsep.join(folders)
        self._start = ""

    def safepip(self, line: str) -> None:
        """Run safepip on the environment of this kernel, guarded: `%safepip install PACKAGE`.

        As with `%pip`, the line goes through a shell, with `{variables}` put in. A command that is
        refused or fails stops the notebook.
        """
        try:
            self._run(line)
        except _Gone as error:
            raise SafepipStop(str(error)) from None

    def pip(self, line: str) -> None:
        """Run pip on the environment of this kernel; installs and uninstalls go through safepip.

        That is so while `safepip guard on` holds here. A refusal stops the notebook.
        """
        old = self._old.get("pip")
        self.follow_guard()
        if not self._is_guarded("pip"):
            if old is not None:
                old(line)
            return
        if _VERB.search(line):
            try:
                self._run(line, passed=_PIPS_OWN)
            except _Gone as error:
                if os.environ.get("SAFEPIP_GUARD", "") not in _MAY_BE_GONE:
                    raise SafepipStop(f"{error}, and SAFEPIP_GUARD=required") from None
                sys.stderr.write(f"safepip: warning: {error}, so pip runs WITHOUT the guard\n")
            else:
                return
        self._pass("pip", line)

    def uv(self, line: str) -> None:
        """Run uv as IPython does; the kernel is only to be restarted for what it has imported."""
        old = self._old.get("uv")
        self.follow_guard()
        if self._is_guarded("uv"):
            self._pass("uv", line)
        elif old is not None:
            old(line)

    def _is_guarded(self, name: str) -> bool:
        return name in self._old and os.environ.get("SAFEPIP_GUARD") != "off"

    def _pass(self, _by: str, _of_user: str) -> None:
        """Have IPython's own magic do it, less its note that the kernel may have to be restarted.

        (As in `_system`: names that nobody has.)
        """
        _before = self._modules()
        with contextlib.redirect_stdout(_WithoutNote(sys.stdout)):
            self._old[_by](_of_user)
        self._say_what_is_old(_before, {})

    def _modules(self) -> dict[str, tuple[str, _Mark]]:
        """Give the files of modules, and note those that were imported since the last time."""
        found = _files_of_modules()
        for name, (_, mark) in found.items():
            spec = _part_of(sys.modules.get(name), "__spec__")  # another one after a reload
            if name not in self._imported or self._imported[name][0] is not spec:
                self._imported[name] = (spec, {mark[:2]})
        return found

    def _words(self) -> list[str]:
        """Give the words that start safepip.

        Raises: _Gone.
        """
        if not SAFEPIP:
            return [sys.executable, "-m", "safepip"]
        own, code = os.environ.get("SAFEPIP_EXE"), os.environ.get("SAFEPIP_EXE_CODE")
        if own and os.access(own, os.X_OK):
            return [own, *(["-c", code] if code else [])]
        if os.path.isfile(PACKAGE + "/doors/launch.py") and os.access(SAFEPIP[0], os.X_OK):
            return SAFEPIP
        raise _Gone(SAFEPIP)

    def _run(self, line: str, *, passed: tuple[int, ...] = ()) -> None:
        """Run a command. ``passed``: exit codes for which the notebook goes on, besides 0.

        Raises: SafepipStop; _Gone, where safepip did not even begin.
        """
        words, before = self._words(), self._modules()
        code, told = self._ended(line, words)
        self._show(told)
        self._say_what_is_old(before, told)
        self.follow_guard()
        said = told.get("exit_code")
        # (Behind a pipe the shell knows only how that ended; by `||` the user has answered.)
        code = said if isinstance(said, int) and not _is_answered(line) else code
        if getattr(self._shell, "system_raise_on_error", False):  # the user wants each to stop
            passed = ()
        if code and code not in passed:
            raise SafepipStop(told.get("line") or _how_it_ended(code))

    def _ended(self, line: str, words: list[str]) -> tuple[int, dict[str, Any]]:
        """Run a command, and give its exit code and what it told.

        Raises: _Gone.
        """
        words = [f"{_TARGET}={sys.prefix}", *words]
        if getattr(self._shell, "kernel", None) is None:  # a terminal: there it says all by itself
            return self._system(_command(words, line)), {}
        handle, path = tempfile.mkstemp(prefix="safepip-", suffix=".json")
        os.close(handle)
        try:
            code = self._system(_command([f"{_RESULT}={path}", *words], line))
            with open(path, "rb") as file:
                text = file.read(_LIMIT)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        if code and not text and not _is_signal(code):  # that it began, it says first of all
            raise _Gone(words[1:])
        try:
            told = json.loads(text or b"{}")
        except ValueError:
            told = {}
        return code, told if isinstance(told, dict) else {}

    def _system(self, _of_safepip: str) -> int:
        """Run a line in a shell, and give its exit code.

        IPython puts in variables once more, also those of this function: it has none that anybody
        would name.
        """
        try:
            self._shell.system(_of_safepip)
        except Exception as error:
            code = getattr(error, "returncode", None)  # with `system_raise_on_error`
            if not isinstance(code, int):
                raise
            return code
        found = self._shell.user_ns.get("_exit_code")
        return found if isinstance(found, int) else 0

    def _show(self, told: Mapping[str, Any]) -> None:
        """Show the card, in each form in which a client may want it."""
        data = {"text/plain": told.get("text"), "text/html": told.get("html")}
        if data["text/plain"]:
            self._publish({**data, MIME: told.get("plan")})

    def _publish(self, data: Mapping[str, Any]) -> None:
        self._shell.display_pub.publish(data={kind: what for kind, what in data.items() if what})

    def _say_what_is_old(self, before: Mapping[str, Any], told: Mapping[str, Any]) -> None:
        """Say which modules this kernel has in another state than the disk by now."""
        imported = {name: marks for name, (_, marks) in self._imported.items()}
        names = _changed_modules(before, told, imported)
        if not names:
            return
        if "google.colab" in sys.modules:  # it shows a button
            warning = {"pip_warning": {"packages": sorted(names)}, "id": os.urandom(16).hex()}
            self._publish({_COLABS_MIME: warning})
        shown = list(dict.fromkeys(names[top] for top in sorted(names)))
        more = f", {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
        what = "was changed on disk, and this kernel has imported the old one"
        if len(shown) > 1:
            what = "were changed on disk, and this kernel has imported the old ones"
        how = "Restart the kernel before you go on"
        if os.environ.get("DATABRICKS_RUNTIME_VERSION"):
            how = "Restart Python before you go on, by dbutils.library.restartPython()"
        print(f"{how}: {', '.join(shown[:_SHOWN])}{more} {what}.")


def _is_signal(code: int) -> bool:
    """Say whether a command was ended by somebody, as IPython ends what is interrupted."""
    return not 0 <= code <= _SIGNALS


def _how_it_ended(code: int) -> str:
    """Say how safepip ended, which could not say so itself."""
    if _is_signal(code):
        return "safepip was interrupted; its next command takes back what that cut off"
    return f"safepip ended with exit code {code}"


def _is_answered(line: str) -> bool:
    """Say whether the line itself says what is to be done where safepip fails: `|| true`."""
    words = shlex.shlex(line, posix=True, punctuation_chars=True)
    words.commenters = ""
    try:
        return "||" in words
    except ValueError:  # the shell says what is wrong with it
        return False


def _command(words: list[str], line: str) -> str:
    """Give a line for any shell: variables first, and pip's arguments as somebody typed them."""
    return f"env {' '.join(map(shlex.quote, words))} {line}"


class _WithoutNote:
    """A stream for what IPython's own magics say, less the note that they end with each time."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._is_behind = False

    def write(self, text: str) -> int:
        is_end = self._is_behind and text == "\n"
        self._is_behind = text == _NOTE
        if not is_end and not self._is_behind:
            self._stream.write(text)
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _files_of_modules() -> dict[str, tuple[str, _Mark]]:
    """Give the file of each module that is imported, and by what it is known to be the same."""
    found = {}
    for name, module in list(sys.modules.items()):
        path = _part_of(module, "__file__")
        mark = _mark(path) if isinstance(path, str) else None
        if mark is not None:
            found[name] = (path, mark)
    return found


def _part_of(module: object, name: str) -> Any:
    """Give what a module has by a name, unheard by a lazy one: it would import itself."""
    try:
        return object.__getattribute__(module, "__dict__").get(name)
    except AttributeError:
        return None


def _mark(path: str) -> _Mark | None:
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns, stat.st_ino


def _changed_modules(
    before: Mapping[str, Any],
    told: Mapping[str, Any],
    imported: Mapping[str, set[tuple[int, int]]],
) -> dict[str, str]:
    """Give the modules whose imported files are others now, each with whose it is.

    Not those that are again what was ``imported``, as after an undo: a copy of that has its time.
    And a file with the same size is no other for having been installed again in the same version.
    """
    changes = told.get("changes")
    owners = {
        module: (f"{change['name']} ({change['says']})", change["action"] == "same")
        for change in (changes if isinstance(changes, list) else ())
        for module in change["modules"]
    }
    found = {}
    for name, (path, mark) in before.items():
        now = _mark(path)
        is_again = now is not None and now[:2] in imported.get(name, ())
        if now == mark or is_again or f"{os.sep}site-packages{os.sep}" not in path:
            continue
        top = name.partition(".")[0]
        says, is_same = owners.get(top, (top, False))
        if is_same and now is not None and now[0] == mark[0]:
            imported[name].add(now[:2])
        else:
            found[top] = says
    return found


def _loaded_in(shell: InteractiveShell) -> Notebook | None:
    """Give what is loaded already, be it by this file or by its copy."""
    there = shell.magics_manager.magics["line"].get("safepip")
    owner: Notebook | None = getattr(there, "__self__", None)
    return owner if hasattr(owner, "follow_guard") else None


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Have `%safepip` in this shell."""
    there = _loaded_in(shell)
    if there is None:
        Notebook(shell).load()
    else:
        there.follow_guard()


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Leave this shell as it was before."""
    there = _loaded_in(shell)
    if there is not None:
        there.unload()


def load_at_startup(shell: InteractiveShell) -> None:
    """Have `%safepip` from the start of a kernel.

    Notebooks that say `%load_ext safepip` work there, too: where there is no safepip to import,
    this stands in for it.
    """
    from importlib import import_module
    from importlib.util import find_spec

    load_ipython_extension(shell)
    if "safepip" in sys.modules or find_spec("safepip") is not None:
        return
    sys.meta_path.append(_StandIn)
    import_module("safepip")
    shell.extension_manager.loaded.add("safepip")


class _StandIn:
    """Gives this as the module `safepip` where nobody else has one: a real one goes before it."""

    @classmethod
    def find_spec(cls, name: str, _path: Any = None, _target: Any = None) -> Any:
        from importlib.util import spec_from_loader

        loader: Any = cls
        return spec_from_loader(name, loader) if name == "safepip" else None

    @staticmethod
    def create_module(_spec: Any) -> None:
        """Have a module as any other."""

    @staticmethod
    def exec_module(module: Any) -> None:
        """Fill in what `%load_ext` and `%unload_ext` look for."""
        vars(module).update(
            load_ipython_extension=load_ipython_extension,
            unload_ipython_extension=unload_ipython_extension,
        )
