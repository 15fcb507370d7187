"""A plan as a picture, as Markdown and as a page: what is not for a terminal. Pure."""
