"""What `explain` says: of a package, of a word in brackets, of the last verdict. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from safepip.decisions.judging.ranges import is_empty, samples
from safepip.decisions.judging.requirements import is_met
from safepip.decisions.wording.changes import command_of, step_line
from safepip.decisions.wording.layout import Line, Span, clean, command, paragraph
from safepip.decisions.wording.phrases import count, few, lack_what_they_need
from safepip.decisions.wording.refusal import environment_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.requirements import Requirement

    from safepip.decisions.explaining.portrait import Asked, Need, Portrait
    from safepip.decisions.wording.layout import Style
    from safepip.values.channel import Offer
    from safepip.values.environment import Environment
    from safepip.values.explanation import Article
    from safepip.values.journal import Entry

_LABEL = len("  conda package  ")
_FEW_VERSIONS = 3


def portrait_lines(
    portrait: Portrait,
    environment: Environment,
    last: Entry | None,
    taken_back: Mapping[str, str],
    *,
    width: int,
    offer: Offer | None = None,
    module: str = "",
    verdict: Mapping[str, str] | None = None,
    asked: Asked | None = None,
    is_guess: bool = False,
) -> tuple[Line, ...]:
    """Give all that is known of one package.

    ``last``: the last change of safepip's that was about it. ``taken_back``: by the id of a change,
    that of the one that took it back. ``offer``: what conda's channels have of it. ``module``: that
    of it which was asked for. ``verdict``: the last one, in short, where it was about this.
    ``asked``: the name with bounds, where it was given with any. ``is_guess``: that the module is
    of this is known by its name alone.
    """
    owner = {"conda": "conda's", "pip": "pip's", "none": "not installed"}[portrait.owner]
    head = f"{clean(portrait.name)} {clean(portrait.version)}".strip()
    lines = [Line((Span(head, "label"), Span(f"  {owner}")))]
    lines += environment_line(environment, width)
    lines.append(Line())
    if module:
        what = "has the file" if "/" in module else "has the module"
        whose = ", of the standard library" if portrait.is_python else ""
        whose += ", going by its name alone" if is_guess else ""
        lines += _labelled(what, [f"{clean(module)}{whose}"], width)
    for label, texts in _facts(portrait):
        lines += _labelled(label, texts, width)
    if asked is not None:
        said = f"{clean(str(asked.requirement))}: {may_be(portrait, asked.requirement)}"
        lines += _labelled("asked", [said], width)
        lines += command(asked.command, _LABEL) if asked.command else []
    if offer is not None:
        versions = few(offer.versions, _FEW_VERSIONS)
        lines += _labelled("on conda", [f"{clean(offer.package)}: {versions}"], width)
    if last is not None:
        lines += _labelled("last change", _last(last, portrait.name, taken_back), width)
    if verdict is not None:
        lines += _labelled("last verdict", _verdict(verdict), width)
    return tuple(lines)


def _facts(portrait: Portrait) -> Iterator[tuple[str, Sequence[str]]]:
    record = portrait.record
    if record is not None:
        channel = f" from {clean(record.channel)}" if record.channel else ""
        yield "conda package", [f"{clean(record.name)} {clean(record.version)}"]
        yield "build", [f"{clean(record.build)}{channel}"]
        yield "files", [count(len(record.files), "file")]
    if portrait.together:
        yield "with it", [clean(text) for text in portrait.together]
    if portrait.distribution is not None:
        yield "metadata", [clean(portrait.distribution.metadata_path)]
    if portrait.still is not None:
        still = f"{clean(portrait.still.name)} {clean(portrait.still.version)}"
        yield "conda lists", [f"{still}, too, and may write it over this: safepip doctor"]
    for copy in portrait.copies:
        yield "also there", [f"{clean(copy.version)} in {clean(copy.location)}"]
    yield "needed by", [*map(_need, portrait.needs)] or ["nothing that is installed"]
    if portrait.pins:
        yield "pinned", [clean(pin) for pin in portrait.pins]
    yield "pip may take", _may(portrait)


def _need(need: Need) -> str:
    spec = clean(need.spec)
    state = {True: "", False: "  NOT met", None: ""}[need.is_met]
    whose = "conda's " if need.owner == "conda" else ""
    book = {"python": "  (Python)", "conda": "  (conda)"}[need.book]
    return f"{whose}{clean(need.who)} {clean(need.version)}: {spec}{book}{state}"


def may_be(portrait: Portrait, asked: Requirement) -> str:
    """Say whether pip may install what is asked for."""
    there, name = clean(portrait.version), clean(portrait.name)
    if there and is_met(asked, portrait.version):
        return f"{there}, which is there, is that"
    if is_empty(asked.specifier):
        return "no: no version is all of that"
    against, partly = _against(portrait, asked)
    if portrait.owner == "conda":
        return f"no: {there} is conda's{_past_conda(portrait, name, against)}"
    if against:
        return f"no: {few(against)} cannot work with it"
    exact = any(s.operator == "==" and not s.version.endswith(".*") for s in asked.specifier)
    if exact:
        return "nothing that is installed is against it"
    working = f" that {few(partly)} can work with" if partly else ""
    return f"where there is such a version{working}"


def _past_conda(portrait: Portrait, name: str, against: Sequence[str]) -> str:
    """Say what pip can do where conda has another version."""
    if portrait.is_python:
        return ", and pip has no Python"
    if portrait.distribution is None:
        return ", which pip does not see"
    then = f"; then {few(against)} {lack_what_they_need(against)}" if against else ""
    return f"; with --allow {name} it may{then}"


def _against(portrait: Portrait, asked: Requirement) -> tuple[list[str], list[str]]:
    """Give who cannot work with any version that is asked for, and who with some only.

    Where nobody is against all of them and together they leave none, all are against it. Who lacks
    what it needs already, loses nothing.
    """
    needs = [need for need in portrait.needs if need.is_met is not False or not portrait.version]
    versions = samples((str(asked.specifier), *(need.spec for need in needs)))
    asked_for = [v for v in versions if asked.specifier.contains(v, prereleases=True)]
    refused = [{v for v in asked_for if need.excludes(v)} for need in needs]
    pairs = list(zip(needs, refused, strict=True))
    wholly = [need for need, out in pairs if asked_for and len(out) == len(asked_for)]
    partly = [need for need, out in pairs if out]
    is_none_left = bool(asked_for) and set().union(*refused) == set(asked_for)
    return (_who(wholly or partly), []) if is_none_left else ([], _who(partly))


def _who(needs: Sequence[Need]) -> list[str]:
    """Name those who need it once each, though conda's books and Python's may both say so."""
    told = {(n.who, n.version): n.spec for n in reversed(needs)}
    return [f"{clean(w)} {clean(v)} ({clean(spec)})" for (w, v), spec in reversed(told.items())]


def _may(portrait: Portrait) -> list[str]:
    """Say which versions pip may choose; what conda has is held where it is."""
    if portrait.is_python:
        return ["nothing: Python and its standard library are conda's, and no project of pip's"]
    bounds = f"{clean(portrait.name)}{clean(portrait.bounds)}"
    accepted = f"{bounds}, which is what all Python requirements on it accept"
    if not portrait.bounds:
        accepted = "any version, as nobody bounds it"
    elif is_empty(SpecifierSet(portrait.bounds)):
        accepted = f"no version that all are content with: together they ask for {bounds}"
    if portrait.owner == "conda" and portrait.distribution is None:
        return [
            "a copy of its own: conda's has no metadata that pip sees",
            "not one with files or modules that conda's has: that is refused",
        ]
    if portrait.owner == "conda":
        held = f"nothing but {clean(portrait.version)}, since that is conda's"
        holders = [f"{clean(who)} ({clean(spec)})" for who, spec in portrait.condas_bounds]
        allowed = [f"with --allow {clean(portrait.name)}: {accepted}"]
        if holders:
            lack = lack_what_they_need(holders)
            allowed.append(f"outside conda's own bounds, {few(holders)} then {lack}")
        return [held, *allowed]
    return [accepted]


def _last(entry: Entry, name: str, taken_back: Mapping[str, str]) -> list[str]:
    by = taken_back.get(entry.id)
    state = f", undone by {by}" if by else ""
    steps = [step_line(step) for step in entry.steps if step.name == name]
    when = entry.began[:16].replace("T", " ")
    return [f"{entry.id}  {when}  {command_of(entry)}{state}", *steps]


def _verdict(verdict: Mapping[str, str]) -> list[str]:
    code = f" ({clean(verdict['code'])})" if "code" in verdict else ""
    when = clean(verdict.get("when", ""))[:16].replace("T", " ")
    return [
        f"{clean(verdict.get('verdict', '?'))}{code}: {clean(verdict.get('headline', ''))}",
        f"{when} UTC  {clean(verdict.get('command', ''))}",
        "in full: safepip explain",
    ]


def _labelled(label: str, texts: Sequence[str], width: int) -> tuple[Line, ...]:
    """Give texts below each other, with a word before the first."""
    lines: list[Line] = []
    for at, text in enumerate(texts):
        start = (Span((label if at == 0 else "").ljust(_LABEL), "label"),)
        lines += paragraph((Span(text),), width, start=start, indent=_LABEL + 2)
    return tuple(lines)


def article_lines(article: Article, width: int) -> tuple[Line, ...]:
    """Give an article."""
    lines = [*paragraph((Span(article.title),), width, start=(Span(f"{article.kind}: ", "label"),))]
    lines.append(Line((Span(f"({article.severity})", "dim"),)))
    for text in article.what:
        lines += (Line(), *paragraph((Span(text),), width))
    lines += (Line(), Line((Span("For example", "label"),)))
    lines += (Line((Span(f"  {line}"),)) for line in article.example)
    if article.fixes:
        lines += (Line(), Line((Span("Ways on", "label"),)))
    for says, what in article.fixes:
        lines += (*paragraph((Span(f"{says}:"),), width, start=(Span("  "),)), *command(what, 4))
    return tuple(lines)


def verdict_lines(told: Mapping[str, object], width: int) -> tuple[Line, ...]:
    """Give the last verdict, with every fact of every finding.

    ``told``: what `decisions.explaining.verdicts` makes of an outcome.
    """
    answer = _mapping(told.get("answer"))
    code = f" ({clean(answer['code'])})" if answer.get("code") else ""
    head = f"{clean(answer.get('verdict', '?'))}{code}"
    lines = [
        *paragraph(
            (Span(clean(told.get("headline", ""))),),
            width,
            start=(Span(f"{head}: ", "label"),),
            indent=2,
        )
    ]
    lines += _labelled("command", [clean(told.get("command", ""), 2000)], width)
    lines += _labelled("environment", [clean(told.get("environment", ""))], width)
    lines += _labelled("when", [f"{clean(told.get('when', ''))[:16].replace('T', ' ')} UTC"], width)
    lines += _labelled("why", [clean(told["why"])] if told.get("why") else [], width)
    lines += _labelled("also", [clean(text) for text in _items(told.get("also"))], width)
    for change in map(_mapping, _items(answer.get("changes"))):
        lines += _change_lines(change, width)
    for finding in map(_mapping, _items(answer.get("findings"))):
        lines += (Line(), *_finding_lines(finding, width))
    for fix in map(_mapping, _items(answer.get("fixes"))):
        lines += _way_lines(f"{clean(fix.get('says', ''))}:", width)
        lines += command(str(fix.get("command", "")), 4)
    for said in _items(answer.get("in_words")):
        lines += _way_lines(clean(said), width)
    return tuple(lines)


def _way_lines(said: str, width: int) -> tuple[Line, ...]:
    return (Line(), *paragraph((Span(said),), width, start=(Span("fix  ", "label"),), indent=5))


def _change_lines(change: Mapping[str, object], width: int) -> tuple[Line, ...]:
    versions = " -> ".join(clean(change[key]) for key in ("from", "to") if change.get(key))
    whose = ", conda's" if change.get("owner") == "conda" else ""
    needed = ", ".join(clean(name) for name in _items(change.get("needed_by")))
    why = "requested" if change.get("requested") else f"needed by {needed}" if needed else ""
    said = f"{clean(change.get('action', ''))} {clean(change.get('name', ''))} {versions}{whose}"
    return _labelled("change", [f"{said}; {why}" if why else said], width)


def _finding_lines(finding: Mapping[str, object], width: int) -> Iterator[Line]:
    """Give a finding with all its facts, however many."""
    severity = {"refuse": "refuses", "note": "note"}.get(str(finding.get("severity")), "")
    style: Style = "error" if severity == "refuses" else "note"
    about = f"  {clean(finding['distribution'])}" if finding.get("distribution") else ""
    start = (Span(clean(finding.get("kind", "")), style), Span(f" ({severity}){about}"))
    yield Line(start)
    for key, value in finding.items():
        if key in ("kind", "severity", "distribution") or value in (None, "", [], False):
            continue
        texts = [clean(item) for item in (value if isinstance(value, list) else [value])]
        yield from _labelled(f"  {clean(key).replace('_', ' ')}", texts, width)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _items(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else []
