"""Chats of the owner's own Telegram account: answered in the owner's name where the bot may, never the owner
themselves, and silent as soon as the owner writes by hand.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.telegram.adapter import TelegramAdapter
from bot.adapters.telegram.business import account_peer
from bot.adapters.telegram.settings import TelegramSettings
from bot.app import Overrides, build_service
from bot.clock import HandClock
from bot.config.loader import Config
from bot.model import InboundKind, Peer
from bot.testing import harness
from bot.testing.harness import DESK_CHAT, NOON, PLACE, TestBot
from tests.fakes.telegram_server import BOT_ID, TOKEN, FakeTelegram

OWNER, ANNA, LINE = 77, 1001, "con-1"
WORDS = "Сколько идёт доставка?"


@dataclass
class Account:
    """A bot whose adapter polls the fake server, and the people who write."""

    testbot: TestBot
    telegram: FakeTelegram

    async def happens(self, kind: str, body: Any) -> None:
        """An update comes, and everything that follows from it is done."""
        number = self.telegram.push(kind, body)
        await self.telegram.wait_for(lambda: number in self.telegram.confirmed)
        await self.testbot.rest()

    async def connects(self, **rights: bool) -> None:
        await self.happens("business_connection", self.telegram.connect(LINE, owner=OWNER, **rights))

    async def writes(
        self, text: str, *, by: int = ANNA, id: int = 5, edited: bool = False, **more: Any
    ) -> None:
        self.telegram.lately.add(ANNA)
        kind = "edited_business_message" if edited else "business_message"
        await self.happens(kind, message(text, by=by, id=id, business_connection_id=LINE, **more))

    def said(self) -> list[dict[str, Any]]:
        """What was sent in the account's chats."""
        return [c.params for c in self.telegram.of("sendMessage") if "business_connection_id" in c.params]

    def desk(self, mark: str = "") -> list[str]:
        sent = [c.params for c in self.telegram.of("sendMessage") if c.params["chat_id"] == int(DESK_CHAT)]
        return [p["text"] for p in sent if mark in p["text"]]


def message(text: str, *, by: int = ANNA, id: int = 5, **more: Any) -> dict[str, Any]:
    name = "Анна" if by == ANNA else "Ирина"
    chat = {"id": ANNA, "type": "private", "first_name": "Анна"}
    who = {"id": by, "is_bot": False, "first_name": name, "language_code": "ru"}
    return {"message_id": id, "date": int(NOON.timestamp()), "chat": chat, "from": who, "text": text, **more}


@asynccontextmanager
async def polling(articles: Path, *, business: bool = True) -> AsyncIterator[Account]:
    async with FakeTelegram() as telegram:
        telegram.results["getChat"] = {"id": int(DESK_CHAT), "type": "supergroup", "is_forum": True}
        telegram.results["getChatMember"] = {"status": "creator"}
        clock = HandClock(NOON)
        own = TelegramSettings(
            token=TOKEN, api_base=telegram.base, timeout=2, poll_seconds=1, business=business
        )
        adapter = TelegramAdapter("telegram", own, clock=clock)
        config = Config().model_dump(exclude={"base", "channels", "desk"})
        config["knowledge"] |= {"folder": str(articles), "embeddings": {"model": "off"}}
        service = await build_service(
            Config(**config),
            Overrides(
                adapters={"telegram": adapter},
                clock=clock,
                desk=PLACE,
                storage=harness.make_store(clock),
                log_events=False,
            ),
        )
        intake = asyncio.create_task(adapter.run(partial(service.inbox.accept, "telegram"), cursor=None))
        try:
            yield Account(TestBot(service, clock, {}, PLACE), telegram)
        finally:
            intake.cancel()
            await asyncio.gather(intake, return_exceptions=True)
            await service.close()
            await adapter.close()


@pytest.fixture
async def account(articles: Path) -> AsyncIterator[Account]:
    async with polling(articles) as opened:
        await opened.connects(can_reply=True, can_delete_sent_messages=True)
        yield opened


async def test_a_customer_of_the_owner_is_answered_in_the_owners_name(account: Account) -> None:
    """By the connection, as a reply in that chat; operators hear once that the bot is connected."""
    await account.writes(WORDS)

    assert any("3–5 дней" in p["text"] for p in account.said())
    assert all(p["business_connection_id"] == LINE and p["chat_id"] == ANNA for p in account.said())
    assert all(not p.get("message_thread_id") for p in account.said())
    assert len(account.desk("Ирина: бот подключён к личному аккаунту")) == 1


async def test_nothing_is_asked_for_unless_it_is_configured(articles: Path) -> None:
    async with polling(articles, business=False) as account:
        account.telegram.connect(LINE, owner=OWNER, can_reply=True)
        await account.writes(WORDS)

        asked = account.telegram.of("getUpdates")[0].params["allowed_updates"]
        assert not any("business" in kind for kind in asked)
        assert account.said() == [] and account.telegram.of("getBusinessConnection") == []


async def test_the_owner_writes_by_hand_and_the_bot_steps_back(account: Account) -> None:
    """Their words are an operator's in the history; what the bot or the account says by itself is neither,
    and the owner is never answered.
    """
    await account.writes("Здравствуйте, доставим завтра", by=OWNER)
    await account.writes(WORDS, id=6)
    await account.writes("автоответ", by=OWNER, id=7, is_from_offline=True)
    bot = {"id": BOT_ID, "is_bot": True, "first_name": "Бот"}
    await account.writes("сказано ботом", by=OWNER, id=8, sender_business_bot=bot)
    await account.writes("правка", by=OWNER, id=5, edited=True)
    saved = {"id": OWNER, "type": "private", "first_name": "Ирина"}
    await account.writes("себе на память", by=OWNER, id=9, chat=saved)

    assert account.said() == []
    lines = [(line.author, line.text) for line in await account.testbot.store.history(2)]
    assert lines == [("operator", "Здравствуйте, доставим завтра"), ("customer", WORDS)]
    await account.testbot.later(minutes=31)
    await account.writes("а сколько стоит доставка", id=10)
    assert any("350" in p["text"] for p in account.said())


async def test_a_person_is_one_customer_in_both_chats(account: Account) -> None:
    """The chat with the bot and that of the account are two conversations of one customer, whose messages
    with the same numbers are not taken for one another.
    """
    await account.happens("message", message("позовите оператора", id=5))
    await account.writes("это снова я, про заказ 12345", id=5)

    [anna] = [r.customer for r in await account.testbot.store.listeners()]
    private, theirs = Peer("telegram", str(ANNA)), account_peer("telegram", ANNA, LINE)
    found = [await account.testbot.store.conversation(peer) for peer in (private, theirs)]
    assert [c.customer for c in found if c is not None] == [anna.id, anna.id]
    assert found[1] is not None and found[1].ticket == 1, "the ticket follows them"
    names = {o.name for o in await _deliveries(account) if o.mirror_of}
    assert f"telegram:{ANNA}:5" not in names and len(names) == 1


async def _deliveries(account: Account) -> Sequence[Any]:
    return [d.outbound for d in await account.testbot.store.deliveries(limit=100)]


async def test_operators_answer_into_the_account(account: Account) -> None:
    """Their answer and its change go by the connection; a day after the customer's last words Telegram
    refuses, and they hear why.
    """
    await account.writes("позовите оператора")
    ticket = account.testbot.operator()
    await ticket.says("Здравствуйте, это Ольга", ticket=1, message="31")
    assert account.said()[-1]["text"].endswith("Здравствуйте, это Ольга")

    await ticket.does(InboundKind.EDIT, "Здравствуйте, я Ольга", ticket=1, message="31")
    [change] = [c.params for c in account.telegram.of("editMessageText") if c.params["chat_id"] == ANNA]
    assert change["business_connection_id"] == LINE and change["text"].endswith("я Ольга")

    account.telegram.lately.clear()
    await ticket.says("Заказ уже едет", ticket=1, message="32")
    assert account.desk("давно не писал")


@pytest.mark.parametrize("change", [{"enabled": False}, {"can_reply": False}])
async def test_a_connection_that_may_not_answer_is_silent(account: Account, change: dict[str, bool]) -> None:
    """Taken away or read only: nobody is answered any more, and the operators' group hears which it is."""
    body = account.telegram.connect(LINE, owner=OWNER, **{"can_reply": True, **change})
    await account.happens("business_connection", body)
    await account.writes(WORDS)

    assert (
        account.said() == []
        and await account.testbot.store.conversation(account_peer("telegram", ANNA, LINE)) is None
    )
    assert account.desk("отключён" if "enabled" in change else "не разрешено")


async def test_a_connection_from_before_the_start_is_asked_for(articles: Path) -> None:
    """After a restart nothing is known: Telegram is asked before the words are read; while it does not answer
    they come again, and one that is gone is off.
    """
    async with polling(articles) as account:
        account.telegram.connect(LINE, owner=OWNER, can_reply=True)
        account.telegram.cut("getBusinessConnection")
        await account.writes(WORDS)
        assert any("3–5 дней" in p["text"] for p in account.said())
        gone = message(WORDS, id=8, business_connection_id="con-2")
        await account.happens("business_message", gone)

        assert {p["business_connection_id"] for p in account.said()} == {LINE}


async def test_a_deleted_message_and_an_edit_of_the_customer(account: Account) -> None:
    """An edit is answered anew, a deletion changes nothing; the same update twice is one."""
    await account.writes("абракадабра", id=5)
    await account.writes(WORDS, id=5, edited=True)
    assert any("3–5 дней" in p["text"] for p in account.said())
    before = len(account.said())
    chat = {"id": ANNA, "type": "private"}
    deleted = {"business_connection_id": LINE, "chat": chat, "message_ids": [5]}
    await account.happens("deleted_business_messages", deleted)
    assert len(account.said()) == before


async def test_the_doctor_says_what_the_account_lacks(account: Account) -> None:
    adapter = account.testbot.service.adapters["telegram"]
    assert "TG017" in [p.code for p in await adapter.check()]


async def test_nobody_is_written_to_first_in_the_owners_name(account: Account) -> None:
    await account.writes(WORDS)

    assert await account.testbot.store.listeners() == ()
