"""safepip: pip for conda environments, with both books open.

The packages below are the steps of one pipeline, in the order in which a module may import
another: ``values``, ``decisions``, ``effects``, ``recipes``, ``doors``.
"""

__version__ = "0.1.0"
