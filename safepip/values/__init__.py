"""The immutable values that pass between the steps. Pure."""
