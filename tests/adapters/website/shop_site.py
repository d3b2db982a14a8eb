"""A shop's page with the chat on it, as a browser on a foreign origin drives it: over real HTTP."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import jwt
from aiohttp import ClientResponse, FormData
from aiohttp.test_utils import TestClient, TestServer

from bot.adapters.website.adapter import WebsiteAdapter
from bot.adapters.website.settings import WebsiteSettings
from bot.app import Overrides
from bot.clock import HandClock
from bot.config.loader import Config
from bot.storage.base import Store
from bot.testing import TestBot, open_test_bot
from bot.testing.fakes import FakeAdapter
from bot.testing.harness import NOON
from bot.web.server import build_app
from bot.web.services import WebServices

SHOP, FOREIGN = "https://shop.example", "https://evil.example"
SECRET = "0123456789abcdef0123456789abcdef"
SETTINGS = WebsiteSettings(origins=(SHOP,), secret=SECRET, title="Чат", ask_email=True, letters="mail")


@dataclass
class Site:
    """A service whose channel `site` is the chat, and the server of its pages."""

    testbot: TestBot
    adapter: WebsiteAdapter
    server: TestServer
    client: TestClient[Any, Any]
    mail: FakeAdapter
    numbers: Any = field(default_factory=lambda: count(1))

    def browser(self, **kept: Any) -> Browser:
        return Browser(self, **kept)

    def login(self, sub: str = "4711", *, secret: str = SECRET, seconds: int = 300, **claims: Any) -> str:
        """What the shop signs for its customer *sub*."""
        ends = int(self.testbot.clock().timestamp()) + seconds
        return jwt.encode({"sub": sub, "exp": ends, **claims}, secret, algorithm="HS256")


@dataclass
class Browser:
    """One browser: it keeps the visitor's token and shows what it was told."""

    site: Site
    origin: str | None = SHOP
    token: str = ""
    cursor: str = "0"
    shown: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)

    async def ask(self, method: str, path: str, **more: Any) -> ClientResponse:
        headers = {**({"Origin": self.origin} if self.origin else {}), **more.pop("headers", {})}
        if self.token and "Authorization" not in headers:
            headers["Authorization"] = f"Bearer {self.token}"
        return await self.site.client.request(method, f"/chat/site/{path}", headers=headers, **more)

    async def does(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A POST that has to succeed."""
        answer = await self.ask("POST", path, json=body or {})
        assert answer.status == 200, (path, answer.status, await answer.text())
        return dict(await answer.json())

    async def opens(self, **body: Any) -> dict[str, Any]:
        """The page loads: what it is told."""
        told = await self.does("session", {"visitor": self.token, "language": "ru", **body})
        self.token, self.cursor, self.shown = told["visitor"], told["cursor"], told["messages"]
        self.settings = told["settings"]
        return told

    async def says(self, text: str, *, key: str = "") -> dict[str, Any]:
        key = key or f"key-{next(self.site.numbers):06}"
        return await self.does("messages", {"key": key, "text": text})

    async def sends(self, name: str, content: bytes, *, key: str = "", text: str = "") -> ClientResponse:
        form = FormData(quote_fields=False)  # as browsers write a name
        form.add_field("key", key or f"key-{next(self.site.numbers):06}")
        if text:
            form.add_field("text", text)
        form.add_field("file", io.BytesIO(content), filename=name)
        return await self.ask("POST", "files", data=form)

    async def presses(self, label: str) -> dict[str, Any]:
        message, button = next(
            (m, b) for m in reversed(self.shown) for b in m["buttons"] if label in b["label"]
        )
        key = f"key-{next(self.site.numbers):06}"
        return await self.does("presses", {"key": key, "message": message["id"], "button": button["id"]})

    async def polls(self) -> list[dict[str, Any]]:
        """What came since the last time, as the page shows it."""
        answer = await self.ask("GET", f"messages?after={self.cursor}")
        assert answer.status == 200, await answer.text()
        told = await answer.json()
        self.cursor = told["cursor"]
        for event in told["events"]:
            self._hears(event["event"], event["data"])
        return list(told["events"])

    async def streams(self, wanted: int) -> list[tuple[str, dict[str, Any]]]:
        """The first *wanted* events of a stream; then the connection is cut."""
        found: list[tuple[str, dict[str, Any]]] = []
        answer = await self.ask("GET", f"events?after={self.cursor}")
        assert answer.status == 200 and answer.content_type == "text/event-stream"
        fields: dict[str, str] = {}
        while len(found) < wanted:
            line = (await answer.content.readline()).decode().rstrip("\n")
            name, _, value = line.partition(": ")
            if line:
                fields[name] = value
            elif "data" in fields:
                found.append((fields["event"], json.loads(fields["data"])))
                self.cursor = fields.get("id", self.cursor)
                self._hears(*found[-1])
                fields = {}
            else:
                fields = {}
        answer.close()
        return found

    @property
    def texts(self) -> list[str]:
        """The words of the page, oldest first, each with whose they are."""
        return [f"{m['from']}: {m['text']}" for m in self.shown]

    def _hears(self, kind: str, data: dict[str, Any]) -> None:
        place = next((n for n, m in enumerate(self.shown) if m["id"] == data.get("id")), None)
        if kind == "remove":
            self.shown = [m for m in self.shown if m["id"] != data["id"]]
        elif kind in ("message", "edit") and place is not None:
            self.shown[place] = data
        elif kind == "message":
            self.shown.append(data)


@asynccontextmanager
async def open_site(
    articles: Path,
    settings: WebsiteSettings = SETTINGS,
    *,
    config: Config | None = None,
    storage: str | Store = "",
    clock: HandClock | None = None,
) -> AsyncIterator[Site]:
    clock = clock or HandClock(NOON)
    adapter = WebsiteAdapter("site", settings, clock=clock)
    mail = FakeAdapter("mail")  # where letters go
    given = Overrides(adapters={"site": adapter, "mail": mail}, clock=clock)
    async with open_test_bot(articles, config=config, storage=storage, given=given) as testbot:
        service = testbot.service
        services = WebServices(
            service.store, service.adapters, clock, chats=adapter.routes(), password="geheim", host="0.0.0.0"
        )
        adapter.take_calls(partial(service.inbox.accept, "site"))
        server = TestServer(build_app(services))
        client = TestClient(server)
        await client.start_server()
        try:
            yield Site(testbot, adapter, server, client, mail)
        finally:
            await adapter.close()
            await client.close()


def with_settings(**changes: Any) -> WebsiteSettings:
    return replace(SETTINGS, **changes)
