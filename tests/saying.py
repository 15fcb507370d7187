"""What is said of outcomes, for the tests of wording."""

from __future__ import annotations

import textwrap
from typing import Any

from safepip.decisions.fixing.fixes import fixes_for
from safepip.decisions.wording.layout import Line
from safepip.decisions.wording.message import message
from safepip.values.environment import Environment
from safepip.values.findings import Finding
from safepip.values.plan import Plan
from safepip.values.verdict import Blocked, Clear, Fix, HeldBack, Kept, Outcome
from tests.build import Step, artifact, conda, environment, judged, pip, plan

LAB = environment(
    conda("numpy==1.26.4"),
    conda("scipy==1.11.4", depends=["numpy >=1.26,<2"]),
    conda("protobuf==4.25.3"),
    conda("opencv==4.9.0", name="py-opencv", metadata="none", modules=["cv2/__init__.py"]),
    pip("rich==13.6"),
    pip("textual==0.40", "rich<14"),
)


def text(lines: tuple[Line, ...]) -> str:
    return "".join(line.text + "\n" for line in lines)


def said(outcome: Outcome, **more: Any) -> str:
    return text(message(outcome, **more))


def expected(block: str) -> str:
    return textwrap.dedent(block).lstrip("\n")


def clear(*steps: Step, notes: tuple[Finding, ...] = (), **facts: Any) -> Outcome:
    """The end of a command that pip carried out."""
    verdict = Clear(plan(LAB, *steps), notes)
    arguments = ("install", *(step.name for step in steps))
    known: dict[str, Any] = {"environment": LAB, "arguments": arguments, "acted": True}
    return Outcome(0, verdict, **{**known, **facts})


def blocked(
    wanted: Plan,
    *arguments: str,
    env: Environment = LAB,
    kept: tuple[HeldBack, ...] | None = None,
    **facts: Any,
) -> Outcome:
    """The end of a command that the real judge refused, with the real ways out."""
    findings = judged(env, wanted).findings
    fixes = fixes_for(env, arguments[0], arguments, wanted, findings, kept)
    known: dict[str, Any] = {"environment": env, "verb": arguments[0], "arguments": arguments}
    return Outcome(10, Blocked(wanted, findings, fixes), **{**known, **facts})


HELD = (
    HeldBack(
        "opencv-python",
        "4.13.0.90",
        "4.11.0.86",
        ("opencv-python 4.13.0.90 needs numpy>=2; numpy 1.26.4 is conda's",),
    ),
    HeldBack("cv-extras", "1.0", None, ("opencv-python 4.11.0.86 does not need it",)),
)


def kept(**facts: Any) -> Outcome:
    wanted = plan(LAB, artifact("opencv-python==4.11.0.86", "numpy>=1.21"))
    fixes = (
        Fix("conda install numpy", "let conda change numpy"),
        Fix("safepip install --allow numpy opencv-python", "replace conda's numpy"),
        Fix("safepip", "do something else"),
    )
    verdict = Kept(wanted, HELD, fixes=fixes)
    return Outcome(0, verdict, LAB, arguments=("install", "opencv-python"), **facts)
