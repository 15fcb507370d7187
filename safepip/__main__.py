"""`python -m safepip`: the environment is the one whose Python runs this."""

import os
import sys


def _leave_working_folder() -> None:
    """Import nothing from the working folder, which Python puts first: what is there is anybody's.

    As pip does for `python -m pip`. Where safepip itself is there, so may be what it needs.
    """
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    try:
        here = os.getcwd()
    except OSError:  # it is gone
        here = ""
    if sys.path[:1] in ([""], [here]) and os.path.realpath(here) != os.path.realpath(own):
        del sys.path[0]


if __name__ == "__main__":
    _leave_working_folder()
    from safepip.doors.launch import main

    sys.exit(main(as_module=True))
