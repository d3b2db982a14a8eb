"""The channel of the playground behaves as the real ones do, so that the service cannot tell the
difference.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.base import File, Files
from bot.adapters.playground.adapter import DESK_CHAT, WebAdapter, playground_channels
from bot.adapters.playground.typed_message import TypedMessage
from bot.errors import PeerGone, Refused, RetryLater, StorageError, TopicGone
from bot.model import (
    Attachment,
    Button,
    Inbound,
    InboundKind,
    Media,
    Outbound,
    OutboundKind,
    Peer,
    RichText,
    Sender,
    Span,
    Style,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ANNA = Sender("501", "Анна", "Соловей")


class Shelf(Files):
    """Files that another channel holds."""

    def __init__(self, content: bytes | None = b"\x89PNG") -> None:
        self.content = content

    async def read(self, attachment: Attachment) -> File:
        if self.content is None:
            raise Refused("too big")
        return File(self.content, "cup.png", "image/png")


@pytest.fixture
def channels(tmp_path: Path) -> tuple[WebAdapter, WebAdapter, WebAdapter]:
    """Telegram-like, VK-like, desk."""
    made = playground_channels(files=tmp_path, now=lambda: NOW)
    made[0].add(ANNA)
    made[1].add(ANNA)
    return made


def messages(channel: WebAdapter, chat: str, thread: str = "") -> list[dict[str, Any]]:
    """What the page shows of one chat."""
    chats: Any = channel.view()["chats"]
    return next((r["messages"] for r in chats if (r["chat"], r["thread"]) == (chat, thread)), [])


async def send(
    channel: WebAdapter,
    chat: str,
    text: str = "",
    *,
    nonce: int = 7,
    target: str = "",
    thread: str = "",
    **more: Any,
) -> str:
    outbound = Outbound(Peer(channel.name, chat, thread), RichText(text), **more)
    return (await channel.send(outbound, nonce=nonce, target=target, files=Shelf())).message


async def test_the_same_delivery_again_is_the_same_message(channels: tuple[WebAdapter, ...]) -> None:
    """A repeat after a crash shows nothing twice."""
    first = await send(channels[0], "501", "Здравствуйте", nonce=42)
    again = await send(channels[0], "501", "Здравствуйте", nonce=42)

    assert first == again
    assert [m["text"] for m in messages(channels[0], "501")] == ["Здравствуйте"]


async def test_each_verb_does_what_it_says(channels: tuple[WebAdapter, ...]) -> None:
    """Edit, react, pin and delete act on the message they name; acknowledging tells the page."""
    telegram, told = channels[0], []
    telegram.watch(lambda kind, what: told.append((kind, what.get("text"))))
    first = await send(telegram, "501", "Карточка", nonce=1, buttons=((Button("Взять", "take"),),))

    await send(telegram, "501", "Карточка: взято", nonce=2, target=first, kind=OutboundKind.EDIT)
    await send(telegram, "501", "👌", nonce=3, kind=OutboundKind.REACT, quotes=first)
    await send(telegram, "501", nonce=4, target=first, kind=OutboundKind.PIN)
    await send(telegram, "501", "Взяла Ольга", nonce=5, kind=OutboundKind.ACKNOWLEDGE, quotes="cb")
    (shown,) = messages(telegram, "501")
    assert (shown["text"], shown["edited"], shown["buttons"], shown["reaction"], shown["pinned"]) == (
        "Карточка: взято",
        True,
        [],
        "👌",
        True,
    )
    assert ("notice", "Взяла Ольга") in told

    await send(telegram, "501", nonce=6, target=first, kind=OutboundKind.DELETE)
    (shown,) = messages(telegram, "501")
    assert (shown["deleted"], shown["text"]) == (True, "")
    assert await send(telegram, "501", "x", nonce=8, target="n999", kind=OutboundKind.EDIT) == "n999"


async def test_topics_are_opened_once_and_made_again_when_deleted(channels: tuple[WebAdapter, ...]) -> None:
    """The outbox numbers openings alike; the ticket tells them apart.

    A deleted topic raises until it is opened anew.
    """
    desk = channels[2]
    one = await send(desk, DESK_CHAT, "🟡 №1 Анна", nonce=0, kind=OutboundKind.OPEN_TOPIC, ticket=1)
    two = await send(desk, DESK_CHAT, "🟡 №2 Павел", nonce=0, kind=OutboundKind.OPEN_TOPIC, ticket=2)
    assert one != two
    assert await send(desk, DESK_CHAT, "🟡 №1 Анна", nonce=0, kind=OutboundKind.OPEN_TOPIC, ticket=1) == one

    await send(desk, DESK_CHAT, "✅ №1 Анна", nonce=9, thread=one, kind=OutboundKind.RENAME_TOPIC)
    await send(desk, DESK_CHAT, nonce=10, thread=one, kind=OutboundKind.CLOSE_TOPIC)
    chats: Any = desk.view()["chats"]
    assert next((r["title"], r["closed"]) for r in chats if r["thread"] == one) == ("✅ №1 Анна", True)

    desk.delete_topic(one)
    with pytest.raises(TopicGone):
        await send(desk, DESK_CHAT, "слова", nonce=11, thread=one)
    fresh = await send(desk, DESK_CHAT, "🟡 №1 Анна", nonce=0, kind=OutboundKind.OPEN_TOPIC, ticket=1)
    assert fresh != one
    assert await send(desk, DESK_CHAT, "слова", nonce=11, thread=fresh) == "n11"


async def test_outages_and_blocks_raise_what_real_ones_raise(channels: tuple[WebAdapter, ...]) -> None:
    """The outbox waits for the first and gives up on the second."""
    telegram = channels[0]
    telegram.switch(down=True)
    with pytest.raises(RetryLater) as later:
        await send(telegram, "501", "да")
    assert (later.value.scope, later.value.counts, telegram.health.state) == ("account", False, "failing")

    telegram.switch(down=False)
    kept: list[Inbound] = []
    await _open(telegram, kept)
    await telegram.happen("501", "501", InboundKind.BLOCKED, key="k1")
    with pytest.raises(PeerGone):
        await send(telegram, "501", "да")
    await telegram.happen("501", "501", InboundKind.UNBLOCKED, key="k2")
    assert await send(telegram, "501", "да") == "n7"
    assert [i.kind for i in kept] == [InboundKind.BLOCKED, InboundKind.UNBLOCKED]


async def test_what_could_not_be_kept_is_shown_as_failed(channels: tuple[WebAdapter, ...]) -> None:
    """The customer sees that the message did not go out, and the caller hears why; trying again mends it."""
    telegram = channels[0]
    kept: list[Inbound] = []
    await _open(telegram, kept, broken=True)
    with pytest.raises(StorageError):
        await telegram.say("501", "501", TypedMessage("да"), key="k1")
    assert [m["ticks"] for m in messages(telegram, "501")] == ["failed"]

    await _open(telegram, kept)
    await telegram.say("501", "501", TypedMessage("да"), key="k1")
    assert [m["ticks"] for m in messages(telegram, "501")] == ["kept"]
    await send(telegram, "501", "ответ")
    assert [m["ticks"] for m in messages(telegram, "501")] == ["read", ""]


async def test_operators_and_customers_are_told_apart(channels: tuple[WebAdapter, ...]) -> None:
    """Words in the desk come from its people, are not private, and belong to a thread."""
    telegram, _, desk = channels
    kept: list[Inbound] = []
    await _open(telegram, kept)
    await _open(desk, kept)
    await telegram.say("501", "501", TypedMessage("вопрос"), key="k1")
    await desk.say(DESK_CHAT, desk.staff[0], TypedMessage("ответ"), key="k2", thread="t1")

    assert [(i.private, i.peer.thread, i.sender.name) for i in kept] == [
        (True, "", "Анна"),
        (False, "t1", "Ольга"),
    ]
    assert await desk.membership(DESK_CHAT, desk.staff[0]) == "administrator"
    assert await desk.membership(DESK_CHAT, desk.staff[1]) == "member"
    assert await desk.membership(DESK_CHAT, "501") == "none"
    assert (await desk.chat_info(DESK_CHAT)).kind == "forum"


async def test_a_file_of_another_channel_is_shown_or_named(channels: tuple[WebAdapter, ...]) -> None:
    """What cannot be fetched becomes a visible placeholder, never nothing."""
    desk = channels[2]
    photo = Attachment(Media.PHOTO, "file-id", "telegram", "cup.png")
    outbound = Outbound(Peer(desk.name, DESK_CHAT), attachments=(photo,))
    await desk.send(outbound, nonce=1, target="", files=Shelf())
    await desk.send(outbound, nonce=2, target="", files=Shelf(None))

    there, missing = (m["attachments"][0] for m in messages(desk, DESK_CHAT))
    assert (there["file"], there["picture"], there["size"]) == ("play-desk/1-0", True, 4)
    assert (missing["file"], missing["name"], missing["media"]) == ("", "cup.png", "photo")


async def test_vk_shows_only_the_styles_it_has(channels: tuple[WebAdapter, ...]) -> None:
    """The same text is bold in both, and code only where there is code."""
    text = RichText("жирно код", (Span(Style.BOLD, 0, 5), Span(Style.CODE, 6, 3)))
    for channel in channels[:2]:
        await channel.send(Outbound(Peer(channel.name, "501"), text), nonce=1, target="", files=Shelf())

    styles = [[s["style"] for s in messages(c, "501")[0]["spans"]] for c in channels[:2]]
    assert styles == [["bold", "code"], ["bold"]]


async def test_a_one_time_keyboard_goes_away_after_the_press(channels: tuple[WebAdapter, ...]) -> None:
    """As VK's own does."""
    vk = channels[1]
    await _open(vk, [])
    message = await send(vk, "501", "Город?", buttons=((Button("Казань", "city"),),), one_time=True)
    place = vk.find_button("казань", "501")
    assert place is not None and place[0] == message

    assert await vk.press("501", "501", *place, key="k1") == "Казань"
    assert messages(vk, "501")[0]["buttons"] == []
    with pytest.raises(Refused):
        await vk.press("501", "501", *place, key="k2")


async def test_only_the_newest_messages_stay_in_view(channels: tuple[WebAdapter, ...]) -> None:
    """The page's memory does not grow without end."""
    for number in range(520):
        await send(channels[0], "501", str(number), nonce=number + 1)

    shown = messages(channels[0], "501")
    assert (len(shown), shown[0]["text"], shown[-1]["text"]) == (500, "20", "519")


async def _open(channel: WebAdapter, kept: list[Inbound], *, broken: bool = False) -> None:
    """Let the channel run with an inbox that keeps, or cannot."""

    async def accept(inbounds: Sequence[Inbound], *, cursor: str | None = None) -> None:
        if broken:
            raise StorageError("disk full")
        kept.extend(inbounds)

    task = asyncio.create_task(channel.run(accept, cursor=None))
    await asyncio.sleep(0)
    _running.add(task)


_running: set[asyncio.Task[None]] = set()


@pytest.fixture(autouse=True)
async def _stop() -> Any:
    yield
    for task in _running:
        task.cancel()
    await asyncio.gather(*_running, return_exceptions=True)
    _running.clear()
