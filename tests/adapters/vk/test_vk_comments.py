"""Comments through VK's door: what is read, what is passed over, what its refusals mean, what doctor says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.adapters.vk.adapter import VkAdapter
from bot.adapters.vk.comments import CommentReader
from bot.adapters.vk.settings import WatchedComments
from bot.errors import DeliveryError, Refused, RetryLater
from bot.model import PUBLIC, InboundKind, Outbound, OutboundKind, Peer, RichText, Span, Style
from bot.testing.fakes import FakeFiles
from bot.testing.harness import NOON
from tests.adapters.vk.conftest import Kept, listening, make
from tests.fakes.vk_server import ADMIN, GROUP, FakeVk

EVERYWHERE = frozenset({"posts", "photos", "videos", "goods", "discussions"})
POSTS = WatchedComments(frozenset({"posts"}), ADMIN)
ON_WALL = Peer("vk", "5", f"{PUBLIC}wall-77_15.501")


def watched(vk: FakeVk, places: frozenset[str] = EVERYWHERE, key: str | None = ADMIN) -> VkAdapter:
    return make(vk, comments=WatchedComments(places, key))


def comment(text: str = "Да", to: Peer = ON_WALL, **more: Any) -> Outbound:
    return Outbound(to, RichText(text), **{"public": True, **more})


async def test_nothing_is_heard_where_nothing_is_configured(vk: FakeVk, kept: Kept) -> None:
    async with listening(vk, kept):
        await kept.until(lambda: vk.polls)
        vk.comments_on("wall", 15, 5, "сколько стоит?")
        vk.writes(5, "привет")
        await kept.until(lambda: kept.texts)
    assert kept.texts == ["привет"]
    assert not vk.called("messages.isMessagesFromGroupAllowed")


async def test_only_what_is_watched_is_heard(vk: FakeVk, kept: Kept) -> None:
    async with listening(vk, kept, comments=WatchedComments(frozenset({"photos"}))):
        await kept.until(lambda: vk.polls)
        vk.comments_on("wall", 15, 5, "под записью")
        vk.comments_on("photo", 9, 5, "под фотографией")
        await kept.until(lambda: kept.texts)
    assert kept.texts == ["под фотографией"]


async def test_the_callback_api_brings_the_same(vk: FakeVk, kept: Kept) -> None:
    vk.allowed.add(5)
    adapter = make(vk, mode="callback", secret="s", confirmation="c", comments=POSTS)
    app = web.Application()
    app.add_routes(adapter.routes())
    adapter.take_calls(kept)
    asked = vk.comments_on("wall", 15, 5, "сколько стоит?")
    event = {**vk.events[vk.ts], "secret": "s"}
    async with TestClient(TestServer(app)) as client:
        for _ in range(2):
            async with client.post("/hooks/vk", json=event) as answer:
                assert await answer.text() == "ok"
    await adapter.close()
    (inbound,) = kept.inbounds.values()
    assert inbound.key == inbound.message == f"wall-77_15_{asked.id}"
    assert inbound.peer == Peer("vk", "5", f"{PUBLIC}wall-77_15.{asked.id}") and inbound.data["alone"] is True
    assert inbound.private, "a customer's words, not an operator's"


async def test_a_comment_is_not_marked_as_read_in_the_private_chat(vk: FakeVk, kept: Kept) -> None:
    async with listening(vk, kept, comments=POSTS, mark_read=True) as adapter:
        await kept.until(lambda: vk.polls)
        vk.comments_on("wall", 15, 5, "сколько стоит?")
        await kept.until(lambda: kept.texts)
        await adapter.hint_typing("5", f"{PUBLIC}wall-77_15.501")
        await asyncio.sleep(0)
    assert not vk.called("messages.markAsRead") and not vk.called("messages.setActivity")


async def test_vk_may_not_tell_who_may_be_written_to(vk: FakeVk, kept: Kept) -> None:
    vk.fail("messages.isMessagesFromGroupAllowed", 10)
    async with listening(vk, kept, comments=POSTS):
        await kept.until(lambda: vk.polls)
        vk.comments_on("wall", 15, 5, "сколько стоит?")
        await kept.until(lambda: kept.texts)
    (inbound,) = kept.inbounds.values()
    assert "alone" not in inbound.data


def read(event: str, **what: Any) -> Any:
    reader = CommentReader("vk", GROUP, EVERYWHERE, lambda: NOON)
    return reader.read(event, {"id": 3, "from_id": 5, "date": 1, "text": "да", **what}, "e1")


WALL = {"post_owner_id": -GROUP, "post_id": 15}


@pytest.mark.parametrize(
    "what",
    [
        {**WALL, "from_id": -GROUP},
        {**WALL, "from_id": -9},
        {**WALL, "from_id": 0},
        {**WALL, "id": "x"},
        {**WALL, "post_id": None},
        {"post_owner_id": -9, "post_id": 15},
        {**WALL, "reply_to_user": 6, "reply_to_comment": 2},
        {**WALL, "text": "[id7|Маша] смотри"},
        {**WALL, "text": "[club9|Другие] смотрите"},
    ],
)
def test_what_is_not_for_us(what: dict[str, Any]) -> None:
    """The community's own words, other communities, other walls, people among themselves, rubbish."""
    assert read("wall_reply_new", **what) is None


@pytest.mark.parametrize(
    "what",
    [
        WALL,
        {**WALL, "parents_stack": "x", "date": 10**20},
        {**WALL, "parents_stack": [None]},
        {**WALL, "reply_to_user": -GROUP, "parents_stack": [2]},
        {**WALL, "text": f"[club{GROUP}|Мы], да", "reply_to_user": 6},
        {**WALL, "text": f"[public{GROUP}|Мы] да"},
    ],
)
def test_what_is_for_us(what: dict[str, Any]) -> None:
    found = read("wall_reply_new", **what)
    assert found.text == "да" and found.kind is InboundKind.MESSAGE and found.at.tzinfo


def test_names_stand_in_place_of_marks() -> None:
    found = read(
        "board_post_new", topic_id=4, topic_owner_id=-GROUP, text=f"[club{GROUP}:bp-77_4|Мы], [id7|Маша] тут"
    )
    assert found.text == "Маша тут" and found.peer.thread == f"{PUBLIC}topic-77_4.0"


async def test_a_comment_is_addressed_and_nobody_else_is_called(vk: FakeVk, files: FakeFiles) -> None:
    vk.comments_on("wall", 15, 5, "?")
    adapter = watched(vk)
    text = RichText("Анна", (Span(Style.MENTION, 0, 4, "5"),)) + ", да. [id9|Пётр] @all "
    text = text + RichText("сайт", (Span(Style.LINK, 0, 4, "https://example.com/a"),))
    sent = await adapter.send(Outbound(ON_WALL, text, public=True), nonce=7, target="", files=files)
    again = await adapter.send(Outbound(ON_WALL, text, public=True), nonce=7, target="", files=files)
    await adapter.close()
    (said,) = [c for c in vk.comments if c.author == -GROUP]
    assert said.text.startswith("[id5|Анна], да. ") and "https://example.com/a" in said.text
    assert "[id9|" not in said.text and "@all" not in said.text
    assert sent == again and sent.message == f"wall-77_15_{said.id}"


@pytest.mark.parametrize(
    ("place", "method", "code", "key", "met"),
    [
        ("wall-77_15.501", "wall.createComment", 27, ADMIN, "comment_rights"),
        ("wall-77_15.501", "wall.createComment", 213, None, "comment_rights"),
        ("wall-77_15.501", "wall.createComment", 222, None, "comment_links"),
        ("photo-77_15.0", "photos.createComment", 0, None, "comment_rights"),
        ("photo-77_15.0", "photos.createComment", 5, ADMIN, "comment_rights"),
        ("product-77_15.0", "market.createComment", 1117, ADMIN, "comment_rights"),
    ],
)
async def test_no_refusal_of_a_comment_stops_the_channel(
    vk: FakeVk, files: FakeFiles, place: str, method: str, code: int, key: str | None, met: str
) -> None:
    vk.comments_on("wall", 15, 5, "?")
    adapter = watched(vk, key=key)
    if code:
        vk.fail(method, code, code)
    with pytest.raises(Refused) as refused:
        await adapter.send(comment(to=Peer("vk", "5", PUBLIC + place)), nonce=1, target="", files=files)
    await adapter.close()
    assert refused.value.code == met


async def test_where_links_are_forbidden_the_words_go_without_them(vk: FakeVk, files: FakeFiles) -> None:
    vk.comments_on("wall", 15, 5, "?")
    vk.fail("wall.createComment", 222)
    adapter = watched(vk)
    await adapter.send(comment("Да.\n\nПодробнее: https://vk.me/club77"), nonce=1, target="", files=files)
    await adapter.close()
    assert [c.text for c in vk.comments if c.author == -GROUP] == ["Да."]


async def test_bad_weather_is_waited_out(vk: FakeVk, files: FakeFiles) -> None:
    adapter = watched(vk)
    for fault in (6, "502", "drop", 10):
        vk.fail("wall.createComment", fault)
        with pytest.raises(RetryLater):
            await adapter.send(comment(), nonce=1, target="", files=files)
    await adapter.close()


@pytest.mark.parametrize(
    "outbound",
    [
        comment(public=False),
        comment(to=Peer("vk", "5", f"{PUBLIC}somewhere")),
        comment(text=""),
        comment(kind=OutboundKind.EDIT, edits="x"),
        comment(text="delete", kind=OutboundKind.MODERATE, quotes="m57"),
    ],
)
async def test_what_cannot_be_said_in_public_is_refused(
    vk: FakeVk, files: FakeFiles, outbound: Outbound
) -> None:
    adapter = watched(vk)
    with pytest.raises(DeliveryError):
        await adapter.send(outbound, nonce=1, target="wall-77_15_501", files=files)
    await adapter.close()
    assert vk.comments == []


async def test_deleting_what_is_deleted_is_done(vk: FakeVk, files: FakeFiles) -> None:
    bad = [vk.comments_on(kind, 15, 5, "!") for kind in ("wall", "board")]
    adapter = watched(vk)
    for name in (f"wall-77_15_{bad[0].id}", f"topic-77_15_{bad[1].id}"):
        for _ in range(2):
            order = comment("delete", kind=OutboundKind.MODERATE, quotes=name)
            await adapter.send(order, nonce=1, target="", files=files)
    await adapter.close()
    assert all(c.deleted for c in bad)


def _nothing(vk: FakeVk) -> None:
    return


def _off(vk: FakeVk) -> None:
    vk.events_off |= {"wall_reply_new", "photo_comment_edit"}


def _no_wall(vk: FakeVk) -> None:
    vk.scopes.discard("wall")


def _stranger(vk: FakeVk) -> None:
    vk.is_admin = 0


def _few_rights(vk: FakeVk) -> None:
    vk.admin_mask = 1 << 13


@pytest.mark.parametrize(
    ("spoil", "key", "said"),
    [
        (_nothing, ADMIN, []),
        (
            _nothing,
            None,
            ["VK не даёт сообществу отвечать под фотографиями, под видео, под товарами, в обсуждениях"],
        ),
        (_off, ADMIN, ["под записями", "под фотографиями"]),
        (_no_wall, ADMIN, ["стена сообщества"]),
        (_stranger, ADMIN, ["не администратору"]),
        (_few_rights, ADMIN, ["groups, photos, video, market"]),
        (_nothing, "wrong", ["не принимает ключ администратора"]),
    ],
)
async def test_doctor_names_what_comments_lack(
    vk: FakeVk, spoil: Callable[[FakeVk], None], key: str | None, said: list[str]
) -> None:
    spoil(vk)
    adapter = watched(vk, key=key)
    problems = [str(p) for p in await adapter.check()]
    await adapter.close()
    assert len(problems) == len(said), problems
    assert all(any(words in p for p in problems) for words in said)
    assert not any(str(key) in p for p in problems if key)
