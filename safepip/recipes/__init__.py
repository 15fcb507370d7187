"""One page for each thing a user can ask for, in terms of decisions and effects."""
