"""`python -m safepip`: the environment is the one whose Python runs this."""

import sys

from safepip.doors.launch import main

if __name__ == "__main__":
    sys.exit(main(as_module=True))
