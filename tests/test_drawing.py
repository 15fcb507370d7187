"""Plans as tables, as Markdown, as pictures and as pages."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

from hypothesis import given, settings

from safepip.decisions.drawing.graph import Edge, graph_of
from safepip.decisions.drawing.markdown import markdown
from safepip.decisions.drawing.mermaid import mermaid
from safepip.decisions.drawing.page import page
from safepip.decisions.drawing.placing import columns_of
from safepip.decisions.drawing.svg import svg
from safepip.decisions.wording.message import message
from safepip.decisions.wording.picture import Picture, picture_of
from safepip.values.channel import CondaPart, Moved
from safepip.values.verdict import Outcome
from tests.build import artifact, conda, environment, pip, plan
from tests.saying import LAB, blocked, clear, expected, kept, said
from tests.wild import SECRET, outcomes

REFUSED = blocked(
    plan(
        LAB,
        artifact("opencv-python==4.13.0.90", "numpy>=2", "pillow", "protobuf>=3"),
        artifact("numpy==2.4.1", requested=False, needed_by=("opencv-python",)),
        artifact("pillow==11.0", requested=False, needed_by=("opencv-python",)),
    ),
    "install",
    "opencv-python",
    verb="plan",
)


HELD_TEXT = (
    "opencv-python 4.11.0.86 instead of 4.13.0.90: opencv-python 4.13.0.90 needs numpy>=2; "
    "numpy 1.26.4 is conda's"
)


def picture(outcome: Outcome) -> Picture:
    found = picture_of(outcome)
    assert found is not None
    return found


# ------------------------------------------------------------------------------- the table


def test_a_plan_is_a_table_in_the_order_of_the_tree() -> None:
    table = said(REFUSED, form="table").split("\n\n")[1]
    assert table + "\n" == expected("""
          package        now     then       owner  why
        + opencv-python  -       4.13.0.90  -      new; requested
        ! numpy          1.26.4  2.4.1      conda  conda owns it; needed by
                                                   opencv-python (numpy>=2)
        + pillow         -       11.0       -      new; needed by opencv-python (pillow)
        = already there: protobuf 4.25.3 (conda)
        """)


def test_what_is_longer_than_its_column_goes_on_below() -> None:
    outcome = clear(artifact(f"{'long-' * 7}name==1.0.post{'1' * 20}"), verb="plan")
    assert said(outcome, form="table").splitlines()[2:] == [
        "  package                       now  then            owner  why",
        "+ long-long-long-long-long-lon  -    1.0.post111111  -      new; requested",
        "  g-long-name                        11111111111111",
    ]


@given(outcomes())
@settings(max_examples=40)
def test_no_line_of_a_table_is_wider_than_the_terminal(outcome: Outcome) -> None:
    if outcome.verb == "plan" and outcome.exit_code == 0:
        wide = [line for line in message(outcome, form="table") if "package " in line.text[:11]]
        assert all(len(line.text) <= 80 for line in wide)


# ------------------------------------------------------------------------------- Markdown


def test_a_refused_plan_as_markdown() -> None:
    assert markdown(REFUSED) == expected("""
        ### safepip: blocked (conda-owned)

        ```sh
        safepip install opencv-python
        ```

        **this install would replace conda's numpy 1.26.4 with 2.4.1**

        Environment: `/opt/conda/envs/lab (lab, Python 3.11, 4 conda packages)`

        Why: pip would delete conda's numpy files and write its own, and conda would still list 1.26.4

        |  | package | now | then | owner | why |
        |---|---|---|---|---|---|
        | `+` | `opencv-python` | `-` | `4.13.0.90` | - | new; requested |
        | `!` | `numpy` | `1.26.4` | `2.4.1` | conda | conda owns it; needed by opencv-python (numpy>=2) |
        | `+` | `pillow` | `-` | `11.0` | - | new; needed by opencv-python (pillow) |

        ```mermaid
        graph LR
          n0("opencv#45;python 4.13.0.90<br/>new")
          n1{{"protobuf 4.25.3<br/>conda's, stays"}}
          n2{{"numpy 1.26.4 #45;#62; 2.4.1<br/>conda owns it"}}
          n3{{"scipy 1.11.4<br/>conda package"}}
          n4("pillow 11.0<br/>new")
          n0 -.->|"numpy#62;#61;2"| n2
          n0 -->|"pillow"| n4
          n0 -->|"protobuf#62;#61;3"| n1
          n3 -.->|"numpy #62;#61;1.26,#60;2"| n2
          style n2 stroke-width:4px
        ```

        already there: protobuf 4.25.3 (conda)

        Fix: let conda change numpy first, if it can (unchecked)

        ```sh
        conda install -p /opt/conda/envs/lab "numpy>=2" && safepip install opencv-python
        ```

        Fix: replace conda's numpy on purpose; conda's scipy 1.11.4 then lacks what it needs

        ```sh
        safepip install --allow numpy opencv-python
        ```

        Nothing was changed.
        """)  # noqa: E501 - as wide as a table is


def test_a_kept_plan_says_what_was_held_back() -> None:
    lines = markdown(kept(verb="plan")).splitlines()
    assert lines[6:13] == [
        "**conda's versions are kept**",
        "",
        "Environment: `/opt/conda/envs/lab (lab, Python 3.11, 4 conda packages)`",
        "",
        f"- {HELD_TEXT}",
        "- cv-extras 1.0 is left out: opencv-python 4.11.0.86 does not need it",
        "",
    ]


_CODE = re.compile(r"<code>(?:&#\d+;|[\w .,;'()/=>+%?:-])*</code>|`[^`|]*`")
_PROSE = re.compile(r"(?:&#\d+;|[\w .,;'()/=>+%?:-])*")
_NODE = r"\{\{%s\}\}|\(%s\)".replace("%s", r'"(?:#\w+;|<br/>|[A-Za-z0-9 .,\'])*"')
_MERMAID = re.compile(
    rf"graph LR|  n\d+(?:{_NODE})|  style n\d+ stroke-width:4px"
    r"""|  n\d+ -\.?-> ?(?:\|"(?:#\w+;|[A-Za-z0-9 .,'])*"\|)? ?n\d+"""
)


@given(outcomes())
@settings(max_examples=60)
def test_no_text_of_a_package_is_a_mark(outcome: Outcome) -> None:
    fence = ""
    for line in markdown(outcome).split("\n")[:-1]:
        if fence:
            if line == fence.strip("mersaidh"):
                fence = ""
            assert not fence.endswith("mermaid") or _MERMAID.fullmatch(line), line
            continue
        if re.fullmatch("```+(sh|mermaid)", line):
            fence = line
            continue
        plain = _CODE.sub("", re.sub(r"^(### |- |\*\*|\|)|\*\*$|\|", "", line))
        assert _PROSE.fullmatch(plain), line
    assert not fence
    assert SECRET not in markdown(outcome)


def test_a_mention_or_a_link_is_neither() -> None:
    outcome = clear(
        artifact("x==1"), hints=("ask @ada, see #1 or https://evil.example",), verb="plan"
    )
    assert (
        "- ask <code>&#64;ada,</code> see <code>&#35;1</code> or "
        "<code>https&#58;//evil.example</code>"
    ) in markdown(outcome).splitlines()


# ------------------------------------------------------------------------------- the picture


def test_the_picture_leads_from_what_was_asked_to_who_holds_it() -> None:
    graph = graph_of(picture(REFUSED))
    assert columns_of(graph) == (
        ("opencv-python",),
        ("protobuf", "numpy", "pillow"),
        ("scipy",),
    )
    assert [edge for edge in graph.edges if edge.against] == [
        Edge("opencv-python", "numpy", "numpy>=2", against=True),
        Edge("scipy", "numpy", "numpy >=1.26,<2", against=True),
    ]


def test_what_holds_and_changes_itself_has_one_box_and_holds_nothing() -> None:
    env = environment(conda("numpy==1.26.4"), conda("scipy==1.11.4", depends=["numpy <2"]))
    numpy = artifact("numpy==2.0", requested=False, needed_by=("app",))
    app, scipy = artifact("app==1.0", "numpy>=2", "scipy"), artifact("scipy==1.16", "numpy>=2")
    stays = graph_of(picture(blocked(plan(env, app, numpy), "install", "app", env=env)))
    assert [(box.key, box.look) for box in stays.boxes] == [
        ("app", "new"),
        ("scipy", "holder"),
        ("numpy", "refused"),
    ]
    changes = graph_of(picture(blocked(plan(env, app, numpy, scipy), "install", "app", env=env)))
    assert {box.key: box.look for box in changes.boxes} == {
        "app": "new",
        "numpy": "refused",
        "scipy": "refused",
    }
    assert all(edge.label != "numpy <2" for edge in changes.edges)


def test_one_edge_says_all_that_one_wants_of_another() -> None:
    lib = artifact("lib==2.0", requested=False, needed_by=("top", "other"))
    top = artifact("top==1.0", "lib>=1", "lib[x]<3", "lib")
    other = artifact("other==1.0", "lib>=1", "lib", "lib<3,!=2.1", "lib>=1.5", "lib<4")
    shown = clear(lib, top, other, verb="plan")
    edges = graph_of(picture(shown)).edges
    assert edges == (
        Edge("top", "lib", "lib[x]<3,>=1"),
        Edge("other", "lib", "lib!=2.1,<3,>=1.5"),
    )


def test_what_conda_brings_is_in_the_picture_with_what_it_needs() -> None:
    part = CondaPart(
        "py-rattler",
        "conda install py-top",
        "",
        moves=(Moved("low", "", "2"), Moved("py-top", "", "3")),
        words=(),
        specs=("py-top",),
        needs={"py-top": ("python >=3.9", "low >=1", "numpy >=1.20", "zlib"), "low": ("python",)},
        names={"top": "py-top"},
    )
    everything = picture(clear(verb="plan", conda=part))
    of_conda = (
        Edge("by conda py-top", "by conda low", "low >=1"),
        Edge("by conda py-top", "numpy", "numpy >=1.20"),
    )
    assert graph_of(everything).edges == of_conda
    warned = markdown(clear(verb="plan", conda=replace(part, warning="but mind this")))
    assert "py-top 3 from conda, by py-rattler; by hand: but mind this" in warned
    assert "```mermaid" in warned
    rest = picture(clear(artifact("mine==1", "top>=2"), verb="plan", conda=part))
    graph = graph_of(rest)
    assert graph.edges == (Edge("mine", "by conda py-top", "top>=2"), *of_conda)
    boxes = {box.key: box.lines for box in graph.boxes}
    assert boxes["by conda py-top"] == ("py-top 3", "new, from conda")


def test_what_pip_needs_of_conda_is_drawn_though_that_brings_more_than_a_picture_holds() -> None:
    moves = tuple(Moved(f"dep{at:02}", "", "1") for at in range(60))
    needs = {move.name: ("dep00",) for move in moves[1:]}
    part = CondaPart(
        "py-rattler", "conda install dep00", "", moves=moves, words=(), specs=(), needs=needs
    )
    outcome = clear(artifact("mine==1", "dep00", "dep59>=1"), verb="plan", conda=part)
    graph = graph_of(picture(outcome))
    assert [edge for edge in graph.edges if edge.start == "mine"] == [
        Edge("mine", "by conda dep00", "dep00"),
        Edge("mine", "by conda dep59", "dep59>=1"),
    ]
    assert len(svg(graph)) > 0
    assert "20 more changes in the table only." in markdown(outcome)
    assert "20 more changes in the table only." in page(outcome)


def test_what_was_asked_for_and_stays_is_drawn_where_it_brings_something() -> None:
    there = environment(pip("top==1", "fast; extra == 'speed'"), pip("other==1"))
    wanted = plan(there, artifact("fast==2", requested=False))
    drawn = Picture(wanted, there, ("install", "top[speed]", "other"))
    graph = graph_of(drawn)
    assert graph.edges == (Edge("top", "fast", "fast"),)
    assert [box.lines[0] for box in graph.boxes] == ["top 1", "fast 2"]


def test_no_edge_leads_through_a_box() -> None:
    deps = [artifact(f"dep{at}==1", "low", requested=False, needed_by=("app",)) for at in range(5)]
    app = artifact("app==1", "low", "end", *(f"dep{at}" for at in range(5)))
    low = artifact("low==1", "end", requested=False, needed_by=("app",))
    end = artifact("end==1", requested=False, needed_by=("app",))
    drawn = svg(graph_of(picture(clear(app, *deps, low, end, verb="plan"))))
    rects = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', drawn)
    boxes = [tuple(map(float, rect)) for rect in rects]
    assert len(boxes) == 8
    points = [
        point
        for path in re.findall(r' d="(M[^z"]+)"', drawn)
        for point in points_on([float(each) for each in re.findall(r"-?[\d.]+", path)])
    ]
    assert len(points) > 100
    inside = [
        (x, y, box)
        for x, y in points
        for box in boxes
        if box[0] + 1 < x < box[0] + box[2] - 1 and box[1] - 1 < y < box[1] + box[3] + 1
    ]
    assert inside == []
    height = float(re.search(r'viewBox="0 0 \d+ (\d+)"', drawn)[1])  # type: ignore[index]
    assert all(0 < y < height for _, y in points)


def points_on(numbers: list[float]) -> list[tuple[float, float]]:
    """Points on a path of cubic curves."""
    found = []
    for at in range(0, len(numbers) - 2, 6):
        x1, y1, x2, y2, x3, y3, x4, y4 = numbers[at : at + 8]
        for t in (n / 20 for n in range(21)):
            s = 1 - t
            weights = (s**3, 3 * s * s * t, 3 * s * t * t, t**3)
            found.append(
                (
                    sum(w * x for w, x in zip(weights, (x1, x2, x3, x4), strict=True)),
                    sum(w * y for w, y in zip(weights, (y1, y2, y3, y4), strict=True)),
                )
            )
    return found


def test_a_circle_of_requirements_has_its_place() -> None:
    outcome = clear(
        artifact("a==1", "b"),
        artifact("b==1", "c", "b[x]", requested=False, needed_by=("a", "c")),
        artifact("c==1", "b", requested=False, needed_by=("b",)),
        verb="plan",
    )
    graph = graph_of(picture(outcome))
    assert columns_of(graph) == (("a",), ("b",), ("c",))
    ET.fromstring(svg(graph))  # noqa: S314 - it was made here


@given(outcomes())
@settings(max_examples=20)
def test_a_wide_picture_can_be_read_on_a_narrow_page(outcome: Outcome) -> None:
    found = picture_of(outcome)
    if found is not None and found.plan.changes:
        drawn = svg(graph_of(found))
        numbers = re.search(r' width="(\d+)" .*min-width: (\d+)px', drawn)
        assert numbers is not None
        wide, least = map(int, numbers.groups())
        assert 10 <= 12 * least / wide <= 12  # pixels of a letter


def test_of_a_long_plan_the_picture_has_what_matters() -> None:
    names = [f"dep{at}" for at in range(60)]
    deps = [artifact(f"{n}==1", requested=False, needed_by=("app",)) for n in names]
    numpy = artifact("numpy==2.4", requested=False, needed_by=("dep59",))
    wanted = plan(LAB, artifact("app==1", *names), *deps, numpy)
    graph = graph_of(picture(blocked(wanted, "install", "app", verb="plan")))
    assert (len(graph.boxes), graph.hidden) == (41, 22)  # and scipy, which holds numpy
    assert {"app", "dep59", "numpy"} <= {box.key for box in graph.boxes}


@given(outcomes())
@settings(max_examples=40)
def test_every_plan_has_a_picture(outcome: Outcome) -> None:
    found = picture_of(outcome)
    if found is not None and found.plan.changes:
        graph = graph_of(found)
        ET.fromstring(svg(graph))  # noqa: S314 - it was made here
        assert all(_MERMAID.fullmatch(line) for line in mermaid(graph))


# ------------------------------------------------------------------------------- the page


class _Seen(HTMLParser):
    """The tags of a page, its attributes, and its text."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._note(attrs)
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._note(attrs)

    def _note(self, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes |= {name for name, _ in attrs}
        assert all(
            re.fullmatch(r"min-width: \d+px", v or "") for name, v in attrs if name == "style"
        )

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


_TAGS = (
    "html head meta title style body main section div h1 h2 p ul li code pre table thead tbody tr "
    "th td svg marker path g rect polygon text"
)
_ATTRIBUTES = (
    "lang charset name content http-equiv class scope role aria-labelledby xmlns viewbox width "
    "height id refx refy markerwidth markerheight orient d x y rx points marker-end style"
)


@given(outcomes())
@settings(max_examples=60)
def test_no_text_of_a_package_is_part_of_the_page(outcome: Outcome) -> None:
    document = page(outcome)
    seen = _Seen(document)
    assert not seen.open
    assert seen.tags <= set(_TAGS.split())
    assert seen.attributes <= set(_ATTRIBUTES.split())
    assert SECRET not in document


def test_a_page_needs_nothing_else() -> None:
    document = page(REFUSED)
    links = re.findall(r"https?://[^\s\"<]+", document)
    assert set(links) == {"http://www.w3.org/2000/svg"}
    assert "<script" not in document
    assert "default-src 'none'" in document


def test_a_page_says_by_words_and_signs_what_it_says_by_colour() -> None:
    text = _Seen(page(REFUSED)).text
    for part in (
        "blocked [conda-owned]",
        "this install would replace conda's numpy 1.26.4 with 2.4.1",
        "!numpy1.26.42.4.1condaconda owns it; needed by opencv-python (numpy>=2)",
        'conda install -p /opt/conda/envs/lab "numpy>=2" && safepip install opencv-python',
        "conda's, stays",
        "Nothing was changed.",
    ):
        assert part in text


def test_what_has_no_plan_has_a_page_all_the_same() -> None:
    outcome = Outcome(1, None, environment(), "plan", ("install", "absent"))
    assert "pip made no plan; it ended with code 1" in _Seen(page(outcome)).text
    assert "pip made no plan; it ended with code 1" in markdown(outcome)
