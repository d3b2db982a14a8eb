"""Runs the Telegram adapter against the strict simulator: python .ci/sim/telegram_checks.py PATH/tg_sim.py
[name …]

The path may also stand in TG_SIM. Exit code 0 when every check passes, 1 when one fails, 2 when there is no
simulator.
"""

from __future__ import annotations

import asyncio
import base64
import inspect
import os
import socket
import sys
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientTimeout, web

sys.path.insert(0, str(Path(__file__).parents[2]))

from bot.adapters.base import CommandMenu, File
from bot.adapters.rich_text import split
from bot.adapters.telegram.adapter import TelegramAdapter
from bot.adapters.telegram.errors import FileRefused
from bot.adapters.telegram.settings import TelegramSettings
from bot.errors import (
    AccountError,
    BadFormat,
    ChatMoved,
    PeerGone,
    Refused,
    RetryLater,
    StorageError,
    TopicGone,
    Uncertain,
)
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
    Sent,
    Span,
    Style,
)

TOKEN = "100000001:SIM"
ANNA, OPERATOR, OTHER = 1001, 1002, 1003
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


class Sim:
    """The simulator's control API: `await sim.send(user_id=1001, text="hi")`."""

    def __init__(self, base: str, http: ClientSession) -> None:
        self.base, self._http = base, http

    def __getattr__(self, what: str) -> Callable[..., Awaitable[Any]]:
        async def call(**params: Any) -> Any:
            async with self._http.post(
                f"{self.base}/sim/{what}", json=params, timeout=ClientTimeout(total=70)
            ) as answer:
                body = await answer.json(content_type=None)
                if answer.status != 200:
                    raise AssertionError(f"/sim/{what}: {body}")
                return body

        return call


class Kept:
    """The inbox: keeps each key once, in order, and can be told to fail."""

    def __init__(self) -> None:
        self.inbounds: dict[str, Inbound] = {}
        self.deliveries = 0
        self.failures = 0

    async def __call__(self, inbounds: Sequence[Inbound], *, cursor: str | None = None) -> None:
        if self.failures:
            self.failures -= 1
            raise StorageError("the check says so")
        for inbound in inbounds:
            self.deliveries += 1
            self.inbounds.setdefault(inbound.key, inbound)

    async def next(self, kind: InboundKind, after: int = 0, timeout: float = 8) -> Inbound:
        """The first of *kind* after the first *after* kept ones."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            for inbound in list(self.inbounds.values())[after:]:
                if inbound.kind is kind:
                    return inbound
            await asyncio.sleep(0.02)
        raise AssertionError(
            f"no {kind} came, only {[str(i.kind) for i in list(self.inbounds.values())[after:]]}"
        )


class Shelf:
    """The disk and the other channels."""

    def __init__(self) -> None:
        self.adapter: TelegramAdapter | None = None

    async def read(self, attachment: Attachment) -> File:
        if attachment.channel == "telegram":
            assert self.adapter
            return await self.adapter.read(attachment)
        if attachment.ref == "gone":
            raise Refused("gone")
        if attachment.ref == "big":
            return File(b"x" * (11 * 1024 * 1024), "big.png", "image/png")
        return File(PNG, attachment.name or "dot.png", "image/png")


class Stage:
    """One check's world: a fresh simulator, an adapter that runs, a forum."""

    def __init__(self, sim: Sim) -> None:
        self.sim, self.kept, self.shelf = sim, Kept(), Shelf()
        self._adapters: list[TelegramAdapter] = []
        self.adapter = self.new_adapter()
        self.forum = 0
        self._task: asyncio.Task[None] | None = None

    def new_adapter(self, token: str = TOKEN, **more: Any) -> TelegramAdapter:
        adapter = TelegramAdapter(
            "telegram",
            TelegramSettings(
                token=token, api_base=self.sim.base, **{"poll_seconds": 3, "timeout": 2.0, **more}
            ),
        )
        self._adapters.append(adapter)
        self.shelf.adapter = adapter
        return adapter

    async def close(self) -> None:
        await self.stop()
        for adapter in self._adapters:
            await adapter.close()

    async def set(self) -> None:
        await self.sim.reset()
        await self.sim.users(id=ANNA, first_name="Анна", language_code="ru", username="anna")
        await self.sim.users(id=OPERATOR, first_name="Оператор")
        await self.sim.users(id=OTHER, first_name="Борис")
        self.forum = (
            await self.sim.chats(
                title="Поддержка", is_forum=True, owner=OPERATOR, members=[OTHER], announce=False
            )
        )["id"]
        await self.sim.start(user_id=ANNA)

    def play(self) -> None:
        self._task = asyncio.create_task(self.adapter.run(self.kept, cursor=None))

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def send(self, outbound: Outbound, *, nonce: int = 42, target: str = "") -> Sent:
        return await self.adapter.send(outbound, nonce=nonce, target=target, files=self.shelf)

    def anna(self, text: str = "", **more: Any) -> Outbound:
        return Outbound(Peer("telegram", str(ANNA)), RichText(text), **more)

    def desk(self, text: str = "", thread: str = "", **more: Any) -> Outbound:
        return Outbound(Peer("telegram", str(self.forum), thread), RichText(text), **more)

    async def calls(self, method: str, **more: Any) -> list[Any]:
        return list((await self.sim.calls(method=method, **more))["calls"])

    async def raises(self, kind: type[Exception], outbound: Outbound, **more: Any) -> Exception:
        try:
            await self.send(outbound, **more)
        except kind as error:
            return error
        except Exception as error:
            raise AssertionError(
                f"{kind.__name__} was expected, {type(error).__name__}: {error} came"
            ) from error
        raise AssertionError(f"{kind.__name__} was expected, it succeeded")


# --- what comes in


async def check_every_inbound_kind(s: Stage) -> None:
    s.play()
    await s.kept.next(InboundKind.START)
    told: list[tuple[Media, dict[str, Any]]] = [
        (Media.PHOTO, {"photo": {}, "caption": "подпись"}),
        (Media.DOCUMENT, {"document": {"file_name": "чек.pdf", "mime_type": "application/pdf"}}),
        (Media.VOICE, {"voice": {"duration": 4}}),
        (Media.VIDEO, {"video": {}}),
        (Media.VIDEO_NOTE, {"video_note": {}}),
        (Media.AUDIO, {"audio": {}}),
        (Media.ANIMATION, {"animation": {}}),
        (Media.STICKER, {"sticker": {}}),
        (Media.CONTACT, {"contact": {"phone_number": "+79000000000"}}),
        (Media.LOCATION, {"location": {"latitude": 55.7, "longitude": 37.6}}),
        (Media.OTHER, {"raw": {"dice": {"emoji": "🎲", "value": 3}}}),
    ]
    for media, body in told:
        seen = len(s.kept.inbounds)
        await s.sim.send(user_id=ANNA, **body)
        inbound = await s.kept.next(InboundKind.MESSAGE, seen)
        assert [a.media for a in inbound.attachments] == [media], (media, inbound)
        if media not in (Media.CONTACT, Media.LOCATION, Media.OTHER):
            assert (await s.adapter.read(inbound.attachments[0])).content
    seen = len(s.kept.inbounds)
    await s.sim.send(user_id=ANNA, text="👍 жирно", entities=[{"type": "bold", "offset": 3, "length": 5}])
    assert (await s.kept.next(InboundKind.MESSAGE, seen)).spans == (Span(Style.BOLD, 2, 5),)
    sent = await s.sim.send(user_id=ANNA, text="ошбка")
    await s.sim.edit(user_id=ANNA, message_id=sent["message_id"], text="ошибка")
    edit = await s.kept.next(InboundKind.EDIT)
    assert (edit.message, edit.text) == (str(sent["message_id"]), "ошибка")
    seen = len(s.kept.inbounds)
    await s.sim.send(user_id=ANNA, album=[{"photo": {}}, {"photo": {}}, {"video": {}}], caption="три")
    await s.kept.next(InboundKind.MESSAGE, seen + 2)
    parts = list(s.kept.inbounds.values())[seen:]
    assert len({p.album for p in parts}) == 1 and parts[0].album and parts[0].text == "три"
    seen = len(s.kept.inbounds)
    mine = await s.send(s.anna("моё"))
    await s.sim.send(user_id=ANNA, text="ответ", reply_to=int(mine.message))
    assert (await s.kept.next(InboundKind.MESSAGE, seen)).quotes == mine.message
    await s.sim.start(user_id=ANNA, payload="promo_7")
    assert (await s.kept.next(InboundKind.START, seen)).text == "promo_7"
    await s.sim.react(user_id=ANNA, message_id=int(mine.message), emoji="👍")
    assert (await s.kept.next(InboundKind.REACTION)).text == "👍"
    await s.sim.block(user_id=ANNA)
    await s.kept.next(InboundKind.BLOCKED)
    await s.sim.unblock(user_id=ANNA)
    await s.kept.next(InboundKind.UNBLOCKED)


async def check_buttons_and_acknowledgement(s: Stage) -> None:
    s.play()
    sent = await s.send(
        s.anna(
            "Помогло?",
            buttons=(
                (Button("Да", "yes", style="success"), Button("Нет", "no")),
                (Button("Сайт", url="https://a.ru"),),
            ),
        )
    )
    click = asyncio.create_task(s.sim.click(user_id=ANNA, message_id=int(sent.message), text="Нет", wait=5))
    press = await s.kept.next(InboundKind.PRESS)
    assert press.press == "2a.01" and press.message == sent.message, press
    await s.send(s.anna("Спасибо", kind=OutboundKind.ACKNOWLEDGE, quotes=press.callback))
    assert (await click)["answer"]["text"] == "Спасибо"
    await s.send(
        s.anna("Спасибо", kind=OutboundKind.ACKNOWLEDGE, quotes=press.callback)
    )  # a second answer is no error
    await s.send(s.anna("Ответ", kind=OutboundKind.EDIT), target=sent.message)
    assert await s.send(s.anna("Ответ", kind=OutboundKind.EDIT), target=sent.message) == Sent(
        sent.message
    )  # not modified


async def check_groups_and_topics(s: Stage) -> None:
    s.play()
    opened = await s.send(s.desk("№ 7 · Анна", kind=OutboundKind.OPEN_TOPIC))
    card = await s.send(s.desk("карточка", opened.message, buttons=((Button("Взять", "take"),),)))
    await s.send(s.desk(kind=OutboundKind.PIN, thread=opened.message), target=card.message)
    await s.sim.send(user_id=OPERATOR, chat_id=s.forum, thread_id=int(opened.message), text="Здравствуйте!")
    said = await s.kept.next(InboundKind.MESSAGE)
    assert (
        said.peer == Peer("telegram", str(s.forum), opened.message) and said.quotes == "" and not said.private
    ), said
    await s.sim.send(
        user_id=OPERATOR,
        chat_id=s.forum,
        thread_id=int(opened.message),
        text="цитата",
        reply_to=int(card.message),
    )
    seen = [i for i in s.kept.inbounds.values() if i.kind is InboundKind.MESSAGE]
    while len(seen) < 2:
        await asyncio.sleep(0.02)
        seen = [i for i in s.kept.inbounds.values() if i.kind is InboundKind.MESSAGE]
    assert seen[1].quotes == card.message
    await s.send(s.desk("👌", opened.message, kind=OutboundKind.REACT, quotes=said.message))
    await s.send(s.desk("№ 7 · закрыто", opened.message, kind=OutboundKind.RENAME_TOPIC))
    for kind in (
        OutboundKind.CLOSE_TOPIC,
        OutboundKind.CLOSE_TOPIC,
        OutboundKind.REOPEN_TOPIC,
        OutboundKind.REOPEN_TOPIC,
    ):
        await s.send(s.desk(thread=opened.message, kind=kind))
    await s.send(s.desk("№ 7 · закрыто", opened.message, kind=OutboundKind.RENAME_TOPIC))
    assert not any(
        i.kind in (InboundKind.TOPIC_CLOSED, InboundKind.TOPIC_REOPENED) for i in s.kept.inbounds.values()
    )
    await s.sim.topics(chat_id=s.forum, user_id=OPERATOR, action="close", thread_id=int(opened.message))
    assert (await s.kept.next(InboundKind.TOPIC_CLOSED)).peer.thread == opened.message
    await s.sim.topics(chat_id=s.forum, user_id=OPERATOR, action="reopen", thread_id=int(opened.message))
    await s.kept.next(InboundKind.TOPIC_REOPENED)
    await s.send(s.desk(thread=opened.message, kind=OutboundKind.DELETE), target=card.message)
    await s.send(s.desk(thread=opened.message, kind=OutboundKind.DELETE), target=card.message)
    await s.sim.topics(chat_id=s.forum, user_id=OPERATOR, action="delete", thread_id=int(opened.message))
    await s.raises(TopicGone, s.desk("кто здесь", opened.message))
    await s.raises(TopicGone, s.desk(thread=opened.message, kind=OutboundKind.CLOSE_TOPIC))


async def check_general_is_no_topic(s: Stage) -> None:
    s.play()
    first = await s.sim.send(user_id=OPERATOR, chat_id=s.forum, text="в General")
    await s.sim.send(user_id=OPERATOR, chat_id=s.forum, text="ответ в General", reply_to=first["message_id"])
    await s.kept.next(InboundKind.MESSAGE)
    await asyncio.sleep(0.2)
    for inbound in s.kept.inbounds.values():
        assert inbound.peer.thread == ""
    await s.send(s.desk("слышу", quotes=str(first["message_id"])))


async def check_membership_and_rights(s: Stage) -> None:
    s.play()
    assert [await s.adapter.membership(str(s.forum), str(u)) for u in (OPERATOR, OTHER, ANNA, 999)] == [
        "administrator",
        "member",
        "none",
        "none",
    ]
    await s.sim.members(chat_id=s.forum, user_id=OTHER, action="kick", by=OPERATOR)
    member = await s.kept.next(InboundKind.MEMBER)
    assert (member.data["user"], member.data["status"]) == (str(OTHER), "none")
    assert await s.adapter.membership(str(s.forum), str(OTHER)) == "none"
    info = await s.adapter.chat_info(str(s.forum))
    assert (info.kind, info.title, info.problems) == ("forum", "Поддержка", ()), info
    await s.sim.bot_status(
        chat_id=s.forum,
        status="administrator",
        rights={"can_manage_topics": False, "can_pin_messages": False},
        by=OPERATOR,
    )
    assert "can_manage_topics" not in (await s.kept.next(InboundKind.ADDED)).data["rights"]
    assert [p.code for p in (await s.adapter.chat_info(str(s.forum))).problems] == ["TG013", "TG014"]
    await s.raises(Refused, s.desk("№ 8", kind=OutboundKind.OPEN_TOPIC))
    await s.sim.bot_status(chat_id=s.forum, status="member", by=OPERATOR)
    assert {p.code for p in (await s.adapter.chat_info(str(s.forum))).problems} == {"TG011", "TG012"}
    await s.sim.bot_status(chat_id=s.forum, status="kicked", by=OPERATOR)
    await s.kept.next(InboundKind.REMOVED)
    await s.raises(PeerGone, s.desk("кто здесь"))
    assert (await s.adapter.profile(str(ANNA))).name == "Анна"  # type: ignore[union-attr]


async def check_a_closed_topic_without_the_right(s: Stage) -> None:
    topic = await s.sim.topics(chat_id=s.forum, user_id=OPERATOR, action="create", name="чужая")
    await s.sim.topics(
        chat_id=s.forum, user_id=OPERATOR, action="close", thread_id=topic["message_thread_id"]
    )
    await s.sim.bot_status(
        chat_id=s.forum, status="administrator", rights={"can_manage_topics": False}, by=OPERATOR
    )
    error = await s.raises(Refused, s.desk("слова", str(topic["message_thread_id"])))
    assert "Управление темами" in str(error)


async def check_a_group_that_moves(s: Stage) -> None:
    s.play()
    group = (await s.sim.chats(type="group", title="Простая", owner=OPERATOR, announce=False))["id"]
    new = (await s.sim.migrate(chat_id=group, is_forum=True))["id"]
    moved = await s.kept.next(InboundKind.MOVED)
    assert (moved.peer.chat, moved.data["chat"]) == (str(group), str(new))
    error = await s.raises(ChatMoved, Outbound(Peer("telegram", str(group)), RichText("да")))
    assert isinstance(error, ChatMoved) and error.chat == str(new)


async def check_people_who_cannot_be_reached(s: Stage) -> None:
    await s.raises(PeerGone, Outbound(Peer("telegram", "424242"), RichText("да")))
    await s.sim.block(user_id=ANNA)
    await s.raises(PeerGone, s.anna("да"))
    await s.sim.unblock(user_id=ANNA)
    await s.sim.deactivate(user_id=ANNA)
    await s.raises(PeerGone, s.anna("да"))


# --- what goes out


async def check_every_attachment(s: Stage) -> None:
    s.play()
    await s.sim.config(rate_limits={"enabled": False})
    for media in Media:
        data: dict[str, Any] = {
            "latitude": 1.5,
            "longitude": 2.5,
            "phone": "+79000000000",
            "name": "Анна",
            "emoji": "😀",
            "label": "🎲 1",
        }
        for text in ("", "слова"):
            for ref in ("there", "gone"):
                before = len((await s.sim.messages(chat_id=ANNA, from_bot=True))["messages"])
                await s.send(
                    s.anna(
                        text,
                        attachments=(Attachment(media, ref, "vk", data=data, name="a.bin"),),
                        buttons=((Button("Да", "a"),),),
                    )
                )
                assert len((await s.sim.messages(chat_id=ANNA, from_bot=True))["messages"]) == before + 1, (
                    media,
                    text,
                    ref,
                )
    kinds: list[dict[str, Any]] = [
        {k: {}}
        for k in ("photo", "document", "voice", "video", "video_note", "audio", "animation", "sticker")
    ]
    for body in kinds:
        seen = len(s.kept.inbounds)
        await s.sim.send(user_id=ANNA, **body)
        (attachment,) = (await s.kept.next(InboundKind.MESSAGE, seen)).attachments
        await s.send(s.desk(attachments=(attachment,)))
        await s.send(s.desk("со словами", attachments=(attachment,)))
    big = await s.send(s.anna("большая", attachments=(Attachment(Media.PHOTO, "big", "vk"),)))
    assert big.message and len(await s.calls("sendDocument", chat_id=ANNA, text="")) >= 1
    alien = base64.urlsafe_b64encode(b"photo|5|AQAD").decode()
    await s.send(s.anna("чужой id", attachments=(Attachment(Media.PHOTO, alien, "telegram"),)))
    assert (await s.calls("sendMessage", text="чужой id"))[0]["ok"]


async def check_albums(s: Stage) -> None:
    s.play()
    photo, gone = Attachment(Media.PHOTO, "there", "vk"), Attachment(Media.PHOTO, "gone", "vk")
    document = Attachment(Media.DOCUMENT, "there", "vk", name="чек.pdf")
    await s.send(s.desk("десять", attachments=(photo,) * 10))
    await s.sim.config(rate_limits={"enabled": False})
    await s.send(s.anna("смесь", attachments=(photo, document, Attachment(Media.VOICE, "there", "vk"))))
    await s.send(s.anna("пропажа", attachments=(photo, photo, gone)))
    calls = await s.calls("sendMediaGroup")
    assert [len(c["params"]["media"]) for c in calls] == [10, 3, 2] and all(c["ok"] for c in calls)
    assert {m["type"] for m in calls[1]["params"]["media"]} == {"document"}


async def check_long_and_strange_texts(s: Stage) -> None:
    await s.sim.config(rate_limits={"enabled": False})
    family = "👨‍👩‍👧‍👦"
    text = (f"Жирный {family} абзац <b>не тег</b> & _*[]()~`>#+-=|{{}}.! " * 40 + "\n\n") * 10
    spans = (
        Span(Style.BOLD, 3, 3000),
        Span(Style.LINK, 50, 9000, "https://example.com/a"),
        Span(Style.PRE, 9100, 3000),
        Span(Style.QUOTE, 0, 4000),
    )
    pieces = split(RichText(text, spans), 4096)
    for piece in pieces:
        await s.send(Outbound(Peer("telegram", str(ANNA)), piece))
    shown = (await s.sim.messages(chat_id=ANNA, from_bot=True))["messages"]
    assert "".join("".join(m["text"].split()) for m in shown) == "".join(text.split())
    await s.send(s.anna("a\x00b\ud800c {{7*7}} <script>"))
    await s.raises(Refused, s.anna("а" * 4097))


async def check_plain_groups_show_the_heading(s: Stage) -> None:
    group = (await s.sim.chats(type="group", title="Простая", owner=OPERATOR, announce=False))["id"]
    sent = await s.send(
        Outbound(Peer("telegram", str(group)), RichText("слова"), heading=RichText("№ 7 · Анна"))
    )
    (message,) = [
        m for m in (await s.sim.messages(chat_id=group))["messages"] if m["message_id"] == int(sent.message)
    ]
    assert message["text"] == "№ 7 · Анна\nслова" and message["entities"][0]["type"] == "bold"


async def check_commands_and_doctor(s: Stage) -> None:
    theirs, ours = (
        CommandMenu("private", (("start", "Начать"),)),
        CommandMenu("chat", (("take", "Взять"),), str(s.forum)),
    )
    await s.adapter.publish_commands((theirs, CommandMenu("groups", ()), ours))
    assert [p.code for p in await s.adapter.check()] == ["TG004"]
    await s.sim.bot_settings(privacy_mode=False)
    assert await s.adapter.check() == ()
    await s.adapter.hint_typing(str(ANNA))
    await s.adapter.hint_typing("424242")


# --- what breaks


async def check_each_fault_of_a_send(s: Stage) -> None:
    await s.sim.config(rate_limits={"enabled": False})
    faults: list[tuple[dict[str, Any], type[Exception]]] = [
        ({"type": "drop_before"}, Uncertain),
        ({"type": "drop_after"}, Uncertain),
        ({"type": "hang", "delay": 5}, Uncertain),
        ({"type": "hang", "delay": 5, "process": True}, Uncertain),
        ({"type": "http", "status": 502}, Uncertain),
        ({"type": "http", "status": 200}, Uncertain),
        ({"type": "http", "status": 413}, FileRefused),
        ({"type": "http", "status": 302}, RetryLater),
        ({"type": "http", "status": 403}, RetryLater),
        ({"type": "garbage"}, Uncertain),
        ({"type": "truncate"}, Uncertain),
        ({"type": "too_many", "retry_after": 9}, RetryLater),
        ({"type": "error", "error_code": 500, "description": "Internal Server Error"}, Uncertain),
        ({"type": "error", "error_code": 401, "description": "Unauthorized"}, AccountError),
        ({"type": "error", "error_code": 404, "description": "Not Found"}, AccountError),
        ({"type": "error", "error_code": 403, "description": "Forbidden: user is deactivated"}, PeerGone),
        (
            {"type": "error", "error_code": 400, "description": "Bad Request: can't parse entities: x"},
            BadFormat,
        ),
        (
            {"type": "error", "error_code": 400, "description": "Bad Request: message thread not found"},
            TopicGone,
        ),
        ({"type": "error", "error_code": 400, "description": "Bad Request: chat not found"}, PeerGone),
        ({"type": "error", "error_code": 400, "description": "Bad Request: something new"}, Refused),
    ]
    for action, kind in faults:
        await s.sim.faults(match={"method": "sendMessage"}, action=action)
        error = await s.raises(kind, s.anna(f"{action}"))
        if action["type"] == "too_many":
            assert isinstance(error, RetryLater) and error.after == 9 and not error.counts
        await s.sim.faults(clear=True)
    for action in ({"type": "drop_after"}, {"type": "garbage"}, {"type": "http", "status": 502}):
        sent = await s.send(s.anna("правка"))
        await s.sim.faults(match={"method": "editMessageText"}, action=action)
        await s.raises(RetryLater, s.anna("правлено", kind=OutboundKind.EDIT), target=sent.message)
        assert await s.send(s.anna("правлено", kind=OutboundKind.EDIT), target=sent.message) == Sent(
            sent.message
        )
    await s.send(s.anna("и снова работает"))


async def check_intake_survives_each_fault(s: Stage) -> None:
    s.play()
    await s.kept.next(InboundKind.START)
    for action in (
        {"type": "drop_before"},
        {"type": "drop_after"},
        {"type": "http", "status": 502},
        {"type": "garbage"},
        {"type": "truncate"},
        {"type": "too_many", "retry_after": 1},
        {"type": "hang", "delay": 1},
    ):
        seen = len(s.kept.inbounds)
        await s.sim.faults(match={"method": "getUpdates"}, action=action, times=2)
        await s.sim.send(user_id=ANNA, text=f"{action}")
        assert (await s.kept.next(InboundKind.MESSAGE, seen, timeout=20)).text == f"{action}"
        await s.sim.faults(clear=True)
    assert s.adapter.health.state == "working"


async def check_nothing_is_forgotten_before_it_is_kept(s: Stage) -> None:
    s.kept.failures = 3
    s.play()
    texts = [f"сообщение {i}" for i in range(20)]
    for text in texts:
        await s.sim.send(user_id=ANNA, text=text)
    await s.kept.next(InboundKind.MESSAGE, 20, timeout=15)
    assert [i.text for i in s.kept.inbounds.values() if i.kind is InboundKind.MESSAGE] == texts
    await s.stop()
    await s.sim.send(user_id=ANNA, text="пока никого нет")
    s.adapter = s.new_adapter()
    s.play()
    assert (await s.kept.next(InboundKind.MESSAGE, 21)).text == "пока никого нет"


async def check_poisoned_updates(s: Stage) -> None:
    s.play()
    await s.kept.next(InboundKind.START)
    bad: list[dict[str, Any]] = [
        {"message": {"message_id": "x"}},
        {"message": 7},
        {"my_chat_member": {"chat": {"id": 1}}},
        {"callback_query": {"id": "1"}},
        {
            "message": {
                "message_id": 1,
                "date": 1,
                "chat": {"id": ANNA, "type": "private"},
                "from": {"id": ANNA},
                "text": "a\x00b",
            }
        },
        {
            "message": {
                "message_id": 1,
                "date": 10**20,
                "chat": {"id": ANNA, "type": "private"},
                "from": {"id": ANNA},
                "text": "a",
            }
        },
    ]
    for update in bad:
        await s.sim.update(update=update)
    await s.sim.send(user_id=ANNA, text="живой")
    while "живой" not in [i.text for i in s.kept.inbounds.values()]:
        await asyncio.sleep(0.02)
    assert "a\ufffdb" in [i.text for i in s.kept.inbounds.values()]


async def check_a_repeated_update_is_the_same(s: Stage) -> None:
    s.play()
    first = await s.kept.next(InboundKind.START)
    while (await s.sim.updates())["updates"][0]["confirmed"] is None:
        await asyncio.sleep(0.05)
    before = s.kept.deliveries
    await s.sim.redeliver(update_id=int(first.key))
    while s.kept.deliveries == before:
        await asyncio.sleep(0.02)
    assert len(s.kept.inbounds) == 1


async def check_a_second_reader_is_told(s: Stage) -> None:
    s.play()
    await s.kept.next(InboundKind.START)
    rival = s.new_adapter()
    task = asyncio.create_task(rival.run(Kept(), cursor=None))
    end = time.monotonic() + 5
    while "ещё одна программа" not in s.adapter.health.last_error and time.monotonic() < end:
        await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await rival.close()
    assert "ещё одна программа" in s.adapter.health.last_error


async def check_a_wrong_token(s: Stage) -> None:
    adapter = s.new_adapter("100000009:WRONG")
    try:
        await asyncio.wait_for(adapter.run(Kept(), cursor=None), 5)
    except AccountError as error:
        assert "WRONG" not in str(error)
    else:
        raise AssertionError("no AccountError")
    await adapter.close()


async def check_webhook(s: Stage) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    s.adapter = s.new_adapter(
        mode="webhook", secret="s3cret_", webhook_url=f"http://127.0.0.1:{port}/hooks/telegram"
    )
    app = web.Application()
    app.add_routes(s.adapter.routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    s.kept.failures = 1
    s.play()
    await s.kept.next(InboundKind.START, timeout=15)  # 503 first, then again
    for i in range(10):
        await s.sim.send(user_id=ANNA, text=f"{i}")
    await s.kept.next(InboundKind.MESSAGE, 10)
    assert [i.text for i in s.kept.inbounds.values()][1:] == [str(i) for i in range(10)]
    statuses = [d["status"] for d in (await s.sim.updates())["webhook_deliveries"]]
    assert statuses.count(200) == 11 and statuses.count(503) == 1
    await s.stop()
    await runner.cleanup()
    s.adapter = s.new_adapter()
    s.play()  # polling takes the webhook off
    await s.sim.send(user_id=ANNA, text="снова опрос")
    await s.kept.next(InboundKind.MESSAGE, 11)


# --- running


@asynccontextmanager
async def simulator(path: Path) -> AsyncIterator[Sim]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(path), "--port", str(port), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with ClientSession() as http:
            sim = Sim(f"http://127.0.0.1:{port}", http)
            for _ in range(100):
                try:
                    await sim.state()
                    break
                except OSError:
                    await asyncio.sleep(0.1)
            yield sim
    finally:
        process.terminate()
        await process.wait()


async def run(path: Path, names: Sequence[str]) -> int:
    checks = {
        n.removeprefix("check_"): f
        for n, f in globals().items()
        if n.startswith("check_") and inspect.iscoroutinefunction(f)
    }
    failed = 0
    async with simulator(path) as sim:
        for name, check in checks.items():
            if names and name not in names:
                continue
            stage, began = Stage(sim), time.monotonic()
            try:
                await stage.set()
                await asyncio.wait_for(check(stage), 60)
                violations = [
                    v
                    for v in (await sim.violations())["violations"]
                    if "file_id of another bot" not in v["text"]
                ]
                assert not violations, violations
                print(f"ok    {name} ({time.monotonic() - began:.1f} s)")
            except Exception:  # noqa: BLE001 - each check is told of, whatever ended it
                failed += 1
                print(f"FAIL  {name}\n{traceback.format_exc()}")
            finally:
                await stage.close()
    print(f"{failed} failed" if failed else "all passed")
    return 1 if failed else 0


def main() -> int:
    arguments = sys.argv[1:]
    path = Path(
        arguments.pop(0) if arguments and arguments[0].endswith(".py") else os.environ.get("TG_SIM", "")
    )
    if not path.is_file():
        print(__doc__, file=sys.stderr)
        return 2
    return asyncio.run(run(path, arguments))


if __name__ == "__main__":
    sys.exit(main())
