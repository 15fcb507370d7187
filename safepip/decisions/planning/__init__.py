"""From what pip says to a plan, and from one plan to another. Pure."""
