"""How to mend what a diagnosis found, in the order that works. Pure."""
