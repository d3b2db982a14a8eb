"""A page over the real store and the real channels of the playground, without anybody who answers."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.adapters.playground.adapter import WebAdapter, playground_channels
from bot.clock import Clock
from bot.inbox import Inbox
from bot.storage.sqlite.store import SqliteStore
from bot.web.server import build_app
from bot.web.services import WebServices
from tests.web.browser import browser, folder, url, watched

__all__ = ["browser", "folder", "url", "watched"]  # fixtures of every test in a browser

Client = TestClient[Any, Any]


@dataclass
class Page:
    """An open page: what it is served from, and its client with session and token."""

    services: WebServices
    store: SqliteStore
    client: Client
    telegram: WebAdapter
    vk: WebAdapter
    desk: WebAdapter
    token: str = ""

    @property
    def customer(self) -> str:
        """The first customer of the Telegram-like channel."""
        return next(iter(self.telegram.people))

    async def open(self) -> None:
        """Load the page, as a browser does, and keep its token."""
        html = await (await self.client.get("/", headers={"Accept": "text/html"})).text()
        self.token = html.partition('name="csrf" content="')[2].partition('"')[0]

    async def post(self, path: str, **data: object) -> Any:
        return await self.client.post(path, json=data, headers={"X-CSRF-Token": self.token})

    async def say(self, text: str, *, key: str = "", **more: object) -> Any:
        who = {"channel": "play-telegram", "chat": self.customer, "user": self.customer}
        return await self.post("/say", text=text, key=key or str(uuid.uuid4()), **{**who, **more})

    async def restart(self, files: Path) -> Page:
        """The same database with new channels and a new server, as after a restart."""
        channels = playground_channels(files=files, now=self.services.clock)
        return await _serve(self.store, self.services.clock, channels)


Opened = Callable[..., Awaitable[Page]]


async def _serve(store: SqliteStore, clock: Clock, channels: tuple[WebAdapter, ...], **more: Any) -> Page:
    services = WebServices(
        store, {s.name: s for s in channels}, clock, playground=[s.name for s in channels], **more
    )
    client: Client = TestClient(TestServer(build_app(services)))
    await client.start_server()
    telegram, vk, desk = channels
    return Page(services, store, client, telegram, vk, desk)


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Opened]:
    """Serve a page over a fresh store; keyword arguments go to `WebServices`."""
    store, clock = SqliteStore.open(":memory:"), Clock()
    inbox = Inbox(store, clock, settle=timedelta())
    pages: list[Page] = []
    running: list[asyncio.Task[None]] = []

    async def opened(**more: Any) -> Page:
        channels = playground_channels(files=tmp_path / "files", now=clock)
        page = await _serve(store, clock, channels, **more)
        pages.append(page)
        running.extend(
            asyncio.create_task(s.run(partial(inbox.accept, s.name), cursor=None)) for s in channels
        )
        await asyncio.sleep(0)
        await page.open()
        return page

    yield opened
    for page in pages:
        await page.client.close()
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await store.close()


@pytest.fixture
async def page(serve: Opened) -> Page:
    """The page of the playground."""
    return await serve()
