"""The verbs that are not merely pip's. Pure, and light: every call passes here."""

GUARDED = ("install", "uninstall", "plan")
"""Verbs that pip has, or almost, and that are guarded."""
OWN = (
    *("doctor", "explain", "undo", "history"),
    *("export", "constraints", "create", "check-file"),
)
"""Verbs that are safepip's alone."""
HOOKS = ("guard", "shell-init", "exec")
"""Those of them that shells and images wait for: they need little."""
