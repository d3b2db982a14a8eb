"""What every channel must do: subclass `AdapterContract`, give it a stage on your platform (a fake one), and
pytest runs the laws over it.

    class TestMax(AdapterContract):
        @pytest_asyncio.fixture
        async def stage(self) -> AsyncIterator[MaxStage]:
            async with FakeMax() as server:
                yield MaxStage(server)

A stage plays the platform and the customer at its other end: see `ContractPlatform`.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Literal, Protocol

import pytest

from bot.adapters.base import Adapter, File
from bot.button_tokens import token
from bot.errors import PeerGone, Refused, RetryLater, StorageError, Uncertain
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

HOSTILE = "<b>жирно</b> &amp; *x* _y_ [я](http://evil.example) `code` {{7*7}} @all [id1|Павел]"
POISON = "до\x00после"

Fault = Literal["limit", "blocked", "cut"]


class ContractPlatform(Protocol):
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
        after it was carried
        out. False where this cannot happen on this platform."""


class RecordingInbox:
    """Room 2 as an adapter sees it."""

    def __init__(self) -> None:
        self.kept: list[Inbound] = []
        self.cursor: str | None = None
        self.failures = 0

    async def __call__(self, inbounds: Sequence[Inbound], *, cursor: str | None = None) -> None:
        if self.failures:
            self.failures -= 1
            raise StorageError("the disk is full")
        self.kept.extend(inbounds)
        self.cursor = cursor or self.cursor

    @property
    def messages(self) -> list[Inbound]:
        return [i for i in self.kept if i.kind is InboundKind.MESSAGE]

    async def until(self, ready: Callable[[], object], seconds: float = 10.0) -> None:
        """Wait for *ready*. Raises `TimeoutError`."""
        async with asyncio.timeout(seconds):
            while not ready():
                await asyncio.sleep(0.01)


class NoFiles:
    """No file can be had."""

    async def read(self, attachment: Attachment) -> File:
        raise Refused("gone")


@asynccontextmanager
async def listening(adapter: Adapter, door: RecordingInbox) -> AsyncIterator[None]:
    """The adapter takes in until the end of the block."""
    task = asyncio.create_task(adapter.run(door, cursor=door.cursor))
    try:
        await door.until(lambda: adapter.health.state == "working" or task.done())
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.asyncio
class AdapterContract:
    """Every law of a channel as a test of one sentence."""

    def say(self, stage: ContractPlatform, text: str = "", **more: object) -> Outbound:
        return Outbound(Peer(stage.adapter.name, stage.chat), RichText(text), **more)  # type: ignore[arg-type]

    async def send(
        self, stage: ContractPlatform, outbound: Outbound, *, nonce: int = 7, target: str = ""
    ) -> str:
        return (await stage.adapter.send(outbound, nonce=nonce, target=target, files=NoFiles())).message

    async def test_words_arrive_once_with_who_said_them(self, stage: ContractPlatform) -> None:
        """Two messages are two inbounds in order, each with a key of its own, from the customer's peer, at an
        aware time.
        """
        door = RecordingInbox()
        async with listening(stage.adapter, door):
            await stage.writes("первое")
            await stage.writes("второе 👨‍👩‍👧")
            await door.until(lambda: len(door.messages) >= 2)

        assert [i.text for i in door.messages] == ["первое", "второе 👨‍👩‍👧"]
        assert {i.peer for i in door.messages} == {Peer(stage.adapter.name, door.messages[0].peer.chat)}
        assert all(i.key and i.private and i.sender.id and i.at.tzinfo for i in door.messages)
        assert not stage.adapter.is_group(stage.chat)
        assert len({i.key for i in door.kept}) == len(door.kept)

    async def test_poison_is_cleaned_at_the_border(self, stage: ContractPlatform) -> None:
        """NUL in the words neither blocks the intake nor reaches anybody."""
        door = RecordingInbox()
        async with listening(stage.adapter, door):
            await stage.writes(POISON)
            await stage.writes("дальше")
            await door.until(lambda: len(door.messages) >= 2)

        assert all("\x00" not in i.text for i in door.messages) and door.messages[-1].text == "дальше"

    async def test_nothing_is_confirmed_before_it_is_kept(self, stage: ContractPlatform) -> None:
        """When keeping fails the platform gives it again, or the one who wrote is told that it was not
        kept.
        """
        door = RecordingInbox()
        door.failures = 1
        async with listening(stage.adapter, door):
            if stage.queue:
                await stage.writes("важное")
                await door.until(lambda: door.messages)
                assert [i.text for i in door.messages] == ["важное"]
            else:
                before = len(stage.shown())
                try:
                    await stage.writes("важное")
                except StorageError:
                    return
                await door.until(lambda: len(stage.shown()) > before)

    async def test_a_repeat_has_the_same_key(self, stage: ContractPlatform) -> None:
        """So that room 2 keeps it once."""
        if not stage.queue:
            pytest.skip("the platform repeats nothing")
        door = RecordingInbox()
        async with listening(stage.adapter, door):
            await stage.writes("раз")
            await door.until(lambda: door.messages)
            await stage.repeats()
            await stage.writes("два")
            await door.until(lambda: any(i.text == "два" for i in door.messages))

        assert len({i.key for i in door.messages}) == 2

    async def test_it_goes_on_where_it_stopped(self, stage: ContractPlatform) -> None:
        """What is written while nobody listens arrives afterwards, where the platform keeps it."""
        if not stage.queue:
            pytest.skip("the platform keeps nothing for who is away")
        door = RecordingInbox()
        async with listening(stage.adapter, door):
            await stage.writes("первое")
            await door.until(lambda: door.messages)
        await stage.writes("пока никого")
        async with listening(stage.adapter, door):
            await door.until(lambda: any(i.text == "пока никого" for i in door.messages))

        assert {i.text for i in door.messages} == {"первое", "пока никого"}

    async def test_hostile_words_are_shown_as_they_are(self, stage: ContractPlatform) -> None:
        """No markup of the platform is read out of anybody's words."""
        await self.send(stage, self.say(stage, HOSTILE))

        # invisible characters or look-alikes may part what would be markup
        seen = "".join(
            c for c in unicodedata.normalize("NFKC", stage.shown()[-1]) if unicodedata.category(c) != "Cf"
        )
        assert seen.endswith(HOSTILE)

    async def test_styles_never_cost_words(self, stage: ContractPlatform) -> None:
        """Whatever the channel can style, the words are there; and text of the full length passes."""
        text = "👍 Жирно и ссылка " + "ж" * 3000
        spans = (
            Span(Style.BOLD, 3, 5),
            Span(Style.SPOILER, 3, 12),
            Span(Style.LINK, 11, 6, "https://example.org"),
        )
        assert await self.send(stage, Outbound(Peer(stage.adapter.name, stage.chat), RichText(text, spans)))

        assert "ж" * 3000 in stage.shown()[-1] and "Жирно" in stage.shown()[-1]

    async def test_what_cannot_be_carried_leaves_a_placeholder(self, stage: ContractPlatform) -> None:
        """A file that cannot be had does not take the words with it."""
        lost = Attachment(Media.PHOTO, "gone", "elsewhere", name="чек.jpg")
        await self.send(stage, self.say(stage, "Вот чек", attachments=(lost,)))

        assert "Вот чек" in stage.shown()[-1]

    async def test_a_message_is_changed_and_taken_back(self, stage: ContractPlatform) -> None:
        """By the id that `send` gave; the same change again is no error."""
        door = RecordingInbox()
        async with listening(stage.adapter, door):
            first = await self.send(stage, self.say(stage, "было"))
            assert first
            for _ in range(2):
                await self.send(
                    stage, self.say(stage, "стало", kind=OutboundKind.EDIT, edits="x"), nonce=8, target=first
                )
            assert "стало" in stage.shown()[-1]
            await self.send(
                stage, self.say(stage, kind=OutboundKind.DELETE, edits="x"), nonce=9, target=first
            )

        if stage.keeps_views:
            assert not any("было" in t or "стало" in t for t in stage.shown())

    async def test_a_press_comes_back_with_its_token(self, stage: ContractPlatform) -> None:
        """Row of the outbox and place, as bot/button_tokens.py makes them; with a callback to acknowledge."""
        door = RecordingInbox()
        async with listening(stage.adapter, door):
            await self.send(
                stage,
                self.say(stage, "Что выбрать?", buttons=((Button("Да", "yes"),), (Button("Нет", "no"),))),
                nonce=41,
            )
            await stage.presses()
            await door.until(lambda: any(i.kind is InboundKind.PRESS for i in door.kept))
            press = next(i for i in door.kept if i.kind is InboundKind.PRESS)
            await self.send(
                stage,
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
        self, stage: ContractPlatform, fault: Fault, error: tuple[type[Exception], ...]
    ) -> None:
        """Only so can the outbox know whether to send again.

        A cut connection may be tried again only where the platform knows the nonce.
        """
        if not stage.fails(fault):
            pytest.skip(f"no {fault} on this platform")
        with pytest.raises(error):
            await self.send(stage, self.say(stage, "раз"), nonce=5)

    @pytest.mark.parametrize("fault", ["limit", "cut"])
    async def test_what_may_be_sent_again_arrives_once(self, stage: ContractPlatform, fault: Fault) -> None:
        """`RetryLater` is a promise: the same nonce again, and the customer sees the message once."""
        if not stage.fails(fault):
            pytest.skip(f"no {fault} on this platform")
        try:
            await self.send(stage, self.say(stage, "ещё раз"), nonce=5)
        except Uncertain:
            return  # a person or a rule decides
        except RetryLater:
            await self.send(stage, self.say(stage, "ещё раз"), nonce=5)

        assert len([t for t in stage.shown() if "ещё раз" in t]) == 1

    async def test_strangers_are_nobody(self, stage: ContractPlatform) -> None:
        """Who is not known belongs nowhere and has no profile; a hint never fails, an account in order has no
        problems.
        """
        assert await stage.adapter.membership("999999999", "888888888") == "none"
        assert await stage.adapter.profile("888888888") is None
        await stage.adapter.hint_typing("999999999")
        assert [p for p in await stage.adapter.check() if p.severity == "error"] == []
