"""Environments as files from which they can be made again. Pure."""
