"""Finds conda packages in channels, or fetches and unpacks one, with py-rattler.

Started as a script, with the task as JSON on stdin: a URL may have a login in it, and everybody
sees the arguments of a process. Imports nothing of safepip.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rattler import Gateway


async def _find(tasks: "list[dict[str, Any]]") -> "list[dict[str, Any]]":
    import rattler

    gateway = rattler.Gateway()  # which reads each index once
    return [await _found(gateway, task) for task in tasks]


async def _found(gateway: "Gateway", task: "dict[str, Any]") -> "dict[str, Any]":
    """Give what indexes say of NAME-VERSION-BUILD, and what went wrong with others."""
    import rattler

    name, *wanted = task["dist"].rsplit("-", 2)
    platforms = [*{*task["platforms"], "noarch"}, rattler.Platform.current()]
    rows: list[Any] = []
    failed = []
    for channel in task["channels"]:
        try:
            found = await gateway.query(
                [rattler.Channel(channel)], platforms, [name.lower()], recursive=False
            )
        except Exception as error:  # noqa: BLE001 - as below; it is told beside what others have
            failed.append(str(error))
            continue
        those = (row for each in found for row in each)
        rows += [row for row in those if [str(row.version), str(row.build)] == wanted]
    return {"rows": [json.loads(row.to_json()) for row in rows], "failed": failed}


async def _fetch(url: str, sha256: str, md5: str, folder: str) -> None:
    from rattler.networking import Client
    from rattler.package_streaming import download_and_extract

    client = Client.authenticated_client()
    found, other = await download_and_extract(client, url, Path(folder), bytes.fromhex(sha256))
    if bytes(found).hex() != sha256 or (md5 and bytes(other).hex() != md5):
        raise ValueError("it has other bytes than the record says")


def main() -> None:
    """Carry out the task, and leave without waiting for py-rattler's threads."""
    task = json.loads(sys.stdin.buffer.read())
    try:
        if "find" in task:
            sys.stdout.write(json.dumps(asyncio.run(_find(task["find"]))))
            sys.stdout.flush()
        elif os.path.isabs(task["from"]):
            from rattler.package_streaming import extract

            extract(Path(task["from"]), Path(task["to"]))
        else:
            asyncio.run(_fetch(task["from"], task["sha256"], task["md5"], task["to"]))
    except Exception as error:  # noqa: BLE001 - py-rattler raises what it likes; it is said
        sys.stderr.write(f"{error}\n")
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()
