"""What the guard writes where, and what it takes away again; pure."""
