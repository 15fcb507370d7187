"""The marker that switches plain pip off in an environment (PEP 668), and safepip's own. Pure."""

from __future__ import annotations

MARKER = "EXTERNALLY-MANAGED"
"""The name of the file, in the folder of the standard library."""

SEAL_MARK = "# safepip seal"
"""How a line begins in a marker that safepip wrote itself, and may pass; it is the first line."""
