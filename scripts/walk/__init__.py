"""What safepip does, shown in a real conda environment with real packages: `scripts/demo`.

It is a test as well: each step says what it must come to, and every file of conda's is hashed.
"""
