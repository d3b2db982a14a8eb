"""Times as people write them: «2h», «30 мин», «завтра 10:00», «в пятницу», «25.11 14:00»."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from bot.handoff.hours import Hours

_AMOUNT = re.compile(r"(?:через\s+|in\s+)?(\d{1,4})\s*(?:(?P<minutes>мин\w*|м|min\w*|m)|(?P<hours>час\w*|ч|hours?|h)|(?P<days>дн\w*|день|дня|д|days?|d))(?!\w)\s*", re.I)
_DAY = re.compile(
    r"(?:во?\s+|on\s+)?(?:(?P<d0>сегодня|today)|(?P<d2>послезавтра)|(?P<d1>завтра|tomorrow)|(?P<w0>пн|понедельник|mon(?:day)?)|(?P<w1>вт|вторник|tue(?:sday)?)"
    r"|(?P<w2>ср|сред[ау]|wed(?:nesday)?)|(?P<w3>чт|четверг|thu(?:rsday)?)|(?P<w4>пт|пятниц[ау]|fri(?:day)?)|(?P<w5>сб|суббот[ау]|sat(?:urday)?)"
    r"|(?P<w6>вс|воскресенье|sun(?:day)?))(?!\w)\s*",
    re.I,
)
_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})(?:\.(\d{4}))?(?![\d:])\s*")
_TIME = re.compile(r"(?:[вдк]о?\s+|at\s+|by\s+)?(\d{1,2}):(\d{2})(?!\d)\s*", re.I)
_PART = re.compile(r"(?:(?P<h10>утром|morning)|(?P<h13>до обеда|by noon)|(?P<h15>дн[её]м|после обеда|afternoon)|(?P<h18>вечером|до вечера|evening))(?!\w)\s*", re.I)
LONGEST = timedelta(days=60)


def read_moment(text: str, now: datetime, hours: Hours) -> tuple[datetime, str] | None:
    """The moment that *text* begins with and the words after it; None where it is none, past, or too far away.

    A day without a time is that day's opening; a time without a day is the next such time.
    """
    text = text.strip()
    if (amount := _AMOUNT.match(text)) is not None and amount.lastgroup:
        return _checked(now + timedelta(**{amount.lastgroup: int(amount[1])}), text[amount.end() :], now)
    local = now.astimezone(hours.zone)
    day, rest = _day(text, local.date())
    at, rest = _time(rest)
    if day is None and at is None:
        return None
    on = day or local.date()
    if at is None:
        opening = hours.day(on)
        at = opening[0] if opening else time(10)
    moment = datetime.combine(on, at, hours.zone)
    if day is None and moment <= local:
        moment = datetime.combine(on + timedelta(days=1), at, hours.zone)
    return _checked(moment, rest, now)


def _day(text: str, today: date) -> tuple[date | None, str]:
    if (found := _DAY.match(text)) is not None and found.lastgroup:
        kind, number = found.lastgroup[0], int(found.lastgroup[1])
        away = number if kind == "d" else (number - today.weekday() - 1) % 7 + 1
        return today + timedelta(days=away), text[found.end() :]
    if (dated := _DATE.match(text)) is not None:
        try:
            day = date(int(dated[3] or today.year), int(dated[2]), int(dated[1]))
        except ValueError:
            return None, text
        return day if dated[3] or day >= today else day.replace(year=day.year + 1), text[dated.end() :]
    return None, text


def _time(text: str) -> tuple[time | None, str]:
    if (found := _TIME.match(text)) is not None and int(found[1]) < 24 and int(found[2]) < 60:
        return time(int(found[1]), int(found[2])), text[found.end() :]
    if (part := _PART.match(text)) is not None and part.lastgroup:
        return time(int(part.lastgroup[1:])), text[part.end() :]
    return None, text


def _checked(moment: datetime, rest: str, now: datetime) -> tuple[datetime, str] | None:
    return (moment, rest.strip(" ,.:;—-")) if now < moment <= now + LONGEST else None
