"""What is wrong with an environment that is there, by what an inspection saw. Pure."""
