"""Every channel of ours keeps the contract."""

from __future__ import annotations

import asyncio
import io
import queue
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from bot.adapters.max.adapter import MaxAdapter
from bot.adapters.max.settings import MaxSettings
from bot.adapters.playground.adapter import WebAdapter
from bot.adapters.playground.typed_message import TypedMessage
from bot.adapters.telegram.adapter import TelegramAdapter
from bot.adapters.telegram.settings import TelegramSettings
from bot.adapters.terminal import TerminalAdapter
from bot.adapters.vk.adapter import VkAdapter
from bot.adapters.vk.settings import VkSettings
from bot.clock import Clock
from bot.model import Sender
from bot.testing.contracts.adapter import AdapterContract, Fault
from tests.adapters.email.mail_platform import EmailPlatform
from tests.fakes import max_server, telegram_server, vk_server
from tests.fakes.imap_server import FakeImap
from tests.fakes.max_server import FakeMax
from tests.fakes.smtp_server import FakeSmtp
from tests.fakes.telegram_server import FakeTelegram
from tests.fakes.vk_server import FakeVk


class TelegramPlatform:
    queue = keeps_views = True
    chat = "5"

    def __init__(self, server: FakeTelegram) -> None:
        self.server = server
        server.refuse("getChat", 400, "Bad Request: chat not found", times=9)
        server.results["getChatMember"] = {
            "status": "left",
            "user": {"id": 1, "is_bot": False, "first_name": "x"},
        }
        self.adapter = TelegramAdapter(
            "telegram",
            TelegramSettings(token=telegram_server.TOKEN, api_base=server.base, poll_seconds=1, timeout=0.5),
        )
        self.number, self.refused = 0, -1

    def _message(self, text: str) -> dict[str, object]:
        self.number += 1
        chat = {"id": 5, "type": "private", "first_name": "Анна"}
        return {
            "message_id": self.number,
            "date": 1_700_000_000,
            "chat": chat,
            "from": {**chat, "is_bot": False},
            "text": text,
        }

    async def writes(self, text: str) -> None:
        self.last = self._message(text)
        self.update = self.server.push("message", self.last)

    async def repeats(self) -> None:
        self.server.queue.append({"update_id": self.update, "message": self.last})

    async def presses(self) -> None:
        sent = next(c for c in reversed(self.server.calls) if "reply_markup" in c.params)
        data = sent.params["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
        shown = {"message_id": 501, "date": 1, "chat": {"id": 5, "type": "private"}, "text": "?"}
        person = {"id": 5, "is_bot": False, "first_name": "Анна"}
        self.server.push(
            "callback_query",
            {"id": "77", "from": person, "chat_instance": "1", "data": data, "message": shown},
        )

    def shown(self) -> Sequence[str]:
        seen: dict[int, str] = {}
        number = 500
        for n, call in enumerate(self.server.calls):
            if n == self.refused:
                continue
            words = str(call.params.get("text", call.params.get("caption", "")))
            if call.method in ("sendMessage", "sendPhoto", "sendDocument"):
                number += 1
                seen[number] = words
            elif call.method == "editMessageText":
                number += 1
                seen[int(call.params["message_id"])] = words
            elif call.method == "deleteMessage":
                seen.pop(int(call.params["message_id"]))
        return list(seen.values())

    def fails(self, fault: Fault) -> bool:
        self.refused = len(self.server.calls)
        match fault:
            case "limit":
                self.server.refuse("sendMessage", 429, "Too Many Requests: retry after 3", retry_after=3)
            case "blocked":
                self.server.refuse("sendMessage", 403, "Forbidden: bot was blocked by the user")
            case "cut":
                self.server.cut("sendMessage", times=3)
        return True


class TestTelegram(AdapterContract):
    @pytest.fixture
    async def platform(self) -> AsyncIterator[TelegramPlatform]:
        async with FakeTelegram() as server:
            platform = TelegramPlatform(server)
            yield platform
            await platform.adapter.close()


class VkPlatform:
    queue = keeps_views = True
    chat = "5"

    def __init__(self, server: FakeVk) -> None:
        self.server = server
        server.answers["messages.getConversationMembers"] = {"count": 0, "items": [], "profiles": []}
        self.adapter = VkAdapter(
            "vk",
            VkSettings(
                token=vk_server.TOKEN, group_id=vk_server.GROUP, api_base=server.base, wait=1, mark_read=False
            ),
        )

    async def writes(self, text: str) -> None:
        self.server.writes(5, text)

    async def repeats(self) -> None:
        last = self.server.events[self.server.ts]
        self.server.happens(last["type"], last["object"], key=last["event_id"])

    async def presses(self) -> None:
        sent = next(m for m in reversed(self.server.sent) if m.params.get("keyboard"))
        payload = sent.params["keyboard"]["buttons"][0][0]["action"]["payload"]
        self.server.happens(
            "message_event",
            {
                "user_id": 5,
                "peer_id": 5,
                "event_id": "ev",
                "payload": payload,
                "conversation_message_id": sent.number,
            },
        )

    def shown(self) -> Sequence[str]:
        gone = {
            c["message_ids"] if "message_ids" in c else c.get("cmids")
            for c in self.server.called("messages.delete")
        }
        return [
            str((m.edits or [m.params])[-1]["message"])
            for m in self.server.sent
            if not {m.id, m.number, str(m.id), str(m.number)} & gone
        ]

    def fails(self, fault: Fault) -> bool:
        faults: dict[Fault, int | str] = {"limit": 9, "blocked": 901, "cut": vk_server.CUT}
        self.server.fail("messages.send", faults[fault], after=fault == "cut")
        return True


class TestVk(AdapterContract):
    @pytest.fixture
    async def platform(self) -> AsyncIterator[VkPlatform]:
        async with FakeVk() as server:
            platform = VkPlatform(server)
            yield platform
            await platform.adapter.close()


class MaxPlatform:
    queue = keeps_views = True
    chat = "5"

    def __init__(self, server: FakeMax) -> None:
        self.server = server
        server.person(5)
        keys = MaxSettings(
            token=max_server.TOKEN, api_base=server.base, poll_seconds=1, poll_pause=0, timeout=0.5
        )
        self.adapter = MaxAdapter("max", keys)

    async def writes(self, text: str) -> None:
        self.server.writes(5, text)

    async def repeats(self) -> None:
        self.server.repeats()

    async def presses(self) -> None:
        self.server.presses(5, next(m for m in reversed(self.server.said) if m.buttons))

    def shown(self) -> Sequence[str]:
        return [m.text for m in self.server.said]

    def fails(self, fault: Fault) -> bool:
        match fault:
            case "limit":
                self.server.refuse("POST", "/messages", 429, "too.many.requests", Retry_After="3")
            case "blocked":
                self.server.blocked.add(5)
            case "cut":
                self.server.cut("POST", "/messages", done=True)
        return True


class TestMax(AdapterContract):
    @pytest.fixture
    async def platform(self) -> AsyncIterator[MaxPlatform]:
        async with FakeMax() as server:
            platform = MaxPlatform(server)
            yield platform
            await platform.adapter.close()


class TestEmail(AdapterContract):
    @pytest.fixture
    async def platform(self) -> AsyncIterator[EmailPlatform]:
        async with FakeImap() as imap, FakeSmtp() as smtp:
            platform = EmailPlatform(imap, smtp)
            yield platform
            await platform.adapter.close()


class WebPlatform:
    queue, keeps_views = False, True
    chat = "501"

    def __init__(self, folder: Path) -> None:
        self.adapter = WebAdapter("play-telegram", files=folder, now=Clock())
        self.adapter.add(Sender("501", "Анна"))
        self.number = 0

    async def writes(self, text: str) -> None:
        self.number += 1
        await self.adapter.say("501", "501", TypedMessage(text), key=str(self.number))

    async def repeats(self) -> None:
        """Nothing is delivered twice on a page."""

    async def presses(self) -> None:
        found = self.adapter.find_button("Да", "501")
        assert found is not None
        await self.adapter.press("501", "501", *found, key="press")

    def shown(self) -> Sequence[str]:
        [chat] = [r for r in self.adapter.view()["chats"] if r["chat"] == "501"]  # type: ignore[attr-defined]
        return [_text(m) for m in chat["messages"] if m["author"] == "bot" and not m.get("deleted")]

    def fails(self, fault: Fault) -> bool:
        if fault == "blocked":
            self.adapter.blocked.add("501")
        return fault == "blocked"


def _text(shown: dict[str, object]) -> str:
    text = shown["text"]
    return str(text["text"]) if isinstance(text, dict) else str(text)


class TestWeb(AdapterContract):
    @pytest.fixture
    async def platform(self, tmp_path: Path) -> WebPlatform:
        return WebPlatform(tmp_path)


class TypedLines(io.StringIO):
    """Lines as somebody types them; None ends them."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: queue.Queue[str | None] = queue.Queue()

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]
        return iter(self.queue.get, None)

    def isatty(self) -> bool:
        return True


class TerminalPlatform:
    queue = keeps_views = False
    chat = "1"

    def __init__(self) -> None:
        self.typed, self.out = TypedLines(), io.StringIO()
        self.adapter = TerminalAdapter("terminal", clock=Clock(), lines=self.typed, out=self.out)

    async def writes(self, text: str) -> None:
        self.typed.queue.put(text + "\n")

    async def repeats(self) -> None:
        """Nothing is typed twice by itself."""

    async def presses(self) -> None:
        await self.writes("1")

    def shown(self) -> Sequence[str]:
        return [t for t in self.out.getvalue().replace("\n      ", "\n").split("\n") if t]

    def fails(self, fault: Fault) -> bool:
        return False


class TestTerminal(AdapterContract):
    @pytest.fixture
    async def platform(self) -> AsyncIterator[TerminalPlatform]:
        platform = TerminalPlatform()
        yield platform
        platform.typed.queue.put(None)
        for thread in [t for t in threading.enumerate() if "_read_lines" in t.name]:
            await asyncio.to_thread(thread.join, 1)
        await platform.adapter.close()
