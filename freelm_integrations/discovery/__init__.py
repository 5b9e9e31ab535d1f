"""Which models there are: asked of every provider, kept in files, compared with what was known."""
