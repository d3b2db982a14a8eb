"""Times in operators' words: understood as people mean them, and what is no time is told, never raised."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.app import open_hours
from bot.config.loader import Config
from bot.handoff.sla.hours import WEEKDAYS, Hours
from bot.handoff.sla.time_parsing import LONGEST, ParsedTime, TimeFault, read_moment
from bot.testing import TestBot, open_test_bot
from bot.text.day_spans import DaySpan

MOSCOW = ZoneInfo("Europe/Moscow")
FRIDAY = datetime(2026, 11, 20, 12, 0, tzinfo=MOSCOW)
SHOP = Hours()
WEEKDAYS_ONLY = Hours(week=dict.fromkeys(WEEKDAYS[:5], (DaySpan(600, 1200),)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("полтора часа", "20 13:30"), ("1,5 часа", "20 13:30"), ("час", "20 13:00"),
        ("через час", "20 13:00"), ("на полчаса", "20 12:30"),
        ("полчаса", "20 12:30"), ("2h 30m", "20 14:30"), ("2ч30м", "20 14:30"), ("1h30", "20 13:30"),
        ("1 час и 20 минут", "20 13:20"),
        ("два с половиной часа", "20 14:30"), ("через пару часов", "20 14:00"),
        ("an hour and a half", "20 13:30"), ("in half an hour", "20 12:30"),
        ("a couple of hours", "20 14:00"), ("сутки", "21 12:00"), ("через неделю", "27 12:00"),
        ("2 weeks", "04 12:00"),
        ("до завтра", "21 10:00"), ("завтра в 9", "21 09:00"), ("завтра в 9 утра", "21 09:00"),
        ("завтра в 6 вечера", "21 18:00"),
        ("завтра 9", "21 09:00"), ("завтра в 9.30", "21 09:30"), ("tomorrow at 9", "21 09:00"),
        ("tomorrow 9am", "21 09:00"), ("by 5 pm", "20 17:00"),
        ("day after tomorrow", "22 10:00"), ("до вечера", "20 18:00"), ("до конца дня", "20 20:00"),
        ("сегодня", "20 20:00"), ("утром", "21 10:00"),
        ("на следующей неделе", "23 10:00"), ("next monday", "23 10:00"), ("до понедельника", "23 10:00"),
        ("в следующую среду в 15:00", "25 15:00"),
        ("25 ноября", "25 10:00"), ("Nov 25", "25 10:00"), ("25.11.2026 в 9", "25 09:00"),
        ("2026-11-25 9:00", "25 09:00"),
    ],
)  # fmt: skip
def test_what_people_say_is_what_they_get(text: str, expected: str) -> None:
    """From a Friday noon on, at a desk that is open from ten to eight every day."""
    found = read_moment(text, FRIDAY, SHOP)
    assert (
        isinstance(found, ParsedTime)
        and found.at.astimezone(MOSCOW).strftime("%d %H:%M") == expected
        and found.rest == ""
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", TimeFault.NONE), ("когда-нибудь", TimeFault.NONE), ("²", TimeFault.NONE),
        ("вчера", TimeFault.PAST),
        ("сегодня 9:00", TimeFault.PAST), ("0m", TimeFault.PAST),
        ("19.11.2026", TimeFault.PAST), ("25:99", TimeFault.NO_TIME), ("завтра 25:99", TimeFault.NO_TIME),
        ("завтра в 13pm", TimeFault.NO_TIME),
        ("29.02", TimeFault.NO_DAY), ("31.02", TimeFault.NO_DAY), ("29.02.2027", TimeFault.NO_DAY),
        ("31 ноября", TimeFault.NO_DAY), ("900d", TimeFault.FAR),
        ("999999 недель", TimeFault.FAR), ("19.11", TimeFault.FAR),
    ],
)  # fmt: skip
def test_what_is_wrong_has_a_name(text: str, fault: TimeFault) -> None:
    """One reason each, and none of them an exception."""
    assert read_moment(text, FRIDAY, SHOP) == fault


def test_a_leap_day_that_is_over_or_to_come() -> None:
    """The 29th of February where there is one, and where the year has none."""
    assert isinstance(read_moment("29.02", datetime(2028, 2, 20, 12, tzinfo=MOSCOW), SHOP), ParsedTime)
    assert read_moment("29.02", datetime(2028, 3, 1, 12, tzinfo=MOSCOW), SHOP) is TimeFault.NO_DAY
    assert read_moment("29.02", datetime(2027, 2, 20, 12, tzinfo=MOSCOW), SHOP) is TimeFault.NO_DAY


@pytest.mark.parametrize(
    ("text", "expected", "moved"),
    [
        ("завтра", "Mon 10:00", True), ("завтра в 9", "Mon 10:00", True),
        ("через сутки", "Mon 10:00", True), ("12h", "Mon 10:00", True),
        ("в понедельник в 9", "Mon 09:00", False), ("в 22:00", "Fri 22:00", False),
        ("2h", "Fri 14:00", False),
    ],
)  # fmt: skip
def test_a_day_off_becomes_the_next_working_moment(text: str, expected: str, moved: bool) -> None:
    """A named hour of a working day is kept, whatever the opening hours: who says it means it."""
    found = read_moment(text, FRIDAY, WEEKDAYS_ONLY)
    assert isinstance(found, ParsedTime)
    assert (found.at.astimezone(MOSCOW).strftime("%a %H:%M"), found.asked is not None) == (expected, moved)


_PIECES = st.sampled_from(
    [
        "2", "30", "99", "1,5", "0", "час", "часа", "h", "м", "мин", "m", "d", "дней", "недель", "полтора",
        "пол", "полчаса", "завтра", "до", "через", "в", "к", "на", "at", "by", "9", "25:99", "24:00",
        "9:30", "29.02", "31.02.2027", "25.11", "²", "٣", "пн", "до_обеда", "вечера", "am", "pm", "ноября",
        "Nov", "2026-02-30", "с_половиной", "and_a_half", "next", "week", "следующую", "eod", "999999",
    ]
)  # fmt: skip


@given(
    st.one_of(st.text(), st.lists(_PIECES, max_size=7).map(lambda p: " ".join(p).replace("_", " "))),
    st.datetimes(datetime(2026, 1, 1), datetime(2032, 1, 1)),  # noqa: DTZ001 - what Hypothesis wants
    st.sampled_from(["Europe/Berlin", "Europe/Moscow", "America/St_Johns"]),
)
def test_whatever_is_written_is_a_time_or_a_reason(text: str, now: datetime, zone: str) -> None:
    """Whatever is written: a moment to come within the limit (or the next opening after it), or a reason."""
    start = now.replace(tzinfo=UTC)
    found = read_moment(text, start, Hours(zone))
    assert isinstance(found, TimeFault) or (
        start < (found.asked or found.at) <= start + LONGEST and found.at >= (found.asked or found.at)
    )


# --- in the desk


async def desk_says(testbot: TestBot, text: str) -> str:
    """What the desk answers to a command in the topic of ticket 1."""
    before = len(await testbot.operator().sees(1))
    await testbot.operator().says(text, ticket=1)
    return "\n".join(o.text.text for o in (await testbot.operator().sees(1))[before:] if o.kind == "say")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("/priority ²", "от 0 до 9"), ("/priority ٣٣", "от 0 до 9"), ("/snooze 25:99", "«25:99»"),
        ("/snooze 29.02", "в календаре нет"),
        ("/promise вчера", "уже прошло"), ("/snooze 900d", "слишком далеко"),
        ("/snooze когда-нибудь", "Не понял время"), ("/assign Никто", "«Никто»"),
    ],
)  # fmt: skip
async def test_one_line_says_what_is_wrong(testbot: TestBot, command: str, words: str) -> None:
    """No silence, and nothing changed."""
    await testbot.customer().says("позовите оператора")
    await testbot.operator().says("/take", ticket=1)
    before = await testbot.service.store.ticket(1)
    answer = await desk_says(testbot, command)

    assert words in answer and "\n" not in answer.partition("\n")[2]
    assert await testbot.service.store.ticket(1) == before


async def test_a_promise_for_a_day_off_is_for_the_next_working_moment(articles: object) -> None:
    """Tomorrow is closed: customer and operator hear Monday, and both know it."""
    config = Config.model_validate(
        {"hours": {"country": None, "exceptions": {"2026-11-21": "closed", "2026-11-22": "closed"}}}
    )
    async with open_test_bot(articles, config=config) as testbot:  # type: ignore[arg-type]
        anna = testbot.customer()
        await anna.says("позовите оператора")
        answer = await desk_says(testbot, "/promise завтра уточню на складе")
        assert "никто не работает" in answer and "в понедельник до 10:00" in answer
        assert "в понедельник до 10:00" in "\n".join(
            s.outbound.text.text for s in testbot.channels["telegram"].in_chat("1001")
        )
        assert "в понедельник в 10:00" in await desk_says(testbot, "/snooze до завтра")
        assert open_hours(config).day(date(2026, 11, 21)) == ()


async def test_half_past_an_hour_is_snoozed_as_it_is_said(testbot: TestBot) -> None:
    """«полтора часа»."""
    await testbot.customer().says("позовите оператора")
    now = testbot.clock()
    await desk_says(testbot, "/snooze полтора часа")
    ticket = await testbot.service.store.ticket(1)

    assert ticket is not None and ticket.status == "snoozed"
    assert ticket.state.snoozed_until is not None
    assert timedelta() <= ticket.state.snoozed_until - now - timedelta(minutes=90) < timedelta(seconds=30)
