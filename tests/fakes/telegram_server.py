"""A small Bot API server for tests: it keeps updates until they are confirmed, records every call, and fails
on request.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from aiogram.types import (
    BusinessConnection,
    EphemeralMessageParameters,
    InputRichBlockTable,
    InputRichMessage,
)
from aiohttp import web

TOKEN = "123456789:TEST_secret-of-the-bot"
BOT_ID = 123456789
USERNAME = "shop_bot"

Json = dict[str, Any]
Answer = Callable[[web.Request], web.StreamResponse]


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it arrived: parameters read from JSON where they are JSON, uploaded files by name."""

    method: str
    params: Json
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)


class FakeTelegram:
    """Use as `async with FakeTelegram() as telegram`; the adapter's api_base is `telegram.base`."""

    def __init__(self) -> None:
        self.base = ""
        self.calls: list[Call] = []
        self.queue: list[Json] = []
        self.confirmed: list[int] = []
        self.files: dict[str, bytes] = {}
        self.results: dict[str, Any] = {}
        self.accounts: dict[str, Json] = {}  # business connections by id
        self.lately: set[int] = set()  # customers who wrote to an account within 24 hours
        self.modern = True  # knows rich and ephemeral messages
        self._faults: dict[str, list[Callable[[web.Request], Any]]] = {}
        self._next_message = 500
        self._next_update = 7000
        self._arrived = asyncio.Event()
        self._called = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/bot{token}/{method}", self.answer_call)
        app.router.add_get("/file/bot{token}/{path:.*}", self._download)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    # --- what a test says

    def push(self, kind: str, body: Any) -> int:
        """Put an update into the queue; returns its id."""
        number, self._next_update = self._next_update, self._next_update + 1
        self.queue.append({"update_id": number, kind: body})
        self._arrived.set()
        return number

    def refuse(
        self, method: str, status: int, description: str, times: int = 1, **parameters: object
    ) -> None:
        """Answer the next calls of *method* as the Bot API refuses."""
        body = {
            "ok": False,
            "error_code": status,
            "description": description,
            **({"parameters": parameters} if parameters else {}),
        }
        self._fault(method, lambda _: web.json_response(body, status=status), times)

    def answer(self, method: str, status: int, text: str, times: int = 1) -> None:
        """Answer the next calls of *method* with something that is not the Bot API's."""
        self._fault(method, lambda _: web.Response(status=status, text=text, content_type="text/html"), times)

    def redirect(self, method: str, to: str) -> None:
        """Send the next call of *method* elsewhere."""
        self._fault(
            method,
            lambda _: web.Response(status=307, headers={"Location": f"{self.base}/bot{TOKEN}/{to}"}),
            1,
        )

    def cut(self, method: str, times: int = 1) -> None:
        """Cut the connection of the next calls of *method*, after the call was read."""

        def broken(request: web.Request) -> web.StreamResponse:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

        self._fault(method, broken, times)

    def hang(self, method: str, seconds: float, times: int = 1) -> None:
        """Let the next calls of *method* wait."""

        async def slow(_: web.Request) -> web.StreamResponse:
            await asyncio.sleep(seconds)
            return web.json_response({"ok": True, "result": {}})

        self._fault(method, slow, times)

    def of(self, method: str) -> list[Call]:
        return [c for c in self.calls if c.method == method]

    async def wait_for(self, is_so: Callable[[], bool], timeout: float = 5.0) -> None:
        """Return as soon as *is_so*; it is asked again after each call."""
        async with asyncio.timeout(timeout):
            while not is_so():
                self._called.clear()
                try:
                    await asyncio.wait_for(self._called.wait(), 0.05)
                except TimeoutError:
                    continue

    # --- what the server does

    def _fault(self, method: str, fault: Callable[[web.Request], Any], times: int) -> None:
        self._faults.setdefault(method, []).extend([fault] * times)

    async def answer_call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        if request.match_info["token"] != TOKEN:
            return web.json_response(
                {"ok": False, "error_code": 401, "description": "Unauthorized"}, status=401
            )
        call = await read_call(request, method)
        self.calls.append(call)
        self._called.set()
        if faults := self._faults.get(method):
            answered = faults.pop(0)(request)
            told: web.StreamResponse = await answered if asyncio.iscoroutine(answered) else answered
            return told
        new = call.method == "sendRichMessage" or "ephemeral_message_parameters" in call.params
        if new and not self.modern:
            body = {"ok": False, "error_code": 404, "description": "Not Found: method not found"}
            return web.json_response(body, status=404)
        if why := _extras_refusal(call) or self._account_refusal(call):
            body = {"ok": False, "error_code": 400, "description": f"Bad Request: {why}"}
            return web.json_response(body, status=400)
        return web.json_response({"ok": True, "result": await self.result_of(call)})

    def connect(self, id: str, *, owner: int = 77, enabled: bool = True, **rights: bool) -> Json:
        """A person connects the bot to their account, or changes it; the body of the update."""
        user = {"id": owner, "is_bot": False, "first_name": "Ирина"}
        body: Json = {"id": id, "user": user, "user_chat_id": owner, "date": 1, "is_enabled": enabled}
        body["rights"] = rights
        BusinessConnection.model_validate(body)
        self.accounts[id] = body
        return body

    def _account_refusal(self, call: Call) -> str:
        """What the Bot API has against a call in the name of somebody's account; "" where nothing."""
        if (id := call.params.get("business_connection_id")) is None:
            return ""
        if (account := self.accounts.get(str(id))) is None:
            return "business connection not found"
        if call.method == "getBusinessConnection":
            return ""
        if not account["is_enabled"]:
            return "BUSINESS_CONNECTION_INVALID"
        if call.params.get("message_thread_id") or call.method == "setMessageReaction":
            return "PARAMETERS_INVALID"
        if call.method == "deleteBusinessMessages":
            return (
                "" if account["rights"].get("can_delete_sent_messages") else "BUSINESS_CONNECTION_NOT_ALLOWED"
            )
        if not account["rights"].get("can_reply"):
            return "BUSINESS_CONNECTION_NOT_ALLOWED"
        return "" if call.params.get("chat_id") in self.lately else "BUSINESS_PEER_USAGE_MISSING"

    async def result_of(self, call: Call) -> Any:
        if call.method in self.results:
            return self.results[call.method]
        match call.method:
            case "getMe":
                return {
                    "id": BOT_ID,
                    "is_bot": True,
                    "first_name": "Бот",
                    "username": USERNAME,
                    "can_read_all_group_messages": False,
                }
            case "getBusinessConnection":
                return self.accounts[str(call.params["business_connection_id"])]
            case "getUpdates":
                return await self._updates(call.params)
            case "getFile":
                return {"file_id": call.params["file_id"], "file_path": f"documents/{call.params['file_id']}"}
            case "createForumTopic":
                return {"message_thread_id": 77, "name": call.params["name"], "icon_color": 7322096}
            case "sendMediaGroup":
                parts = [_kept(m["type"], str(m["media"])) for m in call.params["media"]]
                return [self._message(call.params) | part for part in parts]
            case "sendPhoto" | "sendDocument" | "sendVideo" | "sendAudio" | "sendAnimation":
                kind = call.method.removeprefix("send").lower()
                return self._message(call.params) | _kept(kind, call.method)
        return (
            self._message(call.params)
            if call.method.startswith(("send", "edit")) and call.method != "sendChatAction"
            else True
        )

    async def _updates(self, params: Mapping[str, Any]) -> list[Json]:
        if offset := params.get("offset"):
            self.confirmed += [u["update_id"] for u in self.queue if u["update_id"] < offset]
            self.queue = [u for u in self.queue if u["update_id"] >= offset]
        if not self.queue:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), params.get("timeout", 0))
            except TimeoutError:
                pass
        return self.queue[: params.get("limit", 100)]

    def _message(self, params: Mapping[str, Any]) -> Json:
        self._next_message += 1
        return {
            "message_id": self._next_message,
            "date": 1,
            "chat": {"id": params.get("chat_id"), "type": "private"},
        }

    async def _download(self, request: web.Request) -> web.Response:
        name = request.match_info["path"].rsplit("/", 1)[-1]
        if name not in self.files:
            return web.Response(status=404, text="not found")
        return web.Response(body=self.files[name])


def _extras_refusal(call: Call) -> str:
    """What the Bot API has against a rich message, or one for a single member of a group."""
    if (reader := call.params.get("ephemeral_message_parameters")) is not None:
        EphemeralMessageParameters.model_validate(reader)
        if int(call.params["chat_id"]) > 0:
            return "ephemeral messages can be sent only in groups"
    if call.method != "sendRichMessage":
        return ""
    rich = InputRichMessage.model_validate(call.params["rich_message"])
    if sum(part is not None for part in (rich.html, rich.markdown, rich.blocks)) != 1:
        return "exactly one of html, markdown and blocks must be given"
    tables = [b for b in rich.blocks or () if isinstance(b, InputRichBlockTable)]
    rows = sum(len(t.cells) for t in tables)
    if any(len(row) > 20 for t in tables for row in t.cells) or len(rich.blocks or ()) + rows > 500:
        return "RICH_MESSAGE_TOO_LARGE"
    return ""


def _kept(kind: str, name: str) -> Json:
    """A file as a message shows it that Telegram keeps now."""
    file = {"file_id": f"kept-{name.removeprefix('attach://')}", "file_unique_id": "u"}
    return {kind: [file | {"width": 90, "height": 90}] if kind == "photo" else file}


async def read_call(request: web.Request, method: str) -> Call:
    params: Json = {}
    files: dict[str, tuple[str, bytes]] = {}
    if request.content_type == "application/json":
        return Call(method, await request.json(), files)
    for key, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            files[key] = (value.filename, value.file.read())
        elif isinstance(value, str):
            params[key] = (
                _value(value) if key not in ("text", "caption", "name", "callback_query_id") else value
            )
    return Call(method, params, files)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
