"""Places of a starting article that its owner has yet to fill: «[впишите: цена]», “[fill in: price]”."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

UNFILLED = "KB029"  # the code of what `bot kb lint` says of it
_BLANK = re.compile(r"\[\s*(?:впишите|fill in)\s*:[^\]\n]*\](?!\()", re.IGNORECASE)


def blanks(text: str) -> list[str]:
    """Each place that is still to be filled, as it stands there."""
    return _BLANK.findall(text)


def blank_rows(body: str, lines: Sequence[int]) -> Iterator[tuple[int, str]]:
    """The same by line of the file: *lines* are those of the rows of *body*, one a row."""
    for row, line in zip(body.split("\n"), lines, strict=False):
        for found in blanks(row):
            yield line, found
