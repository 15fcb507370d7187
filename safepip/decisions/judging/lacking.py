"""Whom a change of conda's leaves without what it needs, by conda's own books. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.judging.pins import accepts, parse_pin
from safepip.values.text import normalised

if TYPE_CHECKING:
    from safepip.values.findings import CondaOwned
    from safepip.values.plan import Plan


def left_lacking(finding: CondaOwned, plan: Plan) -> list[str]:
    """Give the packages of conda that would stay and whose bounds exclude what is planned.

    By conda's books: what pip sees of their needs may say less.
    """
    name_version_build = finding.conda_package.rsplit("-", 2)
    if finding.planned is None or finding.installed not in name_version_build[1:2]:
        return []  # what is numbered otherwise has bounds of its own
    found = []
    for dependent in finding.dependents:
        who, _, spec = dependent.partition(" (")
        pin = parse_pin(spec.removesuffix(")"))
        stays = normalised(who.partition(" ")[0]) not in plan.by_name
        if stays and pin is not None and accepts(pin.versions, finding.planned) is False:
            found.append(who)
    return found
