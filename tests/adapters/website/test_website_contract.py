"""The chat of a site keeps the contract of channels. Its platform is a browser on the shop's page, which asks
again with the same key until it hears that its words were kept.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.base import Accept
from bot.adapters.website.shown_line import message_json
from bot.model import Inbound
from bot.storage.database import SqliteDatabase
from bot.storage.queries import chat_lines
from bot.testing.contracts.adapter import AdapterContract, Fault
from tests.adapters.website.shop_site import Browser, Site, open_site


class SitePlatform:
    queue = keeps_views = True

    def __init__(self, site: Site, file: Path) -> None:
        self.site, self.adapter, self.store = site, site.adapter, site.testbot.store
        self.reader = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, factory=SqliteDatabase)
        self.reader.row_factory = sqlite3.Row
        self.browser, self.number, self.chat = Browser(site), 0, ""
        take = self.adapter.take_calls
        self.adapter.take_calls = lambda accept: take(self._both(accept))  # type: ignore[method-assign]

    def _both(self, accept: Accept) -> Accept:
        """What the contract's inbox keeps, the store keeps as well: there the chat lies."""

        async def kept(inbounds: Sequence[Inbound], *, cursor: str | None = None) -> None:
            await accept(inbounds, cursor=cursor)
            await self.site.testbot.service.inbox.accept("site", inbounds)

        return kept

    async def enter(self) -> None:
        """The customer has written before: who has not cannot be written to."""
        await self.browser.opens()
        await self.browser.says("здравствуйте")
        [listener] = await self.store.listeners()
        self.chat = listener.peer.chat

    async def writes(self, text: str) -> None:
        self.number += 1
        self.last = {"key": f"written-{self.number}", "text": text}
        await self._asks("messages", self.last)

    async def repeats(self) -> None:
        await self._asks("messages", self.last)

    async def presses(self) -> None:
        await self.browser.opens()
        await self.browser.presses("Да")

    def shown(self) -> Sequence[str]:
        lines = chat_lines.messages(self.reader, "site", self.chat, None, 100)
        return [str(message_json(line)["text"]) for line in lines if not line.own]

    def fails(self, fault: Fault) -> bool:
        if fault == "blocked":  # they were forgotten meanwhile
            self.chat = "nobody"
        return fault == "blocked"

    async def _asks(self, path: str, body: dict[str, Any]) -> None:
        async with asyncio.timeout(10):
            while (await self.browser.ask("POST", path, json=body)).status != 200:
                await asyncio.sleep(0.01)


class TestWebsite(AdapterContract):
    @pytest.fixture
    async def platform(self, articles: Path, tmp_path: Path) -> AsyncIterator[SitePlatform]:
        file = tmp_path / "bot.db"
        async with open_site(articles, storage=str(file)) as site:
            platform = SitePlatform(site, file)
            await platform.enter()
            yield platform
            platform.reader.close()
