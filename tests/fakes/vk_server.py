"""A small VK for tests: the API, one Long Poll queue, uploads and files; it records every call and fails on
request.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

TOKEN = "vk1.a.TEST-secret-of-the-community"
GROUP = 77
CHAT = 2_000_000_001
ADMIN = "vk1.a.TEST-secret-of-an-administrator"
# what VK refuses a community's key, as its schema of methods says (`access_token_type`)
OF_PEOPLE = frozenset(
    {
        *(f"{m}.{do}Comment" for m in ("photos", "video", "market") for do in ("create", "delete")),
        "board.createComment",
        "wall.deleteComment",
        "groups.ban",
        "account.getAppPermissions",
    }
)
COMMENTED = {  # kind: the prefix of its events, the fields that name it in them
    "wall": ("wall_reply", "post_owner_id", "post_id"),
    "photo": ("photo_comment", "photo_owner_id", "photo_id"),
    "video": ("video_comment", "video_owner_id", "video_id"),
    "market": ("market_comment", "market_owner_id", "item_id"),
    "board": ("board_post", "topic_owner_id", "topic_id"),
}

Json = dict[str, Any]
DROP, HTML, BAD_GATEWAY, HANG, CUT = "drop", "html", "502", "hang", "cut"


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it arrived, without the token and the version."""

    method: str
    params: Json
    version: str = ""


@dataclass(slots=True)
class Fault:
    """What goes wrong: a VK error code, or a way the connection breaks; *after* it was carried out or
    instead.
    """

    what: int | str
    after: bool = False


@dataclass(slots=True)
class Message:
    """A message as the community sees it."""

    id: int
    number: int
    peer: int
    params: Json
    deleted: bool = False
    edits: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class Comment:
    """A comment as everybody sees it."""

    id: int
    kind: str
    object: int
    author: int
    text: str
    reply_to: int = 0
    root: int = 0
    guid: str = ""
    deleted: bool = False


class FakeVk:
    """Use as `async with FakeVk() as vk`; the adapter's api_base is `vk.base`."""

    def __init__(self) -> None:
        self.base = ""
        self.calls: list[Call] = []
        self.polls: list[Json] = []
        self.sent: list[Message] = []
        self.answers: dict[str, Any] = {}
        self.uploads: list[tuple[str, str, bytes]] = []
        self.files: dict[str, bytes] = {}
        self.events: dict[int, Json] = {}
        self.history: list[Json] = []
        self.peer_errors: dict[int, int] = {}
        self.failed: deque[Json] = deque()
        self.ts, self.oldest = 100, 0
        self.events_off: set[str] = set()
        self.people: dict[int, Json] = {}
        self.comments: list[Comment] = []
        self.allowed: set[int] = set()  # who lets the community write to them
        self.banned: set[int] = set()
        self.scopes = {"messages", "manage", "photos", "docs", "wall"}
        self.admin_mask = (1 << 13) | (1 << 18) | (1 << 2) | (1 << 4) | (1 << 27)
        self.is_admin = 1
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._ids = itertools.count(501)
        self._numbers = itertools.count(1)
        self._news = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/method/{method}", self.answer_call)
        app.router.add_get("/lp", self._poll)
        app.router.add_post("/upload/{kind}", self._upload)
        app.router.add_get("/files/{name}", self._file)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    # --- for the tests

    def happens(self, kind: str, what: Json, *, key: str | None = None) -> None:
        """Put an event into the queue; *key* is its event_id."""
        self.ts += 1
        self.events[self.ts] = {
            "type": kind,
            "group_id": GROUP,
            "event_id": key or f"e{self.ts}",
            "v": "5.199",
            "object": what,
        }
        self._news.set()

    def writes(self, user: int, text: str = "", **more: Any) -> Json:
        """A customer writes: the message is in the history and in the queue."""
        number = next(self._numbers)
        message = {
            "peer_id": user,
            "from_id": user,
            "conversation_message_id": number,
            "id": 1000 + number,
            "date": 1_700_000_000,
            "text": text,
            "out": 0,
            **more,
        }
        self.history.append(message)
        self.happens("message_new", {"message": message, "client_info": {"lang_id": 0}})
        return message

    def comments_on(
        self, kind: str, object: int, user: int, text: str, *, to: int = 0, key: str | None = None
    ) -> Comment:
        """Somebody comments, *to* another comment or not: everybody sees it, and it is in the queue."""
        made = self._comment(kind, object, user, text, to)
        self.happens(f"{COMMENTED[kind][0]}_new", self.comment_json(made), key=key)
        return made

    def edits_comment(self, made: Comment, text: str) -> None:
        made.text = text
        self.happens(f"{COMMENTED[made.kind][0]}_edit", self.comment_json(made))

    def takes_back(self, made: Comment, *, restored: bool = False) -> None:
        """A comment is deleted, or restored; of a deleted one VK tells neither author nor words."""
        made.deleted = not restored
        event, owner, name = COMMENTED[made.kind]
        if restored:
            self.happens(f"{event}_restore", self.comment_json(made))
            return
        about = {"owner_id": -GROUP, "id": made.id, "deleter_id": made.author, name: made.object}
        if made.kind == "board":
            about = {owner: -GROUP, name: made.object, "id": made.id}
        self.happens(f"{event}_delete", about)

    def comment_json(self, made: Comment) -> Json:
        """A comment as events show it: threads are told of on walls alone."""
        _, owner, name = COMMENTED[made.kind]
        shown: Json = {
            "id": made.id,
            "from_id": made.author,
            "date": 1_700_000_000,
            "text": made.text,
            owner: -GROUP,
            name: made.object,
        }
        if made.kind == "wall":
            shown |= {"owner_id": -GROUP, "parents_stack": [made.root] if made.root else []}
        if made.reply_to and made.kind != "board":
            to = next(c for c in self.comments if c.id == made.reply_to)
            shown |= {"reply_to_comment": to.id, "reply_to_user": to.author}
        return shown

    def _comment(self, kind: str, object: int, author: int, text: str, to: int, guid: str = "") -> Comment:
        answered = next((c for c in self.comments if c.id == to and c.kind == kind and not c.deleted), None)
        if to and answered is None:
            raise _Refused(100)
        root = (answered.root or answered.id) if answered else 0
        made = Comment(next(self._ids), kind, object, author, text, to, root, guid)
        self.comments.append(made)
        return made

    def fail(self, method: str, *faults: int | str, after: bool = False) -> None:
        """The next calls of *method* ("longpoll", "upload" too) go wrong in this order."""
        self._faults[method] += (Fault(f, after) for f in faults)

    def called(self, method: str) -> list[Json]:
        return [c.params for c in self.calls if c.method == method]

    def forget_events(self) -> None:
        """The queue loses what it holds: a poll from before gets `failed: 1`."""
        self.events.clear()
        self.oldest = self.ts

    # --- the API

    async def answer_call(self, request: web.Request) -> web.StreamResponse:
        given = {k: _read(str(v)) for k, v in (await request.post()).items()}
        token, version = given.pop("access_token", ""), str(given.pop("v", ""))
        method = request.match_info["method"]
        self.calls.append(Call(method, given, version))
        fault = self._faults[method].popleft() if self._faults[method] else None
        if fault is not None and not fault.after:
            return await _broken(request, fault.what)
        if token == ADMIN and method.startswith("messages."):
            return _error(15, "Access denied: no access to call this method")
        if token == TOKEN and method in OF_PEOPLE:
            return _error(27, "Group authorization failed: method is unavailable with group auth")
        if token not in (TOKEN, ADMIN):
            return _error(5, f"User authorization failed: invalid access_token {token}")
        try:
            result = self._do(method, given)
        except _Refused as error:
            return _error(error.code)
        return (
            web.json_response({"response": result}) if fault is None else await _broken(request, fault.what)
        )

    def _do(self, method: str, given: Json) -> Any:
        if method in self.answers:
            answer = self.answers[method]
            return answer(given) if callable(answer) else answer
        return self.usual_answer(method, given)

    def usual_answer(self, method: str, given: Json) -> Any:
        """What this VK answers where a test has set nothing else; an unknown method is refused."""
        own: Callable[[Json], Any] | None = getattr(self, "_" + method.replace(".", "_"), None)
        if own is None:
            raise _Refused(3)
        return own(given)

    def _messages_send(self, given: Json) -> Any:
        many = "peer_ids" in given
        peer = int(given["peer_ids" if many else "peer_id"])
        if code := self.peer_errors.get(peer):
            if not many:
                raise _Refused(code)
            return [{"peer_id": peer, "message_id": 0, "error": {"code": code, "description": "no"}}]
        known = next(
            (m for m in self.sent if m.peer == peer and m.params["random_id"] == given["random_id"]), None
        )
        message = known or Message(0 if many else next(self._ids), next(self._numbers), peer, given)
        if known is None:
            self.sent.append(message)
        return (
            [{"peer_id": peer, "message_id": 0, "conversation_message_id": message.number}]
            if many
            else message.id
        )

    def _messages_edit(self, given: Json) -> int:
        for message in self.sent:
            if given.get("message_id") == message.id or given.get("cmid") == message.number:
                message.edits.append(given)
                return 1
        raise _Refused(100)

    def _messages_sendMessageEventAnswer(self, given: Json) -> int:
        return 1

    _messages_setActivity = _messages_markAsRead = _messages_pin = _messages_delete = (
        _messages_sendMessageEventAnswer
    )
    _messages_sendReaction = _messages_deleteReaction = _messages_sendMessageEventAnswer

    def _users_get(self, given: Json) -> Any:
        return [
            {"id": int(u), **self.people[int(u)]}
            for u in str(given["user_ids"]).split(",")
            if int(u) in self.people
        ]

    def _groups_getById(self, given: Json) -> Json:
        return {
            "groups": [{"id": GROUP, "name": "Ромашка", "is_admin": self.is_admin}],
            "profiles": [],
        }

    def _groups_getTokenPermissions(self, given: Json) -> Json:
        return {"mask": 0, "settings": [{"name": n} for n in sorted(self.scopes)]}

    def _account_getAppPermissions(self, given: Json) -> int:
        return self.admin_mask

    def _messages_isMessagesFromGroupAllowed(self, given: Json) -> Json:
        if given["group_id"] != GROUP:
            raise _Refused(100)
        return {"is_allowed": int(given["user_id"] in self.allowed)}

    def _wall_createComment(self, given: Json) -> Json:
        if "wall" not in self.scopes:
            raise _Refused(15)
        if given.get("owner_id") != -GROUP or given.get("from_group") != GROUP:
            raise _Refused(213)
        made = self._answer("wall", given, "post_id")
        return {"comment_id": made.id, "parents_stack": [made.root] if made.root else []}

    def _photos_createComment(self, given: Json) -> int:
        return self._of_community("photo", given, "photo_id")

    def _video_createComment(self, given: Json) -> int:
        return self._of_community("video", given, "video_id")

    def _market_createComment(self, given: Json) -> int:
        return self._of_community("market", given, "item_id")

    def _board_createComment(self, given: Json) -> int:
        if given.get("group_id") != GROUP or given.get("from_group") != 1 or "reply_to_comment" in given:
            raise _Refused(100)
        return self._answer("board", given, "topic_id").id

    def _of_community(self, kind: str, given: Json, name: str) -> int:
        if given.get("owner_id") != -GROUP or given.get("from_group") != 1:
            raise _Refused(7)
        return self._answer(kind, given, name).id

    def _answer(self, kind: str, given: Json, name: str) -> Comment:
        """A comment by the community: the same guid again is the same comment; it comes back as an event."""
        if not str(given.get("message") or "").strip() or not given.get(name) or not given.get("guid"):
            raise _Refused(100)
        guid = str(given["guid"])
        if known := next((c for c in self.comments if c.guid == guid and c.kind == kind), None):
            return known
        to = given.get("reply_to_comment", 0)
        made = self._comment(kind, given[name], -GROUP, str(given["message"]), to, guid)
        self.happens(f"{COMMENTED[kind][0]}_new", self.comment_json(made))
        return made

    def _wall_deleteComment(self, given: Json) -> int:
        return self._delete("wall", given)

    def _photos_deleteComment(self, given: Json) -> int:
        return self._delete("photo", given)

    def _video_deleteComment(self, given: Json) -> int:
        return self._delete("video", given)

    def _market_deleteComment(self, given: Json) -> int:
        return self._delete("market", given)

    def _board_deleteComment(self, given: Json) -> int:
        if given.get("group_id") != GROUP or not given.get("topic_id"):
            raise _Refused(100)
        return self._delete("board", {**given, "owner_id": -GROUP})

    def _delete(self, kind: str, given: Json) -> int:
        found = [c for c in self.comments if c.kind == kind and c.id == given.get("comment_id")]
        if given.get("owner_id") != -GROUP or not found:
            raise _Refused(100)
        if found[0].deleted:
            raise _Refused(104)
        self.takes_back(found[0])
        return 1

    def _groups_ban(self, given: Json) -> int:
        if given.get("group_id") != GROUP or not given.get("owner_id"):
            raise _Refused(100)
        self.banned.add(int(given["owner_id"]))
        return 1

    def _groups_getLongPollSettings(self, given: Json) -> Json:
        names = (
            "message_new",
            "message_reply",
            "message_edit",
            "message_event",
            "message_allow",
            "message_deny",
            *(f"{k[0]}_{c}" for k in COMMENTED.values() for c in ("new", "edit", "restore", "delete")),
        )
        events = {name: int(name not in self.events_off) for name in names}
        return {"is_enabled": True, "api_version": "5.199", "events": events}

    def _groups_setLongPollSettings(self, given: Json) -> int:
        self.events_off -= {name for name, wanted in given.items() if str(wanted) == "1"}
        return 1

    def _groups_getLongPollServer(self, given: Json) -> Json:
        return {"server": f"{self.base}/lp", "key": "key-1", "ts": str(self.ts)}

    def _messages_getConversations(self, given: Json) -> Json:
        last = {m["peer_id"]: m for m in self.history}
        items = [{"conversation": {"peer": {"id": peer}}, "last_message": m} for peer, m in last.items()]
        return {"count": len(items), "items": items[given.get("offset", 0) :]}

    def _messages_getHistory(self, given: Json) -> Json:
        items = [m for m in reversed(self.history) if m["peer_id"] == given["peer_id"]]
        return {"count": len(items), "items": items[given.get("offset", 0) :]}

    def _photos_getMessagesUploadServer(self, given: Json) -> Json:
        return {"upload_url": f"{self.base}/upload/photo"}

    def _docs_getMessagesUploadServer(self, given: Json) -> Json:
        return {"upload_url": f"{self.base}/upload/{given['type']}"}

    def _photos_saveMessagesPhoto(self, given: Json) -> Any:
        return [{"id": given["photo"][0], "owner_id": -GROUP, "access_key": "pk"}]

    def _docs_save(self, given: Json) -> Json:
        kind, _, number = str(given["file"]).partition("|")
        return {"type": kind, kind: {"id": int(number), "owner_id": -GROUP, "access_key": "dk"}}

    # --- the rest of the service

    async def _poll(self, request: web.Request) -> web.StreamResponse:
        self.polls.append(dict(request.query))
        if self._faults["longpoll"]:
            return await _broken(request, self._faults["longpoll"].popleft().what)
        if self.failed:
            return web.json_response(self.failed.popleft())
        ts = int(request.query["ts"])
        if ts < self.oldest or ts > self.ts:
            return web.json_response({"failed": 1, "ts": self.ts})
        if ts == self.ts:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), float(request.query["wait"]))
            except TimeoutError:
                pass
        return web.json_response(
            {"ts": str(self.ts), "updates": [e for t, e in sorted(self.events.items()) if t > ts]}
        )

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        kind = request.match_info["kind"]
        if self._faults["upload"]:
            return await _broken(request, self._faults["upload"].popleft().what)
        part: Any = next(iter((await request.post()).values()))
        content = part.file.read()
        self.uploads.append((kind, part.filename, content))
        number = int(hashlib.sha256(content).hexdigest()[:6], 16)
        if kind == "photo":
            return web.json_response(
                {"server": 1, "photo": "[]" if content == b"no picture" else f"[{number}]", "hash": "h"}
            )
        if part.filename.endswith(".exe"):
            return web.json_response({"error": "ERR_UPLOAD_FILE_NOT_ALLOWED"})
        return web.json_response({"file": f"{kind}|{number}"})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        content = self.files.get(request.match_info["name"])
        return (
            web.Response(status=404)
            if content is None
            else web.Response(body=content, content_type="image/jpeg")
        )


class _Refused(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def _error(code: int, text: str = "no") -> web.Response:
    return web.json_response({"error": {"error_code": code, "error_msg": text, "request_params": []}})


def _read(value: str) -> Any:
    """Numbers and JSON in a form are text: read back what can be."""
    try:
        return json.loads(value)
    except ValueError:
        return value


async def _broken(request: web.Request, what: int | str) -> web.StreamResponse:
    match what:
        case int():
            return _error(what)
        case "html":
            return web.Response(text="<html>VK</html>", content_type="text/html")
        case "502":
            return web.Response(status=502, text="<html>Bad Gateway</html>", content_type="text/html")
        case "hang":
            await asyncio.sleep(30)
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def message(**more: Any) -> Mapping[str, Any]:
    """A customer's message as VK shows it."""
    return {
        "peer_id": 5,
        "from_id": 5,
        "conversation_message_id": 3,
        "id": 30,
        "date": 1_700_000_000,
        "text": "",
        **more,
    }
