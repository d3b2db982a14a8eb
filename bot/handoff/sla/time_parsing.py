"""Times as people write them: «2ч 30м», «полтора часа», «до завтра», «завтра в 9», «в пятницу до обеда», «25
ноября», "next week", "in half an hour".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from bot.handoff.sla.hours import Hours

LONGEST = timedelta(days=60)
LATE = timedelta(hours=4)  # who works after closing means so short a time as it is said
MORNING = time(10)  # of a day that has no opening


class TimeFault(StrEnum):
    """Why words name no time to come."""

    NONE = "none"  # there is no time in them
    PAST = "past"
    FAR = "far"
    NO_TIME = "no_time"  # a clock does not show it
    NO_DAY = "no_day"  # a calendar does not have it


@dataclass(frozen=True, slots=True)
class ParsedTime:
    """What was meant and the words after it.

    *asked*: the moment as it was said, where nobody works then and *at* is the next opening.
    """

    at: datetime
    rest: str = ""
    asked: datetime | None = None


_END = r"(?![^\W\d_])"  # no letter follows
_WORDS = {
    1: r"од(?:ин|ну|ного)|an?|one",
    2: r"дв[ае]|двух|пар[ау]|two|(?:a\s+)?couple(?:\s+of)?",
    3: r"три|тр[её]х|three",
    4: r"четыр\w+|four",
    5: r"пят[ьи]|five",
    6: r"шест[ьи]|six",
    7: r"сем[ьи]|seven",
    8: r"восемь|восьми|eight",
    9: r"девят[ьи]|nine",
    10: r"десят[ьи]|ten",
}
_NAMED = "|".join(f"(?P<n{n}>{words})" for n, words in _WORDS.items())
_UNIT = rf"""(?:(?P<minutes>мин\w*|м|min(?:ute)?s?|m)|(?P<hours>час\w*|ч|hours?|hrs?|h)
  |(?P<days>дн\w*|день|сут\w+|д|days?|d)
  |(?P<weeks>недел\w*|нед|weeks?|w)){_END}\.?"""
_HALF = r"(?:\s*(?P<half>с\s+половиной|and\s+a\s+half))?"
_AMOUNT = re.compile(
    rf"""(?:(?P<number>[0-9]{{1,6}}(?:[.,][0-9]{{1,2}})?)|(?P<one_and_half>полу?тор[аы])(?=\s)
    |(?:{_NAMED})(?=\s)){_HALF}\s*{_UNIT}(?:\s*(?P<more>с\s+половиной|and\s+a\s+half))?
    (?:(?<=[чh])(?P<bare_minutes>[0-5][0-9])(?![\w:.]))?""",
    re.I | re.X,
)
_HALF_HOUR = re.compile(rf"(?:пол[уи]?[-\s]?час(?:а|ика)|half\s+(?:an?\s+)?hour){_END}", re.I)
_ONE = re.compile(
    rf"(?:(?P<minutes>минут(?:у|к[уа])|minute)|(?P<hours>час(?:ик)?|hour)"
    rf"|(?P<days>день|денёк|сутки|day(?!\s+after))|(?P<weeks>недел(?:ю|ьку)|week)){_END}",
    re.I,
)
_AND_HALF = re.compile(r"\s*(?:с\s+половиной|and\s+a\s+half)", re.I)
_THROUGH = re.compile(r"(?:через|спустя|на|in|for|after)\s+", re.I)
_AND = re.compile(r"\s*(?:и\s+|and\s+|,\s*)?", re.I)

_TO = (
    r"(?:(?:во?|до|ко?|на|с|on|by|until|till|before|from)\s+)?"
    r"(?:(?:следующ\w+|ближайш\w+|эт[уоа]т?|next|this|the)\s+)?"
)
_DAY = re.compile(
    rf"""{_TO}(?:(?P<d0>сегодня|today)|(?P<d2>послезавтра|day\s+after\s+tomorrow)|(?P<d1>завтра(?:шн\w+\s+дн\w+)?|tomorrow)|(?P<p>вчера|позавчера|yesterday)
    |(?P<w0>пн|понедельник\w*|mon(?:day)?)|(?P<w1>вт|вторник\w*|tue(?:s(?:day)?)?)|(?P<w2>ср|сред[аыуе]|wed(?:nesday)?)
    |(?P<w3>чт|четверг\w*|thu(?:rs(?:day)?)?)|(?P<w4>пт|пятниц\w+|fri(?:day)?)|(?P<w5>сб|суббот\w+|sat(?:urday)?)|(?P<w6>вс|воскресень\w+|sun(?:day)?)
    |(?P<w00>(?<=следующей\s)недел\w+|(?<=next\s)week)){_END}\s*""",
    re.I | re.X,
)
_MONTHS = ("янв", "фев", "мар", "апр", "мая", "июн", "июл", "авг", "сен", "окт", "ноя", "дек")
_MONTHS_EN = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?P<month>(?:{'|'.join((*_MONTHS, *_MONTHS_EN))})[^\W\d_]*)\.?"
_YEAR = r"(?:,?\s+(?P<year>20[0-9]{2})(?![0-9:])(?:\s*г(?:ода|\.)?)?)?"
_DATES = (
    re.compile(rf"{_TO}(?P<year>20[0-9]{{2}})-(?P<m>[0-9]{{1,2}})-(?P<day>[0-9]{{1,2}})(?![0-9])\s*", re.I),
    re.compile(
        rf"{_TO}(?P<day>[0-9]{{1,2}})[./](?P<m>[0-9]{{1,2}})(?:[./](?P<year>20[0-9]{{2}}|[0-9]{{2}}))?(?![0-9:])\s*",
        re.I,
    ),
    re.compile(rf"{_TO}(?P<day>[0-9]{{1,2}})(?:-?го|st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}{_YEAR}\s*", re.I),
    re.compile(rf"{_TO}{_MONTH}\s+(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?(?![0-9:]){_YEAR}\s*", re.I),
)
_OF_DAY = rf"(?:\s*(?P<am>утра|ночи|a\.?m\.?)|\s*(?P<pm>вечера|дня|p\.?m\.?)){_END}"
_CLOCK = re.compile(
    rf"(?:(?:во?|до|ко?|с|на|at|by|until|till|before|from)\s+)?(?P<hour>[0-9]{{1,2}})[:](?P<minute>[0-9]{{2}})(?![0-9])(?:{_OF_DAY})?\s*",
    re.I,
)
_DOTTED = re.compile(
    rf"(?:во?|at)\s+(?P<hour>[0-9]{{1,2}})[.](?P<minute>[0-9]{{2}})(?![.0-9])(?:{_OF_DAY})?\s*", re.I
)
_HOUR = re.compile(
    rf"(?:во?|до|ко?|с|at|by|until|till|before|from)\s+(?P<hour>[0-9]{{1,2}})(?![0-9.:])(?:\s*(?:час(?:а|ам|ов|у)?|ч|o'?clock){_END})?(?:{_OF_DAY})?\s*",
    re.I,
)
_HOUR_OF_DAY = re.compile(rf"(?P<hour>[0-9]{{1,2}}){_OF_DAY}\s*", re.I)
_HOUR_ALONE = re.compile(r"(?P<hour>[0-9]{1,2})\s*(?:$|(?=[,;—-]))")
_PART = re.compile(
    rf"""(?:(?P<h10>утром|с\s+утра|(?:in\s+the\s+)?morning)|(?P<h13>(?:до|к)\s+обед[ау]|by\s+(?:noon|lunch)|before\s+lunch|before\s+noon)
    |(?P<h12>(?:в|к|до)\s+(?:полдень|полудн[юя]|обед)|(?:at\s+)?noon)|(?P<h15>дн[её]м|после\s+обеда|(?:in\s+the\s+)?afternoon)
    |(?P<h18>вечером|(?:до|к)\s+вечер[ау]|(?:in\s+the\s+|by\s+)?evening)
    |(?P<end>(?:до|к)\s+конц[ау](?:\s+рабочего)?\s+дня|(?:by\s+)?(?:the\s+)?end\s+of\s+(?:the\s+)?day|eod)){_END}\s*""",
    re.I | re.X,
)
_BAD_CLOCK = re.compile(r"(?:\w{1,6}\s+)?[0-9]{1,2}:[0-9]{2}(?![0-9])")


def read_moment(text: str, now: datetime, hours: Hours) -> ParsedTime | TimeFault:
    """The moment that *text* begins with and the words after it, or why there is none. Never raises.

    A day without a time is that day's opening, a time without a day the next such time. What falls where
    nobody works is the next opening, unless a time of day was named on a day with work: whoever says it means
    it.
    """
    try:
        return _read(text.strip(), now.astimezone(UTC), hours)
    except _Wrong as wrong:
        return wrong.fault
    except OverflowError:  # the calendar ends
        return TimeFault.FAR


class _Wrong(Exception):
    def __init__(self, fault: TimeFault) -> None:
        super().__init__(fault)
        self.fault = fault


def _read(text: str, now: datetime, hours: Hours) -> ParsedTime | TimeFault:
    if (found := _amount(text)) is not None:
        length, rest = found
        late = length <= LATE and not hours.is_open(now)
        return _checked(now + length, rest, now, None if late else hours)
    today = now.astimezone(hours.zone).date()
    day, rest = _day(text, today)
    at, rest = _time(rest, first=day is None)
    if day is None and at is None:
        return TimeFault.NONE
    if at is None and _BAD_CLOCK.match(rest):
        return TimeFault.NO_TIME
    on = day or today
    worked = hours.day(on)
    moment = _at(on, at, hours) if at is not None else _whole_day(on, today, hours)
    if day is None and moment <= now:
        moment = _at(today + timedelta(days=1), at, hours) if at is not None else moment
        worked = hours.day(today + timedelta(days=1))
    return _checked(moment, rest, now, None if worked and (at is not None or on == today) else hours)


def _checked(moment: datetime, rest: str, now: datetime, hours: Hours | None) -> ParsedTime | TimeFault:
    """*hours*: where the moment is moved to the next opening if nobody works then."""
    if moment <= now:
        return TimeFault.PAST
    if moment > now + LONGEST:
        return TimeFault.FAR
    opens = (hours.next_open(moment) if hours else None) or moment
    return ParsedTime(opens, rest.strip(" ,.:;—-"), None if opens == moment else moment)


# --- how long


def _amount(text: str) -> tuple[timedelta, str] | None:
    """A length of time, in one or several parts, and what follows it."""
    through = _THROUGH.match(text)
    at = through.end() if through else 0
    total: timedelta | None = None
    while (found := _part_of_amount(text, at)) is not None:
        total, at = (total or timedelta()) + found[0], found[1]
        joined = _AND.match(text, at)
        if joined is None or _part_of_amount(text, joined.end()) is None:
            break
        at = joined.end()
    return None if total is None else (total, text[at:])


def _part_of_amount(text: str, at: int) -> tuple[timedelta, int] | None:
    if (half := _HALF_HOUR.match(text, at)) is not None:
        return timedelta(minutes=30), half.end()
    if (found := _AMOUNT.match(text, at)) is not None:
        named = found.groupdict()
        unit = next(u for u in ("minutes", "hours", "days", "weeks") if named[u])
        count = (
            1.5
            if named["one_and_half"]
            else float(named["number"].replace(",", "."))
            if named["number"]
            else 0.0
        )
        count = count or next((float(n) for n in _WORDS if named[f"n{n}"]), 0.0)
        count += 0.5 if named["half"] or named["more"] else 0.0
        return timedelta(**{unit: count}) + timedelta(minutes=int(named["bare_minutes"] or 0)), found.end()
    if (one := _ONE.match(text, at)) is not None and one.lastgroup:
        half = _AND_HALF.match(text, one.end())
        return timedelta(**{one.lastgroup: 1.5 if half else 1.0}), half.end() if half else one.end()
    return None


# --- which day


def _day(text: str, today: date) -> tuple[date | None, str]:
    if (found := _DAY.match(text)) is not None and found.lastgroup:
        kind, number = found.lastgroup[0], found.lastgroup[1:]
        if kind == "p":
            raise _Wrong(TimeFault.PAST)
        away = int(number) if kind == "d" else (int(number) - today.weekday() - 1) % 7 + 1
        return today + timedelta(days=away), text[found.end() :]
    if _DOTTED.match(text):
        return None, text
    for pattern in _DATES:
        if (dated := pattern.match(text)) is not None:
            return _dated(dated, today), text[dated.end() :]
    return None, text


def _dated(found: re.Match[str], today: date) -> date:
    """The day of a date; without a year, the next that comes. Raises `_Wrong`."""
    named = found.groupdict()
    month = int(named["m"]) if named.get("m") else _month(named["month"])
    day, year = int(named["day"]), named["year"]
    wanted = (
        (int(year) if len(year) == 4 else 2000 + int(year))
        if year
        else today.year + ((month, day) < (today.month, today.day))
    )
    try:
        return date(wanted, month, day)
    except ValueError:
        raise _Wrong(TimeFault.NO_DAY) from None


def _month(word: str) -> int:
    start = word.casefold()[:3]
    return 1 + (_MONTHS.index(start) if start in _MONTHS else _MONTHS_EN.index(start))


def _whole_day(day: date, today: date, hours: Hours) -> datetime:
    """A day with no more said: its opening; of today, its end."""
    stretches = hours.day(day)
    if not stretches:
        return datetime.combine(day, MORNING, hours.zone).astimezone(UTC)
    return stretches[-1 if day == today else 0].on(day, hours.zone)[day == today].astimezone(UTC)


# --- at what time


def _time(text: str, *, first: bool) -> tuple[int | None, str]:
    """Minutes after midnight (-1: the end of the working day) and what follows.

    *first*: no day stands before it.
    """
    if (part := _PART.match(text)) is not None and part.lastgroup:
        return -1 if part.lastgroup == "end" else int(part.lastgroup[1:]) * 60, text[part.end() :]
    patterns = (
        (_CLOCK, _DOTTED, _HOUR, _HOUR_OF_DAY)
        if first
        else (_CLOCK, _DOTTED, _HOUR, _HOUR_OF_DAY, _HOUR_ALONE)
    )
    for pattern in patterns:
        if (found := pattern.match(text)) is not None and not (
            pattern is _HOUR and int(found["hour"]) > 24 and text[found.end() :]
        ):
            return _minutes(found), text[found.end() :]
    return None, text


def _minutes(found: re.Match[str]) -> int:
    """Raises `_Wrong` for what no clock shows."""
    named = found.groupdict()
    hour, minute = int(named["hour"]), int(named.get("minute") or 0)
    half = "am" if named.get("am") else "pm" if named.get("pm") else ""
    if minute > 59 or hour > (12 if half else 24) or (hour == 24 and minute):
        raise _Wrong(TimeFault.NO_TIME)
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    return hour * 60 + minute


def _at(day: date, minutes: int, hours: Hours) -> datetime:
    if minutes < 0:
        stretches = hours.day(day)
        return (
            stretches[-1].on(day, hours.zone)[1] if stretches else datetime.combine(day, MORNING, hours.zone)
        ).astimezone(UTC)
    days, rest = divmod(minutes, 24 * 60)
    return datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), hours.zone).astimezone(
        UTC
    )


_TERM = re.compile(
    r"(?:^|\s)(?:(?:на|for)\s+)?(?P<count>\d{1,3})\s*(?:(?P<hours>ч\w*|h|hours?)"
    r"|(?P<days>д\w*|сут\w*|d|days?)"
    r"|(?P<weeks>н\w*|w|weeks?)|(?P<months>мес\w*|months?))\.?$",
    re.IGNORECASE,
)
_LENGTHS = {
    "hours": timedelta(hours=1),
    "days": timedelta(days=1),
    "weeks": timedelta(weeks=1),
    "months": timedelta(days=30),
}


def read_term(text: str) -> tuple[str, timedelta | None]:
    """What is said, and the length of time at its end, as in «спам 7 дней»; None where there is none."""
    found = _TERM.search(text)
    if found is None:
        return text.strip(), None
    unit = next(name for name in _LENGTHS if found[name])
    return text[: found.start()].strip(" ,.;:—-"), int(found["count"]) * _LENGTHS[unit]
