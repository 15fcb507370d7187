"""Why conda's versions are in the way, in sentences: from the request to who holds them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safepip.decisions.judging.ownership import dependents
from safepip.decisions.judging.pins import accepts, parse_pin
from safepip.decisions.wording.layout import clean
from safepip.decisions.wording.phrases import few

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safepip.values.environment import Environment
    from safepip.values.universe import Chain, Conflict, Freed, Link

_FEW_HOLDERS = 2


def causes(conflict: Conflict, environment: Environment) -> tuple[str, ...]:
    """Give a sentence for each chain."""
    return tuple(_sentence(chain, environment) for chain in conflict.chains)


def _sentence(chain: Chain, environment: Environment) -> str:
    # What the user asked for is known by the version that was chosen for it.
    links = chain.links[1:] or chain.links
    said = "; ".join(map(_link, links))
    hold = f"{clean(chain.hold)} {clean(chain.version)}"
    if chain.itself_needs:
        return f"{said}; conda's {hold} needs {clean(chain.itself_needs)}"
    holding = holders(chain, environment)
    held = f", held by conda's {few(holding, _FEW_HOLDERS)}" if holding else ""
    return f"{said}; {hold} is conda's{held}"


def _link(link: Link) -> str:
    if not link.name:
        return f"you ask for {clean(link.needs)}"
    return f"{clean(link.name)} {clean(link.version)} needs {clean(link.needs)}"


def holders(chain: Chain, environment: Environment) -> tuple[str, ...]:
    """Give the conda packages whose bounds exclude what would be there, each with its bounds.

    Of Python itself no other version is known, and nearly everything needs it.
    """
    owner = environment.conda_owned.get(chain.hold)
    if chain.held_by_python or owner is None or owner.record is None or not chain.becomes:
        return ()
    return tuple(_excluding(dependents(environment, owner.record), chain.becomes))


def _excluding(texts: tuple[str, ...], version: str) -> Iterator[str]:
    for text in texts:
        pin = parse_pin(text.partition(" (")[2].removesuffix(")"))
        if pin is not None and accepts(pin.versions, version) is False:
            yield text


def conflict_as_json(conflict: Conflict, environment: Environment | None) -> dict[str, Any]:
    """Give the facts of a conflict in JSON's types."""
    return {
        "sets": [list(holds) for holds in conflict.sets],
        "chains": [_chain_as_json(chain, environment) for chain in conflict.chains],
        "ways": [[_freed_as_json(freed) for freed in way] for way in conflict.ways],
    }


def _chain_as_json(chain: Chain, environment: Environment | None) -> dict[str, Any]:
    return {
        "links": [
            {"name": link.name or None, "version": link.version or None, "needs": link.needs}
            for link in chain.links
        ],
        "hold": chain.hold,
        "version": chain.version,
        "becomes": chain.becomes or None,
        "itself_needs": chain.itself_needs or None,
        "held_by": list(holders(chain, environment)) if environment is not None else [],
    }


def _freed_as_json(freed: Freed) -> dict[str, Any]:
    return {"name": freed.name, "bounds": list(freed.bounds), "becomes": freed.becomes or None}
