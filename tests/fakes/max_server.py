"""A small MAX for tests, made from the client library's models: it keeps updates until they are confirmed,
refuses what MAX refuses (words too long, a wrong token, buttons of a wrong shape, a file it has not worked
through, too many calls), and fails on request.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Self

import aiohttp
from aiohttp import web
from maxapi.types.attachments.buttons.attachment_button import AttachmentButton
from maxapi.types.attachments.upload import AttachmentUpload
from maxapi.types.chats import Chat, ChatMember
from maxapi.types.message import Message, NewMessageLink
from maxapi.types.updates import UpdateUnionAdapter
from maxapi.types.users import User
from maxapi.utils.message_link import chatid_seq_to_mid
from pydantic import ValidationError

TOKEN = "max-TEST-secret-of-the-bot"
BOT_ID = 777
USERNAME = "shop_max_bot"
SECRET = "max-hook-secret"
DIALOGS = 1_000_000  # the number of a person's dialog is theirs above this
PER_SECOND = 30
TEXT, LABEL, PAYLOAD = 4000, 64, 256
ROWS, ROW, LINK_ROW, BUTTONS = 30, 7, 3, 210
FILES = ("image", "video", "audio", "file")
TAGS = frozenset("b strong i em u ins s del code pre a mark h1 blockquote".split())  # noqa: SIM905

Json = dict[str, Any]
Fault = Callable[[web.Request], web.StreamResponse]


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    path: str
    params: Mapping[str, str]
    body: Any


@dataclass(slots=True)
class Shown:
    """A message of the bot as people see it now."""

    mid: str
    chat: int
    user: int
    text: str
    body: Json
    buttons: list[list[Json]] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    deleted: bool = False
    edits: int = 0


class Refusal(Exception):
    """What the API answers instead."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class FakeMax:
    """Use as `async with FakeMax() as server`; the adapter's api_base is `server.base`.

    *counts*: more than thirty calls in a second are refused.
    """

    def __init__(self, *, counts: bool = True) -> None:
        self.base = ""
        self.calls: list[Call] = []
        self.messages: dict[str, Shown] = {}
        self.answers: list[Json] = []
        self.events: list[tuple[int, Json]] = []
        self.confirmed = 0
        self.people: dict[int, Json] = {}
        self.groups: dict[int, Json] = {}
        self.blocked: set[int] = set()
        self.hooks: dict[str, Json] = {}
        self.commands: list[Json] = []
        self.uploaded: dict[str, tuple[str, str, bytes]] = {}  # token: kind, name, content
        self.pinned: dict[int, str] = {}
        self.unready = 0  # so many sends with a file are too early
        self.refused_kinds: set[str] = set()  # kinds of files that will not do
        self.too_fast = 0
        self._counts = counts
        self._begun: list[float] = []
        self._seq, self._marker = itertools.count(9000), itertools.count(1)
        self._places: dict[str, tuple[str, str]] = {}
        self._faults: dict[tuple[str, str], list[Fault]] = {}
        self._done_but_cut: dict[tuple[str, str], int] = {}
        self._arrived = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self.answer_call)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    # --- what people do

    def person(self, user: int, name: str = "Анна", **more: object) -> Json:
        known: Json = {"user_id": user, "first_name": name, "is_bot": False, "last_activity_time": 1, **more}
        User.model_validate(known)
        return self.people.setdefault(user, known)

    def group(self, chat: int, title: str = "Операторы", members: Mapping[int, str] | None = None) -> None:
        """A group with the bot as administrator and these people."""
        people = {
            user: {**self.person(user, name), "is_admin": False} for user, name in (members or {}).items()
        }
        self.groups[chat] = {"title": title, "status": "active", "members": people}

    def writes(self, user: int, text: str = "", *, chat: int = 0, **more: Any) -> Json:
        """Somebody writes in private, or in the group *chat*; *more* is of the message or its body."""
        body: Json = {k: more.pop(k) for k in ("attachments", "markup") if k in more}
        return self.happens("message_created", message=self.message(user, text, chat=chat, body=body, **more))

    def message(
        self, user: int, text: str, *, chat: int = 0, body: Mapping[str, Any] | None = None, **more: Any
    ) -> Json:
        place = chat or DIALOGS + user
        seq = next(self._seq)
        kind = {"chat_id": place, "chat_type": "chat" if chat else "dialog"}
        return {
            "sender": self.person(user),
            "recipient": kind if chat else {**kind, "user_id": BOT_ID},
            "timestamp": _now(),
            "body": {"mid": chatid_seq_to_mid(place, seq), "seq": seq, "text": text, **(body or {})},
            **more,
        }

    def presses(self, user: int, shown: Shown, label: str = "") -> Json:
        """Somebody presses the button *label* (the first one) of a message."""
        button = next(b for row in shown.buttons for b in row if label in ("", b["text"]))
        chat = shown.chat if shown.chat < 0 else 0
        message = self.message(user, shown.text, chat=chat)
        message["sender"] = self.me()
        message["body"]["mid"] = shown.mid
        press = {
            "timestamp": _now(),
            "callback_id": f"kb-{shown.mid[-8:]}",
            "payload": button["payload"],
            "user": self.person(user),
        }
        return self.happens("message_callback", message=message, callback=press)

    def happens(self, kind: str, **fields_of: Any) -> Json:
        """An update, checked with the library's model. Returns it."""
        update = {"update_type": kind, "timestamp": _now(), **fields_of}
        if kind not in ("alien",) and kind in _KNOWN:
            UpdateUnionAdapter.validate_python(update)
        self.events.append((next(self._marker), update))
        self._arrived.set()
        return update

    def repeats(self) -> None:
        """MAX delivers the last update once more."""
        self.events.append((next(self._marker), self.events[-1][1]))
        self._arrived.set()

    async def calls_hooks(self, address: str) -> list[int]:
        """Deliver what waits to the webhook at *address*; what is not taken stays. The statuses."""
        told: list[int] = []
        async with aiohttp.ClientSession() as session:
            for number, update in [e for e in self.events if e[0] > self.confirmed]:
                headers = {"X-Max-Bot-Api-Secret": next(iter(self.hooks.values()))["secret"]}
                async with session.post(address, json=update, headers=headers) as answer:
                    told.append(answer.status)
                    if answer.status != 200:
                        break
                    self.confirmed = number
        return told

    # --- what a test says

    @property
    def said(self) -> list[Shown]:
        return [m for m in self.messages.values() if not m.deleted]

    def said_to(self, place: int) -> list[Shown]:
        return [m for m in self.said if place in (m.chat, m.user)]

    def of(self, method: str, path: str) -> list[Call]:
        return [c for c in self.calls if (c.method, c.path) == (method, path)]

    def refuse(
        self,
        method: str,
        path: str,
        status: int,
        code: str,
        message: str = "",
        *,
        times: int = 1,
        **headers: str,
    ) -> None:
        """Answer the next such calls as the API refuses; *headers* with _ for -."""
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        body = {"code": code, "message": message}
        self._fault(method, path, lambda _: web.json_response(body, status=status, headers=named), times)

    def answer(self, method: str, path: str, status: int, text: str, times: int = 1) -> None:
        """Answer the next such calls with something that is not the API's."""
        self._fault(method, path, lambda _: web.Response(status=status, text=text), times)

    def cut(self, method: str, path: str, *, times: int = 1, done: bool = False) -> None:
        """Cut the connection of the next such calls, before or after they are carried out."""
        if done:
            self._done_but_cut[method, path] = self._done_but_cut.get((method, path), 0) + times
        else:
            self._fault(method, path, _cut, times)

    async def until(self, ready: Callable[[], object], seconds: float = 10.0) -> None:
        async with asyncio.timeout(seconds):
            while not ready():
                await asyncio.sleep(0.01)

    # --- what the server does

    def _fault(self, method: str, path: str, fault: Fault, times: int) -> None:
        self._faults.setdefault((method, path), []).extend([fault] * times)

    async def answer_call(self, request: web.Request) -> web.StreamResponse:
        path = "/" + request.match_info["path"]
        if path.startswith("/upload-here/"):
            return await self._take_file(request, path.rsplit("/", 1)[-1])
        if path.startswith("/file/"):
            token = path.rsplit("/", 1)[-1]
            if token not in self.uploaded:
                return web.Response(status=404)
            return web.Response(body=self.uploaded[token][2])
        given = await request.json() if request.can_read_body else None
        call = Call(request.method, path, dict(request.query), given)
        self.calls.append(call)
        key = (call.method, call.path)
        if faults := self._faults.get(key):
            return faults.pop(0)(request)
        try:
            self._allowed(request)
            answer = await self.result_of(call)
        except Refusal as error:
            headers = {"Retry-After": "1"} if error.status == 429 else {}
            told = {"code": error.code, "message": error.message}
            return web.json_response(told, status=error.status, headers=headers)
        if self._done_but_cut.get(key):
            self._done_but_cut[key] -= 1
            return _cut(request)
        return web.json_response(answer)

    def _allowed(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != TOKEN:
            raise Refusal(401, "verify.token", "Invalid access_token")
        now = time.monotonic()
        self._begun = [t for t in self._begun if now - t < 1.0] + [now]
        if self._counts and len(self._begun) > PER_SECOND:
            self.too_fast += 1
            raise Refusal(429, "too.many.requests", "Too many requests")

    async def result_of(self, call: Call) -> Any:
        params, body = call.params, call.body
        match (call.method, call.path.strip("/").split("/")):
            case ("GET", ["me"]):
                return self.me()
            case ("PATCH", ["me", "commands"]):
                self.commands = body["commands"]
                return {"commands": self.commands}
            case ("GET", ["updates"]):
                return await self._updates(params)
            case ("GET", ["subscriptions"]):
                return {"subscriptions": list(self.hooks.values())}
            case ("POST", ["subscriptions"]):
                return self._subscribe(body)
            case ("DELETE", ["subscriptions"]):
                return {"success": self.hooks.pop(params["url"], None) is not None}
            case ("POST", ["messages"]):
                return self._say(params, body)
            case ("PUT", ["messages"]):
                return self._edit(params, body)
            case ("DELETE", ["messages"]):
                return self._delete(params)
            case ("POST", ["answers"]):
                return self._answered(params, body)
            case ("POST", ["uploads"]):
                return self._upload_place(params)
            case ("GET", ["videos", token]):
                return {"token": token, "urls": {"mp4_480": f"{self.base}/file/{token}"}}
            case ("GET", ["chats", chat]):
                return self._chat(int(chat))
            case ("GET", ["chats", chat, "members", "me"]):
                return self._own_member(int(chat))
            case ("GET", ["chats", chat, "members"]):
                return self._members(int(chat), params)
            case ("POST", ["chats", chat, "actions"]):
                _one_of(body.get("action"), ("typing_on", "mark_seen", "sending_file", "sending_photo"))
                return {"success": True}
            case ("PUT", ["chats", chat, "pin"]):
                self._known_message(body["message_id"])
                self.pinned[int(chat)] = body["message_id"]
                return {"success": True}
        raise Refusal(404, "not.found", f"No such method: {call.method} {call.path}")

    def me(self) -> Json:
        return {"user_id": BOT_ID, "first_name": "Бот магазина", "username": USERNAME, "is_bot": True}

    async def _updates(self, params: Mapping[str, str]) -> Json:
        if self.hooks:
            return {"updates": [], "marker": None}
        if (
            not 0 <= int(params.get("timeout", "30")) <= 90
            or not 1 <= int(params.get("limit", "100")) <= 1000
        ):
            raise Refusal(400, "proto.payload", "limit or timeout out of bounds")
        if marker := params.get("marker"):
            self.confirmed = max(self.confirmed, int(marker))
        if not (waiting := self._waiting()):
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), int(params.get("timeout", "30")))
            except TimeoutError:
                pass
            waiting = self._waiting()
        found = waiting[: int(params.get("limit", "100"))]
        after = found[-1][0] if found else self.confirmed
        return {"updates": [update for _, update in found], "marker": after or None}

    def _waiting(self) -> list[tuple[int, Json]]:
        return [e for e in self.events if e[0] > self.confirmed]

    def _subscribe(self, body: Json) -> Json:
        if not str(body.get("url", "")).startswith("https://"):
            raise Refusal(400, "proto.payload", "url: https is needed")
        if not re.fullmatch(r"[A-Za-z0-9-]{5,256}", str(body.get("secret", ""))):
            raise Refusal(400, "proto.payload", "secret: wrong shape")
        self.hooks[body["url"]] = {"url": body["url"], "time": 1, "secret": body["secret"]}
        return {"success": True}

    # --- messages

    def _say(self, params: Mapping[str, str], body: Json) -> Json:
        user, chat = int(params.get("user_id", 0)), int(params.get("chat_id", 0))
        if bool(user) == bool(chat):
            raise Refusal(400, "proto.payload", "either user_id or chat_id")
        if chat and chat not in self.groups and chat - DIALOGS not in self.people:
            raise Refusal(404, "chat.not.found", f"Chat {chat} not found")
        if user and user not in self.people:
            raise Refusal(404, "dialog.not.found", f"Dialog with user {user} not found")
        if {user, chat - DIALOGS} & self.blocked:
            raise Refusal(403, "chat.denied", "error.dialog.suspended")
        if chat in self.groups and self.groups[chat]["status"] != "active":
            raise Refusal(403, "chat.denied", "bot is not a member of the chat")
        place, seq = chat or DIALOGS + user, next(self._seq)
        mid = chatid_seq_to_mid(place, seq)
        shown = self._checked(Shown(mid, place, user, "", body), body)
        if not shown.text and not body.get("attachments"):
            raise Refusal(400, "proto.payload", "text or attachments are needed")
        self.messages[mid] = shown
        recipient = {"chat_id": place, "chat_type": "chat" if place < 0 else "dialog"}
        told = {
            "sender": self.me(),
            "recipient": recipient,
            "timestamp": _now(),
            "body": {"mid": mid, "seq": seq, "text": shown.text},
        }
        Message.model_validate(told)
        return {"message": told}

    def _edit(self, params: Mapping[str, str], body: Json) -> Json:
        shown = self._known_message(params.get("message_id", ""))
        changed = self._checked(Shown(shown.mid, shown.chat, shown.user, shown.text, body), body)
        shown.text = changed.text if "text" in body else shown.text
        shown.body, shown.edits = body, shown.edits + 1
        if body.get("attachments") is not None:
            shown.buttons, shown.attachments = changed.buttons, changed.attachments
        return {"success": True}

    def _delete(self, params: Mapping[str, str]) -> Json:
        self._known_message(params.get("message_id", "")).deleted = True
        return {"success": True}

    def _known_message(self, mid: str) -> Shown:
        shown = self.messages.get(mid)
        if shown is None or shown.deleted:
            raise Refusal(404, "message.not.found", "Message not found")
        return shown

    def _answered(self, params: Mapping[str, str], body: Json) -> Json:
        if not params.get("callback_id"):
            raise Refusal(400, "proto.payload", "callback_id is needed")
        if not set(body) <= {"message", "notification"}:
            raise Refusal(400, "proto.payload", f"unknown fields: {sorted(body)}")
        self.answers.append({"callback_id": params["callback_id"], **body})
        return {"success": True}

    def _checked(self, shown: Shown, body: Json) -> Shown:
        if not set(body) <= {"text", "attachments", "link", "notify", "format"}:
            raise Refusal(400, "proto.payload", f"unknown fields: {sorted(body)}")
        text = body.get("text") or ""
        if len(text.encode("utf-16-le", "surrogatepass")) // 2 > TEXT:
            raise Refusal(400, "proto.payload", f"text: size must be between 0 and {TEXT}")
        shown.text = _read_html(text) if body.get("format") == "html" else text
        _one_of(body.get("format", "html"), ("html", "markdown"))
        if link := body.get("link"):
            self._checked_link(link)
        try:
            for item in body.get("attachments") or ():
                self._check_attachment(shown, item)
        except ValidationError as error:
            raise Refusal(400, "proto.payload", f"attachments: {error.error_count()} faults") from None
        return shown

    def _checked_link(self, link: Json) -> None:
        try:
            named = NewMessageLink.model_validate(link)
        except ValidationError:
            raise Refusal(400, "proto.payload", "link: wrong shape") from None
        known = {u["message"]["body"]["mid"] for _, u in self.events if "message" in u} | set(self.messages)
        if named.mid not in known:
            raise Refusal(404, "not.found", "link: message is unknown")

    def _check_attachment(self, shown: Shown, item: Json) -> None:
        kind = item.get("type")
        if kind == "inline_keyboard":
            AttachmentButton.model_validate(item)
            shown.buttons = _checked_keyboard(item["payload"]["buttons"])
            return
        if kind in FILES:
            token = AttachmentUpload.model_validate(item).payload.token
            if kind in self.refused_kinds or self.uploaded.get(token, ("",))[0] != kind:
                raise Refusal(400, "proto.payload", f"attachment: no such {kind}")
            if self.unready:
                self.unready -= 1
                raise Refusal(
                    400, "attachment.not.ready", "Key: errors.process.attachment.file.not.processed"
                )
        elif kind == "location":
            if not all(isinstance(item.get(k), float) for k in ("latitude", "longitude")):
                raise Refusal(400, "proto.payload", "attachment: location needs numbers")
        elif kind not in ("contact", "sticker", "share"):
            raise Refusal(400, "proto.payload", f"attachment: unknown type {kind}")
        shown.attachments.append(item)

    # --- files

    def _upload_place(self, params: Mapping[str, str]) -> Json:
        kind = params.get("type", "")
        _one_of(kind, FILES)
        token = f"{kind}-token-{len(self._places)}"
        self._places[token] = (kind, token)
        place = {"url": f"{self.base}/upload-here/{token}"}
        return {**place, "token": token} if kind in ("video", "audio") else place

    async def _take_file(self, request: web.Request, token: str) -> web.Response:
        kind, _ = self._places[token]
        given = (await request.post())["data"]
        assert isinstance(given, web.FileField)
        self.uploaded[token] = (kind, given.filename, given.file.read())
        if kind == "image":
            return web.json_response({"photos": {"1": {"token": token}}})
        if kind == "file":
            return web.json_response({"fileId": 1, "token": token})
        return web.Response(text="<retval>1</retval>", content_type="application/xml")

    # --- chats

    def _chat(self, chat: int) -> Json:
        if (group := self.groups.get(chat)) is None:
            raise Refusal(404, "chat.not.found", f"Chat {chat} not found")
        told = {
            "chat_id": chat,
            "type": "chat",
            "status": group["status"],
            "title": group["title"],
            "last_event_time": 1,
            "participants_count": len(group["members"]) + 1,
            "is_public": False,
        }
        Chat.model_validate(told)
        return told

    def _own_member(self, chat: int) -> Json:
        group = self.groups.get(chat)
        if group is None:
            raise Refusal(404, "chat.not.found", f"Chat {chat} not found")
        rights = ["read_all_messages", "write", "pin_message"]
        told = {
            **self.me(),
            "is_owner": False,
            "is_admin": True,
            "permissions": rights,
            **group.get("own", {}),
        }
        ChatMember.model_validate(told)
        return told

    def _members(self, chat: int, params: Mapping[str, str]) -> Json:
        self._chat(chat)
        wanted = {int(u) for u in params.get("user_ids", "").split(",") if u}
        people = [m for user, m in self.groups[chat]["members"].items() if not wanted or user in wanted]
        return {"members": people}


_KNOWN = frozenset(
    """message_created message_callback message_edited message_removed bot_started bot_stopped bot_added
    bot_removed user_added user_removed chat_title_changed dialog_removed dialog_muted""".split()  # noqa: SIM905
)


class _Reader(HTMLParser):
    """Refuses what is not well formed or no tag of MAX's."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.open = "", list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS or (attrs and tag != "a"):
            raise Refusal(400, "proto.payload", f"html: unknown tag {tag}")
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise Refusal(400, "proto.payload", f"html: {tag} is not open")

    def handle_data(self, data: str) -> None:
        self.text += data


def _read_html(text: str) -> str:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    if reader.open:
        raise Refusal(400, "proto.payload", f"html: {reader.open[-1]} is not closed")
    return reader.text


def _checked_keyboard(rows: list[list[Json]]) -> list[list[Json]]:
    if not 1 <= len(rows) <= ROWS or sum(len(row) for row in rows) > BUTTONS:
        raise Refusal(400, "proto.payload", "keyboard: too many rows or buttons")
    for row in rows:
        most = ROW if all(b["type"] in ("callback", "message") for b in row) else LINK_ROW
        if not 1 <= len(row) <= most:
            raise Refusal(400, "proto.payload", f"keyboard: a row holds 1 to {most} buttons")
        for button in row:
            if not 1 <= len(button["text"]) <= LABEL or len(button.get("payload") or "") > PAYLOAD:
                raise Refusal(400, "proto.payload", "keyboard: a button's text or payload is too long")
            if button["type"] == "link" and not str(button.get("url")).startswith(("http://", "https://")):
                raise Refusal(400, "proto.payload", "keyboard: a link needs an address")
    return rows


def _one_of(value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise Refusal(400, "proto.payload", f"{value} is none of {', '.join(known)}")


def _cut(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _now() -> int:
    return int(time.time() * 1000)
