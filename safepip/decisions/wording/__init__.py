"""Findings and outcomes as text and as JSON: the one place where words are made. Pure."""
