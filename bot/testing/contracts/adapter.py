"""What every channel must do: subclass `AdapterContract`, give it your platform (a fake one), and
pytest runs the laws over it.

    class TestMax(AdapterContract):
        @pytest_asyncio.fixture
        async def platform(self) -> AsyncIterator[MaxPlatform]:
            async with FakeMax() as server:
                yield MaxPlatform(server)

It stands for the platform and the customer at its other end: see `PlayedPlatform`.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Literal, Protocol

import pytest

from bot.adapters.base import Adapter
from bot.button_tokens import token
from bot.errors import PeerGone, RetryLater, StorageError, Uncertain
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
    Span,
    Style,
)
from bot.testing.fakes import FakeFiles

HOSTILE = "<b>жирно</b> &amp; *x* _y_ [я](http://evil.example) `code` {{7*7}} @all [id1|Павел]"
POISON = "до\x00после"

Fault = Literal["limit", "blocked", "cut"]


class PlayedPlatform(Protocol):
    """A platform with one customer on it. Not started: the contract calls `adapter.run`."""

    adapter: Adapter
    chat: str  # the customer's, may be written to
    queue: bool  # the platform keeps what was not confirmed, and may repeat what was
    keeps_views: bool  # a message can be changed and taken back where it stands (a terminal only prints)

    async def writes(self, text: str) -> None:
        """The customer writes a message."""

    async def repeats(self) -> None:
        """The platform delivers the customer's last message once more (only where it has a `queue`)."""

    async def presses(self) -> None:
        """The customer presses the first button of the newest message that has one."""

    def shown(self) -> Sequence[str]:
        """The texts of the bot's messages as the customer sees them now, oldest first."""

    def fails(self, fault: Fault) -> bool:
        """The next call that writes goes wrong: refused by a limit, the chat blocked, the connection cut
        after it was carried out. False where this cannot happen on this platform.
        """


class KeptInbounds:
    """The inbox as an adapter sees it."""

    def __init__(self) -> None:
        self.inbounds: list[Inbound] = []
        self.cursor: str | None = None
        self.failures = 0

    async def __call__(self, inbounds: Sequence[Inbound], *, cursor: str | None = None) -> None:
        if self.failures:
            self.failures -= 1
            raise StorageError("the disk is full")
        self.inbounds.extend(inbounds)
        self.cursor = cursor or self.cursor

    @property
    def messages(self) -> list[Inbound]:
        return [i for i in self.inbounds if i.kind is InboundKind.MESSAGE]

    async def until(self, ready: Callable[[], object], seconds: float = 10.0) -> None:
        """Wait for *ready*. Raises `TimeoutError`."""
        async with asyncio.timeout(seconds):
            while not ready():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def listening(adapter: Adapter, kept: KeptInbounds) -> AsyncIterator[None]:
    """The adapter takes in until the end of the block."""
    task = asyncio.create_task(adapter.run(kept, cursor=kept.cursor))
    try:
        await kept.until(lambda: adapter.health.state == "working" or task.done())
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.asyncio
class AdapterContract:
    """Every law of a channel as a test of one sentence."""

    def say(self, platform: PlayedPlatform, text: str = "", **more: object) -> Outbound:
        return Outbound(Peer(platform.adapter.name, platform.chat), RichText(text), **more)  # type: ignore[arg-type]

    async def send(
        self, platform: PlayedPlatform, outbound: Outbound, *, nonce: int = 7, target: str = ""
    ) -> str:
        return (await platform.adapter.send(outbound, nonce=nonce, target=target, files=FakeFiles())).message

    async def test_words_arrive_once_with_who_said_them(self, platform: PlayedPlatform) -> None:
        """Two messages are two inbounds in order, each with a key of its own, from the customer's peer, at an
        aware time.
        """
        kept = KeptInbounds()
        async with listening(platform.adapter, kept):
            await platform.writes("первое")
            await platform.writes("второе 👨‍👩‍👧")
            await kept.until(lambda: len(kept.messages) >= 2)

        assert [i.text for i in kept.messages] == ["первое", "второе 👨‍👩‍👧"]
        assert {i.peer for i in kept.messages} == {Peer(platform.adapter.name, kept.messages[0].peer.chat)}
        assert all(i.key and i.private and i.sender.id and i.at.tzinfo for i in kept.messages)
        assert not platform.adapter.is_group(platform.chat)
        assert len({i.key for i in kept.inbounds}) == len(kept.inbounds)

    async def test_poison_is_cleaned_at_the_border(self, platform: PlayedPlatform) -> None:
        """NUL in the words neither blocks the intake nor reaches anybody."""
        kept = KeptInbounds()
        async with listening(platform.adapter, kept):
            await platform.writes(POISON)
            await platform.writes("дальше")
            await kept.until(lambda: len(kept.messages) >= 2)

        assert all("\x00" not in i.text for i in kept.messages) and kept.messages[-1].text == "дальше"

    async def test_nothing_is_confirmed_before_it_is_kept(self, platform: PlayedPlatform) -> None:
        """When keeping fails the platform gives it again, or the one who wrote is told that it was not
        kept.
        """
        kept = KeptInbounds()
        kept.failures = 1
        async with listening(platform.adapter, kept):
            if platform.queue:
                await platform.writes("важное")
                await kept.until(lambda: kept.messages)
                assert [i.text for i in kept.messages] == ["важное"]
            else:
                before = len(platform.shown())
                try:
                    await platform.writes("важное")
                except StorageError:
                    return
                await kept.until(lambda: len(platform.shown()) > before)

    async def test_a_repeat_has_the_same_key(self, platform: PlayedPlatform) -> None:
        """So that the inbox keeps it once."""
        if not platform.queue:
            pytest.skip("the platform repeats nothing")
        kept = KeptInbounds()
        async with listening(platform.adapter, kept):
            await platform.writes("раз")
            await kept.until(lambda: kept.messages)
            await platform.repeats()
            await platform.writes("два")
            await kept.until(lambda: any(i.text == "два" for i in kept.messages))

        assert len({i.key for i in kept.messages}) == 2

    async def test_it_goes_on_where_it_stopped(self, platform: PlayedPlatform) -> None:
        """What is written while nobody listens arrives afterwards, where the platform keeps it."""
        if not platform.queue:
            pytest.skip("the platform keeps nothing for who is away")
        kept = KeptInbounds()
        async with listening(platform.adapter, kept):
            await platform.writes("первое")
            await kept.until(lambda: kept.messages)
        await platform.writes("пока никого")
        async with listening(platform.adapter, kept):
            await kept.until(lambda: any(i.text == "пока никого" for i in kept.messages))

        assert {i.text for i in kept.messages} == {"первое", "пока никого"}

    async def test_hostile_words_are_shown_as_they_are(self, platform: PlayedPlatform) -> None:
        """No markup of the platform is read out of anybody's words."""
        await self.send(platform, self.say(platform, HOSTILE))

        # invisible characters or look-alikes may part what would be markup
        seen = "".join(
            c for c in unicodedata.normalize("NFKC", platform.shown()[-1]) if unicodedata.category(c) != "Cf"
        )
        assert seen.endswith(HOSTILE)

    async def test_styles_never_cost_words(self, platform: PlayedPlatform) -> None:
        """Whatever the channel can style, the words are there; and text of the full length passes."""
        text = "👍 Жирно и ссылка " + "ж" * 3000
        spans = (
            Span(Style.BOLD, 3, 5),
            Span(Style.SPOILER, 3, 12),
            Span(Style.LINK, 11, 6, "https://example.org"),
        )
        assert await self.send(
            platform, Outbound(Peer(platform.adapter.name, platform.chat), RichText(text, spans))
        )

        assert "ж" * 3000 in platform.shown()[-1] and "Жирно" in platform.shown()[-1]

    async def test_what_cannot_be_carried_leaves_a_placeholder(self, platform: PlayedPlatform) -> None:
        """A file that cannot be had does not take the words with it."""
        lost = Attachment(Media.PHOTO, "gone", "elsewhere", name="чек.jpg")
        await self.send(platform, self.say(platform, "Вот чек", attachments=(lost,)))

        assert "Вот чек" in platform.shown()[-1]

    async def test_a_message_is_changed_and_taken_back(self, platform: PlayedPlatform) -> None:
        """By the id that `send` gave; the same change again is no error."""
        kept = KeptInbounds()
        async with listening(platform.adapter, kept):
            first = await self.send(platform, self.say(platform, "было"))
            assert first
            for _ in range(2):
                await self.send(
                    platform,
                    self.say(platform, "стало", kind=OutboundKind.EDIT, edits="x"),
                    nonce=8,
                    target=first,
                )
            assert "стало" in platform.shown()[-1]
            await self.send(
                platform, self.say(platform, kind=OutboundKind.DELETE, edits="x"), nonce=9, target=first
            )

        if platform.keeps_views:
            assert not any("было" in t or "стало" in t for t in platform.shown())

    async def test_a_press_comes_back_with_its_token(self, platform: PlayedPlatform) -> None:
        """Row of the outbox and place, as bot/button_tokens.py makes them; with a callback to acknowledge."""
        kept = KeptInbounds()
        async with listening(platform.adapter, kept):
            await self.send(
                platform,
                self.say(platform, "Что выбрать?", buttons=((Button("Да", "yes"),), (Button("Нет", "no"),))),
                nonce=41,
            )
            await platform.presses()
            await kept.until(lambda: any(i.kind is InboundKind.PRESS for i in kept.inbounds))
            press = next(i for i in kept.inbounds if i.kind is InboundKind.PRESS)
            await self.send(
                platform,
                Outbound(
                    press.peer,
                    RichText("Хорошо"),
                    kind=OutboundKind.ACKNOWLEDGE,
                    quotes=press.callback,
                    author="",
                ),
                nonce=42,
            )

        assert press.press == token(41, 0, 0) and press.callback

    @pytest.mark.parametrize(
        ("fault", "error"),
        [("limit", (RetryLater,)), ("blocked", (PeerGone,)), ("cut", (Uncertain, RetryLater))],
    )
    async def test_each_failure_has_its_name(
        self, platform: PlayedPlatform, fault: Fault, error: tuple[type[Exception], ...]
    ) -> None:
        """Only so can the outbox know whether to send again.

        A cut connection may be tried again only where the platform knows the nonce.
        """
        if not platform.fails(fault):
            pytest.skip(f"no {fault} on this platform")
        with pytest.raises(error):
            await self.send(platform, self.say(platform, "раз"), nonce=5)

    @pytest.mark.parametrize("fault", ["limit", "cut"])
    async def test_what_may_be_sent_again_arrives_once(self, platform: PlayedPlatform, fault: Fault) -> None:
        """`RetryLater` is a promise: the same nonce again, and the customer sees the message once."""
        if not platform.fails(fault):
            pytest.skip(f"no {fault} on this platform")
        try:
            await self.send(platform, self.say(platform, "ещё раз"), nonce=5)
        except Uncertain:
            return  # a person or a rule decides
        except RetryLater:
            await self.send(platform, self.say(platform, "ещё раз"), nonce=5)

        assert len([t for t in platform.shown() if "ещё раз" in t]) == 1

    async def test_strangers_are_nobody(self, platform: PlayedPlatform) -> None:
        """Who is not known belongs nowhere and has no profile; a hint never fails, an account in order has no
        problems.
        """
        assert await platform.adapter.membership("999999999", "888888888") == "none"
        assert await platform.adapter.profile("888888888") is None
        await platform.adapter.hint_typing("999999999")
        assert [p for p in await platform.adapter.check() if p.severity == "error"] == []
