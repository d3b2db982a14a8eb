"""Taking in by Callback API: "ok" only when it is kept, and only to VK."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.adapters.vk.adapter import VkAdapter
from bot.errors import AccountError, ConfigError
from tests.adapters.vk.conftest import Kept, make
from tests.fakes.vk_server import GROUP, FakeVk, message

SECRET = "тайна-1"


@asynccontextmanager
async def serving(
    vk: FakeVk, kept: Kept, *, run: bool = True
) -> AsyncIterator[tuple[TestClient[Any, Any], VkAdapter]]:
    adapter = make(vk, mode="callback", secret=SECRET, confirmation="c0ffee")
    app = web.Application()
    app.add_routes(adapter.routes())
    task = asyncio.create_task(adapter.run(kept, cursor=kept.cursor)) if run else None
    async with TestClient(TestServer(app)) as client:
        if run:
            await kept.until(lambda: adapter.health.state == "working")
        yield client, adapter
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await adapter.close()


def new(**more: Any) -> dict[str, Any]:
    return {
        "type": "message_new",
        "group_id": GROUP,
        "event_id": "e1",
        "secret": SECRET,
        "object": {"message": dict(message(text="привет"))},
        **more,
    }


async def post(client: TestClient[Any, Any], body: Any, **headers: str) -> tuple[int, str, str]:
    async with client.post("/hooks/vk", json=body, headers=headers) as answer:
        return answer.status, await answer.text(), answer.headers.get("Retry-After", "")


async def test_a_process_that_does_not_run_the_channel_takes_its_calls(vk: FakeVk, kept: Kept) -> None:
    """VK's calls may come to any process; what was missed is asked for by the one that runs the channel."""
    async with serving(vk, kept, run=False) as (client, adapter):
        assert (await post(client, new()))[0] == 503
        adapter.take_calls(kept)
        assert await post(client, new()) == (200, "ok", "")
    assert len(kept.inbounds) == 1


async def test_ok_means_kept(vk: FakeVk, kept: Kept) -> None:
    """The answer is exactly "ok"; a repeat is the same message."""
    async with serving(vk, kept) as (client, _):
        assert await post(client, new()) == (200, "ok", "")
        assert (await post(client, new(), **{"X-Retry-Counter": "1"}))[1] == "ok"

    assert list(kept.inbounds) == ["5:3"] and kept.cursor is not None and kept.cursor.startswith("@")


async def test_what_cannot_be_kept_is_asked_for_again(vk: FakeVk, kept: Kept) -> None:
    """503 with a time: VK comes again, and then it is kept."""
    async with serving(vk, kept) as (client, _):
        kept.failures = 1
        assert await post(client, new()) == (503, "later", "5")
        assert (await post(client, new()))[:2] == (200, "ok")

    assert kept.texts == ["привет"]


async def test_before_the_start_nothing_is_taken(vk: FakeVk, kept: Kept) -> None:
    """A page that is up before the channel must not swallow events."""
    async with serving(vk, kept, run=False) as (client, _):
        assert (await post(client, new()))[0] == 503


async def test_the_server_is_confirmed_for_our_group_only(vk: FakeVk, kept: Kept) -> None:
    """Nobody else learns the string."""
    async with serving(vk, kept, run=False) as (client, _):
        assert await post(client, {"type": "confirmation", "group_id": GROUP}) == (200, "c0ffee", "")
        status, text, _ = await post(client, {"type": "confirmation", "group_id": GROUP + 1})
        assert status == 403 and "c0ffee" not in text


@pytest.mark.parametrize("secret", ["", "тайна-2", "x" * 5000, None, 7, ["тайна-1"], "\ud800"])
async def test_a_wrong_secret_leaves_no_trace(vk: FakeVk, kept: Kept, secret: object) -> None:
    """Whatever stands there instead of the secret, the call is refused."""
    async with serving(vk, kept) as (client, _):
        assert (await post(client, new(secret=secret)))[0] == 403

    assert not kept.inbounds


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"{}", b"[" * 100_000, b"\xff\xfe"])
async def test_nonsense_is_refused(vk: FakeVk, kept: Kept, body: bytes) -> None:
    """Anybody can call: nothing they send may break the callback."""
    async with serving(vk, kept, run=False) as (client, _), client.post("/hooks/vk", data=body) as answer:
        assert answer.status in (400, 403)


async def test_unknown_events_are_acknowledged(vk: FakeVk, kept: Kept) -> None:
    """VK stops calling a server that refuses; what says nothing to us is "ok" too."""
    async with serving(vk, kept) as (client, _):
        assert (await post(client, new(type="wall_post_new", object={"id": 1})))[:2] == (200, "ok")

    assert not kept.inbounds


async def test_what_was_missed_is_caught_up(vk: FakeVk, kept: Kept) -> None:
    """VK gives up after a while: at the start the unanswered are asked for, since the last kept moment."""
    kept.cursor = "@1699999990"
    vk.writes(5, "пока вас не было")
    async with serving(vk, kept):
        pass

    assert kept.texts == ["пока вас не было"]


async def test_a_quiet_night_is_no_failure(vk: FakeVk, kept: Kept) -> None:
    """VK calls only when somebody writes: silence says nothing here, while a long poll is never silent."""
    async with serving(vk, kept, run=False) as (_, adapter):
        assert not adapter.health.polls
    polling = make(vk)
    assert polling.health.polls
    await polling.close()


async def test_a_wrong_token_ends_it_here_too(vk: FakeVk, kept: Kept) -> None:
    """Receiving would work without a token, answering would not."""
    adapter = make(vk, mode="callback", secret=SECRET, confirmation="c", token="wrong")
    with pytest.raises(AccountError):
        await asyncio.wait_for(adapter.run(kept, cursor=None), 5)
    await adapter.close()


async def test_long_poll_serves_no_callback(vk: FakeVk) -> None:
    """Only callback mode is served; there the secret and the string must be set."""
    adapter = make(vk)
    assert adapter.routes() == []
    await adapter.close()
    with pytest.raises(ConfigError) as caught:
        make(vk, mode="callback")
    assert {p.code for p in caught.value.problems} == {"vk-secret", "vk-confirmation"}


def test_a_proxy_must_be_usable() -> None:
    """What the client cannot use is said before the start."""
    with pytest.raises(ConfigError):
        make(FakeVk(), proxy="ftp://127.0.0.1:1")
