"""Telegram and VK as servers that several processes call: they note which process sent what and when, count
the limits, and now and then are slow, say "later" or cut the line.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

from tests.chaos.platforms import CALM, DESK_CHAT, Weather
from tests.fakes import vk_server
from tests.fakes.telegram_server import BOT_ID, FakeTelegram, Json, read_call
from tests.fakes.vk_server import FakeVk

ROUGH = Weather(slow=0.3, later=0.03, cut_before=0.02, cut_after=0.02)
# what each platform bears: calls of the account in a second, messages of a group in a minute
ACCOUNT = {"telegram": (30, 1.0), "vk": (20, 1.0)}
GROUP = (20, 60.0)
OPERATORS = {9001: "Ольга", 9002: "Павел"}
UNCOUNTED = ("sendChatAction", "answerCallbackQuery", "setMessageReaction")


@dataclass(slots=True)
class Arrival:
    """A message as it reached its platform. *cut*: whoever sent it was not told that it did."""

    platform: str
    chat: str
    thread: str
    text: str
    message: str
    replica: int
    begun: float
    cut: bool = False
    buttons: tuple[tuple[str, str], ...] = ()  # label and token of each


@dataclass(slots=True)
class Traffic:
    """What both platforms saw."""

    dice: random.Random
    weather: Weather = CALM
    arrivals: list[Arrival] = field(default_factory=list)
    too_fast: list[str] = field(default_factory=list)
    polled: dict[str, int] = field(default_factory=dict)  # which replica asked for updates last
    _begun: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))

    def count(self, platform: str, chat: str, begun: float) -> None:
        """The limits count what is carried out, from when the call came."""
        rules = [("", ACCOUNT[platform])]
        if platform == "telegram" and chat.startswith("-"):
            rules.append((chat, GROUP))
        for key, (most, period) in rules:
            times = self._begun[platform, key]
            times.append(begun)
            times.sort()
            if len(times) > most and times[-1] - times[-most - 1] < period:
                seconds = times[-1] - times[-most - 1]
                self.too_fast.append(f"{platform} {key or 'account'}: {most + 1} calls in {seconds:.2f} s")

    def fate(self) -> str:
        """What becomes of the next send."""
        weather = self.weather
        names = ("later", "cut_before", "cut_after")
        return self._drawn([(name, getattr(weather, name)) for name in names])

    async def is_slow(self) -> None:
        slow = self.dice.random() < self.weather.slow
        await asyncio.sleep(self.dice.uniform(0.3, 2.5) if slow else self.dice.uniform(0.0, 0.05))

    def _drawn(self, shares: list[tuple[str, float]]) -> str:
        drawn = self.dice.random()
        for name, share in shares:
            if drawn < share:
                return name
            drawn -= share
        return ""


class Entrances:
    """An address for each replica, all of one server: that is how it is known who calls."""

    def __init__(self) -> None:
        self.bases: list[str] = []
        self._ports: dict[int, int] = {}

    async def open(self, runner: web.AppRunner, replicas: int) -> None:
        for number in range(replicas):
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            port = int(runner.addresses[-1][1])
            self._ports[port] = number
            self.bases.append(f"http://127.0.0.1:{port}")

    def of(self, request: web.Request) -> int:
        if request.transport is None:
            return -1
        return self._ports.get(request.transport.get_extra_info("sockname")[1], -1)


class ClusterTelegram(FakeTelegram):
    """The Bot API with a forum as the operators' group."""

    def __init__(self, traffic: Traffic, replicas: int) -> None:
        super().__init__()
        self.traffic, self.entrances, self._replicas = traffic, Entrances(), replicas
        self._threads = itertools.count(11)
        self.topics: list[str] = []

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        assert self._runner is not None
        await self.entrances.open(self._runner, self._replicas)
        return self

    def says(self, user: int, name: str, text: str, *, chat: str = "", thread: str = "") -> None:
        """Somebody writes, in private or in a topic of the operators' group."""
        self._next_message += 1
        message: Json = {
            "message_id": self._next_message,
            "date": int(time.time()),
            "from": {"id": user, "is_bot": False, "first_name": name, "language_code": "ru"},
            "chat": {"id": user, "type": "private", "first_name": name},
            "text": text,
        }
        if chat:
            message["chat"] = {"id": int(chat), "type": "supergroup", "title": "Операторы", "is_forum": True}
        if thread:
            message |= {"message_thread_id": int(thread), "is_topic_message": True}
        self.push("message", message)

    def presses(self, user: int, name: str, arrival: Arrival, token: str) -> None:
        """Somebody presses a button of the operators' group."""
        message: Json = {
            "message_id": int(arrival.message),
            "date": int(time.time()),
            "chat": {"id": int(arrival.chat), "type": "supergroup", "title": "Операторы", "is_forum": True},
        }
        if arrival.thread:
            message |= {"message_thread_id": int(arrival.thread), "is_topic_message": True}
        who = {"id": user, "is_bot": False, "first_name": name}
        self.push(
            "callback_query", {"id": f"c{self._next_update}", "from": who, "message": message, "data": token}
        )

    async def answer_call(self, request: web.Request) -> web.StreamResponse:
        begun, replica = time.monotonic(), self.entrances.of(request)
        call = await read_call(request, request.match_info["method"])
        if call.method == "getUpdates":
            self.traffic.polled["telegram"] = replica
        if not _sends(call.method):
            return web.json_response({"ok": True, "result": await self.result_of(call)})
        fate = self.traffic.fate()
        await self.traffic.is_slow()
        if fate == "later":
            wait = self.traffic.dice.randint(1, 3)
            body = {"ok": False, "error_code": 429, "description": f"Too Many Requests: retry after {wait}"}
            return web.json_response({**body, "parameters": {"retry_after": wait}}, status=429)
        if fate == "cut_before":
            return _cut(request)
        result = await self.result_of(call)
        self._note(call.method, call.params, result, replica, begun).cut = fate == "cut_after"
        await self.traffic.is_slow()
        return _cut(request) if fate == "cut_after" else web.json_response({"ok": True, "result": result})

    def _note(self, method: str, params: Json, result: Any, replica: int, begun: float) -> Arrival:
        chat = str(params.get("chat_id", ""))
        if method not in UNCOUNTED:
            self.traffic.count("telegram", chat, begun)
        message = str(result["message_id"]) if isinstance(result, dict) and "message_id" in result else ""
        rows = (params.get("reply_markup") or {}).get("inline_keyboard", [])
        arrival = Arrival(
            "telegram",
            chat,
            str(params.get("message_thread_id") or ""),
            str(params.get("text", "")),
            message,
            replica,
            begun,
            buttons=tuple(
                (b["text"], b["callback_data"]) for row in rows for b in row if "callback_data" in b
            ),
        )
        if method.startswith("send"):
            self.traffic.arrivals.append(arrival)
        return arrival

    async def result_of(self, call: Any) -> Any:
        match call.method:
            case "createForumTopic":
                self.topics.append(str(next(self._threads)))
                return {
                    "message_thread_id": int(self.topics[-1]),
                    "name": call.params["name"],
                    "icon_color": 1,
                }
            case "getChat":
                return _chat(str(call.params["chat_id"]))
            case "getChatMember":
                return _member(int(call.params["user_id"]))
            case "getMe":
                return {**await super().result_of(call), "can_read_all_group_messages": True}
        return await super().result_of(call)


class ClusterVk(FakeVk):
    """A community whose customers have handed over nothing but words."""

    def __init__(self, traffic: Traffic, replicas: int) -> None:
        super().__init__()
        self.traffic, self.entrances, self._replicas = traffic, Entrances(), replicas

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        assert self._runner is not None
        await self.entrances.open(self._runner, self._replicas)
        return self

    def says(self, user: int, name: str, text: str) -> None:
        self.people[user] = {"first_name": name, "last_name": "", "sex": 0}
        self.writes(user, text, date=int(time.time()))

    async def answer_call(self, request: web.Request) -> web.StreamResponse:
        begun, replica = time.monotonic(), self.entrances.of(request)
        method = request.match_info["method"]
        if method == "groups.getLongPollServer":
            self.traffic.polled["vk"] = replica
        if method not in ("messages.send", "messages.edit"):
            return await super().answer_call(request)
        given, fate = await request.post(), self.traffic.fate()
        await self.traffic.is_slow()
        if fate == "later":
            return web.json_response(
                {"error": {"error_code": 6, "error_msg": "Too many requests", "request_params": []}}
            )
        if fate == "cut_before":
            return _cut(request)
        before = len(self.sent)
        answer = await super().answer_call(request)  # law: nothing is awaited in it, so these are this call's
        self.traffic.count("vk", str(given.get("peer_id", "")), begun)
        for message in self.sent[before:]:  # the same random_id again is no second message
            self.traffic.arrivals.append(self._arrival(message, replica, begun, fate == "cut_after"))
        await self.traffic.is_slow()
        return _cut(request) if fate == "cut_after" else answer

    def _arrival(self, message: vk_server.Message, replica: int, begun: float, cut: bool) -> Arrival:
        number = f"m{message.id}"
        return Arrival(
            "vk", str(message.peer), "", str(message.params["message"]), number, replica, begun, cut
        )


@dataclass(slots=True)
class Platforms:
    """Both servers, open within the `async with`."""

    traffic: Traffic
    telegram: ClusterTelegram
    vk: ClusterVk
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @classmethod
    def made(cls, dice: random.Random, replicas: int) -> Platforms:
        traffic = Traffic(dice)
        return cls(traffic, ClusterTelegram(traffic, replicas), ClusterVk(traffic, replicas))

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.telegram)
        await self._stack.enter_async_context(self.vk)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()


def _sends(method: str) -> bool:
    """Whether a call is one of the outbox's."""
    return method.startswith(
        ("send", "edit", "pin", "delete", "close", "reopen", "create", "set", "answer")
    ) and method not in ("setMyCommands", "deleteWebhook", "deleteMyCommands", "sendChatAction")


def _cut(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _chat(chat: str) -> Mapping[str, Any]:
    if chat == DESK_CHAT:
        return {"id": int(chat), "type": "supergroup", "title": "Операторы", "is_forum": True}
    return {"id": int(chat), "type": "private", "first_name": OPERATORS.get(int(chat), "Клиент")}


def _member(user: int) -> Mapping[str, Any]:
    rights = dict.fromkeys(("can_manage_topics", "can_pin_messages", "can_delete_messages"), True)
    if user == BOT_ID:
        return {
            "status": "administrator",
            "user": {"id": user, "is_bot": True, "first_name": "Бот"},
            **rights,
        }
    status = "member" if user in OPERATORS else "left"
    return {"status": status, "user": {"id": user, "is_bot": False, "first_name": OPERATORS.get(user, "")}}
