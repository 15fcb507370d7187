"""What a change was, whether it can be taken back, and what that would do. Pure."""
