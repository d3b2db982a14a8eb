"""Open pages hear of everything once, also after having been away."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from aiohttp import ClientError, web
from aiohttp.test_utils import TestClient, TestServer

from bot.web.events import RING, EventHub, stream
from tests.web.conftest import Page


async def _read(response: Any, until: str) -> str:
    text = ""
    while until not in text:
        text += (await asyncio.wait_for(response.content.readany(), 5)).decode()
    return text


async def test_a_page_hears_what_changes(page: Page) -> None:
    """A message typed in one window arrives in another, with an id to come back with."""
    async with page.client.get("/events") as response:
        await page.say("где мой заказ")
        text = await _read(response, "event: message")

    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert text.startswith("retry: ")
    assert f"id: {page.services.hub.mark}-" in text


async def test_what_was_missed_is_told_again(page: Page) -> None:
    """`Last-Event-ID` brings everything after it, and nothing twice."""
    hub = page.services.hub
    hub.tell("first", {})
    seen = hub.last_id
    hub.tell("second", {"text": "<script>alert(1)</script>\nid: 999"})
    hub.tell("third", {})

    async with page.client.get("/events", headers={"Last-Event-ID": seen}) as response:
        text = await _read(response, "event: third")

    assert "event: first" not in text and "event: second" in text
    assert "\nid: 999" not in text


async def test_an_id_of_another_start_or_too_old_makes_the_page_read_anew() -> None:
    """Nothing is silently missing."""
    hub = EventHub()
    for number in range(RING + 10):
        hub.tell("n", {"number": number})

    for last_id in (f"{hub.mark}-1", "deadbeef-5", "nonsense", f"{hub.mark}-99999"):
        lines = hub.listen(last_id)
        assert "retry" in await anext(lines)
        assert "event: reload" in await anext(lines)
        await lines.aclose()  # type: ignore[attr-defined]


async def test_silence_is_pinged_and_a_slow_page_is_cut_off() -> None:
    """A proxy keeps the connection; a page that never reads does not fill the memory."""
    hub = EventHub(ping=0.01)
    lines = hub.listen()
    assert "retry" in await anext(lines)
    assert await anext(lines) == ": ping\n\n"
    assert hub.pages == 1

    for number in range(1100):
        hub.tell("n", {"number": number})

    assert hub.pages == 0
    assert len([line async for line in lines]) <= 1001


async def test_streams_end_when_the_server_stops(page: Page) -> None:
    """Stopping does not wait for open pages."""
    async with page.client.get("/events") as response:
        await _read(response, "retry")

        await asyncio.wait_for(page.client.server.close(), 5)

        assert await asyncio.wait_for(response.content.read(), 5) == b""


async def test_a_page_that_left_at_once_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    """Its connection is gone before anything was said: nothing in the log."""

    async def left(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return await stream(request, EventHub())

    app = web.Application()
    app.router.add_get("/events", left)
    async with TestClient(TestServer(app)) as client:
        with caplog.at_level(logging.ERROR), pytest.raises(ClientError):
            await client.get("/events")
    assert caplog.records == []
