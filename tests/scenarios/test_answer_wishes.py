"""Who waits for a person says when and where to be answered: kept with the ticket, on its card, in its
deadlines and its place in the queue.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.config.loader import Config
from bot.handoff.answer_times import offered
from bot.handoff.sla.hours import Hours
from bot.model import CustomerMerge, Ticket
from bot.testing import TestBot, open_test_bot

EVENING = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)  # 17:00 in Moscow
CLOSING = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)


@asynccontextmanager
async def bot(folder: Path, **more: object) -> AsyncIterator[TestBot]:
    """Friday noon in Moscow; people are there from 10 to 20."""
    folder.mkdir(exist_ok=True)
    head = "---\ntitle: Сколько стоит доставка\naliases: [цена доставки]\nlang: ru\n---\n"
    (folder / "dostavka.md").write_text(f"{head}290 ₽.\n", encoding="utf-8")
    settings = {
        "sla": {"policies": [{"first_reply": "30m"}]},
        "routing": {"remind": "15m"},
        "answer_choice": {"by": ["phone", "email"]},
        **more,
    }
    async with open_test_bot(folder, config=Config.model_validate(settings), threads=False) as testbot:
        yield testbot


async def ticket(testbot: TestBot, number: int = 1) -> Ticket:
    found = await testbot.store.ticket(number)
    assert found is not None
    return found


async def test_the_evening_is_kept_shown_and_waited_for(tmp_path: Path) -> None:
    async with bot(tmp_path / "kb") as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await anna.says("позовите человека")
        before = await ticket(testbot)
        await anna.presses("Когда и где ответить")
        shown = [b.label for row in anna.sees()[-1].outbound.buttons for b in row]
        assert shown[:2] == ["Сегодня с 17:00 до 20:00", "Завтра с 10:00 до 13:00"]
        await anna.presses("Сегодня с 17:00")
        assert "ответить сегодня с 17:00 до 20:00" in anna.hears()[0] and "№1" in anna.hears()[0]

        kept = await ticket(testbot)
        assert (kept.state.wish_at, kept.state.wish_until) == (EVENING, CLOSING)
        assert before.due is not None and kept.due == EVENING + timedelta(minutes=30)
        posts = "\n".join(p.text.text for p in await olga.sees(1))
        assert (
            "Клиент просит ответить сегодня с 17:00" in posts
            and "Просит ответить: 20 ноября с 17:00 до 20:00" in posts
        )

        heard = len(testbot.desk_posts())
        await testbot.later(hours=3)  # nobody is called before
        assert not [p for p in testbot.desk_posts(heard) if "никто" in p.text.text.lower()]
        await anna.says("/status")
        assert "вы просили ответить сегодня с 17:00" in anna.hears()[0]
        await testbot.later(hours=2, minutes=1)  # and at that time the desk is
        [due] = [p.text.text for p in testbot.desk_posts(heard) if "никто" in p.text.text.lower()]
        assert "просил ответить с 17:00" in due and "ждёт" not in due  # nobody waited for what they asked for
        late = (await ticket(testbot)).state
        assert late.reminders == 1 and not late.breached
        await testbot.later(minutes=40)
        assert (await ticket(testbot)).state.breached == ("first_reply",)


async def test_who_wants_it_later_stands_behind_who_waits_now(tmp_path: Path) -> None:
    async with bot(tmp_path / "kb") as testbot:
        anna, boris = testbot.customer(), testbot.customer("Борис", chat="1002")
        await anna.says("позовите человека")
        await anna.presses("Когда и где ответить")
        await anna.presses("Сегодня с 17:00")
        await boris.says("позовите человека")
        queue, desk = await testbot.store.queue(), testbot.service.desk.context.queue
        assert [t.number for t in desk.ordered(queue, testbot.clock())] == [2, 1]
        assert [t.number for t in desk.ordered(queue, EVENING)] == [1, 2]  # then first come, first served


async def test_tickets_that_are_given_are_not_given_before(tmp_path: Path) -> None:
    async with bot(tmp_path / "kb", routing={"assign": "least_loaded", "remind": "15m"}) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await anna.says("позовите человека")
        await anna.presses("Когда и где ответить")
        await anna.presses("Сегодня с 17:00")
        await olga.says("/back")
        await testbot.later(minutes=30)
        assert (await ticket(testbot)).status == "waiting"
        await testbot.later(hours=5)
        assert (await ticket(testbot)).operator


async def test_an_answer_ends_the_wish_and_as_soon_as_possible_takes_it_back(tmp_path: Path) -> None:
    async with bot(tmp_path / "kb") as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await anna.says("позовите человека")
        due = (await ticket(testbot)).due
        await anna.presses("Когда и где ответить")
        await anna.presses("Сегодня с 17:00")
        await anna.presses("Как можно скорее")
        assert "как можно скорее" in anna.hears()[0] and (await ticket(testbot)).due == due
        await anna.presses("Сегодня с 17:00")
        await olga.says("Здравствуйте! Уже смотрю.", ticket=1)
        answered = await ticket(testbot)
        assert answered.state.wish_at is None and answered.status == "operator"


async def test_a_phone_is_asked_for_after_consent_and_shown_to_the_operator(tmp_path: Path) -> None:
    policy = {"policy": "https://shop.example/policy"}
    async with bot(tmp_path / "kb", consent=policy) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await anna.says("позовите человека")
        await anna.presses("Когда и где ответить")
        await anna.presses("По телефону")
        assert "согласие на обработку" in anna.hears()[0]
        await anna.presses("Согласиться")
        assert "На какой номер" in anna.hears()[0]
        await anna.says("а вы точно позвоните?")  # a word for the operator all the same
        assert any("точно позвоните" in p.text.text for p in await olga.sees(1))
        await anna.says("8 912 345-67-89")
        assert "по телефону" in anna.hears()[0] and "345-67" not in anna.hears()[0]
        kept = await ticket(testbot)
        assert (kept.state.wish_by, kept.state.contacts.phone) == ("phone", "+79123456789")
        customer = await testbot.store.customer(1)
        assert customer is not None and customer.fields["_consent"] == "1"
        assert any("по телефону" in p.text.text for p in await olga.sees(1))


async def test_a_no_to_the_contacts_leaves_the_chat(tmp_path: Path) -> None:
    async with bot(tmp_path / "kb", consent={"policy": "https://shop.example/policy"}) as testbot:
        anna = testbot.customer(channel="vk", chat="5")
        await anna.says("позовите человека")
        await anna.presses("Когда и где ответить")
        await anna.presses("На почту")
        await anna.presses("Не сейчас")
        assert "ответим здесь" in anna.hears()[0]
        kept = await ticket(testbot)
        assert kept.state.wish_by == "" and kept.status == "waiting"


async def test_the_answer_goes_to_another_messenger_of_theirs(tmp_path: Path) -> None:
    async with bot(tmp_path / "kb") as testbot:
        anna, there = testbot.customer(), testbot.customer(channel="vk", chat="7")
        await anna.says("цена доставки")
        await there.says("цена доставки")
        await testbot.store.join_customers(CustomerMerge(1, 2), testbot.clock(), by="test")
        await anna.says("позовите человека")
        await anna.presses("Когда и где ответить")
        await anna.presses("Vk")
        there.listens()
        await testbot.operator().says("Здравствуйте, Анна!", ticket=1)
        assert there.hears() == ["Здравствуйте, Анна!"]


async def test_without_a_choice_there_is_no_button(tmp_path: Path) -> None:
    async with bot(tmp_path / "kb", answer_choice={"times": False}) as testbot:
        anna = testbot.customer()
        await anna.says("позовите человека")
        labels = [b.label for s in anna.sees() for row in s.outbound.buttons for b in row]
        assert "Когда и где ответить" not in labels


def test_times_lie_within_the_hours() -> None:
    hours = Hours("Europe/Moscow", country="RU")
    for at in range(24 * 8):
        now = datetime(2026, 12, 28, tzinfo=UTC) + timedelta(hours=at)
        times = offered(hours, now)
        assert times and all(t.start > now and hours.is_open(t.start) and t.start < t.end for t in times)
        assert all(hours.closing(t.start) is not None for t in times)
    assert offered(Hours("Europe/Moscow", {}), datetime(2026, 12, 28, tzinfo=UTC)) == ()


async def test_a_withdrawn_consent_ends_the_wish_for_a_call(tmp_path: Path) -> None:
    """Nobody is told to call a number that is gone, nor is a number kept that was asked for before."""
    async with bot(tmp_path / "kb", consent={"policy": "https://shop.example/policy"}) as testbot:
        anna = testbot.customer()
        testbot.operator()
        await anna.says("позовите человека")
        for label in ("Когда и где ответить", "По телефону", "Согласиться"):
            await anna.presses(label)
        await anna.says("8 912 345-67-89")
        await anna.says("отзываю согласие")
        assert (await ticket(testbot)).state.wish_by == ""


async def test_a_number_asked_for_before_the_withdrawal_is_not_kept(tmp_path: Path) -> None:
    async with bot(tmp_path / "kb", consent={"policy": "https://shop.example/policy"}) as testbot:
        anna = testbot.customer()
        testbot.operator()
        await anna.says("позовите человека")
        for label in ("Когда и где ответить", "По телефону", "Согласиться"):
            await anna.presses(label)
        await anna.says("отзываю согласие")
        await anna.says("8 912 345-67-89")
        customer = await testbot.store.customer(1)
        assert customer is not None and "phone" not in customer.fields
