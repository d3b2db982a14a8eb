"""Did you mean: the known names that a mistyped one is likest to."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import fuzz, process


def nearest(name: str, known: Iterable[str], *, likeness: float = 60, limit: int = 1) -> list[str]:
    """At most *limit* of the *known* names that are at least so like *name* (0..100), the likest first.

    >>> nearest("chanels", ["channels", "business"]), nearest("погода", ["channels", "business"])
    (['channels'], [])
    """
    found = process.extract(
        name, list(known), scorer=fuzz.ratio, processor=str.casefold, score_cutoff=likeness, limit=limit
    )
    return [one for one, _, _ in found]


def nearest_paths(path: str, known: Iterable[str], *, limit: int = 1) -> list[str]:
    """The same for paths, where the right folder or the right file alone is near, too."""
    found = process.extract(path, list(known), processor=str.casefold, score_cutoff=60, limit=limit)
    return [one for one, _, _ in found]
