"""Judge a plan: everything that a person should know of it, and what refuses it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.judging.circumstances import (
    already_damaged,
    frozen,
    no_metadata,
    told_of_any_change,
)
from safepip.decisions.judging.consistency import breaks, unmet
from safepip.decisions.judging.copies import second_copies, shadows
from safepip.decisions.judging.ownership import conda_owned
from safepip.decisions.judging.pins import pinned
from safepip.decisions.judging.runtimes import runtimes_twice
from safepip.decisions.judging.same_files import collisions
from safepip.values.late import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from safepip.values.environment import Environment
    from safepip.values.findings import Finding
    from safepip.values.plan import Landing, Plan
    from safepip.values.request import Policy


@dataclass(frozen=True)
class Judgement:
    """All findings on one plan."""

    findings: tuple[Finding, ...]
    """Those that refuse come first."""
    spared: tuple[str, ...] = ()
    """Absolute, conda-owned paths on which the plan has a file of its own that is left out; of an
    uninstall, those that it keeps."""

    @property
    def refuses(self) -> bool:
        """At least one finding refuses the plan."""
        return any(finding.severity == "refuse" for finding in self.findings)


def judge(
    environment: Environment,
    plan: Plan,
    policy: Policy,
    landings: Mapping[str, Landing],
    *,
    break_system_packages: bool = False,
    asked: Collection[str] = (),
) -> Judgement:
    """Find everything about a plan that a person should know.

    ``landings``: what lies where planned files would land; a path that is not among them does not
    exist, so nothing is written over. ``asked``: requirements that the user named, for those that
    are met already and so are not in the plan. An empty plan is judged too: it shows what would
    stop any plan.
    """
    met = collisions(environment, plan, policy, landings)
    findings: list[Finding] = [
        *frozen(environment, plan, policy, break_system_packages=break_system_packages),
        *conda_owned(environment, plan, policy),
        *met.findings,
        *breaks(environment, plan),
        *unmet(environment, plan),
        *second_copies(environment, plan, policy),
        *shadows(environment, plan, policy, asked),
        *pinned(environment, plan),
        *no_metadata(environment, plan, policy),
        *told_of_any_change(environment, plan),
        *runtimes_twice(environment, plan),
        *already_damaged(environment, plan, asked),
    ]
    return Judgement(tuple(sorted(findings, key=lambda f: f.severity != "refuse")), met.spared)
