"""`{{ name }}` in addresses, bodies and values: answers put in as they are, nothing computed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

NAMED = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")
_STEPS = frozenset({".", ".."})


class UnfitValue(ValueError):
    """A value that would change where an address leads."""


def names_in(value: object) -> Iterator[str]:
    """All names that *value* (a text, or what JSON is made of) puts in."""
    if isinstance(value, str):
        yield from NAMED.findall(value)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from names_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from names_in(inner)


def filled(text: str, known: Mapping[str, str]) -> str:
    """*text* with what is known put in; what is not known is nothing."""
    return NAMED.sub(lambda found: known.get(found[1], ""), text)


def filled_url(url: str, known: Mapping[str, str]) -> str:
    """The address: each value is one piece of it, whatever signs it has. Raises `UnfitValue`."""

    def piece(found: re.Match[str]) -> str:
        value = known.get(found[1], "").strip()
        if value in _STEPS:
            raise UnfitValue(found[1])
        return quote(value, safe="")

    return NAMED.sub(piece, url)


def filled_json(value: object, known: Mapping[str, str]) -> object:
    """A body: texts filled, everything else as it stands."""
    if isinstance(value, str):
        return filled(value, known)
    if isinstance(value, Mapping):
        return {str(k): filled_json(v, known) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [filled_json(v, known) for v in value]
    return value
