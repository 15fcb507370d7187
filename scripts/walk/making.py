"""The environment of the demo: of genuine conda packages where they can be had, else made here."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tests.lab
from tests.lab import CondaEnvironment, InstallFailed, create, download, fake, from_wheel
from tests.lab.contents import read_wheel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scripts.walk.story import Story
    from tests.lab import Recipe

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
TOOLS = ("conda", "mamba", "micromamba")
_PATIENCE_SECONDS = 5
_WORKER = Path(tests.lab.__file__).with_name("worker.py")


class NotInReach(Exception):
    """Genuine packages cannot be had in this way, and why not."""


class CannotMake(Exception):
    """There is no environment, and why not."""


@dataclass(frozen=True)
class Made:
    """An environment, and how it was come by."""

    environment: CondaEnvironment
    how: str
    genuine: bool


def make(prefix: Path, story: Story, channel: str) -> Made:
    """Make the environment anew; without a ``channel``, of packages made here.

    Raises: CannotMake.
    """
    _clear(prefix)
    prefix.parent.mkdir(parents=True, exist_ok=True)
    environment = CondaEnvironment(prefix, ())
    reasons = []
    for way in (by_tool, by_rattler) if channel else ():
        try:
            how = way(prefix, _specs(story), channel)
        except NotInReach as error:
            reasons.append(str(error))
            shutil.rmtree(prefix, ignore_errors=True)
        else:
            return Made(environment, how, genuine=True)
    try:
        create(prefix, *packages(story))
    except (OSError, ValueError, InstallFailed, subprocess.CalledProcessError) as error:
        raise CannotMake(str(error)) from error
    why = " and ".join(reasons) or "no channel is wanted"
    return Made(environment, f"packages made here of PyPI's wheels, since {why}", genuine=False)


def _clear(prefix: Path) -> None:
    """Remove the environment of the last run.

    Raises: CannotMake, when it is something else.
    """
    if prefix.exists() and not (prefix / "conda-meta").is_dir():
        raise CannotMake(f"`{prefix}` is there and no conda environment: remove it by hand")
    shutil.rmtree(prefix, ignore_errors=True)


def _specs(story: Story) -> list[str]:
    """Give what conda is asked for; of the last three any release will do."""
    pinned = [f"python={PYTHON}", "pip=25.3", f"numpy={story.numpy}", f"pandas={story.pandas}"]
    return [*pinned, "ninja", "msgpack-python", "python-xxhash"]


def by_tool(prefix: Path, specs: Sequence[str], channel: str) -> str:
    """Let the tool on PATH make the environment, and say how it was made.

    It is not asked first whether it reaches the channel: its own settings may name a mirror.

    Raises: NotInReach.
    """
    tool = next((name for name in TOOLS if shutil.which(name)), None)
    if tool is None:
        raise NotInReach("there is no conda, mamba or micromamba on PATH")
    options = ["--yes", "--quiet", "--override-channels", "--channel", channel]
    command = [tool, "create", *options, "--prefix", str(prefix), *specs]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode or not (prefix / "conda-meta").is_dir():
        raise NotInReach(f"`{tool} create` ended with {done.returncode}")
    return f"genuine packages of {channel}, by {tool}"


def by_rattler(prefix: Path, specs: Sequence[str], channel: str) -> str:
    """Let py-rattler make the environment, and say how it was made.

    Raises: NotInReach.
    """
    from rattler import Channel

    url = Channel(channel).base_url.rstrip("/")
    _knock(url, channel)
    request = {"prefix": str(prefix), "channel": url, "specs": specs, "requested": specs}
    with tempfile.TemporaryDirectory(dir=prefix.parent, prefix=".packages-") as cache:
        done = subprocess.run(
            [sys.executable, "-I", str(_WORKER), cache],
            input=json.dumps({**request, "reinstall": [], "keep": False}) + "\n",
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
    if not done.stdout:
        raise NotInReach(f"py-rattler ended with {done.returncode}")
    if error := json.loads(done.stdout).get("error"):
        raise NotInReach(f"py-rattler says: {str(error).splitlines()[0]}")
    return f"genuine packages of {channel}, by py-rattler"


def _knock(url: str, channel: str) -> None:
    """Raise NotInReach where no channel answers within seconds; py-rattler would try for long."""
    head = urllib.request.Request(f"{url}/noarch/repodata.json", method="HEAD")  # noqa: S310
    try:
        # Any scheme is right that the user wrote: `file:` is a channel too.
        with urllib.request.urlopen(head, timeout=_PATIENCE_SECONDS):  # noqa: S310
            pass
    except OSError:
        raise NotInReach(f"the channel {channel} is not in reach") from None


def packages(story: Story) -> tuple[Recipe, ...]:
    """Give what the environment holds besides Python and pip, made of wheels.

    They are as conda-forge's are; one tells Python tools nothing of itself, as some there do not.
    """
    ninja = read_wheel(download("ninja==1.11.1.4")).data["scripts/ninja"]
    pure = ("python-dateutil==2.9.0.post0", "pytz==2024.1", "six==1.16.0", "tzdata==2024.1")
    return (
        from_wheel(download(f"numpy=={story.numpy}")),
        from_wheel(download(f"pandas=={story.pandas}")),
        *(from_wheel(download(requirement)) for requirement in pure),
        from_wheel(download("msgpack==1.1.2"), name="msgpack-python"),
        from_wheel(download("xxhash==3.6.0"), name="python-xxhash", info="none"),
        fake("ninja", "1.11.1", {"bin/ninja": ninja[0]}),
    )
