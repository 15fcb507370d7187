"""What safepip adds to pip, measured: `scripts/bench`.

Real conda environments, an index on the loopback, and plain pip and safepip in turns. Only ratios
and differences of one run mean anything; nothing here is a test.
"""
