"""Words of the pages with facts in them."""

from __future__ import annotations


def filled(text: str, **facts: str) -> str:
    """*text* with `{name}` replaced by each fact, and nothing else in braces touched."""
    for name, value in facts.items():
        text = text.replace("{" + name + "}", value)
    return text
