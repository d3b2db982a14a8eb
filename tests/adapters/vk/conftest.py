"""A VK adapter on a small fake VK."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.adapters.vk.adapter import VkAdapter
from bot.adapters.vk.settings import VkSettings
from bot.errors import StorageError
from bot.model import Inbound, InboundKind, Outbound, Peer, RichText
from bot.testing.fakes import FakeFiles
from tests.fakes.vk_server import GROUP, TOKEN, FakeVk


class Kept:
    """The inbox for tests: each key once, the cursor with them, and failures when told to."""

    def __init__(self) -> None:
        self.inbounds: dict[str, Inbound] = {}
        self.cursor: str | None = None
        self.cursors: list[str | None] = []
        self.failures = 0

    async def __call__(self, inbounds: Sequence[Inbound], *, cursor: str | None = None) -> None:
        if self.failures:
            self.failures -= 1
            raise StorageError("the disk is full")
        for inbound in inbounds:
            self.inbounds.setdefault(inbound.key, inbound)
        self.cursors.append(cursor)
        self.cursor = cursor or self.cursor

    @property
    def texts(self) -> list[str]:
        return [i.text for i in self.inbounds.values() if i.kind is InboundKind.MESSAGE]

    async def until(self, ready: Callable[[], object], seconds: float = 5.0) -> None:
        async with asyncio.timeout(seconds):
            while not ready():
                await asyncio.sleep(0.01)


def say(text: str | RichText = "", *, chat: int = 5, **more: Any) -> Outbound:
    return Outbound(Peer("vk", str(chat)), RichText(text) if isinstance(text, str) else text, **more)


@pytest.fixture
async def vk() -> AsyncIterator[FakeVk]:
    async with FakeVk() as server:
        yield server


@pytest.fixture
async def adapter(vk: FakeVk) -> AsyncIterator[VkAdapter]:
    made = make(vk)
    yield made
    await made.close()


@pytest.fixture
def files() -> FakeFiles:
    return FakeFiles()


@pytest.fixture
def kept() -> Kept:
    return Kept()


def make(vk: FakeVk, **more: Any) -> VkAdapter:
    return VkAdapter(
        "vk",
        VkSettings(
            **{"token": TOKEN, "group_id": GROUP, "api_base": vk.base, "wait": 1, "mark_read": False, **more}
        ),
    )


@asynccontextmanager
async def listening(vk: FakeVk, kept: Kept, **more: Any) -> AsyncIterator[VkAdapter]:
    """An adapter whose `run` goes on until the end of the block."""
    made = make(vk, **more)
    task = asyncio.create_task(made.run(kept, cursor=kept.cursor))
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await made.close()
