"""A MAX adapter on a small fake MAX."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.adapters.max.adapter import MaxAdapter
from bot.adapters.max.settings import MaxSettings
from bot.model import Outbound, Peer, RichText
from bot.testing.contracts.adapter import KeptInbounds
from bot.testing.fakes import FakeFiles
from tests.fakes.max_server import TOKEN, FakeMax

ANNA, GROUP = 5, -700


def say(text: str | RichText = "", *, chat: int = ANNA, **more: Any) -> Outbound:
    return Outbound(Peer("max", str(chat)), RichText(text) if isinstance(text, str) else text, **more)


def make(server: FakeMax, **more: Any) -> MaxAdapter:
    keys = {"token": TOKEN, "api_base": server.base, "poll_seconds": 1, "poll_pause": 0, "timeout": 2.0}
    return MaxAdapter("max", MaxSettings(**{**keys, "ready_pauses": (0.0, 0.0), **more}))


@pytest.fixture
async def server() -> AsyncIterator[FakeMax]:
    async with FakeMax() as server:
        server.person(ANNA, "Анна", last_name="Ким", username="anna")
        server.group(GROUP, members={9: "Ольга"})
        yield server


@pytest.fixture
async def adapter(server: FakeMax) -> AsyncIterator[MaxAdapter]:
    made = make(server)
    yield made
    await made.close()


@pytest.fixture
def files() -> FakeFiles:
    return FakeFiles()


@pytest.fixture
def kept() -> KeptInbounds:
    return KeptInbounds()
