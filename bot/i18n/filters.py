"""Filters that make words agree with facts: plurals, name cases, dates, durations and money, in the language
of the text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta, tzinfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.lists import format_list
from babel.numbers import format_decimal, get_currency_symbol
from jinja2 import pass_context
from jinja2.runtime import Context

from bot.model import Customer, Operator, RichText, Sender, Style
from bot.text.markdown import styled
from bot.text.person_names import Case, Gender, call_name, decline, gender_of

Filter = Callable[..., object]
Word = Callable[..., str]


class Phrases:
    """The filters of one `Wording`.

    *word* gives a plain text of the catalogue, *zone* is the time of the business.
    """

    def __init__(self, word: Word, zone: tzinfo) -> None:
        self._word, self._zone = word, zone

    def filters(self) -> dict[str, Filter]:
        """Name in templates -> function."""
        own: dict[str, Filter] = {
            "plural": self.plural,
            "name": name,
            "gendered": gendered,
            "date": self.calendar_day,
            "time": self.time,
            "weekday": self.weekday,
            "day": self.day,
            "ago": self.ago,
            "duration": self.duration,
            "about": self.about,
            "money": self.money,
            "number": self.number,
            "listed": self.listed,
            "bold": bold,
            "code": code,
        }
        return own | {case: _case(case) for case in ("gen", "dat", "acc", "ins", "pre")}

    @pass_context
    def plural(self, context: Context, count: float, *forms: str) -> str:
        """The form that goes with *count*: ru one, few, many; en one, other.

        Fewer forms than needed: the last one.
        """
        if not forms:
            return ""
        kind = _locale(context).plural_form(abs(count))
        place = {"one": 0, "few": 1, "many": 2, "other": 1}.get(kind, len(forms) - 1)
        return forms[min(place, len(forms) - 1)]

    @pass_context
    def calendar_day(self, context: Context, at: date, now: date | None = None) -> str:
        """«23 ноября», with the year where it is not the year of *now*."""
        local = self._local(at)
        english = _locale(context).language == "en"
        form = "MMMM d" if english else "d MMMM"
        if now is not None and self._local(now).year != local.year:
            form += ", y" if english else " y"
        return format_date(local, form, locale=_locale(context))

    @pass_context
    def time(self, context: Context, at: datetime) -> str:
        """«10:00», in the time of the business."""
        return format_datetime(self._local(at), "HH:mm", locale=_locale(context))

    @pass_context
    def weekday(self, context: Context, at: date) -> str:
        """«в понедельник»."""
        return self._word(f"units.on_weekday.{self._local(at).isoweekday()}", lang=_locale(context).language)

    @pass_context
    def day(self, context: Context, at: date, now: date) -> str:
        """«сегодня», «завтра», «в понедельник» within the next six days, else «25 ноября»."""
        first, second = self._local(at), self._local(now)
        away = (_day(first) - _day(second)).days
        lang = _locale(context).language
        if away in (-1, 0, 1):
            return self._word(("units.yesterday", "units.today", "units.tomorrow")[away + 1], lang=lang)
        if 1 < away < 7:
            return str(self.weekday(context, at))
        return str(self.calendar_day(context, at, now))

    @pass_context
    def ago(self, context: Context, at: datetime, now: datetime) -> str:
        """«5 минут назад», «через 2 часа»."""
        return format_timedelta(at - now, add_direction=True, threshold=1.2, locale=_locale(context))

    @pass_context
    def duration(self, context: Context, length: timedelta | float) -> str:
        """«5 минут», «2 часа»: the largest unit only."""
        return format_timedelta(timedelta(seconds=_seconds(length)), threshold=1.2, locale=_locale(context))

    @pass_context
    def about(self, context: Context, length: timedelta | float) -> str:
        """«около 5 минут», never promising less: rounded up to a minute, five minutes, ten minutes, half an
        hour or an hour.
        """
        seconds, lang = _seconds(length), _locale(context).language
        minutes = max(1, math.ceil(seconds / 60))
        grain = 1 if minutes <= 5 else 5 if minutes <= 20 else 10 if minutes <= 60 else 30
        minutes = math.ceil(minutes / grain) * grain
        if minutes < 90:
            return self._word("units.about_minutes", lang=lang, count=minutes)
        return self._word("units.about_hours", lang=lang, count=math.ceil(minutes / 60))

    @pass_context
    def money(self, context: Context, amount: float, currency: str = "RUB") -> str:
        """«1 234,50 ₽»; whole amounts without kopecks."""
        locale = _locale(context)
        symbol = get_currency_symbol(currency, "ru" if currency == "RUB" else locale)
        return (
            format_decimal(amount, "#,##0" if amount == int(amount) else "#,##0.00", locale=locale)
            + "\u00a0"
            + symbol
        )

    @pass_context
    def number(self, context: Context, value: float) -> str:
        """«1 234,5»."""
        return format_decimal(value, locale=_locale(context))

    @pass_context
    def listed(self, context: Context, items: Sequence[object]) -> str:
        """«фото, видео и голос»."""
        return format_list([str(i) for i in items], locale=_locale(context))

    def _local(self, at: date) -> date:
        return at.astimezone(self._zone) if isinstance(at, datetime) and at.tzinfo else at


def name(person: object) -> str:
    """How to address a person: «Анна», or nothing where the name is not fit to be said."""
    if isinstance(person, Customer):
        return call_name(person)
    return "" if person is None else _parts(person)[0]


def gendered(person: object, male: str, female: str, unknown: str = "") -> str:
    """The word that fits the person: {{ customer|gendered('готов', 'готова', 'готов(а)') }}."""
    told = _gender(person)
    return male if told == "male" else female if told == "female" else unknown or male


def bold(value: object) -> RichText:
    """A fact in bold."""
    return styled(value if isinstance(value, RichText) else str(value), Style.BOLD)


def code(value: object) -> RichText:
    """A fact that copies with one touch."""
    return styled(value if isinstance(value, RichText) else str(value), Style.CODE)


def _case(case: Case) -> Filter:
    @pass_context
    def declined(context: Context, person: object) -> str:
        if isinstance(person, Customer):
            first, last = call_name(person), ""
        else:
            first, last = _parts(person)
        if _locale(context).language != "ru":
            return " ".join(part for part in (first, last) if part)
        return decline(first, last, _gender(person), case)

    return declined


def _parts(person: object) -> tuple[str, str]:
    if isinstance(person, Sender):
        return person.name, person.last_name
    words = (person.name if isinstance(person, Operator) else str(person)).split(maxsplit=1)
    return (words[0] if words else "", words[1] if len(words) > 1 else "")


def _gender(person: object) -> Gender:
    if isinstance(person, Customer):
        return person.gender or gender_of(call_name(person), person.last_name)
    if isinstance(person, Sender) and person.gender:
        return person.gender
    if person in ("male", "female"):
        return "male" if person == "male" else "female"
    return gender_of(*_parts(person)) if person is not None else ""


def _locale(context: Context) -> Locale:
    return Locale.parse(str(context.get("lang", "ru")))


def _day(at: date) -> date:
    return at.date() if isinstance(at, datetime) else at


def _seconds(length: timedelta | float) -> float:
    return length.total_seconds() if isinstance(length, timedelta) else float(length)
