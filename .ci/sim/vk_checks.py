"""Drives the VK adapter against an external VK simulator:  python .ci/sim/vk_checks.py PATH/vk_sim.py [name
…]

Prints one line a check and exits 1 if any falls short. Not part of `make test`: the simulator is not ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from aiohttp import web

from bot.adapters.base import File
from bot.adapters.vk.adapter import VkAdapter
from bot.adapters.vk.settings import VkSettings
from bot.button_tokens import read_token, token
from bot.errors import AccountError, PeerGone, RetryLater, StorageError
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

TOKEN, GROUP, USER = "vk1.a.SIM", 200001, 2001
CHECKS: list[Callable[[World], Awaitable[None]]] = []


class Store:
    """The least of a store: keys once, the cursor with them, and failures on demand."""

    def __init__(self) -> None:
        self.kept: dict[str, Inbound] = {}
        self.cursor: str | None = None
        self.fail = 0
        self.repeats = 0

    async def accept(self, inbounds: Sequence[Inbound], *, cursor: str | None = None) -> None:
        if self.fail > 0:
            self.fail -= 1
            raise StorageError("full")
        for inbound in inbounds:
            self.repeats += inbound.key in self.kept
            self.kept.setdefault(inbound.key, inbound)
        self.cursor = cursor or self.cursor

    def of(self, kind: InboundKind) -> list[Inbound]:
        return [i for i in self.kept.values() if i.kind is kind]

    def texts(self) -> list[str]:
        return [i.text for i in self.of(InboundKind.MESSAGE)]


class World:
    def __init__(self, base: str) -> None:
        self.base = base
        self.store = Store()
        self.failures: list[str] = []

    def sim(self, what: str, **given: Any) -> Any:
        request = urllib.request.Request(
            f"{self.base}/sim/{what}", json.dumps(given).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=70) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"/sim/{what}: {error.read().decode()}") from None

    async def ask(self, what: str, **given: Any) -> Any:
        return await asyncio.to_thread(lambda: self.sim(what, **given))

    def expect(self, ok: object, what: str) -> None:
        if not ok:
            self.failures.append(what)

    async def until(self, ready: Callable[[], object], what: str, timeout: float = 8.0) -> None:
        end = time.monotonic() + timeout
        while not ready():
            if time.monotonic() > end:
                self.failures.append(f"waited in vain: {what}")
                return
            await asyncio.sleep(0.05)

    def adapter(self, **more: Any) -> VkAdapter:
        return VkAdapter(
            "vk", VkSettings(**{"token": TOKEN, "group_id": GROUP, "api_base": self.base, "wait": 2, **more})
        )

    async def read(self, attachment: Attachment) -> File:
        return File(attachment.ref.encode() or b"x" * 300, attachment.name, attachment.mime)

    @contextlib.asynccontextmanager
    async def running(self, *, listen: bool = True, **more: Any) -> AsyncIterator[VkAdapter]:
        adapter = self.adapter(**more)
        task = asyncio.create_task(adapter.run(self.store.accept, cursor=self.store.cursor))
        try:
            if listen:
                await self.until(lambda: self.store.cursor, "the first cursor")
            yield adapter
        finally:
            start = time.monotonic()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, AccountError):
                await task
            await adapter.close()
            self.expect(time.monotonic() - start < 2, f"stopping took {time.monotonic() - start:.1f} s")

    async def say(self, adapter: VkAdapter, text: str | RichText, nonce: int, **more: Any) -> str:
        rich = RichText(text) if isinstance(text, str) else text
        target = more.pop("target", "")
        to = Peer("vk", str(more.pop("chat", USER)))
        return (
            await adapter.send(Outbound(to, rich, **more), nonce=nonce, target=target, files=self)
        ).message

    async def patient(self, adapter: VkAdapter, text: str, nonce: int, **more: Any) -> str:
        """What the outbox does: again with the same nonce."""
        for _ in range(6):
            try:
                return await self.say(adapter, text, nonce, **more)
            except RetryLater:
                await asyncio.sleep(0.1)
        self.failures.append(f"{text!r} was never sent")
        return ""

    async def bot_texts(self, chat: int = USER) -> list[str]:
        return [m["text"] for m in (await self.ask("messages", peer_id=chat, from_bot=True))["messages"]]


def check(function: Callable[[World], Awaitable[None]]) -> Callable[[World], Awaitable[None]]:
    CHECKS.append(function)
    return function


@check
async def words_both_ways(w: World) -> None:
    async with w.running() as vk:
        await w.ask("send", user_id=USER, text="привет")
        await w.until(lambda: "привет" in w.store.texts(), "the text")
        said = w.store.of(InboundKind.MESSAGE)[0]
        w.expect(
            said.sender.name == "Ильдар" and said.sender.gender == "male" and said.private,
            f"sender {said.sender}",
        )
        w.expect(said.key == "2001:1" and said.message == "1", f"key {said.key}")
        rich = RichText(
            "  Жирно 👍 и ссылка", (Span(Style.BOLD, 2, 7), Span(Style.LINK, 12, 6, "https://a.ru"))
        )
        name = await w.say(vk, rich, 1, quotes="1", heading=RichText("№ 7"))
        sent = (await w.ask("messages", user_id=USER, from_bot=True))["messages"][0]
        w.expect(
            sent["text"] == "№ 7\n  Жирно 👍 и ссылка" and sent["reply_message"]["text"] == "привет",
            str(sent),
        )
        w.expect(name == f"m{sent['id']}", name)
        await w.say(vk, "Исправлено", 2, kind=OutboundKind.EDIT, edits="x", target=name)
        w.expect(await w.bot_texts() == ["Исправлено"], "edit")
        await w.ask("send", user_id=USER, text="отвечаю", reply_to_cmid=sent["conversation_message_id"])
        await w.until(lambda: "отвечаю" in w.store.texts(), "the reply")
        w.expect(
            w.store.of(InboundKind.MESSAGE)[-1].quotes == name, "a reply names the message as sending did"
        )
        await vk.hint_typing(str(USER))
        w.expect((await w.ask("calls", method="messages.setActivity"))["calls"], "typing")
        await w.ask("wait", method="messages.markAsRead", timeout=3)
        w.expect((await w.ask("calls", method="messages.markAsRead"))["calls"], "read mark")


@check
async def buttons(w: World) -> None:
    async with w.running() as vk:
        await w.ask("send", user_id=USER, text="меню")
        await w.until(lambda: w.store.texts(), "the text")
        rows = (
            (Button("Да", "yes"), Button("Нет", "no", style="danger")),
            (
                Button("Очень длинная надпись, которая не помещается в сорок", "x"),
                Button("Сайт", url="https://a.ru"),
            ),
        )
        await w.say(vk, "Помогло?", 0x41, buttons=rows)
        sent = (await w.ask("messages", user_id=USER, from_bot=True))["messages"][-1]
        clicked = asyncio.create_task(
            w.ask("click", user_id=USER, cmid=sent["conversation_message_id"], text="Нет", wait=5)
        )
        await w.until(lambda: w.store.of(InboundKind.PRESS), "the press")
        press = w.store.of(InboundKind.PRESS)[0]
        w.expect(press.press == token(0x41, 0, 1) and read_token(press.press) == (0x41, 0, 1), press.press)
        await w.say(vk, "Принято", 0x42, kind=OutboundKind.ACKNOWLEDGE, quotes=press.callback)
        w.expect((await clicked)["answer"]["data"]["text"] == "Принято", "acknowledged")
        await w.say(vk, "Ещё раз", 0x43, kind=OutboundKind.ACKNOWLEDGE, quotes=press.callback)
        await w.say(vk, "Телефон?", 0x44, buttons=((Button("Пропустить", "skip"),),), one_time=True)
        await w.ask("click", user_id=USER, text="Пропустить")
        await w.until(lambda: len(w.store.of(InboundKind.PRESS)) == 2, "the text button")
        w.expect(
            w.store.of(InboundKind.PRESS)[1].press == token(0x44, 0, 0)
            and not w.store.of(InboundKind.PRESS)[1].callback,
            "text button",
        )
        many = tuple((Button(f"Кнопка {n}", "n", str(n)),) for n in range(14))
        await w.say(vk, "Много", 0x45, buttons=many)
        await w.ask("group_settings", bot_capabilities=False)
        await w.say(vk, "Без кнопок", 0x46, buttons=rows)
        w.expect("• Нет" in (await w.bot_texts())[-1], "labels in words where keyboards are off")
        w.expect("vk-912" in vk.health.details, "the health says what to switch on")


@check
async def starts_and_states(w: World) -> None:
    async with w.running() as vk:
        await w.ask("send", user_id=USER, text="Начать", payload={"command": "start"}, ref="promo")
        await w.until(lambda: w.store.of(InboundKind.START), "start")
        w.expect(w.store.of(InboundKind.START)[0].text == "promo", "deep link")
        w.expect(len(w.store.of(InboundKind.UNBLOCKED)) == 1, "allowed")
        await w.ask("deny", user_id=USER)
        await w.until(lambda: w.store.of(InboundKind.BLOCKED), "denied")
        with contextlib.suppress(PeerGone):
            await w.say(vk, "вы тут?", 1)
            w.expect(False, "901 is PeerGone")
        await w.ask("allow", user_id=USER)
        await w.ask("blacklist", user_id=USER)
        with contextlib.suppress(PeerGone):
            await w.say(vk, "вы тут?", 2)
            w.expect(False, "900 is PeerGone")
        await w.ask("blacklist", user_id=USER, blocked=False)
        await w.say(vk, "мы тут", 3)
        await w.ask("admin_reply", peer_id=USER, admin_id=9001, text="Это я, хозяин")
        await w.until(lambda: w.store.of(InboundKind.STEPPED_IN), "stepped in")
        w.expect(
            [i.text for i in w.store.of(InboundKind.STEPPED_IN)] == ["Это я, хозяин"],
            "only the person, not our own sends",
        )
        await w.ask("typing", user_id=USER)
        await w.ask("read", user_id=USER)
        first = await w.ask("send", user_id=USER, text="ошибка")
        await w.ask("edit", user_id=USER, cmid=first["cmid"], text="исправлено")
        await w.until(lambda: w.store.of(InboundKind.EDIT), "the edit")
        w.expect(w.store.of(InboundKind.EDIT)[0].message == str(first["cmid"]), "the edit names the message")
        await w.ask("event", type="market_order_new", object={"id": 1})
        await w.ask(
            "event",
            type="message_new",
            object={
                "message": {
                    "from_id": USER,
                    "peer_id": USER,
                    "conversation_message_id": 900,
                    "text": "\x00",
                    "attachments": 5,
                }
            },
        )
        await w.until(lambda: "2001:900" in w.store.kept, "the odd message")


@check
async def files_both_ways(w: World) -> None:
    async with w.running() as vk:
        await w.ask(
            "send",
            user_id=USER,
            text="вот",
            attachments=[
                {"type": "photo", "size": 2000},
                {"type": "doc", "title": "чек.pdf"},
                {"type": "audio_message"},
                {"type": "sticker"},
                {"type": "wall", "wall": {"id": 5, "to_id": -1}},
            ],
            geo={"type": "point", "coordinates": {"latitude": 55.75, "longitude": 37.6}},
        )
        await w.until(lambda: w.store.texts(), "the files")
        came = w.store.of(InboundKind.MESSAGE)[0].attachments
        w.expect(
            [a.media for a in came]
            == [Media.PHOTO, Media.DOCUMENT, Media.VOICE, Media.STICKER, Media.OTHER, Media.LOCATION],
            str(came),
        )
        photo = await vk.read(came[0])
        w.expect(len(photo.content) == 2000 and photo.mime == "image/jpeg", "the photo is read")
        kinds = [
            (Media.PHOTO, "a.jpg"),
            (Media.DOCUMENT, "b.pdf"),
            (Media.VOICE, "c.ogg"),
            (Media.VIDEO, "d.mp4"),
            (Media.DOCUMENT, "e.exe"),
        ]
        parcel = tuple(Attachment(m, ref=n, name=n) for m, n in kinds)
        place = Attachment(Media.LOCATION, data={"latitude": 55.75, "longitude": 37.6})
        await w.say(
            vk, "файлы", 1, attachments=(*parcel, place, Attachment(Media.STICKER, data={"emoji": "🙂"}))
        )
        sent = (await w.ask("messages", user_id=USER, from_bot=True))["messages"][-1]
        w.expect(
            [a["type"] for a in sent["attachments"]] == ["photo", "doc", "audio_message", "doc"],
            str(sent["attachments"])[:300],
        )
        w.expect("e.exe" in sent["text"] and "🙂" in sent["text"], sent["text"])
        before = len((await w.ask("calls", method="docs.save"))["calls"])
        await w.say(vk, "снова", 2, attachments=parcel[:2])
        w.expect(
            len((await w.ask("calls", method="docs.save"))["calls"]) == before,
            "the second time the name is known",
        )
        await w.say(vk, "ваше же фото", 3, attachments=(came[0],))
        await w.ask("faults", match={"method": "upload"}, action={"type": "http", "status": 502})
        with contextlib.suppress(RetryLater):
            await w.say(vk, "x", 4, attachments=(Attachment(Media.PHOTO, ref="другое", name="z.jpg"),))
            w.expect(False, "an upload that fails is tried later")


@check
async def sending_faults(w: World) -> None:
    async with w.running() as vk:
        await w.ask("send", user_id=USER, text="go")
        await w.until(lambda: w.store.texts(), "the text")
        faults: list[dict[str, Any]] = [
            {"type": "drop_before"},
            {"type": "drop_after"},
            {"type": "http", "status": 502},
            {"type": "too_many"},
            {"type": "garbage"},
            {"type": "truncate"},
            {"type": "error", "error_code": 10},
            {"type": "error", "error_code": 1},
        ]
        for number, action in enumerate(faults, 10):
            await w.ask("faults", match={"method": "messages.send"}, action=action)
            await w.patient(vk, f"ответ {number}", number)
        texts = await w.bot_texts()
        w.expect(texts == [f"ответ {n}" for n in range(10, 18)], f"each once and in order: {texts}")
        await w.ask(
            "faults",
            match={"method": "messages.send"},
            action={"type": "error", "error_code": 14, "extra": {"captcha_sid": "1", "captcha_img": "x"}},
        )
        with contextlib.suppress(RetryLater):
            await w.say(vk, "капча", 30)
            w.expect(False, "captcha is for later")
        w.expect("vk-14" in vk.health.details, "captcha is shown")


@check
async def pace(w: World) -> None:
    async with w.running(mark_read=False) as vk:
        await w.ask("send", user_id=USER, text="go")
        await w.until(lambda: w.store.texts(), "the text")
        start = time.monotonic()
        await asyncio.gather(*(w.say(vk, f"{n}", 100 + n) for n in range(60)))
        w.expect(time.monotonic() - start < 6, f"60 sends took {time.monotonic() - start:.1f} s")
        w.expect(len(await w.bot_texts()) == 60, "all arrived")


@check
async def polling_faults(w: World) -> None:
    async with w.running():
        for number, action in enumerate(
            (
                {"type": "http", "status": 502},
                {"type": "garbage"},
                {"type": "drop_before"},
                {"type": "drop_after"},
                {"type": "error", "failed": 2},
                {"type": "error", "failed": 9},
            )
        ):
            await w.ask("faults", match={"method": "longpoll"}, action=action)
            await w.ask("send", user_id=USER, text=f"слово {number}")
            await w.until(lambda number=number: f"слово {number}" in w.store.texts(), f"after {action}")
        await w.ask("faults", match={"method": "users.get"}, action={"type": "hang", "delay": 4}, times=-1)
        await w.ask("users", id=2002, first_name="Немо")
        start = time.monotonic()
        await w.ask("send", user_id=2002, text="без имени")
        await w.until(lambda: "без имени" in w.store.texts(), "words without a name")
        w.expect(time.monotonic() - start < 5, "names must not hold words up")


@check
async def cut_history(w: World) -> None:
    await w.ask("send", user_id=USER, text="до первого запуска")
    async with w.running():
        await asyncio.sleep(0.5)
        w.expect(w.store.texts() == [], "what was there before the first start is history")
    for action in ("drop_history", "lose_info", "expire_key"):
        await asyncio.sleep(1)  # a new process does not begin within the second of the old one's calls
        await w.ask("send", user_id=USER, text=f"во сне: {action}")
        await w.ask("send", user_id=USER, text=f"второе: {action}")
        await w.ask("lp", action=action)
        async with w.running():
            await w.until(
                lambda action=action: f"во сне: {action}" in w.store.texts(), f"caught up after {action}"
            )
            await w.ask("send", user_id=USER, text=f"наяву: {action}")
            await w.until(
                lambda action=action: f"наяву: {action}" in w.store.texts(), f"goes on after {action}"
            )
            texts = [t for t in w.store.texts() if action in t]
            w.expect(
                texts == [f"во сне: {action}", f"второе: {action}", f"наяву: {action}"], f"order: {texts}"
            )


@check
async def a_store_that_fails(w: World) -> None:
    async with w.running():
        w.store.fail = 2
        await w.ask("send", user_id=USER, text="важное")
        await w.until(lambda: "важное" in w.store.texts(), "kept after the store works again")


@check
async def callback_mode(w: World) -> None:
    vk = w.adapter(mode="callback", secret="тайна", confirmation="abc123")
    site = web.Application()
    site.add_routes(vk.routes())
    runner = web.AppRunner(site)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    url = f"http://127.0.0.1:{port}/hooks/vk"
    task = asyncio.create_task(vk.run(w.store.accept, cursor=None))
    try:
        server = await w.ask("callback_server", url=url, secret="тайна", confirmation="abc123")
        w.expect(server["confirmed"], "confirmed")
        await w.until(lambda: vk.health.state == "working", "open")
        w.store.fail = 1
        sent = await w.ask("send", user_id=USER, text="по звонку")
        await w.until(lambda: "по звонку" in w.store.texts(), "the call after a refusal", 12)
        await w.ask("repeat", event_id=sent["event_id"])
        await asyncio.sleep(0.5)
        w.expect(w.store.texts() == ["по звонку"] and w.store.repeats, "a repeat is the same")
        deliveries = (await w.ask("callbacks"))["servers"][0]["deliveries"]
        w.expect(
            deliveries[-1]["body"] == "ok" and any(d["status"] == 503 for d in deliveries), str(deliveries)
        )
        await w.ask("callback_server", url=url, secret="не та", confirmation="abc123")
        await w.ask("send", user_id=USER, text="ещё")
        await asyncio.sleep(0.5)
        w.expect(
            any(d["status"] == 403 for d in (await w.ask("callbacks"))["servers"][1]["deliveries"]),
            "a wrong secret is refused",
        )
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await runner.cleanup()
        await vk.close()


@check
async def group_chats(w: World) -> None:
    await w.ask("users", id=9001, first_name="Ольга")
    peer = (await w.ask("chats", title="Поддержка", members=[9001, USER], admins=[9001]))["peer_id"]
    async with w.running() as vk:
        await w.ask("send", user_id=9001, peer_id=peer, text=f"[club{GROUP}|@shop], /take")
        await w.until(lambda: "/take" in w.store.texts(), "the command")
        said = w.store.of(InboundKind.MESSAGE)[0]
        w.expect(not said.private and said.message == "1", str(said))
        name = await w.say(vk, "Карточка", 1, chat=peer, buttons=((Button("Взять", "take"),),))
        w.expect(name == "2", f"number within the chat: {name}")
        await w.say(vk, "Карточка: взято", 2, chat=peer, kind=OutboundKind.EDIT, edits="card", target=name)
        await w.say(vk, "👍", 3, chat=peer, kind=OutboundKind.REACT, quotes="1")
        await w.say(vk, "", 4, chat=peer, kind=OutboundKind.PIN, edits="card", target=name)
        answer = await w.say(vk, "в ответ", 5, chat=peer, quotes="1")
        await w.say(vk, "", 6, chat=peer, kind=OutboundKind.DELETE, edits="x", target=answer)
        w.expect(await vk.membership(str(peer), "9001") == "administrator", "administrator")
        w.expect(await vk.membership(str(peer), str(USER)) == "member", "member")
        w.expect(await vk.membership(str(peer), "5") == "none", "none")
        w.expect((await vk.chat_info(str(peer))).kind == "group", "a group")
        await w.ask("chat", peer_id=peer, action="kick", user_id=-GROUP)
        with contextlib.suppress(PeerGone):
            await w.say(vk, "тук-тук", 7, chat=peer)
            w.expect(False, "917 is PeerGone")
        await w.ask("chat", peer_id=peer, action="add", user_id=-GROUP)
        await w.until(lambda: w.store.of(InboundKind.ADDED), "added")


@check
async def the_account(w: World) -> None:
    vk = w.adapter()
    w.expect(await vk.check() == (), f"nothing to mend: {await vk.check()}")
    await w.ask("group_settings", lp_version="5.80", events={"message_event": False})
    codes = [p.code for p in await vk.check()]
    w.expect(codes == ["vk-longpoll-version", "vk-event-off"], str(codes))
    await vk.close()
    wrong = w.adapter(token="vk1.a.WRONG")
    try:
        await asyncio.wait_for(wrong.run(w.store.accept, cursor=None), 5)
    except AccountError as error:
        w.expect(error.hint and "WRONG" not in str(error), "a hint, no secret")
    else:
        w.expect(False, "a wrong token is an AccountError")
    w.expect(wrong.health.state == "stopped", "stopped")
    w.expect([p.code for p in await wrong.check()] == ["vk-5"], "doctor says so")
    await wrong.close()
    away = w.adapter(api_base="http://127.0.0.1:9")
    task = asyncio.create_task(away.run(w.store.accept, cursor=None))
    await w.until(lambda: away.health.state == "failing", "an outage is no end")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await away.close()


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


async def main(simulator: str, wanted: Sequence[str]) -> int:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, simulator, "--port", str(port), stdout=subprocess.DEVNULL
    )
    failed = 0
    try:
        for one in CHECKS:
            if wanted and one.__name__ not in wanted:
                continue
            world = World(f"http://127.0.0.1:{port}")
            for _ in range(100):
                with contextlib.suppress(OSError):
                    await world.ask("reset")
                    break
                await asyncio.sleep(0.1)
            await world.ask("users", id=USER, first_name="Ильдар", last_name="Сафин", sex=2)
            start = time.monotonic()
            try:
                await one(world)
            except Exception as error:
                world.failures.append(f"{type(error).__name__}: {error}")
                if os.environ.get("LOUD"):
                    raise
            world.failures += [str(v)[:300] for v in (await world.ask("violations"))["violations"]]
            failed += bool(world.failures)
            print(
                f"{'FAIL' if world.failures else 'ok  '} {one.__name__} ({time.monotonic() - start:.1f} s)",
                *world.failures,
                sep="\n       ",
            )
    finally:
        process.terminate()
        await process.wait()
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1], sys.argv[2:])))
