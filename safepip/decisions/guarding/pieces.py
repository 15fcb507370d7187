"""The files of the guard: which there are at each level, and what stands in them. Pure.

The texts come from `safepip/effects/shell`, `effects/hook.py` and `doors/ipython.py`; what differs
from one environment to the next is filled in here.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from safepip.decisions.fixing.commands import is_printable
from safepip.decisions.uv.projects import WORDS
from safepip.values.guarding import (
    ACTIVATE,
    ACTIVE,
    DEACTIVATE,
    HOOK,
    NOTEBOOK,
    PATH_FILE,
    SHIMS,
    STARTUP,
    SUFFIXES,
    Level,
    Piece,
)
from safepip.values.seal import MARKER, SEAL_MARK

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from safepip.decisions.fixing.shell import Shell

# Run at each start of Python, so what has no verb among its arguments costs a look at them, and
# nothing else. Others have a `sync` or `run`, too: it is uv's where that is among the arguments.
# One line, since `site` takes no more; and silent, whatever has become of the hook.
_START = (
    'import sys; {"install", "uninstall"}.isdisjoint(getattr(sys, "orig_argv", ()))'
    " and (WORDS.isdisjoint(getattr(sys, 'orig_argv', ()))"
    " or not any(word.endswith(('uv', 'uv.__main__')) for word in sys.orig_argv))"
    ' or exec("try:'
    "\\n with open(sys.prefix + '/HOOK', 'rb') as f: text = f.read()"
    "\\n exec(text, {'__name__': 'safepip_hook'})\\nexcept Exception: pass\")\n"
)

# Run by IPython among the user's own names, of which it makes none. It fails for nobody's start.
_STARTUP = """\
# safepip's guard; written by `safepip guard on`, and removed by `safepip guard off`.
try:
    exec(
        compile(
            __import__("pathlib")
            .Path(__import__("sys").prefix, "NOTEBOOK")
            .read_text("utf-8")
            + "\\nload_at_startup(get_ipython())\\n",
            "NOTEBOOK",
            "exec",
        ),
        {"__name__": "safepip_notebook", "get_ipython": get_ipython},
    )
except Exception as error:
    print("safepip: %pip and !pip are NOT guarded here:", repr(error))
"""

_SEAL = """\
{mark}: written by `safepip guard on --seal`, and removed by `safepip guard off`
[externally-managed]
Error=safepip guards this conda environment, so plain pip is switched off here.

 Install:  {install}
 Look:     {plan}
 Undo it:  {off}
"""


def pieces(
    levels: Collection[Level],
    texts: Mapping[str, str],
    safepip: Sequence[str],
    package: str,
    *,
    minor: str,
    library: str,
    stdlib: str,
    shell: Shell,
    with_uv: bool = False,
) -> tuple[Piece, ...]:
    """Give all files of these levels.

    ``texts``: by their names, as `effects.itself` gives them. ``safepip``: the words that start it,
    and ``package`` its folder.
    ``minor``: of the environment's Python, as `3.11`; ``library`` and ``stdlib`` are its folders
    below the prefix. ``shell`` makes commands of safepip for people to paste. ``with_uv``: there is
    a uv to stand before; where there is none, nobody is to find one.
    """
    found = [*_shims(texts, safepip, package, minor), *_activation(texts)]
    if with_uv:
        found.append(Piece(f"{SHIMS}/uv", link="pip"))
    found += _notebooks(_script(texts["ipython.py"], safepip, package))
    if "deep" in levels:
        found += _deep(_script(texts["hook.py"], safepip, package), library)
    if "seal" in levels:
        found.append(Piece(f"{stdlib}/{MARKER}", _seal(shell, safepip).encode()))
    return tuple(found)


def _seal(shell: Shell, safepip: Sequence[str]) -> str:
    """Give what pip and uv show: no path that a terminal would not show as it is."""
    # Whoever reads it has called something by its path: there need be no environment active.
    obvious = not is_printable(shell.prefix)
    # Nor need a safepip that is on PATH here be on theirs: it is named by its path.
    start = tuple(safepip) if len(safepip) == 1 else shell.start
    start = start if all(map(is_printable, start)) else ("safepip",)
    here = replace(shell, obvious=obvious, in_notebook=False, start=start)
    return _SEAL.format(
        mark=SEAL_MARK,
        install=here.safepip(("install", "PACKAGE")),
        plan=here.safepip(("plan", "PACKAGE")),
        off=here.safepip(("guard", "off")),
    )


def _shims(
    texts: Mapping[str, str], safepip: Sequence[str], package: str, minor: str
) -> Iterator[Piece]:
    text = filled(texts["shell/shims/pip"], safepip, package)
    yield Piece(f"{SHIMS}/.safepip-shims", texts["shell/shims/.safepip-shims"].encode())
    yield Piece(f"{SHIMS}/pip", text.encode("utf-8", "surrogateescape"), executable=True)
    yield Piece(f"{SHIMS}/pip3", link="pip")
    yield Piece(f"{SHIMS}/pip{minor}", link="pip")
    yield Piece(ACTIVE, link=SHIMS.rpartition("/")[2])


def _activation(texts: Mapping[str, str]) -> Iterator[Piece]:
    for suffix in SUFFIXES:
        yield Piece(f"{ACTIVATE}{suffix}", texts[f"shell/activate{suffix}"].encode())
        yield Piece(f"{DEACTIVATE}{suffix}", texts[f"shell/deactivate{suffix}"].encode())


def _script(text: str, safepip: Sequence[str], package: str) -> bytes:
    """Put into a script of Python's what starts safepip, and its folder."""
    text = text.replace("SAFEPIP: list[str] = []", f"SAFEPIP: list[str] = {list(safepip)!a}")
    return text.replace('PACKAGE = ""', f"PACKAGE = {package!a}").encode()


def _notebooks(script: bytes) -> Iterator[Piece]:
    yield Piece(NOTEBOOK, script)
    yield Piece(STARTUP, _STARTUP.replace("NOTEBOOK", NOTEBOOK).encode())


def _deep(hook: bytes, library: str) -> Iterator[Piece]:
    yield Piece(HOOK, hook)
    line = _START.replace("HOOK", HOOK).replace("WORDS", f"{{{str(sorted(WORDS))[1:-1]}}}")
    yield Piece(f"{library}/{PATH_FILE}", line.encode())


def filled(shim: str, safepip: Sequence[str], package: str) -> str:
    """Put the words that start safepip into a shim, the first one of them, and its folder."""
    words = shlex.join(safepip)
    text = shim.replace("'@PROGRAM@'", shlex.quote(safepip[0])).replace("'@SAFEPIP@'", words)
    return text.replace("'@PACKAGE@'", shlex.quote(package))


def as_function(shim: str) -> str:
    """Give what a filled shim is where a function of a shell runs it for what somebody types."""
    lines = [line for line in shim.splitlines() if line.strip() and not line.startswith("#")]
    return "\n".join(lines).replace("typed=no", "typed=yes", 1)
