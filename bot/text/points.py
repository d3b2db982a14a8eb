"""Points as a number where they are one: a CRM writes 350, "350" or "350.0"."""

from __future__ import annotations


def amount(value: object) -> int | float | str:
    """The number that is meant, else the words as they are.

    >>> amount("350.0"), amount(12.5), amount("золотой")
    (350, 12.5, 'золотой')
    """
    try:
        number = float(str(value).replace(" ", "").replace(",", "."))
    except ValueError:
        return str(value)
    if number != number or abs(number) > 1e15:
        return str(value)
    return int(number) if number == int(number) else number
