"""The playground behind the page: what people do there becomes messages of their channels, and nothing
else.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from aiohttp import web

from bot.adapters.playground.typed_message import TypedMessage
from bot.errors import BotError, Refused, RetryLater, StorageError
from bot.i18n.texts import LANGUAGES
from bot.knowledge.decision.explanation import sentence_of
from bot.model import Attachment, InboundKind, Json
from bot.observability import get_logger
from bot.storage.base import TurnRecord
from bot.web.json_body import json_object
from bot.web.playground.customers import PlaygroundCustomers
from bot.web.playground.journal import Journal
from bot.web.playground.scene_player import (
    Scene,
    SceneFailed,
    ScenePlayer,
    demo_file,
    next_moment,
    read_scenes,
)
from bot.web.services import PlaygroundChannel, WebServices

LARGEST = 20 * 1024 * 1024  # bytes of one upload
WORDS = 100_000  # characters of one message
TURNS = 60  # turns whose reasons a freshly loaded page has at hand
LOOK, LOOK_IDLE = 0.4, 3.0  # seconds between looks for new turns while a page is open

_HAPPENINGS = {
    "start": InboundKind.START,
    "block": InboundKind.BLOCKED,
    "unblock": InboundKind.UNBLOCKED,
    "close_topic": InboundKind.TOPIC_CLOSED,
    "reopen_topic": InboundKind.TOPIC_REOPENED,
}


class Playground:
    """The state of `/` and its entry points. `enter` before the first request; `work` runs on."""

    def __init__(self, services: WebServices) -> None:
        self._services, self._hub = services, services.hub
        self.messengers: Mapping[str, PlaygroundChannel] = {s.name: s for s in services.messengers}
        self.customers = PlaygroundCustomers(services.store, services.messengers, services.topic_name)
        self.scenes: Mapping[str, Scene] = read_scenes()
        self._journal = Journal()
        self._player = ScenePlayer(services, self.customers, self.move_clock)
        self._playing: asyncio.Task[None] | None = None
        self._uploads: dict[str, tuple[str, Attachment]] = {}
        self._last_turn = 0
        self._turns: deque[Json] = deque(maxlen=TURNS)
        self._moved = asyncio.Event()
        self._log = get_logger("playground")
        for messenger in services.messengers:
            messenger.watch(self._changed(messenger))

    def _changed(self, messenger: PlaygroundChannel) -> Callable[[str, Json], None]:
        def told(kind: str, what: Json) -> None:
            self._journal.note(kind, what, desk=bool(messenger.group))
            self._moved.set()
            self._hub.tell(kind, what)

        return told

    async def enter(self) -> None:
        """The customers take their places; turns of before are not news."""
        await self.customers.enter()
        while rows := await self._services.store.turns(after=self._last_turn, limit=500):
            self._remember(rows)

    async def work(self) -> None:
        """Tell open pages of new turns, and why they were decided so, until cancelled."""
        while True:
            try:
                await asyncio.wait_for(self._moved.wait(), LOOK_IDLE)
            except TimeoutError:
                pass
            self._moved.clear()
            if self._hub.pages:
                try:
                    await self._tell_turns()
                except StorageError as error:
                    self._log.warning("turns_not_read", error=str(error))
            await asyncio.sleep(LOOK)

    async def _tell_turns(self) -> None:
        for turn in self._remember(await self._services.store.turns(after=self._last_turn)):
            self._hub.tell("turn", turn)

    def _remember(self, rows: Sequence[TurnRecord]) -> list[Json]:
        """The turns of the page's customers among *rows*, kept for pages that are loaded anew."""
        self._last_turn = max((self._last_turn, *(row.id for row in rows)))
        new = [
            turn_json(r)
            for r in rows
            if (messenger := self.messengers.get(r.peer.channel)) is not None and not messenger.group
        ]
        self._turns.extend(new)
        return new

    async def close(self) -> None:
        self.stop_scene()

    # --- looking

    async def state(self, request: web.Request) -> web.Response:
        """GET /state: everything the page shows, and the event after which to listen."""
        await self._tell_turns()
        state = {
            "after": self._hub.last_id,
            "channels": [s.view() for s in self.messengers.values()],
            "clock": self.clock(),
            "turns": list(self._turns),
            "playing": self._playing is not None and not self._playing.done(),
        }
        return web.json_response(state, dumps=partial(json.dumps, default=str))

    async def why(self, request: web.Request) -> web.Response:
        """GET /why/{turn}; `n123` instead of a number is a message of ours."""
        wanted = request.match_info["turn"]
        turn = await self._turn_of(wanted[1:]) if wanted.startswith("n") else wanted
        number = int(turn) if turn.isdigit() else 0
        rows = await self._services.store.turns(after=number - 1, limit=1) if number else ()
        if not rows or rows[0].id != number:
            raise web.HTTPNotFound(text="no such turn")
        return web.json_response(turn_json(rows[0]), dumps=partial(json.dumps, default=str))

    async def _turn_of(self, row: str) -> str:
        if not row.isdigit() or int(row) < 1:
            return ""
        rows = await self._services.store.deliveries(after=int(row) - 1, limit=1)
        return str(rows[0].turn or "") if rows and rows[0].id == int(row) else ""

    async def file(self, request: web.Request) -> web.Response:
        """GET /file/{channel}/{ref}: pictures are shown, everything else is only downloaded."""
        messenger, ref = self._messenger(request.match_info["channel"]), request.match_info["ref"]
        found = next((a for a in _attachments(messenger) if a["file"] == f"{messenger.name}/{ref}"), None)
        if found is None:
            raise web.HTTPNotFound(text="no such file")
        try:
            kept = await messenger.read(
                Attachment(found["media"], ref, messenger.name, found["name"], found["mime"])
            )
        except Refused as error:
            raise web.HTTPNotFound(text=str(error)) from error
        mime = kept.mime if found["picture"] else "application/octet-stream"
        headers = {
            "Content-Disposition": "inline" if found["picture"] else "attachment",
            "Cache-Control": "private, max-age=3600",
        }
        return web.Response(body=kept.content, content_type=mime, headers=headers)

    async def story(self, request: web.Request) -> web.Response:
        """GET /story/{channel}/{chat}: what happened with this customer, as a test."""
        messenger, chat = self._messenger(request.match_info["channel"]), request.match_info["chat"]
        if (person := messenger.people.get(chat)) is None:
            raise web.HTTPNotFound(text="no such customer")
        customer = {
            k: v for k, v in asdict(person).items() if v and k in ("name", "last_name", "gender", "language")
        }
        text = self._journal.story(
            f"{person.name} {person.last_name}".strip(), messenger.name, chat, customer
        )
        return web.Response(
            text=text,
            content_type="application/yaml",
            headers={"Content-Disposition": 'attachment; filename="story.yaml"'},
        )

    # --- doing

    async def say(self, request: web.Request) -> web.Response:
        """POST /say {channel, chat, user, text, key, thread?, quotes?, files?}; the same key again is the
        same message.
        """
        told = await _told(request)
        messenger = self._messenger(told("channel"))
        files = tuple(f for id in told.many("files") if (f := self._upload(id, messenger)) is not None)
        text = told("text", WORDS)
        if not text.strip() and not files:
            raise web.HTTPBadRequest(text="nothing to say")
        said = await self._through(
            messenger.say(
                told("chat"),
                told("user"),
                TypedMessage(text, told("quotes"), files),
                key=told.key(),
                thread=told("thread"),
            )
        )
        return web.json_response(said)

    async def edit(self, request: web.Request) -> web.Response:
        """POST /edit {channel, chat, user, message, text, key}."""
        told = await _told(request)
        messenger = self._messenger(told("channel"))
        await self._through(
            messenger.rewrite(
                told("chat"), told("user"), told("message"), told("text", WORDS), key=told.key()
            )
        )
        return web.json_response({})

    async def press(self, request: web.Request) -> web.Response:
        """POST /press {channel, chat, user, message, token, key}."""
        told = await _told(request)
        messenger = self._messenger(told("channel"))
        label = await self._through(
            messenger.press(told("chat"), told("user"), told("message"), told("token"), key=told.key())
        )
        return web.json_response({"label": label})

    async def happen(self, request: web.Request) -> web.Response:
        """POST /happen {channel, chat, user, what, thread?, key}: start, block, unblock, close_topic,
        reopen_topic, delete_topic, down, up.
        """
        told = await _told(request)
        messenger, what = self._messenger(told("channel")), told("what")
        if what in ("down", "up"):
            messenger.switch(down=what == "down")
        elif what == "delete_topic":
            messenger.delete_topic(told("thread"))
        elif what in _HAPPENINGS:
            await self._through(
                messenger.happen(
                    told("chat"), told("user"), _HAPPENINGS[what], key=told.key(), thread=told("thread")
                )
            )
        else:
            raise web.HTTPBadRequest(text="unknown happening")
        return web.json_response({})

    async def upload(self, request: web.Request) -> web.Response:
        """POST /upload?channel=…&name=…&kind=file|voice with the content as the body; answers the id to say
        it with.
        """
        messenger = self._messenger(request.query.get("channel", ""))
        if request.query.get("kind") == "voice":
            name, mime, content = demo_file("voice")
        else:
            name, mime, content = (
                request.query.get("name", "file"),
                request.content_type,
                await _read_limited(request),
            )
        kept = await asyncio.to_thread(
            messenger.uploads.keep, name, mime, content, voice=request.query.get("kind") == "voice"
        )
        id = uuid.uuid4().hex
        self._uploads[id] = messenger.name, kept
        while len(self._uploads) > 100:
            del self._uploads[next(iter(self._uploads))]
        return web.json_response({"id": id, "name": kept.name, "media": kept.media.value})

    async def customer(self, request: web.Request) -> web.Response:
        """POST /customer {channel, name, gender?}: one more customer."""
        told = await _told(request)
        messenger = self._messenger(told("channel"))
        name, _, last_name = told("name", 80).strip().partition(" ")
        if not name or messenger.group:
            raise web.HTTPBadRequest(text="a customer needs a name and a channel of customers")
        person = await self.customers.invite(
            messenger,
            name,
            last_name=last_name.strip(),
            gender=told("gender"),
            language=told("language") or "ru",
        )
        return web.json_response({"chat": person.id})

    async def reset(self, request: web.Request) -> web.Response:
        """POST /reset: new customers, an empty journal, the real time."""
        self.stop_scene()
        await self.move_clock("")
        self._journal.clear()
        await self.customers.renew()
        self._hub.tell("reload", {})
        return web.json_response({})

    async def set_clock(self, request: web.Request) -> web.Response:
        """POST /clock {to}: the next such moment (`23:07`, `sun 12:00`), "" is the real time."""
        told = await _told(request)
        try:
            return web.json_response(await self.move_clock(told("to")))
        except ValueError as error:
            raise web.HTTPBadRequest(text="write the time as 23:07") from error

    async def move_clock(self, to: str) -> Json:
        """Shift the service's clock and tell everybody: "" is the real time, `open` the next moment people
        are at work.

        Before it goes back, what is enqueued is delivered: else that would wait for its moment to come again.
        """
        clock = self._services.clock
        now = clock()
        shift = self._moment(now, to) - now + clock.shift if to else timedelta()
        if shift < clock.shift:
            await self._settle()
        if abs(shift - clock.shift) > timedelta(seconds=1):
            clock.shift = shift
            self._services.moved()
            self._hub.tell("clock", self.clock())
        return self.clock()

    def _moment(self, now: datetime, to: str) -> datetime:
        local = now.astimezone(self._services.timezone)
        if to != "open":
            return next_moment(local, to)
        is_open = self._services.open_at or (lambda moment: True)
        ahead = (local + timedelta(minutes=15 * step) for step in range(10 * 24 * 4))
        return next((moment for moment in ahead if is_open(moment)), local)

    async def _settle(self) -> None:
        for _ in range(40):
            now = self._services.clock()
            due = [await self._services.store.next_delivery(now), await self._services.store.next_due(now)]
            if all(d is None or d > now + timedelta(seconds=5) for d in due):
                return
            await asyncio.sleep(0.15)

    def clock(self) -> Json:
        """The time of the service, for the page."""
        now = self._services.clock().astimezone(self._services.timezone)
        is_open = self._services.open_at(now) if self._services.open_at else None
        return {
            "now": now.isoformat(),
            "zone": now.tzname() or "",
            "shifted": bool(self._services.clock.shift),
            "open": is_open,
            "offset": (now.utcoffset() or timedelta()).total_seconds(),
            "shift": self._services.clock.shift.total_seconds(),
        }

    async def scene(self, request: web.Request) -> web.Response:
        """POST /scene {id, speed?}: play it ("" stops the one that is playing)."""
        told = await _told(request)
        self.stop_scene()
        if not told("id"):
            return web.json_response({})
        if (scene := self.scenes.get(told("id"))) is None:
            raise web.HTTPNotFound(text="no such scene")
        try:
            speed = min(50.0, max(0.2, float(told("speed") or 1)))
        except ValueError as error:
            raise web.HTTPBadRequest(text="speed is a number") from error
        self._playing = asyncio.create_task(self._play(scene, speed))
        return web.json_response({})

    def stop_scene(self) -> None:
        if self._playing is not None and not self._playing.done():
            self._playing.cancel()

    async def _play(self, scene: Scene, speed: float) -> None:
        told: dict[str, object] = {"id": scene.id}
        try:
            await self._player.play(scene, speed=speed)
            told["state"] = "done"
        except asyncio.CancelledError:
            told["state"] = "stopped"
            raise
        except SceneFailed as error:
            told |= {"state": "failed", "error": str(error)}
        except Exception as error:  # noqa: BLE001 - a scene that breaks must say so on the page
            self._log.exception("scene_failed", scene=scene.id)
            told |= {"state": "failed", "error": type(error).__name__}
        finally:
            self._hub.tell("scene", told)

    # --- inside

    def _messenger(self, name: str) -> PlaygroundChannel:
        if (messenger := self.messengers.get(name)) is None:
            raise web.HTTPNotFound(text="no such channel on the page")
        return messenger

    def _upload(self, id: str, messenger: PlaygroundChannel) -> Attachment | None:
        channel, kept = self._uploads.get(id, ("", None))
        return kept if channel == messenger.name else None

    async def _through(self, doing: Any) -> Any:
        """Pass what was done through the channel; what the service refuses becomes an answer the page can
        show.
        """
        try:
            return await doing
        except Refused as error:
            raise web.HTTPConflict(text=str(error)) from error
        except (StorageError, RetryLater) as error:
            raise web.HTTPServiceUnavailable(text="could not be kept, try again") from error
        except BotError as error:
            raise web.HTTPBadRequest(text=type(error).__name__) from error


class _Told:
    """A posted JSON object, read strictly: texts are texts, and not endless."""

    def __init__(self, data: Mapping[str, object]) -> None:
        self._data = data

    def __call__(self, name: str, limit: int = 200) -> str:
        value = self._data.get(name, "")
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or len(value) > limit:
            raise web.HTTPBadRequest(text=f"{name}: a text of at most {limit} characters")
        return value

    def many(self, name: str) -> tuple[str, ...]:
        value = self._data.get(name, [])
        if not isinstance(value, list) or len(value) > 10 or not all(isinstance(v, str) for v in value):
            raise web.HTTPBadRequest(text=f"{name}: a list of at most 10 texts")
        return tuple(value)

    def key(self) -> str:
        try:
            return str(uuid.UUID(self("key")))
        except ValueError as error:
            raise web.HTTPBadRequest(text="key: a UUID") from error


async def _told(request: web.Request) -> _Told:
    return _Told(await json_object(request, "a JSON object"))


async def _read_limited(request: web.Request) -> bytes:
    content = bytearray()
    async for chunk in request.content.iter_chunked(65536):
        content += chunk
        if len(content) > LARGEST:
            raise web.HTTPRequestEntityTooLarge(max_size=LARGEST, actual_size=len(content))
    return bytes(content)


def turn_json(row: TurnRecord) -> Json:
    """A turn as the page shows it."""
    return {
        "id": row.id,
        "channel": row.peer.channel,
        "chat": row.peer.chat,
        "at": row.at.isoformat(),
        "dialog": row.dialog,
        "result": row.result,
        "reason": row.reason,
        "text": row.text,
        "why": dict(row.why),
        "sentences": {language: sentence_of(row.why, language) for language in LANGUAGES},
        "error": row.error,
        "articles": row.articles,
    }


def _attachments(messenger: PlaygroundChannel) -> list[dict[str, Any]]:
    chats: Any = messenger.view()["chats"]
    return [a for chat in chats for message in chat["messages"] for a in message["attachments"]]
