"""The assistant's instructions, NAME.LANG.md: words of ours alone."""
