"""A laboratory for safepip: real conda environments, wheels and indexes, made here.

Nothing of safepip is used in it, and nothing of it by safepip.
"""

from tests.lab.environments import CommandFailed, CondaEnvironment, change, create, replace
from tests.lab.index import Index, Request, serve_index, write_index
from tests.lab.installer import InstallFailed
from tests.lab.interpreter import python
from tests.lab.ledger import Ledger, changed, conda_bytes, everything
from tests.lab.packages import fake, from_wheel
from tests.lab.projects import make_project, make_sdist
from tests.lab.pypi import PIPS, download, pip
from tests.lab.recipes import Recipe, lab_folder
from tests.lab.shapes import Writer, restyle
from tests.lab.wheels import Wheel, make_wheel

__all__ = [
    "PIPS",
    "CommandFailed",
    "CondaEnvironment",
    "Index",
    "InstallFailed",
    "Ledger",
    "Recipe",
    "Request",
    "Wheel",
    "Writer",
    "change",
    "changed",
    "conda_bytes",
    "create",
    "download",
    "everything",
    "fake",
    "from_wheel",
    "lab_folder",
    "make_project",
    "make_sdist",
    "make_wheel",
    "pip",
    "python",
    "replace",
    "restyle",
    "serve_index",
    "write_index",
]
