"""Commands as safepip prints them, with conda's part done by py-rattler.

done = paste_both(lab, 'conda install -p … "numpy>=2" && safepip install x', packages)
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from tests.guarded import Guarded, paste
from tests.lab import CondaEnvironment, Recipe
from tests.lab.channel import channel
from tests.lab.installer import install


def conda_install(environment: CondaEnvironment, available: Sequence[Recipe]) -> str:
    """The beginning of conda's command: where to, and from where."""
    place = channel([*environment.recipes, *available]).as_uri()
    return f"conda install -p {environment.prefix} --override-channels -c {place}"


def paste_both(
    environment: CondaEnvironment,
    command: str,
    available: Sequence[Recipe],
    *,
    env: Mapping[str, str] | None = None,
) -> Guarded | None:
    """Run what was printed, the parts of it in order; None where all of it was conda's.

    ``available``: what conda's channel has besides the packages that are there.
    """
    *first, last = command.split(" && ")
    for line in first:
        as_conda(environment, line, available)
    if last.startswith("conda "):
        as_conda(environment, last, available)
        return None
    return paste(environment, last, env=env)


def as_conda(environment: CondaEnvironment, line: str, available: Sequence[Recipe]) -> None:
    """Do what conda would do with this command.

    Raises: InstallFailed, where conda would find no solution.
    """
    start = conda_install(environment, available)
    # Only what the command names is looked at.
    assert line.startswith(f"{start} "), line
    everything = channel([*environment.recipes, *available])
    specs = shlex.split(line)[len(shlex.split(start)) :]
    asked = {spec.split("=")[0].rstrip("<>!~ ") for spec in specs}
    names = [file.name.rsplit("-", 2)[0] for file in environment.conda_meta.glob("*.json")]
    wanted = [*(name for name in names if name not in asked), *specs]
    install(environment.prefix, everything, wanted, requested=specs, keep=True)
