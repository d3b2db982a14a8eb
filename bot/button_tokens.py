"""The tokens of buttons: a delivery and a place on it, so that a press can only mean what was offered."""

from __future__ import annotations


def token(nonce: int, row: int, column: int) -> str:
    """The token of a button: which delivery carried it, and its place there.

    Short (≤ 64 bytes) and meaningless elsewhere.
    """
    return f"{nonce:x}.{row:x}{column:x}"


def read_token(text: str) -> tuple[int, int, int] | None:
    """Delivery, row and column of a token; None for anything a platform or a customer made up.

    >>> read_token(token(1042, 0, 2))
    (1042, 0, 2)
    """
    stem, _, place = text.partition(".")
    try:
        return int(stem, 16), int(place[:1], 16), int(place[1:2], 16)
    except ValueError:
        return None
