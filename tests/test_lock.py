"""One at a time: safepip waits for safepip, for mamba and for pixi, and says so."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import IO

import pytest

from tests.forked import SAFEPIP
from tests.lab import CondaEnvironment, create, make_wheel
from tests.twins import World, make, ran

HOLDERS = {
    "another safepip": "handle = os.open(f'{prefix}/conda-meta', os.O_RDONLY); flock()",
    # As libmamba's `LockFile` does while a transaction runs.
    "mamba": "handle = opened('conda-meta/conda-meta.lock'); fcntl.lockf(handle, EX, 1, 21)",
    # As rattler's `AsyncPrefixGuard` does.
    "pixi": "handle = opened('.guard'); flock()",
}
"""What takes the lock, in a process of its own: a lock of POSIX ends when its process closes any
handle of the file, as a test that reads all files does."""

_START = """
import fcntl, os, sys
prefix, EX = sys.argv[1], fcntl.LOCK_EX
opened = lambda path: os.open(f'{prefix}/{path}', os.O_RDWR | os.O_CREAT)
flock = lambda: fcntl.flock(handle, EX)
"""
_END = """
print('held', flush=True)
sys.stdin.read()
"""


def build(world: World) -> CondaEnvironment:
    make_wheel("leaf", "1.0").write(world.links)
    return create(world.prefix)


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, CondaEnvironment]:
    world = World(tmp_path_factory.mktemp("lock") / "world")
    return world, make(world, build)


@contextlib.contextmanager
def held(who: str, environment: CondaEnvironment) -> Iterator[IO[str]]:
    """Have the lock held until the stream is closed, or to the end of the block."""
    command = [sys.executable, "-c", _START + HOLDERS[who] + _END, str(environment.prefix)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process.stdin


@pytest.mark.parametrize("who", HOLDERS)
def test_whoever_does_not_want_to_wait_is_told(
    settled: tuple[World, CondaEnvironment], who: str
) -> None:
    world, environment = settled
    with held(who, environment):
        words = [*SAFEPIP, "install", "--json", "leaf"]
        done = ran(world, environment, words, env={"SAFEPIP_LOCK_SECONDS": "0.2"})
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["code"], done.written) == (14, "busy", {})
    command = answer["fixes"][0]["command"]
    assert command == "env SAFEPIP_LOCK_SECONDS=600 safepip install leaf"
    assert f"safepip: waiting for {who} in" in done.said


@pytest.mark.parametrize("who", HOLDERS)
def test_another_is_waited_for(settled: tuple[World, CondaEnvironment], who: str) -> None:
    world, environment = settled
    with held(who, environment) as stream:
        timer = threading.Timer(1.5, stream.close)
        timer.start()
        done = ran(world, environment, [*SAFEPIP, "install", "--dry-run", "leaf"])
        timer.join()
    assert done.exit_code == 0, done
    assert f"safepip: waiting for {who} in" in done.said


def test_a_lock_file_that_nobody_holds_stops_nobody(
    settled: tuple[World, CondaEnvironment],
) -> None:
    world, environment = settled
    for who in HOLDERS:
        with held(who, environment):
            pass
    done = ran(world, environment, [*SAFEPIP, "install", "--dry-run", "leaf"])
    assert (done.exit_code, "waiting" in done.said) == (0, False), done


def test_where_folders_cannot_be_locked_a_file_is(
    settled: tuple[World, CondaEnvironment],
) -> None:
    """As on NFS, which refuses to lock what is not open for writing."""
    world, environment = settled
    strace = shutil.which("strace")
    if strace is None or subprocess.run([strace, "-qq", "true"], check=False).returncode:
        pytest.skip("strace, which makes a system call fail here, is missing or may not trace")
    folder = environment.conda_meta / "safepip"
    folder.mkdir(exist_ok=True)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        inject = [strace, "-qq", "-o", os.devnull, "-e", "inject=flock:error=EBADF:when=1"]
        words = [*inject, *SAFEPIP, "install", "--json", "leaf"]
        done = ran(world, environment, words, env={"SAFEPIP_LOCK_SECONDS": "0"})
        assert (done.exit_code, json.loads(done.stdout)["code"]) == (14, "busy"), done
    finally:
        os.close(handle)
