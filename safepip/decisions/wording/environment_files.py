"""What `check-file` says of an environment file. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepip.decisions.wording.layout import Line, Span, clean, paragraph

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safepip.values.environment_file import FileFinding, Trouble

_MANY = 200
_TEXTS: Mapping[Trouble, str] = {
    "twice": "pip is to install `{about}`, which conda brings as `{detail}`; take out one of them",
    "contradiction": "no version of {about} is within all of: {detail}",
    "no-pip": "there is a part for pip, and conda's part does not name `pip`",
    "credentials": "`{about}` was written with what it logs in with; keep that in a netrc, a "
    "keyring or a variable (`${{NAME}}`)",
    "missing": "`{about}` is not there",
    "unreadable": "`{about}` is nothing that {detail} understands",
    "unsolvable": "conda's part comes to nothing: {detail}",
    "no-constraints": "nothing holds conda's versions while conda runs `pip install -U`; "
    "`safepip export -f FILE` writes constraints for that",
    "allows": "the file wants pip to take over {about} from conda; `safepip create` does so by "
    "`--allow {about}`",
    "empty": "there are no {about}, and conda makes no environment of that",
    "two-parts": "there is more than one part for {about}, and conda takes the last alone",
    "unknown-key": "conda ignores `{about}`",
}


def finding_text(finding: FileFinding) -> str:
    """Give a finding in words."""
    about, detail = clean(finding.about, _MANY), clean(finding.detail, _MANY)
    return _TEXTS[finding.kind].format(about=about, detail=detail)


def checked_lines(path: str, found: Sequence[FileFinding], *, width: int) -> tuple[Line, ...]:
    """Say what was found, or that all is well."""
    bad = sum(finding.severity == "problem" for finding in found)
    count = f"{bad} problem{'s' if bad != 1 else ''}" if bad else "nothing is wrong"
    lines = [Line((Span(f"{clean(path, _MANY)}: {count}"),))]
    for finding in found:
        is_bad = finding.severity == "problem"
        start = (Span(" !  " if is_bad else " -  ", "refuse" if is_bad else "note"),)
        lines += paragraph((Span(finding_text(finding)),), width, start=start, indent=4)
    return tuple(lines)
