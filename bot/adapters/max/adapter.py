"""MAX as a channel: updates are kept before MAX is told to forget them, deliveries go out one call each."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote

from aiohttp import web

from bot.adapters.base import Accept, Adapter, ChatInfo, CommandMenu, File, Files, Health, Limits
from bot.adapters.max.account import MaxAccount, Membership
from bot.adapters.max.attachments import fields
from bot.adapters.max.calls import LABEL, NOTICE, ROOMY, ROW
from bot.adapters.max.client import MaxClient
from bot.adapters.max.errors import TooManyCalls
from bot.adapters.max.sender import MaxSender
from bot.adapters.max.settings import MaxSettings
from bot.adapters.max.updates import UPDATE_TYPES, MaxReader
from bot.adapters.retry_pause import RetryPause
from bot.adapters.update_calls import not_kept, read_update
from bot.clock import Clock
from bot.errors import (
    AccountError,
    BadFormat,
    DeliveryError,
    Problem,
    Refused,
    RetryLater,
    StorageError,
    Uncertain,
)
from bot.model import Attachment, Inbound, InboundKind, Media, Outbound, Sender, Sent
from bot.observability import get_logger
from bot.text.problems import advice, told

LIMITS = Limits(
    text=ROOMY,
    caption=ROOMY,
    attachments=10,
    label=LABEL,
    buttons=100,
    row=ROW,
    notice=NOTICE,
    media=frozenset(Media) - {Media.OTHER},
    topics=False,
    edits=True,
    reactions=False,
    per_second=25.0,  # MAX takes 30 of the account, and polls and files are calls as well
    peer_per_second=3.0,
    peer_burst=5,
    group_per_minute=0.0,
)
_BATCH = 100
_DIALOGS = 4096
_MEETING_SECONDS = 5.0


class MaxAdapter(Adapter):
    """One MAX bot. Nothing is connected before `run`, `send` or another call."""

    kind = "max"
    platform_name = "MAX"

    def __init__(self, name: str, settings: MaxSettings, *, clock: Clock | None = None) -> None:
        self.name, self.limits = name, LIMITS
        self.health = Health(polls=True)  # by webhook, too, MAX is asked all the time
        self._mode, self._poll_seconds = settings.mode, settings.poll_seconds
        self._secret, self._webhook_url = settings.secret or "", settings.webhook_url
        self._poll_pause, self._clock = settings.poll_pause, clock or Clock()
        self._line = MaxClient(
            settings.token,
            api_base=settings.api_base,
            ca_file=settings.ca_file,
            proxy=settings.proxy,
            timeout=settings.timeout,
        )
        self._account = MaxAccount(self._line, self._clock)
        self._dialogs: OrderedDict[str, int] = OrderedDict()  # where "typing…" of a person is shown
        self._reader = MaxReader(name, self._clock, dialogs=self._note_dialog)
        self._speaker = MaxSender(
            self._line, name, ready_pauses=settings.ready_pauses, dialogs=self._note_dialog
        )
        self._accept: Accept | None = None
        self._log = get_logger("max").bind(channel=name)

    @classmethod
    def configured(cls, name: str, keys: Mapping[str, Any], clock: Clock) -> MaxAdapter:
        """See `ConfiguredAdapter`."""
        return cls(name, MaxSettings(**keys), clock=clock)

    # --- taking in

    async def run(self, accept: Accept, *, cursor: str | None) -> None:
        """See `Adapter.run`. *cursor* is MAX's marker, which says what it may forget."""
        self._accept = accept
        marker, is_ready = cursor, False
        pause = RetryPause()
        while True:
            try:
                if not is_ready:
                    await self._get_ready()
                    is_ready = True
                if self._mode == "polling":
                    marker = await self._poll_from(accept, marker)
                else:
                    await self._watch_webhook()
                self._working()
                pause.reset()
            except AccountError as error:
                self._failing(str(error), state="stopped")
                raise
            except TooManyCalls as error:
                self._failing(str(error))
                await asyncio.sleep(pause.next(at_least=error.after))
            except Exception as error:  # noqa: BLE001 - an outage of any kind is waited out; what was not kept comes again
                is_ours = isinstance(error, StorageError | DeliveryError)
                self._failing(f"{type(error).__name__}: {error}" if is_ours else type(error).__name__)
                await asyncio.sleep(pause.next())

    async def _get_ready(self) -> None:
        if self._mode == "webhook" and not self._secret:
            raise AccountError(told("max.needs_secret"), advice("max.needs_secret"))
        await self._meet()
        if self._mode == "polling":
            await self._account.unsubscribe_all()
        elif self._webhook_url:
            await self._account.subscribe(self._webhook_url, self._secret)

    async def _meet(self) -> None:
        me = await self._account.meet()
        self._reader.username = str(me.get("username") or "")
        self._reader.bot_id = me["user_id"] if isinstance(me.get("user_id"), int) else 0
        self.health.details["username"] = self._reader.username

    async def _poll_from(self, accept: Accept, marker: str | None) -> str | None:
        """One poll. A marker that MAX does not know (of another bot, of long ago) is done without: what it
        then tells again is known by its keys.
        """
        try:
            return await self._poll(accept, marker)
        except (Refused, BadFormat) as error:
            if marker is None:
                raise
            self._log.warning("marker_unknown", error=str(error))
            return None

    async def _poll(self, accept: Accept, marker: str | None) -> str | None:
        """One long poll.

        The next one's marker tells MAX to forget these, so it moves only after they are kept, and is kept
        with them.
        """
        begun = time.monotonic()
        # the first answer tells at once that all is well
        seconds = self._poll_seconds if self.health.state == "working" else 0
        given: dict[str, object] = {"limit": _BATCH, "timeout": int(seconds), "types": ",".join(UPDATE_TYPES)}
        if marker is not None:
            given["marker"] = marker
        told_of = await self._line.call("GET", "/updates", params=given, timeout=seconds + 15)
        updates = told_of.get("updates")
        if not isinstance(updates, list):
            raise Uncertain("GET /updates answered with something else")
        number = told_of.get("marker")
        after = str(number) if isinstance(number, int) and not isinstance(number, bool) else marker
        if updates or after != marker:
            await accept(self._read(updates), cursor=after)
        if rest := max(0.0, begun + self._poll_pause - time.monotonic()):
            await asyncio.sleep(rest)
        return after

    async def _watch_webhook(self) -> None:
        """One pause, then one question whether MAX still calls us: it gives up an address that was silent
        for eight hours.
        """
        self._working()
        await asyncio.sleep(self._poll_seconds)
        hooks = await self._account.hooks()
        if self._webhook_url and self._webhook_url not in hooks:
            self._log.warning("webhook_was_taken_off")
            await self._account.subscribe(self._webhook_url, self._secret)

    def _read(self, updates: Sequence[object]) -> tuple[Inbound, ...]:
        inbounds = self._reader.read_all(updates)
        for inbound in inbounds:
            self._note_membership(inbound)
        return inbounds

    def _note_membership(self, inbound: Inbound) -> None:
        """What is remembered of who belongs where must not outlive a change that MAX tells of."""
        if inbound.kind is InboundKind.MEMBER:
            self._account.forget(inbound.peer.chat, (str(inbound.data["user"]),))
        elif inbound.kind in (InboundKind.ADDED, InboundKind.REMOVED):
            self._account.forget(inbound.peer.chat)

    def _note_dialog(self, user: str, chat: int) -> None:
        self._dialogs[user] = chat
        self._dialogs.move_to_end(user)
        while len(self._dialogs) > _DIALOGS:
            self._dialogs.popitem(last=False)

    def _working(self) -> None:
        self.health.last_poll = self._clock()
        if self.health.state != "working":
            self._log.info("working", after=self.health.last_error)
        self.health.state, self.health.last_error = "working", ""

    def _failing(self, text: str, *, state: Literal["failing", "stopped"] = "failing") -> None:
        if (self.health.state, self.health.last_error) != (state, text):
            self._log.warning(state, error=text)
        self.health.state, self.health.last_error = state, text

    # --- the webhook

    def routes(self) -> list[web.RouteDef]:
        """What the web server serves for this channel in webhook mode."""
        return [web.post(f"/hooks/{self.name}", self._hear)] if self._mode == "webhook" else []

    def take_calls(self, accept: Accept) -> None:
        """See `Adapter.take_calls`."""
        self._accept = accept

    async def _hear(self, request: web.Request) -> web.Response:
        """One update from MAX: 200 only once it is kept; anything else makes MAX come again."""
        shown = request.headers.get("X-Max-Bot-Api-Secret", "")
        update = await read_update(request, shown=shown, secret=self._secret)
        if isinstance(update, web.Response):
            return update
        if not isinstance(update.get("update_type"), str):
            return web.Response(status=400)
        if self._accept is None:
            return not_kept()
        if not self._reader.bot_id:  # another process runs the channel: the bot's name is not known here
            with contextlib.suppress(Exception):
                async with asyncio.timeout(_MEETING_SECONDS):
                    await self._meet()
        try:
            if inbounds := self._read([update]):
                await self._accept(inbounds)
        except StorageError as error:
            self._failing(f"{type(error).__name__}: {error}")
            return not_kept()
        if self.health.state != "standby":
            self._working()
        return web.Response()

    # --- speaking

    async def send(self, outbound: Outbound, *, nonce: int, target: str, files: Files) -> Sent:
        return await self._speaker.send(outbound, nonce=nonce, target=target, files=files)

    async def hint_typing(self, outbound_chat: str, thread: str = "") -> None:
        with contextlib.suppress(Exception):
            chat = int(outbound_chat) if self.is_group(outbound_chat) else self._dialogs[outbound_chat]
            await self._line.call("POST", f"/chats/{chat}/actions", body={"action": "typing_on"}, timeout=5)

    # --- asking

    async def read(self, attachment: Attachment) -> File:
        """Raises `Refused` for what is gone or has no content, `RetryLater` for every outage."""
        try:
            url = attachment.data.get("url") or await self._video_url(attachment)
        except Uncertain as error:
            raise RetryLater(str(error), after=2.0) from None
        if not isinstance(url, str) or not url:
            raise Refused("MAX gives no file for this attachment", code="file_gone")
        file = await self._line.fetch(url)
        return File(file.content, attachment.name, attachment.mime or file.mime)

    async def _video_url(self, attachment: Attachment) -> str:
        if attachment.media is not Media.VIDEO or not attachment.ref:
            return ""
        told_of = await self._line.call("GET", f"/videos/{quote(attachment.ref, safe='')}")
        urls = fields(told_of.get("urls"))
        sizes = ("mp4_720", "mp4_480", "mp4_1080", "mp4_360", "mp4_240", "mp4_144")
        return next((str(urls[s]) for s in sizes if urls.get(s)), "")

    async def chat_info(self, chat: str) -> ChatInfo:
        return await self._account.chat_info(chat)

    async def membership(self, chat: str, user: str) -> Membership:
        return await self._account.membership(chat, user)

    async def profile(self, user: str) -> Sender | None:
        """MAX tells of a person only with what they do, so the inbound carries it already."""
        return None

    async def check(self) -> tuple[Problem, ...]:
        return await self._account.check(webhook=self._webhook_url if self._mode == "webhook" else None)

    def is_group(self, chat: str) -> bool:
        """MAX numbers groups below zero."""
        return chat.startswith("-")

    async def publish_commands(self, menus: Sequence[CommandMenu]) -> None:
        await self._account.publish_commands(menus)

    async def close(self) -> None:
        await self._line.close()
