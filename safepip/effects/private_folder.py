"""A folder for one command alone, which most commands do without."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextmanager
def private_folder() -> Iterator[Callable[[], Path]]:
    """Have a folder that nobody else can enter, made when first asked for, and gone afterwards."""
    with ExitStack() as stack:

        @cache
        def folder() -> Path:
            import tempfile  # both take a while, in which pip can start
            from pathlib import Path

            return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="safepip-")))

        yield folder
