"""What is told to the one who runs the bot: a key and some facts become words in the language they read.

The words lie beside this file, `locales/AREA.LANG.yaml`: a text, or a text and what to do about it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Literal, cast

import yaml

from bot.errors import Problem

Language = Literal["ru", "en"]
LOCALES = Path(__file__).with_name("locales")
VARIABLE = "BOT_LANG"

_reads: ContextVar[Language | None] = ContextVar("reads", default=None)
_preferred: Language = "ru"
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # every value is a text


def reader_language() -> Language:
    """The language of whoever reads what is said now: that of the page, else of BOT_LANG (`--lang` sets it),
    else the one preferred.
    """
    if chosen := _reads.get():
        return chosen
    asked = os.environ.get(VARIABLE, "")
    return ("en" if asked.startswith("en") else "ru") if asked else _preferred


def prefer_language(language: str) -> None:
    """The language of this process where nobody asked for another: that of the business."""
    global _preferred
    _preferred = "en" if language == "en" else "ru"


@contextmanager
def reading(language: str) -> Iterator[None]:
    """What is said inside is for a reader of *language*."""
    token = _reads.set("en" if language == "en" else "ru")
    try:
        yield
    finally:
        _reads.reset(token)


class TranslatableText(str):
    """A text that remembers its key and facts, so that it can be said again in another language."""

    key: str
    part: int
    facts: Mapping[str, object]


def told(key: str, /, **facts: object) -> TranslatableText:
    """The text of *key* ("vk.no_rights") in the reader's language."""
    return _told(key, 0, facts, reader_language())


def advice(key: str, /, **facts: object) -> TranslatableText:
    """What the words of *key* say to do."""
    return _told(key, 1, facts, reader_language())


def problem(
    key: str,
    /,
    file: str = "",
    line: int = 0,
    column: int = 0,
    code: str = "",
    hint: str | None = None,
    **facts: object,
) -> Problem:
    """The error of *key*. *hint* stands in place of what the words say to do."""
    found = problem_of(key, facts, file, line, column, code)
    return found if hint is None else replace(found, hint=hint)


def warning(
    key: str,
    /,
    file: str = "",
    line: int = 0,
    column: int = 0,
    code: str = "",
    hint: str | None = None,
    **facts: object,
) -> Problem:
    """The same, of what stops nothing."""
    return replace(problem(key, file, line, column, code, hint, **facts), severity="warning")


def problem_of(
    key: str, facts: Mapping[str, object], file: str, line: int, column: int, code: str
) -> Problem:
    """The error of *key* with facts of any names."""
    language = reader_language()
    return Problem(_told(key, 0, facts, language), file, line, column, _told(key, 1, facts, language), code)


def told_in(text: str, language: str) -> str:
    """*text* said again in *language*; a text that came from elsewhere stays as it is."""
    if not isinstance(text, TranslatableText):
        return text
    facts = {k: told_in(v, language) if isinstance(v, str) else v for k, v in text.facts.items()}
    return _told(text.key, text.part, facts, "en" if language == "en" else "ru")


def problem_in(found: Problem, language: str) -> Problem:
    """*found* said again in *language*."""
    return replace(found, text=told_in(found.text, language), hint=told_in(found.hint, language))


def place_of(found: Problem, base: Path) -> str:
    """Where it is, as its owner knows their files: from *base* on, with the line; "" = nowhere."""
    if not found.file:
        return ""
    path = Path(found.file)
    shown = path.relative_to(base).as_posix() if path.is_relative_to(base) else found.file
    return ":".join(str(part) for part in (shown, found.line) if part)


def plain_words(found: Problem, base: Path) -> str:
    """Where it is, what it is and what to do, without codes and paths of the machine."""
    place, hint = place_of(found, base), f" → {found.hint}" if found.hint else ""
    return f"{place}: {found.text}{hint}" if place else f"{found.text}{hint}"


def _told(key: str, part: int, facts: Mapping[str, object], language: Language) -> TranslatableText:
    area, _, rest = key.partition(".")
    texts: object = _words(area, language)
    for name in rest.split("."):
        texts = cast(Mapping[str, object], texts)[name]
    parts = [texts] if isinstance(texts, str) else cast(list[str], texts)
    text = TranslatableText(parts[part].format_map(facts) if part < len(parts) else "")
    text.key, text.part, text.facts = key, part, facts
    return text


@cache
def _words(area: str, language: Language) -> Mapping[str, object]:
    """The words of one area. Raises FileNotFoundError, KeyError: a key is a constant of the code, and a test
    says each once.
    """
    text = (LOCALES / f"{area}.{language}.yaml").read_text("utf-8")
    return cast(Mapping[str, object], yaml.load(text, Loader=_LOADER))
