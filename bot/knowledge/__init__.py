"""The knowledge base: articles, search over them, and how sure it is."""
