"""safepip's command without the start of Python: forked from a process that has it imported.

    done = run([*SAFEPIP, "install", "numpy"], environ, cwd=folder, timeout=60)

What runs is the whole command, in a process of its own, with its own arguments, variables, working
folder, streams and end. Only that Python starts and imports safepip is left out; a third of what
a refusal takes. Commands for which it matters how safepip was started are started as people do.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SAFEPIP = [sys.executable, "-m", "safepip"]

_READ_AT_THE_START = ("PYTHON", "LC_", "LANG")
"""Beginnings of the names of variables that are read before any module of safepip is."""
_WATCHED = "COV"
"""Beginning of the names of variables by which the start of Python is watched."""
_ROOM = 1 << 20
"""Bytes of a request."""


def run(
    words: Sequence[str], environ: Mapping[str, str], *, cwd: Path, timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run a command with nothing on stdin, and catch what it says; fork it if it is safepip's.

    Units: ``timeout`` is in seconds.
    """
    watched = any(name.startswith(_WATCHED) for name in environ)
    if [*words[:3]] != SAFEPIP or watched or _early(environ) != _early(os.environ):
        return subprocess.run(
            [*words],
            env=environ,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )
    request = {"arguments": words[3:], "environ": {**environ}, "cwd": str(cwd)}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        code = _ask(request, [out.fileno(), err.fileno()], timeout)
        said = []
        for stream in (out, err):
            stream.seek(0)
            said.append(stream.read().decode())
    return subprocess.CompletedProcess([*words], code, *said)


def _early(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in environ.items() if name.startswith(_READ_AT_THE_START)}


def _ask(request: object, streams: list[int], timeout: float) -> int:
    """Have a request carried out, and give its exit code.

    Who is interrupted, or waits in vain, leaves nothing behind that would answer the next request.
    """
    key = threading.get_ident(), json.dumps(_early(os.environ))
    if key not in _servers or _servers[key].owner != os.getpid():
        _servers[key] = _Server()
    server = _servers[key]
    try:
        return server.ask(request, streams, timeout)
    except BaseException:
        del _servers[key]
        server.kill()
        raise


class _Server:
    """The process that safepip is forked from, and the connection to it."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (self._connection, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ROOM)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forked", str(theirs.fileno())],
                cwd=Path(__file__).resolve().parents[1],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        atexit.register(self.end)

    def ask(self, request: object, streams: list[int], timeout: float) -> int:
        self._connection.settimeout(timeout)
        socket.send_fds(self._connection, [json.dumps(request).encode()], streams)
        answer = self._connection.recv(64)
        if not answer:
            raise RuntimeError("the process that safepip is forked from has ended")
        return int(answer)

    def kill(self) -> None:
        """End it, and what it has forked."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self.end()

    def end(self) -> None:
        """Let it end, as it does when nobody can ask any more."""
        if self.owner == os.getpid():
            self._connection.close()
            self._process.wait()


_servers: dict[tuple[int, str], _Server] = {}
"""By the thread that asks, and the variables that it was started with."""


# ------------------------------------------------------------------------------- the server


def _serve(connection: socket.socket) -> None:
    """Fork a safepip for each request, until nobody asks any more."""
    for module in pkgutil.walk_packages(importlib.import_module("safepip").__path__, "safepip."):
        if not module.name.endswith("__main__"):
            with contextlib.suppress(ImportError):  # what other programs load, or an extra has
                importlib.import_module(module.name)
    while True:
        request, streams, _, _ = socket.recv_fds(connection, _ROOM, 2)
        if not request:
            return
        child = os.fork()
        if child == 0:
            connection.close()
            _become(json.loads(request), streams)
        for stream in streams:
            os.close(stream)
        _, status = os.waitpid(child, 0)
        connection.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(request: dict[str, Any], streams: list[int]) -> None:
    """Be what `python -m safepip` is."""
    for stream, number in zip(streams, (1, 2), strict=True):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environ"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.path[0] = request["cwd"]
    sys.argv[1:] = request["arguments"]
    runpy.run_module("safepip", run_name="__main__", alter_sys=True)  # which ends the process


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
