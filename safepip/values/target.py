"""Where pip would act. Pure, and light: every call passes here, also those that only become pip."""

from __future__ import annotations

from safepip.values.light import NamedTuple

UNFINISHED = "conda-meta/safepip/unfinished"
"""The mark of a change that is being made, or was cut off; below the prefix."""
KERNEL = "SAFEPIP_KERNEL_PREFIX"
"""The variable in which a notebook that has `%safepip` names the environment of its kernel."""


class Target(NamedTuple):
    """An environment, and how it was chosen.

    No dataclass: to import those takes as long as to start Python.
    """

    prefix: str
    """Absolute and resolved; empty when no environment was found at all."""
    python: str
    """The interpreter whose pip runs."""
    is_conda: bool
    chosen_by: str
    """Which of the rules of `effects.targets` found it; a word for people."""
    obvious: bool = True
    """Nobody would wonder which environment is meant, so it need not be named."""
    in_notebook: bool = False
    """Commands are pasted into a notebook that has `%safepip`."""
    start: tuple[str, ...] = ("safepip",)
    """The words that start safepip where commands are pasted."""

    @property
    def is_reached(self) -> bool:
        """Whether the environment is the one that a command without `--env` reaches."""
        return self.obvious and self.chosen_by not in ("--env", "--python")
