"""What follows from what is known: functions from values to values. Pure.

In the order of the pipeline: ``planning``, ``judging``, ``fixing``, ``wording``.
"""
