"""What may explain that things did not go as the user thought. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.diagnosing.builders import is_of_a_build
from safepip.decisions.wording.layout import clean
from safepip.decisions.wording.phrases import few
from safepip.values.environment import spec_name
from safepip.values.text import normalised, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from safepip.values.environment import Environment


def hints_for(missing: Sequence[tuple[str, str]], environment: Environment) -> tuple[str, ...]:
    """Give a line for each requirement that names a folder of the machine where conda built it."""
    return tuple(_hints(missing, environment))


def hints_on_creating(
    differing: Mapping[str, Sequence[tuple[str, str, str]]], *, has_index: bool
) -> tuple[str, ...]:
    """Say what may be why pip could not install its part of an environment file.

    ``differing``: name, version there and version here that files of constraints have otherwise
    than conda's part has come to, by path.
    """
    hints = []
    for path, found in differing.items():
        told = ", ".join(
            f"{clean(name)} {clean(was)} ({clean(here) or 'none'} here)"
            for name, was, here in found
        )
        hints.append(f"{clean(path)} is of other versions than conda's part came to: {told}")
    if has_index:
        hints.append(
            "an index that asks for a login finds it in a netrc, or in the file by variables: "
            "https://${USER}:${PASSWORD}@…"
        )
    return tuple(hints)


def not_explained(reason: str) -> str:
    """Say that there is no cause to be read because the search for it was given up."""
    return f"why conda's versions are in the way was looked for and not found out: {reason}"


def not_all_tried(seconds: float) -> str:
    """Say that there may be more ways out than are told."""
    return (
        "there may be more ways out: pip's plans take long here, and what helps is looked for no "
        f"longer than {seconds:.0f} seconds"
    )


def not_looked_for(option: str) -> str:
    """Say why neither a cause nor a version that fits can be read."""
    return (
        f"with `{option}`, neither why conda's versions are in the way nor what fits them was "
        "looked for; without it, that is"
    )


def not_read(reason: str) -> str:
    """Say that the files of a plan, which is refused in any case, could not be looked at."""
    said = f": {shown(reason)}" if reason else ""
    return f"pip could not fetch all of this, so that the files of the newest were not read{said}"


def not_preferred(against: str) -> str:
    """Say why nothing is taken from conda, though that was asked for."""
    return f"{against}, nothing is taken from conda: pip takes all of it"


def no_such_python(bound: str) -> str:
    """Say that no channel has what would do, so that no command for it is offered."""
    return f"conda has no `{shown(bound)}` for a new environment, by the channels of this one"


def conda_cannot(
    specs: Sequence[str], possible: Sequence[str] = (), *, pinned: Sequence[str] = ()
) -> str:
    """Say what conda's solver finds no way to, so that no command for it is offered.

    ``possible``: what of the same change it can have by itself; with all of it, not together.
    """
    said = _bounds(specs)
    together = " together" if possible and {*specs} <= {*possible} else ""
    where = "by its channels as this machine knows them"
    where += f", and with what is pinned ({few(f'`{pin}`' for pin in pinned)})" if pinned else ""
    can = f"; `{'`, `'.join(possible)}` alone it can" if possible and not together else ""
    return f"conda cannot have {said}{together} here, {where}{can}"


def _bounds(specs: Sequence[str]) -> str:
    """Give what is asked for; what is named without a version only has to give way to that."""
    bounded = [spec for spec in specs if spec_name(spec) != spec.lower()]
    return few(f"`{spec}`" for spec in bounded or specs)


def conda_has_no_local(specs: Sequence[str]) -> str:
    """Say that a local version is none of conda's, so that no command for it is offered."""
    return f"conda cannot have {_bounds(specs)}: what stands behind the + is no version of conda's"


def conda_has_a_part(taken: Sequence[str]) -> str:
    """Say what conda has of a plan whose rest would be refused as well: that is no way out."""
    return f"conda has {few(taken)} of this; that alone does not make the rest possible"


def conda_would_harm(specs: Sequence[str], names: Sequence[str]) -> str:
    """Say whom conda's change would leave without what it requires, so that it is not offered."""
    said = _bounds(specs)
    return f"with {said} from conda, {few(names)} would not have what it requires"


def strictly(origin: str) -> str:
    """Say who set that nothing is held back; ``origin`` is a file or a variable."""
    return (
        f"this is judged strictly, as `{shown(origin, len(origin) + 1)}` says; with "
        "SAFEPIP_POLICY=keep, conda's versions would be held where that helps"
    )


def conda_would_double(specs: Sequence[str], names: Sequence[str]) -> str:
    """Say what conda would put over pip's copy of it, so that no command for it is offered."""
    said = _bounds(specs)
    return f"with {said}, conda would bring once more what pip has installed: {few(names)}"


def conda_against_constraints(specs: Sequence[str], out: Sequence[str]) -> str:
    """Say what conda would bring against the user's constraints, so that it is not offered."""
    return f"with {_bounds(specs)}, conda would bring what the constraints rule out: {few(out)}"


def conda_against_unread(specs: Sequence[str], out: Sequence[str]) -> str:
    """Say that conda's change is not offered, since nobody knows that constraints allow it.

    ``out``: what conda would bring, and pip's choice in its place; empty where that is not known.
    """
    brings = few(out) or "what it has"
    return (
        f"with {_bounds(specs)}, conda would bring {brings}; whether the constraints allow that is "
        "not known, since safepip cannot read them all"
    )


def unknown_names(allowed: Sequence[str], environment: Environment) -> tuple[str, ...]:
    """Give a line for each name of `--allow` that stands for nothing of conda's here."""
    packages = {normalised(record.name) for record in environment.records}
    known = packages.union(environment.conda_owned)
    return tuple(
        f"`--allow {shown(name)}` allows nothing: conda has nothing of that name here"
        for name in allowed
        if name not in known
    )


def _hints(missing: Sequence[tuple[str, str]], environment: Environment) -> Iterator[str]:
    for name, path in missing:
        if not is_of_a_build(path):
            continue
        installed = environment.installed.get(normalised(name))
        instead = f"{name}=={installed.version}" if installed else name or "the plain name"
        yield (
            f"`{shown(path)}` is a folder of the machine where conda built this package, printed "
            f"by `pip freeze`; write `{shown(instead)}` in its place"
        )
