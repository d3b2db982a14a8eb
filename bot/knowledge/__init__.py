"""The room that knows: articles, search over them, and how sure it is."""
