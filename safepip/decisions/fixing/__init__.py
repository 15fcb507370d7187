"""Commands that do what the user wanted without the harm. Pure."""
