"""safepip: pip for conda environments, with both books open.

The packages below are the steps of one pipeline, in the order in which a module may import
another: ``values``, ``decisions``, ``effects``, ``recipes``, ``doors``.
"""

__version__ = "0.1.0"


def load_ipython_extension(shell: object) -> None:
    """Have `%safepip` in a notebook: `%load_ext safepip`."""
    from safepip.doors.ipython import load_ipython_extension as load

    load(shell)


def unload_ipython_extension(shell: object) -> None:
    """Leave the notebook as it was before."""
    from safepip.doors.ipython import unload_ipython_extension as unload

    unload(shell)
