"""The ways in. The only modules that print or exit."""
