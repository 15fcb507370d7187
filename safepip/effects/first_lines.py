"""The first lines of scripts, which name the interpreter; and giving them another.

Source: `distlib.scripts.ScriptMaker`, by which pip writes commands.
"""

from __future__ import annotations

import base64
import contextlib
import csv
import hashlib
import io
import json
import os
import re
import shutil
from typing import TYPE_CHECKING

from safepip.effects.opened import read_bytes
from safepip.effects.removals import RECORD_BYTES
from safepip.effects.states import BESIDE
from safepip.values.errors import CannotRepair

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safepip.values.repair import Redirect

LONGEST = 127
"""Bytes behind which kernels cut the first line of a script off."""
_LIMIT = 16 * 1024 * 1024
_NOT_IN_QUOTES = re.compile(r'["$`\\\n]')


def first_lines(python: str, arguments: str = "") -> str:
    """Give what a script begins with that this Python is to run."""
    line = f"#!{python}{arguments}\n"
    if " " in python or len(os.fsencode(line)) > LONGEST:
        return f"#!/bin/sh\n'''exec' \"{python}\"{arguments} \"$0\" \"$@\"\n' '''\n"
    return line


def with_python(script: bytes, old: str, new: str) -> bytes:
    """Give a script that starts one Python in place of another; empty where it does not start it.

    By its first lines alone; whatever else it says stays.
    """
    named = re.escape(os.fsencode(old))
    direct = rb"#! ?" + named + rb"((?: [^\r\n]*)?)\n"
    by_sh = rb"#!/bin/sh\n'''exec' (?:\"NAMED\"|NAMED)((?: -[^\r\n\"]*)?) \"\$0\" \"\$@\"\n' '''\n"
    found = re.match(direct, script) or re.match(by_sh.replace(b"NAMED", named), script)
    if found is None or _NOT_IN_QUOTES.search(new):
        return b""
    return os.fsencode(first_lines(new, os.fsdecode(found[1]))) + script[found.end() :]


def redirect(prefix: str, step: Redirect, record: str) -> None:
    """Have scripts start the Python of this environment, and their list say so.

    ``record``: the path of the list that has their hashes, of conda or of pip.

    Raises: OSError, ValueError, LookupError, TypeError, CannotRepair.
    """
    python = f"{prefix}/bin/{os.path.basename(step.starts)}"
    if not os.access(python, os.X_OK):
        raise CannotRepair(f"`{python}` is not there")
    changed: dict[str, tuple[bytes, bytes]] = {}
    for path in step.paths:
        whole = f"{prefix}/{path}"
        folder = os.path.realpath(os.path.dirname(whole))
        data = read_bytes(whole, _LIMIT)
        text = with_python(data, step.starts, python)
        if os.path.islink(whole) or not f"{folder}/".startswith(f"{prefix}/") or not text:
            raise CannotRepair(f"`{path}` is no script that starts `{step.starts}`")
        changed[path] = (data, text)
    for path, (_, text) in changed.items():
        _write(f"{prefix}/{path}", text)
    if step.conda_package:
        _say_in_book(record, changed)
    elif os.path.isfile(record):
        _say_in_record(record, {f"{prefix}/{path}": pair for path, pair in changed.items()})


def _write(path: str, data: bytes) -> None:
    """Have this in a file; another that is one with it, as in the package cache, stays."""
    beside = path + BESIDE
    with contextlib.suppress(FileNotFoundError):
        os.unlink(beside)  # left by what was killed
    with open(beside, "xb") as file:
        file.write(data)
    shutil.copymode(path, beside)
    os.replace(beside, path)


def _say_in_book(record: str, changed: Mapping[str, tuple[bytes, bytes]]) -> None:
    """Have conda's record say what there is: else these files would be called altered."""
    raw = json.loads(read_bytes(record, RECORD_BYTES))
    said = False
    rows = raw["paths_data"]["paths"] if "paths_data" in raw else ()
    for row in rows:
        if row["_path"] not in changed:
            continue
        was, now = (hashlib.sha256(data).hexdigest() for data in changed[row["_path"]])
        for key in ("sha256_in_prefix", "sha256"):
            if row.get(key) == was:
                row[key] = now
                said = True
    if said:
        _write(record, json.dumps(raw, indent=2).encode())


def _say_in_record(record: str, changed: Mapping[str, tuple[bytes, bytes]]) -> None:
    """Have pip's list say what there is, where it said what there was.

    Source: https://packaging.python.org/en/latest/specifications/recording-installed-packages/
    """
    text = read_bytes(record, RECORD_BYTES).decode()
    site = os.path.dirname(os.path.dirname(record))
    rows = list(csv.reader(io.StringIO(text, newline="")))
    said = False
    for row in rows:
        path = os.path.normpath(os.path.join(site, row[0])) if row else ""
        old, new = changed.get(path, (b"", b""))
        if new and row[1:] == [_hash(old), str(len(old))]:
            row[1:] = [_hash(new), str(len(new))]
            said = True
    if said:
        out = io.StringIO(newline="")
        csv.writer(out, lineterminator="\n").writerows(rows)
        _write(record, out.getvalue().encode())


def _hash(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
    return f"sha256={digest.decode().rstrip('=')}"
