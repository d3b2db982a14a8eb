"""The chat that a shop's own pages show."""
