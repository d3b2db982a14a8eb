"""The words that sentences are told apart and compared by; they lie beside this file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bot.knowledge.query.words import fold, lemma

FILE = Path(__file__).with_name("sentence_words.yaml")


@cache
def words_for(what: str) -> frozenset[str]:
    """The words of a list, folded."""
    return frozenset(fold(word) for word in _all()[what])


@cache
def pattern_of(what: str) -> re.Pattern[str]:
    """What finds one of a list's words in a folded text."""
    return re.compile(rf"\b(?:{'|'.join(re.escape(w) for w in sorted(words_for(what)))})\b")


@cache
def units() -> Mapping[str, str]:
    """What signs and short words of units stand for."""
    return dict(_all()["units"])


@cache
def guards() -> Mapping[str, str]:
    """The name of each word that a sentence may neither lose nor gain, by its forms."""
    told: dict[str, list[str]] = _all()["guards"]
    return {
        form: name
        for name, forms in told.items()
        for word in forms
        for form in (fold(word), lemma(fold(word)))
    }


@cache
def _all() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return found
