"""The short forms of names by which people are called: «Саша» is Александр, Bob is Robert."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import cast

from bot.text.yaml_source import read_own

STEM = 4  # letters of a name that is known in its other forms


def short_names(name: str) -> tuple[str, ...]:
    """The short forms of a first *name*, in lower case; none where no list knows it.

    >>> short_names("Пётр")
    ('петя',)
    """
    return tuple(dict.fromkeys(map(_folded, _known().get(_folded(name), ()))))


@cache
def _known() -> Mapping[str, Sequence[str]]:
    return cast(Mapping[str, Sequence[str]], read_own(Path(__file__).with_name("short_names.yaml")))


def name_pattern(names: Sequence[str]) -> re.Pattern[str]:
    """Finds one of *names* in a `folded` text, in any of its cases and short forms."""
    forms = [_forms(folded(name)) for name in names]
    forms += [_short_forms(short) for name in names for short in short_names(name)]
    return re.compile(rf"(?<!\w)(?:{'|'.join(forms)})(?!\w)", re.IGNORECASE)


def folded(text: str) -> str:
    """*text* with "е" for "ё", as people type it; every character stays in its place."""
    return text.replace("ё", "е").replace("Ё", "Е")


def _forms(name: str) -> str:
    return rf"{re.escape(name[:-1] if len(name) >= STEM else name)}\w{{0,3}}"


def _short_forms(name: str) -> str:
    """A short form has so short a stem that only real endings count: «Ане», «Сашей», and no «анкета»."""
    if name[-1] in "ая":
        return rf"{re.escape(name[:-1])}(?:[аяуюеыиь]|[ое][йю])"
    return rf"{re.escape(name)}\w{{0,2}}"


def _folded(name: str) -> str:
    return folded(name.casefold())
