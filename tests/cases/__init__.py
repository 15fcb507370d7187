"""Damage that people reported, and harmless commands that a guard could take for damage.

Each TOML file beside this one holds reports of one kind; `reading` says what its words mean, and
`world` makes the environment that a report is about.
"""

from tests.cases.reading import Case, Command, Package, read_cases
from tests.cases.world import World

__all__ = ["Case", "Command", "Package", "World", "read_cases"]
