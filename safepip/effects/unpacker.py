"""Fetches and unpacks one conda package with py-rattler.

Started as a script, with the task as JSON on stdin: a URL may have a login in it, and everybody
sees the arguments of a process. Imports nothing of safepip.
"""

import asyncio
import json
import os
import sys
from pathlib import Path


async def _fetch(url: str, sha256: str, folder: str) -> None:
    from rattler.networking import Client
    from rattler.package_streaming import download_and_extract

    client = Client.authenticated_client()
    found, _ = await download_and_extract(client, url, Path(folder), bytes.fromhex(sha256))
    if bytes(found).hex() != sha256:
        raise ValueError("it has other bytes than the record says")


def main() -> None:
    """Carry out the task, and leave without waiting for py-rattler's threads."""
    task = json.loads(sys.stdin.buffer.read())
    try:
        if os.path.isabs(task["from"]):
            from rattler.package_streaming import extract

            extract(Path(task["from"]), Path(task["to"]))
        else:
            asyncio.run(_fetch(task["from"], task["sha256"], task["to"]))
    except Exception as error:  # noqa: BLE001 - py-rattler raises what it likes; it is said
        sys.stderr.write(f"{error}\n")
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()
