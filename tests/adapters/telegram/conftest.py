"""A Telegram adapter on a small fake Bot API server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.adapters.telegram.adapter import TelegramAdapter
from bot.adapters.telegram.settings import TelegramSettings
from bot.model import Inbound, Outbound, Sent
from bot.testing.fakes import FakeFiles
from tests.fakes.telegram_server import TOKEN, FakeTelegram


class Kept:
    """The inbox for tests: keeps each key once, and can be told to fail."""

    def __init__(self) -> None:
        self.inbounds: dict[str, Inbound] = {}
        self.calls = 0
        self.failures: list[Exception] = []

    async def __call__(self, inbounds: Sequence[Inbound], *, cursor: str | None = None) -> None:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        for inbound in inbounds:
            self.inbounds.setdefault(inbound.key, inbound)

    @property
    def all(self) -> list[Inbound]:
        return list(self.inbounds.values())


@pytest.fixture
async def server() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as telegram:
        yield telegram


@pytest.fixture
async def adapter(server: FakeTelegram) -> AsyncIterator[TelegramAdapter]:
    telegram = TelegramAdapter(
        "telegram", TelegramSettings(token=TOKEN, api_base=server.base, poll_seconds=1, timeout=0.5)
    )
    yield telegram
    await telegram.close()


@pytest.fixture
def files() -> FakeFiles:
    return FakeFiles()


@pytest.fixture
def kept() -> Kept:
    return Kept()


@asynccontextmanager
async def running(adapter: TelegramAdapter, kept: Any) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(adapter.run(kept, cursor=None))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def say(adapter: TelegramAdapter, files: FakeFiles) -> Any:
    async def send(outbound: Outbound, *, nonce: int = 42, target: str = "") -> Sent:
        return await adapter.send(outbound, nonce=nonce, target=target, files=files)

    return send
