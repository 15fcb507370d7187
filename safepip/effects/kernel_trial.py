"""Run by the Python of an environment: whether `%pip` and `!pip` in a kernel of it reach safepip.

It starts a kernel as Jupyter does, and has it try both, each in a cell. Where both reach safepip,
the file that `SAFEPIP_PROBE` names is left behind, as the last one wrote it; else there is none,
and standard error says which way is open. All that is written lies in the working folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys

_SECONDS = 40
_NAME = "trial"


def main(arguments):
    """Try both; ``arguments`` are pip's."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or ".") != here]
    sys.dont_write_bytecode = True
    folder = os.getcwd()
    os.environ.update(JUPYTER_PATH=folder, JUPYTER_RUNTIME_DIR=folder, IPYTHONDIR=folder)
    os.makedirs("kernels/" + _NAME)
    words = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": words, "display_name": _NAME, "language": "python"}
    with open("kernels/" + _NAME + "/kernel.json", "w", encoding="utf-8") as file:
        json.dump(spec, file)
    from jupyter_client.manager import start_new_kernel

    null = subprocess.DEVNULL
    manager, client = start_new_kernel(_SECONDS, kernel_name=_NAME, stdout=null, stderr=null)
    try:
        open_ways = [way for way in ("%pip", "!pip") if not _reaches(client, way, arguments)]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    if open_ways:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.environ["SAFEPIP_PROBE"])
        sys.stderr.write(" and ".join(open_ways) + "\n")


def _reaches(client, way, arguments):
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.environ["SAFEPIP_PROBE"])
    cell = " ".join([way, *arguments])
    client.execute_interactive(cell, allow_stdin=False, timeout=_SECONDS, output_hook=_ignore)
    return os.path.isfile(os.environ["SAFEPIP_PROBE"])


def _ignore(_message):
    """Nobody reads what a cell says."""


if __name__ == "__main__":
    main(sys.argv[1:])
