"""Import modules one after the other, and tell how each went.

This file is a script: the environment's own Python runs it (3.7 or newer), with the standard
library alone. Argument 1 is a JSON list of modules, argument 2 the handle that is told.

Before each module its name goes out, and after it what went wrong, if anything: a process that
crashes has then said in which.
"""

from __future__ import annotations

import importlib
import json
import os
import sys


def main():
    """Import all of them."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or ".") != here]
    sys.dont_write_bytecode = True
    with os.fdopen(int(sys.argv[2]), "w", encoding="utf-8") as told:
        for module in json.loads(sys.argv[1]):
            _tell(told, {"begins": module})
            try:
                importlib.import_module(module)
            except BaseException as error:  # noqa: BLE001 - a module may raise what it likes
                kinds = [kind.__name__ for kind in type(error).__mro__]
                said = f"{kinds[0]}: {error}"
                _tell(told, {"ends": module, "kinds": kinds, "said": said[:2000]})
            else:
                _tell(told, {"ends": module})


def _tell(told, message):
    told.write(json.dumps(message) + "\n")
    told.flush()


if __name__ == "__main__":
    main()
    os._exit(0)  # what a module left running is not waited for
