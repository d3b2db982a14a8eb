"""The scorecard of dialogs: what is seen by itself, with its words; what is not seen counts for nothing; the
operator alone sees their own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.config.quality import QualitySettings
from bot.i18n.texts import Texts
from bot.model import Event, HistoryEntry, ScoreMark
from bot.quality import figures
from bot.quality.criterion import criteria_of, total
from bot.quality.scorecard import DialogWords, Scorecard
from bot.testing import TestBot

NOON = datetime(2026, 11, 20, 9, tzinfo=UTC)
CARD = Scorecard(Texts.load("ru"), criteria_of(QualitySettings()))


def _marks(*said: str, customer: str = "Анна", promised: bool = False) -> dict[str, tuple[str, str]]:
    """The marks of a dialog; a line beginning with "-" is the customer's."""
    lines = [
        HistoryEntry(NOON, "customer" if s.startswith("-") else "operator", s.removeprefix("-")) for s in said
    ]
    return {
        m.criterion: (m.value, m.words) for m in CARD.marks(DialogWords(lines, customer, promised=promised))
    }


def test_a_good_dialog_in_both_languages() -> None:
    ru = _marks(
        "-где заказ?",
        "Добрый день, Анна! Уточните, пожалуйста, номер?",
        "-123",
        "К сожалению, доставить сегодня нельзя, но можем привезти завтра утром. Напишу вам до 18:00.",
    )
    assert ru["greeting"] == ("yes", "Добрый день") and ru["name"] == ("yes", "Анна")
    assert ru["needs"][0] == "yes" and ru["alternatives"][0] == "yes"
    assert ru["next_step"] == ("yes", "Напишу") and ru["tone"] == ("yes", "")
    en = _marks(
        "-where is it?",
        "Hello Anna, which order is it?",
        "-123",
        "We cannot deliver today, but you can collect it tomorrow. I will write to you by noon.",
        customer="Anna",
    )
    assert [en[name][0] for name in ("greeting", "name", "needs", "alternatives", "next_step", "tone")] == [
        "yes"
    ] * 6


def test_a_poor_dialog_is_told_by_its_words() -> None:
    found = _marks("-верните деньги", "Уважаемый клиент! Возврат невозможен.")
    assert found["greeting"] == ("no", "") and found["name"] == ("no", "")
    assert found["alternatives"][0] == "no" and "невозможен" in found["alternatives"][1]
    assert found["tone"][0] == "no" and found["next_step"] == ("no", "")


def test_what_is_not_seen_is_no_fault() -> None:
    """No name, no question, no refusal; whether the answer was complete is for people to say."""
    found = _marks("-спасибо", "Здравствуйте! Деньги придут завтра.", customer="")
    assert [found[name] for name in ("name", "needs", "alternatives", "complete")] == [("", "")] * 4
    assert _marks("-есть кто?") == {c.name: ("", "") for c in CARD.criteria}
    assert _marks("Ждите", promised=True)["next_step"] == ("yes", "/promise")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Анне всё отправили", "yes"),
        ("Ане всё отправили", "yes"),
        ("Анну ждём", "yes"),
        ("Заполните анкету", "no"),
        ("Антон занят", "no"),
    ],
)
def test_a_name_is_known_in_its_forms(text: str, value: str) -> None:
    assert _marks(text)["name"][0] == value


@pytest.mark.parametrize(
    ("customer", "text", "value"),
    [
        ("Александр", "Саша, добрый день!", "yes"),
        ("Александра", "Сашей займёмся сегодня", "yes"),
        ("Пётр", "Петя, всё готово", "yes"),
        ("Алексей Иванов", "Здравствуйте, Лёша!", "yes"),
        ("Алёна", "Алена, здравствуйте", "yes"),
        ("Александр", "Маша, добрый день!", "no"),
        ("Robert", "Hi Bob, all done", "yes"),
        ("William", "We will see", "no"),
    ],
)
def test_short_forms_are_the_name_too(customer: str, text: str, value: str) -> None:
    assert _marks(text, customer=customer)["name"][0] == value


def test_weights_and_own_words_count() -> None:
    rules = QualitySettings.model_validate(
        {
            "weights": {"greeting": 3, "tone": 0},
            "words": {"greeting": ["салют*"]},
            "criteria": [{"name": "upsell", "title": {"ru": "Допродажа"}}],
        }
    )
    criteria = criteria_of(rules)
    assert [c.name for c in criteria][-1] == "upsell" and "tone" not in [c.name for c in criteria]
    marks = (ScoreMark("greeting", "yes"), ScoreMark("name", "no"), ScoreMark("needs", ""))
    assert total(marks, criteria) == 0.75 and total((ScoreMark("needs", ""),), criteria) is None
    card = Scorecard(Texts.load("ru"), criteria, words={"greeting": ["салют*"]})
    found = card.marks(DialogWords((HistoryEntry(NOON, "operator", "Салютую вам"),)))
    assert found[0] == ScoreMark("greeting", "yes", "Салютую")


def _event(kind: str, ticket: int, of: str = "telegram:1", **data: object) -> Event:
    return Event(kind, NOON, ticket=ticket, data={"of": of, "score": 1.0, "marks": {}, **data})


def test_the_sample_is_fair_and_stays() -> None:
    """As many of each operator, the same whoever asks; who was looked at for another reason does not
    count.
    """
    zone = ZoneInfo("Europe/Moscow")
    events = [_event(figures.SCORED, n, f"telegram:{n % 2}") for n in range(1, 41)]
    chosen = figures.sample(events, zone, 3)
    assert len(chosen) == 6 and sum(n % 2 for n in chosen) == 3
    assert figures.sample(list(reversed(events)), zone, 3) == chosen
    looked = [_event(figures.REVIEWED, chosen[0], reason=figures.SAMPLE)]
    assert set(figures.sample([*events, *looked], zone, 3)) == set(chosen[1:])
    by_hand = next(n for n in range(1, 41) if n not in chosen)
    other = [_event(figures.REVIEWED, by_hand, reason=figures.CHOSEN)]
    assert figures.sample([*events, *other], zone, 3) == chosen


def test_agreement_is_measured_on_what_both_scored() -> None:
    seen = {"greeting": "yes", "name": "no"}
    events = [
        _event(figures.SCORED, 1, marks=seen),
        _event(figures.REVIEWED, 1, marks={"greeting": "yes", "name": "yes", "complete": "no"}),
        _event(figures.SCORED, 2, marks=seen),
    ]
    found = figures.agreement(events)
    assert (found["greeting"].same, found["name"].other, found["complete"].unseen) == (1, 1, 1)
    assert found["greeting"].share == 1.0 and found["complete"].share is None


async def test_a_closed_ticket_is_scored_once_and_told_to_its_operator_alone(testbot: TestBot) -> None:
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Добрый день, Анна! Какой номер заказа?", ticket=1)
    await anna.says("123")
    await olga.says("Отправим завтра, напишу.", ticket=1)
    await olga.says("/close", ticket=1)
    await testbot.later(minutes=5)
    assert await testbot.store.events(kinds=[figures.SCORED]) == ()
    await testbot.later(minutes=6)
    (event,) = await testbot.store.events(kinds=[figures.SCORED])
    assert event.data["of"] == "telegram:9001" and event.data["score"] == 1.0
    ticket = await testbot.store.ticket(1)
    assert ticket is not None and ticket.state.scored is not None
    assert {m.criterion: m.words for m in ticket.state.scored.marks}["greeting"] == "Добрый день"

    posts = len(testbot.desk_posts())
    await olga.says("/quality")
    assert not any("%" in o.text.text or "Оценено" in o.text.text for o in testbot.desk_posts(posts))
    private = testbot.channels["telegram"].in_chat("9001")[-1].outbound.text.text
    assert "Оценено 1: для средней нужно хотя бы 5" in private
    other = testbot.operator("Пётр", id="9002")
    await other.says("/back")
    await other.says("/quality")
    assert "Оценено 0" in testbot.channels["telegram"].in_chat("9002")[-1].outbound.text.text
    assert await testbot.store.check() == ()


async def test_an_operator_asks_in_private_too(testbot: TestBot, articles: Path) -> None:
    """The command works where nobody else reads; a customer's /quality is a customer's word."""
    await testbot.operator().says("/back")
    olga = testbot.customer("Ольга", chat="9001")
    await olga.says("/quality")
    assert "Оценено 0" in olga.hears()[0]
    anna = testbot.customer()
    await anna.says("/quality")
    assert not any("Оценено" in text for text in anna.hears())


async def test_a_ticket_opened_again_is_scored_at_its_next_end(testbot: TestBot) -> None:
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    await olga.says("Здравствуйте", ticket=1)
    await olga.says("/close", ticket=1)
    await olga.says("/reopen", ticket=1)
    await testbot.later(minutes=11)
    assert await testbot.store.events(kinds=[figures.SCORED]) == ()
    await olga.says("/close", ticket=1)
    await testbot.later(minutes=11)
    assert len(await testbot.store.events(kinds=[figures.SCORED])) == 1
