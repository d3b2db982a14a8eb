"""Customers who write in MAX: through MAX's own calls and the strict fake server, with the operators in a MAX
group, and with the operators in a Telegram forum.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.adapters.base import Adapter
from bot.adapters.max.adapter import MaxAdapter
from bot.adapters.max.settings import MaxSettings
from bot.adapters.telegram.adapter import TelegramAdapter
from bot.adapters.telegram.settings import TelegramSettings
from bot.app import Overrides, build_service
from bot.clock import HandClock
from bot.config.loader import Config
from bot.model import Inbound, InboundKind, Peer, Ticket
from bot.testing import TestBot, harness
from bot.testing.harness import NOON, PLACE
from tests.adapters.attachment_samples import MAX
from tests.fakes import max_server
from tests.fakes.max_server import SECRET, FakeMax, Shown
from tests.fakes.telegram_server import TOKEN, FakeTelegram

ANNA, OLGA, GROUP = 5, 9, -700


class MaxScene:
    """A service whose channels are MAX's and Telegram's fake servers; MAX calls its webhook."""

    def __init__(self, testbot: TestBot, server: FakeMax, telegram: FakeTelegram, address: str) -> None:
        self.testbot, self.server, self.telegram, self._address = testbot, server, telegram, address

    async def goes_on(self) -> None:
        """MAX delivers what happened, and is told 200 for each once it is kept."""
        assert set(await self.server.calls_hooks(self._address)) == {200}
        await self.testbot.rest()

    async def says(self, user: int, text: str, *, chat: int = 0, reply_to: Shown | None = None) -> None:
        more = {}
        if reply_to is not None:
            body = {"mid": reply_to.mid, "seq": 1, "text": reply_to.text}
            more["link"] = {"type": "reply", "sender": self.server.me(), "message": body}
        self.server.writes(user, text, chat=chat, **more)
        await self.goes_on()

    async def presses(self, user: int, label: str, place: int) -> None:
        """The newest button there whose label holds *label*."""
        shown = next(m for m in reversed(self.server.said_to(place)) if any(label in x for x in _labels(m)))
        self.server.presses(user, shown, next(x for x in _labels(shown) if label in x))
        await self.goes_on()

    async def ticket(self) -> Ticket:
        found = await self.testbot.store.ticket(1)
        assert found is not None
        return found

    def read_by(self, place: int) -> list[str]:
        return [m.text for m in self.server.said_to(place)]


def _labels(shown: Shown) -> Sequence[str]:
    return [b["text"] for row in shown.buttons for b in row]


@asynccontextmanager
async def scene(articles: Path, desk: Peer | None) -> AsyncIterator[MaxScene]:
    async with FakeMax(counts=False) as server, FakeTelegram() as telegram:
        server.person(ANNA, "Анна", last_name="Ким")
        server.group(GROUP, members={OLGA: "Ольга"})
        server.hooks["https://shop.example/hooks/max"] = {"url": "x", "time": 1, "secret": SECRET}
        clock = HandClock(NOON)
        keys = MaxSettings(token=max_server.TOKEN, api_base=server.base, mode="webhook", secret=SECRET)
        adapter = MaxAdapter("max", keys, clock=clock)
        adapters: dict[str, Adapter] = {
            "max": adapter,
            "telegram": TelegramAdapter(
                "telegram", TelegramSettings(token=TOKEN, api_base=telegram.base, timeout=0.5), clock=clock
            ),
        }
        config = Config().model_dump(exclude={"base", "channels", "desk"})
        config["knowledge"] |= {"folder": str(articles), "embeddings": {"model": "off"}}
        given = Overrides(
            adapters=adapters, clock=clock, desk=desk, storage=harness.make_store(clock), log_events=False
        )
        service = await build_service(Config(**config), given)
        testbot = TestBot(service, clock, {}, desk or PLACE)

        async def accept(inbounds: Sequence[Inbound], *, cursor: str | None = None) -> None:
            await testbot.arrive(*inbounds, run=False)

        adapter.take_calls(accept)
        app = web.Application()
        app.add_routes(list(adapter.routes()))
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield MaxScene(testbot, server, telegram, f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/max")
        finally:
            await service.close()
            for each in adapters.values():
                await each.close()
            await runner.cleanup()


async def test_a_question_is_answered_from_the_articles(articles: Path) -> None:
    """A first start greets by name; a question has its answer; buttons are pressed and acknowledged."""
    async with scene(articles, Peer("max", str(GROUP))) as world:
        user, chat = world.server.person(ANNA), max_server.DIALOGS + ANNA
        world.server.happens("bot_started", chat_id=chat, user=user, payload=None, user_locale="ru")
        await world.goes_on()
        assert "Анна" in world.read_by(ANNA)[-1]
        await world.says(ANNA, "когда привезут заказ?")
        assert "3–5 дней" in world.read_by(ANNA)[-1]
        rated = next(m for m in world.server.said_to(ANNA) if m.buttons)
        world.server.presses(ANNA, rated)
        await world.goes_on()

    assert world.server.answers and world.server.too_fast == 0


async def test_a_max_group_is_a_desk(articles: Path) -> None:
    """No topics there: replies and the buttons of the card carry the conversation, and only members act."""
    async with scene(articles, Peer("max", str(GROUP))) as world:
        await world.says(ANNA, "позовите оператора, чайник не греет")
        assert any("чайник не греет" in t for t in world.read_by(GROUP))
        world.server.person(66, "Чужой")
        await world.presses(66, "Взять", GROUP)
        assert (await world.ticket()).operator == ""
        await world.presses(OLGA, "Взять", GROUP)
        assert (await world.ticket()).operator == "max:9"
        words = next(m for m in world.server.said_to(GROUP) if "чайник не греет" in m.text)
        await world.says(OLGA, "Заменим завтра, Анна", chat=GROUP, reply_to=words)
        assert world.read_by(ANNA)[-1] == "Заменим завтра, Анна"
        await world.says(ANNA, "Спасибо!")
        assert any("Спасибо!" in t for t in world.read_by(GROUP))
        thanks = next(m for m in world.server.said_to(GROUP) if "Спасибо!" in m.text)
        await world.says(OLGA, f"@{max_server.USERNAME} /close", chat=GROUP, reply_to=thanks)
        assert (await world.ticket()).status == "closed"


async def test_a_group_becomes_the_desk_by_its_button(articles: Path) -> None:
    """The bot is added and asks; a member who is no administrator changes nothing; who waited is shown."""
    async with scene(articles, None) as world:
        await world.says(ANNA, "позовите оператора")
        olga = world.server.person(OLGA)
        world.server.happens("bot_added", chat_id=GROUP, user=olga, is_channel=False)
        await world.goes_on()
        await world.presses(OLGA, "группой операторов", GROUP)
        assert world.testbot.service.desk.context.places.binding.place is None
        world.server.groups[GROUP]["members"][OLGA]["is_admin"] = True
        await world.testbot.later(minutes=2)  # a stranger is asked about once a minute
        await world.presses(OLGA, "группой операторов", GROUP)
        assert world.testbot.service.desk.context.places.binding.place == Peer("max", str(GROUP))
        assert any("№1" in text for text in world.read_by(GROUP))


async def test_a_telegram_forum_serves_customers_of_max(articles: Path) -> None:
    """A customer in MAX, a topic in Telegram: words and pictures both ways."""
    async with scene(articles, PLACE) as world:
        world.telegram.results["getChat"] = {"id": 1, "type": "supergroup", "is_forum": True, "title": "Т"}
        world.telegram.results["getChatMember"] = {"status": "creator", "user": {"id": 9001, "is_bot": False}}
        await world.says(ANNA, "позовите оператора")
        world.server.uploaded["t"] = ("image", "t.jpg", b"jpg")
        payload = {"photo_id": 1, "token": "t", "url": f"{world.server.base}/file/t"}
        photo = {"type": "image", "payload": payload}
        world.server.writes(ANNA, "вот чек", attachments=[photo])
        await world.goes_on()
        sent = [c for c in world.telegram.of("sendPhoto") if "вот чек" in str(c.params.get("caption"))]
        assert sent and sent[0].params["message_thread_id"] == 77
        olga = world.testbot.operator()
        said = olga.inbound(
            Peer(PLACE.channel, PLACE.chat, "77"),
            InboundKind.MESSAGE,
            "Чек вижу, оформляю",
            private=False,
            message="901",
        )
        await world.testbot.arrive(said)
        assert world.read_by(ANNA)[-1] == "Чек вижу, оформляю"


async def test_each_kind_of_attachment_arrives_with_a_human_name(articles: Path) -> None:
    """Whether MAX still has the file or not, an operator reads what it is, never a word of the API."""
    wrong: dict[str, str] = {}
    async with scene(articles, Peer("max", str(GROUP))) as world:
        await world.says(ANNA, "позовите оператора")
        for kind, (content, expected) in MAX.items():
            before = len(world.server.said_to(GROUP))
            told = json.dumps({"type": kind, **content}).replace(
                "https://i.example", f"{world.server.base}/file"
            )
            world.server.events.append(_message(world, json.loads(told)))
            await world.goes_on()
            came = world.server.said_to(GROUP)[before:]
            shown = "\n".join((*(m.text for m in came), *(str(a) for m in came for a in m.attachments)))
            if any(e not in shown for e in expected) or kind in shown.split():
                wrong[kind] = shown
    assert not wrong


def _message(world: MaxScene, attachment: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Not checked with the library's model: it does not know what MAX brings next year."""
    number = len(world.server.events) + 1
    message = world.server.message(ANNA, "", body={"attachments": [attachment]})
    return number, {"update_type": "message_created", "timestamp": 1, "message": message}


async def test_who_stopped_the_bot_is_told_about_and_reached_again(articles: Path) -> None:
    """An operator hears that their words did not arrive; once the customer writes again, they do."""
    async with scene(articles, Peer("max", str(GROUP))) as world:
        await world.says(ANNA, "позовите оператора")
        await world.presses(OLGA, "Взять", GROUP)
        world.server.blocked.add(ANNA)
        world.server.happens("bot_stopped", chat_id=max_server.DIALOGS + ANNA, user=world.server.person(ANNA))
        await world.goes_on()
        words = next(m for m in world.server.said_to(GROUP) if "позовите оператора" in m.text)
        await world.says(OLGA, "Вы ещё здесь?", chat=GROUP, reply_to=words)
        assert "Вы ещё здесь?" not in world.read_by(ANNA)
        world.server.blocked.clear()
        world.server.happens(
            "bot_started", chat_id=max_server.DIALOGS + ANNA, user=world.server.person(ANNA), payload=None
        )
        await world.goes_on()
        await world.says(ANNA, "Здесь")
        await world.says(OLGA, "Отлично", chat=GROUP, reply_to=words)
        assert world.read_by(ANNA)[-1] == "Отлично"


async def test_a_customer_of_max_is_exported_and_forgotten(articles: Path) -> None:
    """Like anybody: with what they wrote, and without a trace afterwards."""
    async with scene(articles, Peer("max", str(GROUP))) as world:
        await world.says(ANNA, "мой телефон 8 912 345-67-89, позовите оператора")
        store = world.testbot.store
        talk = await store.conversation(Peer("max", str(ANNA)))
        assert talk is not None and talk.customer is not None
        told = str(await store.export_customer(talk.customer))
        assert "345-67-89" in told and "Ким" in told
        assert await store.forget_customer(talk.customer, world.testbot.clock())
        assert await store.conversation(Peer("max", str(ANNA))) is None
