"""What a plan would do that a person should know, and what refuses it. Pure."""
