"""What is shown: which packages play, and the steps with what each must come to. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Story:
    """Releases on PyPI that play the parts, for one Python."""

    numpy: str
    """conda's."""
    pandas: str
    """conda's, and compiled against its numpy."""
    newcomer: str
    """A project whose releases want different numpys."""
    version: str
    """Its first release that wants a newer numpy than conda's."""

    @property
    def exactly(self) -> str:
        """The requirement that cannot be met with conda's numpy."""
        return f"{self.newcomer}=={self.version}"

    @property
    def at_most(self) -> str:
        """The requirement that can; without the bound, later releases could change the story."""
        return f"{self.newcomer}<={self.version}"


STORIES: Mapping[tuple[int, int], Story] = {
    (3, 10): Story("1.26.4", "2.2.2", "numpy-typing-compat", "20251206.2.2"),
    (3, 11): Story("1.26.4", "2.2.2", "zarr", "3.1.6"),
    (3, 12): Story("1.26.4", "2.2.2", "zarr", "3.1.6"),
    (3, 13): Story("2.1.3", "2.2.3", "numpy-typing-compat", "20260602.2.4"),
    (3, 14): Story("2.3.5", "2.3.3", "numpy-typing-compat", "20260602.2.4"),
}
"""By Python, because each has its own oldest numpy. zarr wants 2 and no more than 2, so that where
numpy begins with 2.1 something else must want more."""


def story_of(python: tuple[int, int]) -> Story:
    """Give the story of this Python; that of the newest known one to all that are newer."""
    return STORIES.get(python, STORIES[max(STORIES)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A command, and what it must come to."""

    heading: str
    command: tuple[str, ...]
    ends_with: int = 0
    says: tuple[str, ...]
    """Regular expressions."""
    present: tuple[str, ...] = ()
    """Distributions that are installed afterwards."""
    absent: tuple[str, ...] = ()


def steps_of(story: Story, *, genuine: bool) -> tuple[Step, ...]:
    """Give the steps; one is left out of a genuine environment, where all has its metadata."""
    second_copy = () if genuine else (_SECOND_COPY,)
    return (*_with_numpy(story), _CLEAR, _SAME_FILES, *second_copy, _REMOVED, _STAYS)


def _with_numpy(story: Story) -> tuple[Step, ...]:
    return (
        Step(
            heading=f"pip would replace conda's numpy: {story.newcomer} needs a newer one",
            command=("pip", "install", "--dry-run", story.exactly),
            says=(r"Would install .*\bnumpy-\d",),
            absent=(story.newcomer,),
        ),
        Step(
            heading="Asked for just that version, safepip blocks, and says what works",
            command=("safepip", "install", story.exactly),
            ends_with=10,
            says=(r"error\[conda-owned\]", "fix ", "Nothing was installed"),
            absent=(story.newcomer,),
        ),
        Step(
            heading="Free to choose, it takes a release that fits conda's numpy",
            command=("safepip", "install", story.at_most),
            says=("safepip: kept conda's versions",),
            present=(story.newcomer,),
        ),
    )


_CLEAR = Step(
    heading="What touches nothing of conda's is installed as pip would do it",
    command=("safepip", "install", "rich==13.9.4"),
    says=("safepip: clear",),
    present=("rich",),
)
_SAME_FILES = Step(
    heading="Nothing of Python's, and yet in the way: bin/ninja is conda's",
    command=("safepip", "install", "ninja==1.13.0"),
    ends_with=10,
    says=(r"error\[same-files\]", "bin/ninja", "Nothing was installed"),
    absent=("ninja",),
)
_SECOND_COPY = Step(
    heading="Invisible to pip, and yet there: conda's xxhash has no metadata",
    command=("safepip", "install", "xxhash==3.6.0"),
    ends_with=10,
    says=(r"error\[second-copy\]", "python-xxhash", "Nothing was installed"),
    absent=("xxhash",),
)
_REMOVED = Step(
    heading="What pip installed, safepip lets it remove",
    command=("safepip", "uninstall", "-y", "rich"),
    says=("safepip: clear",),
    absent=("rich",),
)
_STAYS = Step(
    heading="What conda installed stays; it calls msgpack by another name",
    command=("safepip", "uninstall", "-y", "numpy", "msgpack"),
    ends_with=10,
    says=(r"error\[conda-owned\]", "msgpack-python", "Nothing was removed"),
    present=("numpy", "msgpack"),
)
