"""An index of the records of a large environment, by which nearly all need not be read.

It stands in the user's own cache and says of each record what a judgement always needs, and in
which folders its files lie; which files these are is read from the record itself when somebody
asks. An entry counts as long as the record's file is the very one that was read. So whoever
writes, replaces or deletes a record, or moves or copies the environment, has it read again.

An index begins with a digest of what follows, so that one that was damaged is none. Who may write
it is who may write the rest of the user's home: one that others could write is none, either.

What is not seen: somebody who writes other bytes of the same number into the same file, and sets
back both of its times. The second of them only the system's clock can.
"""

from __future__ import annotations

import json
import time
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from safepip.effects.own_cache import keep, recalled
from safepip.effects.records import can_be_named, read_record, read_records_but
from safepip.values.environment import Record, RecordStamp
from safepip.values.owned_files import METADATA_MARKS, OwnedFiles, folders_of, metadata_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

_LARGE = 16_000_000
"""Bytes of records from which on there is an index: less is read in no time."""
_LIMIT = 256 * 1024 * 1024
"""Bytes of an index that is still read."""
_SETTLED_NS = 2_000_000_000
"""What changed so short a time ago may change again with no other time on it."""
_SCHEMA = 1
_DIGEST_BYTES = 64
_TEXTS = ("name", "version", "build", "channel", "site_packages")
_LISTS = ("depends", "constrains")
_KEYS = ("stamp", *_TEXTS, *_LISTS, "folders", "metadata")


def is_small(state: Iterable[RecordStamp]) -> bool:
    """Say whether the records are so few that to read them all is quickest."""
    return sum(stamp.size_bytes for stamp in state) < _LARGE


def read_by_index(
    prefix: str,
    state: Sequence[RecordStamp],
    environ: Mapping[str, str],
    tell: Callable[[int, int], None] | None = None,
    *,
    remember: bool = True,
    settled_ns: int = _SETTLED_NS,
) -> tuple[Record, ...]:
    """Give all records as `read_records` does; of most the files are read when asked for.

    ``state``: of the records, before this. Nothing is written but to ``remember``.

    Units: ``settled_ns`` is in nanoseconds.
    Raises: UnreadableRecord.
    """
    now = time.time_ns()
    stamps = {stamp.name: stamp for stamp in state}
    known = _known(prefix, stamps, environ)
    records, short = read_records_but(prefix, known, tell)
    settled = {
        record.file: (stamp, record)
        for record in records
        if (stamp := stamps.get(record.file)) is not None
        and max(stamp.mtime_ns, stamp.ctime_ns) < now - settled_ns
        and not (record.file in short and record.files)  # that is for python's record to say
    }
    if remember and not settled.keys() <= known.keys():
        entries = {name: _entry(*found) for name, found in settled.items()}
        told = {"schema": _SCHEMA, "prefix": prefix, "records": entries}
        data = json.dumps(told).encode()
        keep("records", prefix, environ, _digest(data) + data)
    return records


def _entry(stamp: RecordStamp, record: Record) -> list[Any]:
    """Give what is remembered of a record, in the order of the keys."""
    files = record.files
    metadata = {path: None for mark in METADATA_MARKS for path in metadata_in(files, mark)}
    texts, lists = ([getattr(record, key) for key in keys] for keys in (_TEXTS, _LISTS))
    return [stamp[1:], *texts, *lists, sorted(folders_of(files)), [*metadata]]


def _digest(data: bytes) -> bytes:
    return sha256(data).hexdigest().encode()


def _known(
    prefix: str, stamps: Mapping[str, RecordStamp], environ: Mapping[str, str]
) -> dict[str, Record]:
    """Give the records that are as they were when they were read, by their files' names."""
    try:
        found = recalled("records", prefix, environ, _LIMIT) or b""
        digest, data = found[:_DIGEST_BYTES], found[_DIGEST_BYTES:]
        if digest != _digest(data):
            return {}
        told = json.loads(data)
        if not isinstance(told, dict) or told.get("schema") != _SCHEMA:
            return {}
        return dict(_valid(prefix, told, stamps))
    except (ValueError, TypeError, KeyError, RecursionError):
        return {}


def _valid(
    prefix: str, told: Mapping[str, Any], stamps: Mapping[str, RecordStamp]
) -> Iterator[tuple[str, Record]]:
    """Give the entries that count.

    Raises: ValueError, TypeError or KeyError, where it is no index of this prefix.
    """
    if told["prefix"] != prefix or not isinstance(told["records"], dict):
        raise ValueError(prefix)
    for name, values in told["records"].items():
        entry = dict(zip(_KEYS, values, strict=True))
        if name in stamps and entry["stamp"] == [*stamps[name][1:]]:
            yield name, _record(prefix, name, entry)


def _record(prefix: str, name: str, entry: Mapping[str, Any]) -> Record:
    texts = [entry[key] for key in _TEXTS]
    lists = [entry[key] for key in (*_LISTS, "folders", "metadata")]
    if not all(isinstance(values, list) for values in lists):
        raise TypeError(name)
    depends, constrains, folders, metadata = map(tuple, lists)
    if not can_be_named("".join((*texts, *depends, *constrains, *folders, *metadata))):
        raise ValueError(name)
    files = OwnedFiles(folders, metadata, partial(_files, prefix, name)) if folders else ()
    return Record(
        **dict(zip(_TEXTS, texts, strict=True)),
        depends=depends,
        constrains=constrains,
        files=files,
        file=name,
    )


def _files(prefix: str, name: str) -> tuple[str, ...]:
    return tuple(read_record(prefix, name).files)
