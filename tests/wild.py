"""Texts from packages that are anything, and outcomes made of them."""

from __future__ import annotations

from hypothesis import strategies as st

from safepip.decisions.fixing.fixes import fixes_for
from safepip.decisions.wording.layout import clean
from safepip.values.findings import (
    AlreadyDamaged,
    Base,
    Breaks,
    Builds,
    CondaOwned,
    Finding,
    Frozen,
    NoMetadata,
    Pinned,
    Pixi,
    RuntimeTwice,
    SameFiles,
    SecondCopy,
    Shadows,
    Unmet,
)
from safepip.values.plan import Artifact, Change, Plan
from safepip.values.universe import Chain, Conflict, Freed, Link
from safepip.values.verdict import Blocked, Clear, HeldBack, Kept, Outcome
from tests.build import conda, environment, interpreter

NUMPY = "numpy-1.26.4-py311_0"
SECRET = "hunter2"
WILD = st.one_of(
    st.text(max_size=40),
    st.text("\x00\x1b\x07\u202e\u2028\n\r[m ab", max_size=40),
    st.just(f"https://ada:{SECRET}@index.example/simple/?token={SECRET}"),
    st.just("x" * 400 + f" https://{SECRET}@index.example/"),
)
WILDS = st.lists(WILD, max_size=8).map(tuple)
SEVERITIES = st.sampled_from(["refuse", "note"])


def findings() -> st.SearchStrategy[Finding]:
    return st.one_of(
        st.builds(
            CondaOwned,
            distribution=WILD,
            action=st.sampled_from(["upgrade", "same", "remove"]),
            installed=WILD,
            planned=st.none() | WILD,
            conda_package=WILD | st.just(NUMPY),
            dependents=WILDS,
            requested=st.booleans(),
            severity=SEVERITIES,
        ),
        st.builds(
            SameFiles,
            distribution=WILD,
            conda_package=WILD,
            paths=WILDS,
            reason=st.sampled_from(["files", "scripts", "removal", "link", "stray"]),
            severity=SEVERITIES,
        ),
        st.builds(
            Breaks,
            distribution=WILD,
            requirement=WILD,
            changed=WILD,
            before=WILD,
            after=st.none() | WILD,
            severity=SEVERITIES,
        ),
        st.builds(
            Unmet,
            distribution=WILD,
            requirement=WILD,
            found=st.none() | WILD,
            provided_by=WILD,
            severity=SEVERITIES,
        ),
        st.builds(SecondCopy, distribution=WILD, conda_package=WILD, modules=WILDS),
        st.builds(
            Shadows,
            distribution=WILD,
            path=WILD,
            version=WILD,
            conda_package=WILD,
            severity=SEVERITIES,
            reason=st.sampled_from(["user-site", "path", "stdlib"]),
        ),
        st.builds(Pinned, distribution=WILD, pin=WILD, planned=st.none() | WILD),
        st.builds(
            Frozen,
            marker=st.sampled_from(["frozen", "externally-managed", "read-only"]),
            path=WILD,
            message=WILD,
        ),
        st.builds(Builds, distribution=WILD, source=WILD, url=WILD),
        st.builds(
            NoMetadata,
            distribution=WILD,
            installed=WILD,
            path=WILD,
            reason=WILD,
            severity=SEVERITIES,
        ),
        st.builds(RuntimeTwice, distribution=WILD, runtime=WILD, bundled=WILD, conda_package=WILD),
        st.builds(AlreadyDamaged, what=WILDS),
        st.sampled_from([Pixi(), Base()]),
    )


def conflicts() -> st.SearchStrategy[Conflict]:
    link = st.builds(Link, name=WILD | st.just(""), version=WILD, needs=WILD)
    chain = st.builds(
        Chain,
        links=st.lists(link, min_size=1, max_size=3).map(tuple),
        hold=WILD | st.just("numpy"),
        version=WILD,
        becomes=WILD,
        itself_needs=WILD | st.just(""),
    )
    freed = st.builds(Freed, name=st.just("numpy"), bounds=WILDS, becomes=WILD)
    return st.builds(
        Conflict,
        sets=st.tuples(WILDS),
        chains=st.lists(chain, max_size=2).map(tuple),
        ways=st.tuples(st.tuples(freed)) | st.just(()),
    )


@st.composite
def outcomes(draw: st.DrawFn) -> Outcome:
    """Any end of any command, with texts from packages that are anything."""
    changes = tuple(
        Change(
            draw(WILD),
            draw(st.sampled_from(["add", "upgrade", "downgrade", "same", "remove"])),
            after=draw(st.none() | WILD),
            artifact=Artifact(draw(WILD)),
            requested=draw(st.booleans()),
            needed_by=draw(WILDS),
            requires=draw(WILDS),
        )
        for _ in range(draw(st.integers(0, 3)))
    )
    wanted = Plan(changes, requested=draw(WILDS))
    found = tuple(draw(st.lists(findings(), max_size=4)))
    held = (HeldBack(draw(WILD), draw(WILD), draw(st.none() | WILD), draw(WILDS)),)
    arguments = ("install", *draw(WILDS))
    env = environment(
        conda("numpy==1.26.4"),
        name=draw(WILD),
        prefix=draw(WILD),
        manager=draw(st.sampled_from(["conda", "pixi"])),
        interpreter=interpreter(version=draw(WILD)),
    )
    shown = tuple(clean(argument, 1000) for argument in arguments)
    conflict = draw(st.none() | conflicts())
    ways = conflict.ways if conflict is not None else ()
    fixes = fixes_for(env, "install", shown, wanted, found, held, ways=ways)
    return Outcome(
        draw(st.sampled_from([0, 1, 10, 11, 12, 13, 130])),
        draw(
            st.sampled_from(
                [
                    None,
                    Clear(wanted, found),
                    Kept(wanted, held, found, fixes=fixes),
                    Blocked(wanted, found, fixes, conflict),
                ]
            )
        ),
        draw(st.none() | st.just(env)),
        draw(st.sampled_from(["install", "uninstall", "plan"])),
        shown,
        seconds={"plan": 1.0},
        hints=draw(WILDS),
        problems=draw(WILDS),
        fixes=fixes,
    )
