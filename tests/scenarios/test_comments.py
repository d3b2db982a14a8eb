"""Comments under the posts of a community: from VK's queue to what everybody reads there, and what nobody
does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.base import Adapter
from bot.app import Overrides, build_service, open_adapters
from bot.clock import HandClock
from bot.config.loader import Config
from bot.model import PUBLIC, Event, Inbound, InboundKind, Peer, Ticket
from bot.reports.ledger import open_ledger
from bot.reports.periods import last_days
from bot.reports.report import read_facts
from bot.testing import TestBot, harness
from bot.testing.fakes import FakeAdapter
from bot.testing.harness import NOON, PLACE
from tests.fakes.vk_server import ADMIN, GROUP, TOKEN, Comment, FakeVk

ANNA = {"first_name": "Анна", "last_name": "Белова", "sex": 1}
WATCH = ["posts", "photos", "videos", "goods", "discussions"]
BASE = {
    "dostavka": (
        "Сколько стоит доставка",
        "цена доставки, доставка сколько стоит, стоимость доставки",
        "Доставка по городу — бесплатно от 2000 ₽, иначе 300 ₽. Курьер приезжает в день заказа.\n\n"
        "## За город\n\nЗа город доставка стоит 30 ₽ за километр, срок — на следующий день. "
        + "Позвоните курьеру заранее, чтобы он знал, где вас искать. "
        * 8,
    ),
    "bally": (
        "Сколько у меня баллов",
        "сколько баллов, мои баллы",
        "На счёте {{ points }} баллов.\n\nБаллы видны в личном кабинете.",
    ),
}


class Shop:
    """A community whose comments are watched, its operators in a group elsewhere."""

    def __init__(self, testbot: TestBot, vk: FakeVk, desk: FakeAdapter) -> None:
        self.testbot, self.vk, self.desk = testbot, vk, desk
        self.kept: list[Inbound] = []

    async def comments(self, text: str, *, kind: str = "wall", user: int = 5, to: int = 0) -> Comment:
        """Somebody comments, and everything comes to rest."""
        made = self.vk.comments_on(kind, 15, user, text, to=to)
        await self.settles()
        return made

    async def settles(self) -> None:
        await self.heard()
        await self.testbot.rest()
        await self.heard()

    async def heard(self) -> None:
        """Until the queue of VK is empty."""
        async with asyncio.timeout(5):
            while not any(p["ts"] == str(self.vk.ts) for p in self.vk.polls):
                await asyncio.sleep(0.005)

    def public(self) -> list[Comment]:
        """What the community has said where everybody reads it."""
        return [c for c in self.vk.comments if c.author == -GROUP]

    def alone(self) -> list[str]:
        return [str(m.params["message"]) for m in self.vk.sent]

    def shown(self, mark: str) -> list[str]:
        """What operators read that holds *mark*."""
        return [s.outbound.text.text for s in self.desk.said if mark in s.outbound.text.text]

    async def ticket(self, number: int = 1) -> Ticket:
        found = await self.testbot.store.ticket(number)
        assert found is not None
        return found

    async def events(self, kind: str) -> list[Event]:
        return list(await self.testbot.store.events(kinds=(kind,)))


@asynccontextmanager
async def shop(folder: Path, *, desk: bool = True, **wanted: Any) -> AsyncIterator[Shop]:
    async with FakeVk() as vk:
        vk.people[5], clock = ANNA, HandClock(NOON)
        comments = {"watch": WATCH, "admin_key": ADMIN, **wanted}
        channel = {"type": "vk", "token": TOKEN, "group_id": GROUP, "api_base": vk.base, "mark_read": False}
        made = Config.model_validate({"channels": {"vk": {**channel, "comments": comments}}})
        adapter = open_adapters(made, clock)["vk"]
        operators = FakeAdapter("telegram", forum=True)
        adapters: dict[str, Adapter] = {"vk": adapter, "telegram": operators}
        config = made.model_dump(exclude={"base", "desk"})
        config["knowledge"] |= {"folder": str(folder), "embeddings": {"model": "off"}}
        service = await build_service(
            Config.model_validate(config),
            Overrides(
                adapters=adapters,
                clock=clock,
                desk=PLACE if desk else None,
                storage=harness.make_store(clock),
                log_events=False,
            ),
        )
        played = Shop(TestBot(service, clock, {"telegram": operators}, PLACE), vk, operators)

        async def accept(inbounds: Any, *, cursor: str | None = None) -> None:
            played.kept += inbounds
            await service.inbox.accept("vk", inbounds, cursor=cursor)

        listening = asyncio.create_task(adapter.run(accept, cursor=None))
        try:
            await service.leases.beat()
            await played.heard()
            yield played
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await service.close()
            await adapter.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "kb"
    made.mkdir()
    for name, (title, aliases, body) in BASE.items():
        (made / f"{name}.md").write_text(
            f"---\ntitle: {title}\naliases: [{aliases}]\nlang: ru\n---\n{body}\n"
        )
    return made


@pytest.fixture
async def open_shop(folder: Path) -> AsyncIterator[Shop]:
    async with shop(folder) as played:
        yield played


async def test_a_question_is_answered_shortly_and_the_rest_invited(open_shop: Shop) -> None:
    asked = await open_shop.comments("А сколько стоит доставка?")
    (answer,) = open_shop.public()
    assert answer.reply_to == asked.id and answer.text.startswith("[id5|Анна], ")
    assert "300 ₽" in answer.text and "километр" not in answer.text
    assert f"https://vk.me/club{GROUP}" in answer.text and len(answer.text) < 450
    assert open_shop.alone() == [], "who has not allowed it is not written to"
    assert (await open_shop.events("comment_answered"))[0].data["object"] == "wall-77_15"


async def test_who_lets_us_write_gets_the_whole_answer_alone(open_shop: Shop) -> None:
    open_shop.vk.allowed.add(5)
    await open_shop.comments("сколько стоит доставка?")
    (answer,), (whole,) = open_shop.public(), open_shop.alone()
    assert "vk.me" not in answer.text and "километр" not in answer.text
    assert "сколько стоит доставка?" in whole and "30 ₽ за километр" in whole
    open_shop.vk.writes(5, "спасибо")
    await open_shop.settles()
    in_public = await open_shop.testbot.store.conversation(Peer("vk", "5", f"{PUBLIC}wall-77_15.501"))
    private = await open_shop.testbot.store.conversation(Peer("vk", "5"))
    assert in_public is not None and private is not None
    assert in_public.customer == private.customer, "one customer, in public and alone"


async def test_nothing_of_the_customer_is_said_in_public(open_shop: Shop) -> None:
    await open_shop.comments("сколько стоит доставка?")
    store = open_shop.testbot.store
    conversation = await store.conversation(Peer("vk", "5", f"{PUBLIC}wall-77_15.501"))
    assert conversation is not None and conversation.customer is not None
    await store.change_fields(conversation.customer, {"points": 777}, NOON, by="test")
    await open_shop.comments("сколько у меня баллов?")
    assert len(open_shop.public()) == 2 and not any("777" in c.text for c in open_shop.public())


async def test_what_the_bot_does_not_know_goes_to_a_person_who_says_where_to_answer(open_shop: Shop) -> None:
    asked = await open_shop.comments("А вы сдаёте в аренду космический корабль?")
    (said,) = open_shop.public()
    assert "300" not in said.text and "№" not in said.text, "no number of a ticket in public"
    ticket = await open_shop.ticket()
    assert ticket.reason == "out_of_scope" and ticket.customer_peer.is_public
    assert open_shop.shown(f"https://vk.com/wall-77_15?reply={asked.id}")

    olga = open_shop.testbot.operator()
    await olga.says("Нет, кораблей у нас нет, но есть ракета", ticket=1)
    assert len(open_shop.public()) == 1 and open_shop.alone() == [], "nothing goes out before they say where"
    await olga.presses("Под записью", ticket=1)
    answer = open_shop.public()[-1]
    assert answer.text == "[id5|Анна], Нет, кораблей у нас нет, но есть ракета" and answer.root == asked.id

    await olga.says("Запишу вас, позвоню на +7 912 345-67-89", ticket=1)
    await olga.presses("Лично", ticket=1)
    assert open_shop.alone() == ["Запишу вас, позвоню на +7 912 345-67-89"]
    await open_shop.comments("жду ответа", to=answer.id)
    assert open_shop.shown("жду ответа") and len(open_shop.public()) == 2
    await olga.says("/close", ticket=1)
    await open_shop.testbot.later(days=4)
    assert len(open_shop.public()) == 2 and len(open_shop.alone()) == 1, "no survey in public"


async def test_an_answer_is_mended_before_and_after_it_was_sent(open_shop: Shop) -> None:
    """A held answer that is edited is asked about again; one that went out privately is changed there."""
    await open_shop.comments("А вы сдаёте в аренду космический корабль?")
    olga, said = open_shop.testbot.operator(), len(open_shop.public())
    await olga.says("Нет, карабля нет", ticket=1, message="o1")
    await olga.does(InboundKind.EDIT, "Нет, корабля нет", ticket=1, message="o1")
    assert len(open_shop.public()) == said and open_shop.alone() == []
    await olga.presses("Лично", ticket=1)
    assert open_shop.alone() == ["Нет, корабля нет"]
    await olga.does(InboundKind.EDIT, "Нет, корабля у нас нет", ticket=1, message="o1")
    assert [e["message"] for e in open_shop.vk.sent[0].edits] == ["Нет, корабля у нас нет"]

    await olga.says("Это ваши проблемы", ticket=1, message="o2")
    assert open_shop.shown("Где ответить?")[-1].count("«") and len(open_shop.public()) == said
    await olga.presses("Не отправлять", ticket=1)
    assert len(open_shop.alone()) == 1 and len(open_shop.public()) == said


async def test_nobody_gives_orders_in_a_comment(open_shop: Shop) -> None:
    """Commands and buttons have no meaning where everybody reads."""
    for text in ("/queue", "/start", "/status", "/overview", "/operator"):
        await open_shop.comments(text)
    assert open_shop.public() == [] and open_shop.alone() == []
    assert await open_shop.testbot.store.ticket(1) is None


async def test_what_is_left_alone_is_in_no_report(open_shop: Shop) -> None:
    await open_shop.comments("Красота!")
    await open_shop.comments("сколько стоит доставка?", user=6)
    service, clock = open_shop.testbot.service, open_shop.testbot.clock
    period = last_days(7, clock(), service.hours.zone)
    facts = await read_facts(service.store, service.hours, period, clock())
    assert len(open_ledger(facts).visits) == 1


async def test_personal_data_never_goes_out_in_public(open_shop: Shop) -> None:
    await open_shop.comments("где мой заказ № 48213? мой телефон 8 912 345 67 89")
    olga = open_shop.testbot.operator()
    for words in ("Заказ 48213 у курьера", "Позвоним на +7 (912) 345-67-89"):
        said = len(open_shop.public())
        await olga.says(words, ticket=1)
        await olga.presses("Под записью", ticket=1)
        assert len(open_shop.public()) == said, words
        await olga.presses("Не отправлять", ticket=1)
    await olga.says("Мы всегда на связи: 8 800 555-35-35", ticket=1)
    await olga.presses("Под записью", ticket=1)
    assert "8 800 555-35-35" in open_shop.public()[-1].text, "the shop's own number is no secret"


@pytest.mark.parametrize(
    ("text", "reason", "public"),
    [
        ("Ужасный сервис, заказ не привезли, верните деньги!", "upset", 1),
        ("Спасибо огромное, самый красивый букет в моей жизни", "praise", 0),
        ("Идиоты, третий день жду заказ и никто не отвечает на звонки", "upset", 0),
    ],
)
async def test_who_is_upset_or_praises_meets_a_person(
    open_shop: Shop, text: str, reason: str, public: int
) -> None:
    await open_shop.comments(text)
    assert (await open_shop.ticket()).reason == reason
    assert len(open_shop.public()) == public


@pytest.mark.parametrize(
    "text", ["Красота!", "🔥🔥🔥", "[id7|Маша], смотри какая доставка", "+", "Хочу такой же"]
)
async def test_what_asks_nothing_is_left_alone(open_shop: Shop, text: str) -> None:
    await open_shop.comments(text)
    assert open_shop.public() == [] and await open_shop.testbot.store.ticket(1) is None


async def test_people_who_talk_with_one_another_are_left_alone(open_shop: Shop) -> None:
    first = await open_shop.comments("Красота!", user=6)
    answer = await open_shop.comments("сколько стоит доставка?", to=first.id)
    assert open_shop.public() == [] and all(i.message != f"wall-77_15_{answer.id}" for i in open_shop.kept)
    called = await open_shop.comments(f"[club{GROUP}|Ромашка], сколько стоит доставка?", to=first.id)
    (said,) = open_shop.public()
    assert said.reply_to == called.id, "who calls the community means it"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Заработок от 5000 в день, пишите в лс", "рекламу"),
        ("казино тут https://kazino.example.com", "рекламу"),
        ("вы идиоты", "оскорбление"),
    ],
)
async def test_advertisements_and_insults_wait_for_a_person(open_shop: Shop, text: str, why: str) -> None:
    bad = await open_shop.comments(text)
    (card,) = open_shop.shown("🚫")
    assert why in card and text in card and "https://vk.com/wall-77_15" in card
    assert not bad.deleted and open_shop.public() == [] and await open_shop.testbot.store.ticket(1) is None
    olga = open_shop.testbot.operator()
    await olga.presses("Удалить и закрыть доступ")
    assert bad.deleted and open_shop.vk.banned == {5}
    assert open_shop.shown("закрывает автору доступ: Ольга")
    assert [e.data["what"] for e in await open_shop.events("comment_moderated")] == ["ban"]


async def test_a_comment_that_may_stay_stays(open_shop: Shop) -> None:
    bad = await open_shop.comments("вы идиоты")
    await open_shop.testbot.operator().presses("Оставить")
    assert not bad.deleted and open_shop.shown("Оставлен на месте: Ольга")


async def test_without_the_right_to_delete_operators_hear_why(folder: Path) -> None:
    async with shop(folder, admin_key=None) as played:
        bad = await played.comments("вы идиоты")
        await played.testbot.operator().presses("Удалить")
        assert not bad.deleted and played.shown("нужен ключ администратора")


async def test_without_a_group_of_operators_nothing_is_lost(folder: Path) -> None:
    async with shop(folder, desk=False) as played:
        await played.comments("вы идиоты")
        assert (await played.ticket()).reason == "comment_insult" and played.public() == []


async def test_the_public_words_under_one_post_are_counted(folder: Path) -> None:
    async with shop(folder, per_post=2) as played:
        for user in (5, 6, 8):
            await played.comments("сколько стоит доставка?", user=user)
        assert len(played.public()) == 2
        assert (await played.ticket()).customer_peer.chat == "8", "whoever is not answered has a person"
        await played.testbot.later(hours=2)
        await played.comments("сколько стоит доставка?", user=9)
        assert len(played.public()) == 3


async def test_an_answer_that_did_not_help_is_not_said_again(open_shop: Shop) -> None:
    asked = await open_shop.comments("сколько стоит доставка?")
    await open_shop.comments("так сколько стоит доставка?", to=asked.id)
    assert (await open_shop.ticket()).reason == "repeated"
    assert sum("300 ₽" in c.text for c in open_shop.public()) == 1


async def test_edited_and_deleted_comments(open_shop: Shop) -> None:
    asked = await open_shop.comments("сдаёте в аренду касмический корабль?")
    before = len(open_shop.public())
    open_shop.vk.edits_comment(asked, "сдаёте в аренду космический корабль?")
    await open_shop.settles()
    assert open_shop.shown("аренду космический") and len(open_shop.public()) == before
    open_shop.vk.takes_back(asked)
    await open_shop.settles()
    assert open_shop.shown("Комментарий удалён")
    open_shop.vk.takes_back(asked, restored=True)
    await open_shop.settles()
    assert open_shop.shown("снова на месте")


async def test_a_deleted_comment_of_nobody_changes_nothing(open_shop: Shop) -> None:
    first = await open_shop.comments("Красота!", user=6)
    other = await open_shop.comments("это подруге", to=first.id)
    open_shop.vk.takes_back(other)
    await open_shop.settles()
    assert (
        await open_shop.testbot.store.conversation(Peer("vk", "0", f"{PUBLIC}wall-77_15.{other.id}")) is None
    )


@pytest.mark.parametrize("kind", ["wall", "photo", "video", "market", "board"])
async def test_everywhere_where_people_comment(open_shop: Shop, kind: str) -> None:
    asked = await open_shop.comments("сколько стоит доставка?", kind=kind)
    (answer,) = open_shop.public()
    assert answer.kind == kind and answer.reply_to == (0 if kind == "board" else asked.id)


async def test_a_lost_answer_of_vk_leaves_one_comment(open_shop: Shop) -> None:
    open_shop.vk.fail("wall.createComment", "drop", after=True)
    await open_shop.comments("сколько стоит доставка?")
    await open_shop.testbot.later(seconds=30)
    assert len(open_shop.public()) == 1
    assert len({c["guid"] for c in open_shop.vk.called("wall.createComment")}) == 1
    assert len(open_shop.vk.called("wall.createComment")) == 2


async def test_only_operators_where_the_bot_shall_say_nothing(folder: Path) -> None:
    async with shop(folder, answer=False) as played:
        await played.comments("сколько стоит доставка?")
        assert played.public() == [] and await played.ticket()


async def test_forgotten_with_everything_else(open_shop: Shop) -> None:
    await open_shop.comments("сколько стоит доставка?")
    store = open_shop.testbot.store
    conversation = await store.conversation(Peer("vk", "5", f"{PUBLIC}wall-77_15.501"))
    assert conversation is not None and conversation.customer is not None
    assert "сколько стоит доставка?" in str(await store.export_customer(conversation.customer))
    assert await store.listeners() == (), "nobody is written to first in public"
    assert await store.forget_customer(conversation.customer, NOON)
    assert "доставка?" not in str(await store.history(conversation.id))
