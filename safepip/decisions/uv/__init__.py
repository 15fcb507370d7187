"""What uv is asked, and what it answers. Pure."""
