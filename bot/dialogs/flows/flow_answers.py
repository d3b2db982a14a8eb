"""Whether words answer a question of a flow, and what of it was said already when the flow began."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache

import regex
from babel.dates import get_month_names

from bot.dialogs.flows.flow_file import FlowFile, FlowStep, spoken
from bot.dialogs.forms.field_values import PATIENCE, read_answer
from bot.dialogs.short_answers import ShortAnswers, fold
from bot.model import Attachment
from bot.text.customer_fields import written

_ORDER = re.compile(r"(?<!\w)[A-ZА-Я]{0,4}[-/]?\d[\d-]{2,14}(?!\w)")
_ISO = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b")
_DAY = re.compile(r"\b(\d{1,2})[./](\d{1,2})(?:[./](\d{4}|\d{2}))?\b")
_NAMED = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)? ([a-zа-я]{3,12})(?: (\d{4}))?\b")
_NAMED_FIRST = re.compile(r"\b([a-z]{3,12}) (\d{1,2})(?:st|nd|rd|th)?(?: (\d{4}))?\b")


@dataclass(frozen=True, slots=True)
class AskedField:
    """A question of a flow as the forms' reader takes it."""

    name: str
    type: str
    ask: Mapping[str, str] = field(default_factory=dict)
    pattern: str | None = None
    options: tuple[str, ...] = ()
    required: bool = True
    personal: bool | None = None


def read(
    step: FlowStep,
    said: str,
    attachments: tuple[Attachment, ...],
    hearing: ShortAnswers,
    now: datetime,
    *,
    language: str,
) -> str | None:
    """The answer as it is kept; None where *said* is none."""
    if step.type == "date" and not step.pattern:
        found = day_in(said, now.date())
        return found.isoformat() if found else None
    if step.type == "order" and not step.pattern and (number := _ORDER.search(said)):
        return number[0]
    labels = tuple(spoken(option.text, language) for option in step.options)
    exact = [n for n, label in enumerate(labels) if fold(label) == fold(said) and fold(said)]
    if step.type == "choice" and len(exact) == 1:  # «M» is too short to be a part of a title
        return step.options[exact[0]].kept
    value = read_answer(
        AskedField("", step.type, pattern=step.pattern, options=labels), said, attachments, hearing
    )
    if step.type == "choice" and value is not None:
        return step.options[labels.index(value)].kept
    return value


def asked_fields(flow: FlowFile) -> tuple[AskedField, ...]:
    """What the flow asks for, as far as consent goes: a field of the customer by its name."""
    return tuple(asked_field(flow, n) for n, step in enumerate(flow.steps) if step.ask is not None)


def asked_field(flow: FlowFile, place: int) -> AskedField:
    step = flow.steps[place]
    return AskedField(step.field or flow.named(place), step.type, personal=step.personal)


def told_at_start(flow: FlowFile, text: str) -> dict[str, str]:
    """Answers that stand in the words which began the flow: an order, a phone, an e-mail, what fits a
    pattern; each for the first question of its type.
    """
    found: dict[str, str] = {}
    seen: set[str] = set()
    contacts = written(text)
    for n, step in enumerate(flow.steps):
        kind = step.pattern or step.type
        if step.ask is None or not step.known or kind in seen:
            continue
        seen.add(kind)
        value = ""
        if step.pattern:
            value = _matching(step.pattern, text)
        elif step.type == "order":
            value = order[0] if (order := _ORDER.search(text)) else ""
        elif contacts.get(step.type):
            value = min(contacts[step.type])
        if value:
            found[flow.named(n)] = value
    return found


def _matching(pattern: str, text: str) -> str:
    try:
        found = regex.search(rf"(?<!\w)(?:{pattern})(?!\w)", text, timeout=PATIENCE)
    except (TimeoutError, regex.error):
        return ""
    return str(found[0]) if found else ""


def day_in(said: str, today: date) -> date | None:
    """The day that words name: 25.12.2026, 25.12, 2026-12-25, 25 декабря, December 25. Without a year it is
    the next such day.
    """
    text = said.casefold()
    if iso := _ISO.search(text):
        return _day(int(iso[1]), int(iso[2]), int(iso[3]))
    if day := _DAY.search(text):
        return _coming(day[3], int(day[2]), int(day[1]), today)
    words = fold(said)
    for found, number, name in ((_NAMED.search(words), 1, 2), (_NAMED_FIRST.search(words), 2, 1)):
        if found and (month := _months().get(found[name][:3])):
            return _coming(found[3], month, int(found[number]), today)
    return None


def _coming(year: str | None, month: int, day: int, today: date) -> date | None:
    if year:
        return _day(int(year) + (2000 if len(year) == 2 else 0), month, day)
    found = _day(today.year, month, day)
    return found if found is None or found >= today else _day(today.year + 1, month, day)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


@cache
def _months() -> dict[str, int]:
    """Months by their first three letters, as they are said with a day."""
    return {
        name[:3].casefold(): number
        for language in ("ru", "en")
        for number, name in get_month_names("wide", "format", locale=language).items()
    }
