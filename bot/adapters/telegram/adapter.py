"""Telegram as a channel: updates are kept before Telegram is told to forget them, deliveries go out one call
each.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from aiogram.methods import DeleteWebhook, GetFile, GetUpdates, GetWebhookInfo, SendChatAction, SetWebhook
from aiohttp import web

from bot.adapters.base import (
    Accept,
    Adapter,
    ChatInfo,
    CommandMenu,
    File,
    Files,
    Health,
    Limits,
    UploadedFiles,
)
from bot.adapters.retry_pause import RetryPause
from bot.adapters.telegram.account import TelegramAccount
from bot.adapters.telegram.business import UPDATES, AccountConnections, connection_in, message_name
from bot.adapters.telegram.calls import (
    DisplayOptions,
    MessageForm,
    chat_id,
    to_call,
    to_caption_call,
    to_forms,
)
from bot.adapters.telegram.errors import FileRefused, NoTextThere, RedundantCall, UpdatesConflict
from bot.adapters.telegram.media import file_id
from bot.adapters.telegram.session import TelegramConnection
from bot.adapters.telegram.settings import TelegramSettings
from bot.adapters.telegram.updates import ALLOWED_UPDATES, Membership, TelegramReader
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
from bot.model import Attachment, Inbound, InboundKind, Outbound, OutboundKind, Peer, Sender, Sent
from bot.observability import get_logger
from bot.text.problems import advice, told, warning

MAX_DOWNLOAD = 20 * 1024 * 1024
_UPLOAD_SECONDS = 120.0
_MEETING_SECONDS = 5.0
_REPEATABLE = frozenset(OutboundKind) - {
    OutboundKind.SAY,
    OutboundKind.OPEN_TOPIC,
}  # carried out twice they are as if carried out once


class TelegramAdapter(Adapter):
    """One Telegram bot. Nothing is connected before `run`, `send` or another call."""

    kind = "telegram"
    platform_name = "Telegram"

    def __init__(self, name: str, settings: TelegramSettings, *, clock: Clock | None = None) -> None:
        self.name = name
        self.limits = Limits(topics=True, reactions=True)
        self.health = Health(polls=True)  # by webhook, too, Telegram is asked all the time
        self._mode, self._poll_seconds = settings.mode, settings.poll_seconds
        self._secret, self._webhook_url = settings.secret or "", settings.webhook_url
        self._clock = clock or Clock()
        self._line = TelegramConnection(
            settings.token, api_base=settings.api_base, proxy=settings.proxy, timeout=settings.timeout
        )
        self._account = TelegramAccount(self._line, self._line.bot_id, self._clock)
        self._reader = TelegramReader(name, self._clock, bot_id=self._line.bot_id)
        self._extras = DisplayOptions(settings.rich_tables, settings.private_hints)
        self._updates = [*ALLOWED_UPDATES, *(UPDATES if settings.business else ())]
        self._accounts = AccountConnections(self._line, self._clock) if settings.business else None
        self._reader.accounts = self._accounts
        self._accept: Accept | None = None
        self._log = get_logger("telegram")

    @classmethod
    def configured(cls, name: str, keys: Mapping[str, Any], clock: Clock) -> TelegramAdapter:
        """See `ConfiguredAdapter`."""
        return cls(name, TelegramSettings(**keys), clock=clock)

    # --- taking in

    async def run(self, accept: Accept, *, cursor: str | None) -> None:
        """See `Adapter.run`.

        *cursor* is not needed: Telegram itself knows what it has not been told to forget.
        """
        self._accept = accept
        offset: int | None = None
        is_ready = False
        pause = RetryPause()
        while True:
            try:
                if not is_ready:
                    await self._get_ready()
                    is_ready = True
                if self._mode == "polling":
                    offset = await self._poll(accept, offset)
                else:
                    await self._watch_webhook()
                self._working()
                pause.reset()
            except AccountError as error:
                self._failing(str(error), state="stopped")
                raise
            except UpdatesConflict as error:
                self._failing(f"{told('telegram.read_elsewhere')} ({error})")
                is_ready = False
                await asyncio.sleep(pause.next(at_least=error.after))
            except RetryLater as error:
                self._failing(str(error))
                await asyncio.sleep(pause.next(at_least=0 if error.scope == "account" else error.after))
            except Exception as error:  # noqa: BLE001 - an outage of any kind is waited out; what was not kept comes again
                is_ours = isinstance(error, StorageError | DeliveryError)
                self._failing(f"{type(error).__name__}: {error}" if is_ours else type(error).__name__)
                await asyncio.sleep(pause.next())

    async def _get_ready(self) -> None:
        if self._mode == "webhook" and not self._secret:
            raise AccountError(told("telegram.needs_secret"), advice("telegram.needs_secret"))
        await self._meet()
        if self._mode == "polling":
            await self._line.call(DeleteWebhook())
        else:
            await self._set_webhook()

    async def _meet(self) -> None:
        me = await self._account.meet()
        self._reader.username = str(me.get("username", ""))
        self.health.details["username"] = self._reader.username

    async def _set_webhook(self) -> None:
        if self._webhook_url:
            await self._line.call(
                SetWebhook(url=self._webhook_url, secret_token=self._secret, allowed_updates=self._updates)
            )

    async def _poll(self, accept: Accept, offset: int | None) -> int | None:
        """One long poll.

        The next one's offset tells Telegram to forget these, so it moves only after they are kept.
        """
        # the first answer tells at once that all is well
        seconds = self._poll_seconds if self.health.state == "working" else 0
        call = GetUpdates(offset=offset, limit=100, timeout=seconds, allowed_updates=self._updates)
        updates = await self._line.call(call, timeout=seconds + 15)
        if not isinstance(updates, list):
            raise Uncertain("getUpdates answered with something else")
        if not updates:
            return offset
        await self._meet_accounts(updates)
        await accept(self._read(updates))
        numbers = [
            u["update_id"] for u in updates if isinstance(u, dict) and isinstance(u.get("update_id"), int)
        ]
        return numbers[-1] + 1 if numbers else offset

    async def _watch_webhook(self) -> None:
        """One pause, then one question whether Telegram still delivers here; another program may have taken
        the webhook off.
        """
        self._working()
        await asyncio.sleep(self._poll_seconds)
        told = await self._line.call(GetWebhookInfo())
        if self._webhook_url and told.get("url") != self._webhook_url:
            self._log.warning("webhook_was_taken_off", channel=self.name)
            await self._set_webhook()
        self.health.details["waiting"] = str(told.get("pending_update_count", ""))
        self.health.details["webhook_error"] = str(told.get("last_error_message", ""))

    async def _meet_accounts(self, updates: Sequence[object]) -> None:
        """Whose chats these are must be known before they are read. Raises `DeliveryError`."""
        if self._accounts is not None:
            await self._accounts.meet(updates)

    def _read(self, updates: Sequence[object]) -> list[Inbound]:
        inbounds = [self._reader.to_inbound(u) for u in updates]
        for inbound in inbounds:
            self._note_membership(inbound)
        return inbounds

    def _note_membership(self, inbound: Inbound) -> None:
        """What is remembered of who belongs where must not outlive a change that Telegram tells of."""
        if inbound.kind is InboundKind.MEMBER:
            self._account.forget(inbound.peer.chat, (str(inbound.data["user"]),))
        elif inbound.kind in (InboundKind.ADDED, InboundKind.REMOVED):
            self._account.forget(inbound.peer.chat)
        elif (
            inbound.kind is InboundKind.OTHER
            and isinstance(members := inbound.data.get("members"), tuple)
            and members
        ):
            self._account.forget(inbound.peer.chat, members)

    def _working(self) -> None:
        self.health.last_poll = self._clock()
        if self.health.state != "working":
            self._log.info("working", channel=self.name, after=self.health.last_error)
        self.health.state, self.health.last_error = "working", ""

    def _failing(self, text: str, *, state: Literal["failing", "stopped"] = "failing") -> None:
        if (self.health.state, self.health.last_error) != (state, text):
            self._log.warning(state, channel=self.name, error=text)
        self.health.state, self.health.last_error = state, text

    # --- webhook

    @property
    def webhook_path(self) -> str:
        return f"/hooks/{self.name}"

    def routes(self) -> list[web.RouteDef]:
        """What the web server serves for this channel in webhook mode."""
        return [web.post(self.webhook_path, self.handle)] if self._mode == "webhook" else []

    def take_calls(self, accept: Accept) -> None:
        """See `Adapter.take_calls`."""
        self._accept = accept

    async def handle(self, request: web.Request) -> web.Response:
        """One update from Telegram: 200 only after it is kept, 503 while it cannot be, so that it comes
        again.
        """
        shown = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        update = await read_update(request, shown=shown, secret=self._secret)
        if isinstance(update, web.Response):
            return update
        if not isinstance(update.get("update_id"), int):
            return web.Response(status=400)
        if self._accept is None:
            return not_kept()
        if not self._reader.username:  # another process runs the channel: the bot's name is not known here
            with contextlib.suppress(Exception):
                async with asyncio.timeout(_MEETING_SECONDS):
                    await self._meet()
        try:
            await self._meet_accounts([update])
            await self._accept(self._read([update]))
        except (StorageError, DeliveryError) as error:
            self._failing(f"{type(error).__name__}: {error}")
            return not_kept()
        if self.health.state != "standby":
            self._working()
        return web.Response()

    # --- speaking

    async def send(self, outbound: Outbound, *, nonce: int, target: str, files: Files) -> Sent:
        """See `Adapter.send`.

        Where Telegram does not take a file (nothing was sent then), documents and words are tried.
        """
        try:
            if outbound.kind not in _REPEATABLE:
                await self._line.stand()
            if outbound.kind is OutboundKind.SAY:
                return await self._say(outbound, nonce, files)
            result = await self._do(outbound, nonce, target)
            return (
                Sent(_field(result, "message_thread_id"))
                if outbound.kind is OutboundKind.OPEN_TOPIC
                else Sent(target)
            )
        except RedundantCall:
            return Sent(target)
        except Uncertain as error:
            if outbound.kind in _REPEATABLE:
                raise RetryLater(str(error), after=2.0) from None
            raise

    async def _say(self, outbound: Outbound, nonce: int, files: Files) -> Sent:
        refused: DeliveryError | None = None
        async with contextlib.aclosing(
            to_forms(outbound, nonce=nonce, channel=self.name, files=files, extras=self._extras)
        ) as forms:
            async for form in forms:
                try:
                    result = await self._line.call(
                        form.call, timeout=_UPLOAD_SECONDS if outbound.attachments else None
                    )
                    await self._remember_files(form, result, files)
                    account = connection_in(outbound.to)
                    first, *others = (
                        [message_name(account, _field(m, "message_id")) for m in result]
                        if isinstance(result, list) and result
                        else [message_name(account, _field(result, "message_id"))]
                    )
                    return Sent(first, tuple(others))
                except FileRefused as error:
                    refused = error
                except (Refused, BadFormat) as error:
                    if not form.choice:
                        raise
                    refused = error
        raise refused or Refused("there is nothing to say")

    async def _remember_files(self, form: MessageForm, result: Any, files: Files) -> None:
        """What was uploaded has an id from now on; it need not be uploaded again."""
        if not isinstance(files, UploadedFiles):
            return
        told_of = result if isinstance(result, list) else [result]
        for carried, answer in zip(form.carried, told_of, strict=False):
            if carried.read is not None and (ref := file_id(answer, carried.media)):
                await files.remember(carried.read, self.name, carried.media.value, ref)

    async def _do(self, outbound: Outbound, nonce: int, target: str) -> Any:
        try:
            return await self._line.call(to_call(outbound, nonce=nonce, target=target))
        except NoTextThere:
            return await self._line.call(to_caption_call(outbound, nonce=nonce, target=target))

    async def hint_typing(self, outbound_chat: str, thread: str = "") -> None:
        with contextlib.suppress(Exception):
            chat, thread_id = chat_id(Peer("", outbound_chat)), int(thread) if thread.isdigit() else None
            account = connection_in(Peer("", outbound_chat, thread)) or None
            call = SendChatAction(
                chat_id=chat, action="typing", message_thread_id=thread_id, business_connection_id=account
            )
            await self._line.call(call, timeout=5)

    # --- asking

    async def read(self, attachment: Attachment) -> File:
        """Raises `Refused` above 20 MB, which is all that Telegram gives to bots, and for what is gone."""
        if attachment.size > MAX_DOWNLOAD:
            raise Refused("the file is too big for a bot to download", code="file_large")
        if not attachment.ref:
            raise Refused("the attachment has no content", code="file_gone")
        try:
            told = await self._line.call(GetFile(file_id=attachment.ref))
            path = told.get("file_path") if isinstance(told, dict) else None
            if not path:
                raise Refused("Telegram names no path for the file", code="file_gone")
            content = await self._line.download(str(path), limit=MAX_DOWNLOAD)
        except Uncertain as error:
            raise RetryLater(str(error), after=2.0) from None
        return File(content, attachment.name or str(path).rsplit("/", 1)[-1], attachment.mime)

    async def chat_info(self, chat: str) -> ChatInfo:
        return await self._account.chat_info(chat)

    async def membership(self, chat: str, user: str) -> Membership:
        return await self._account.membership(chat, user)

    async def profile(self, user: str) -> Sender | None:
        return await self._account.profile(user)

    async def check(self) -> tuple[Problem, ...]:
        found = await self._account.check(webhook=self._webhook_url if self._mode == "webhook" else None)
        me = self._account.me
        if self._accounts is not None and me and not me.get("can_connect_to_business"):
            return (*found, warning("telegram.no_business", code="TG017"))
        return found

    def is_group(self, chat: str) -> bool:
        """Telegram numbers groups below zero."""
        return chat.startswith("-")

    def topic_url(self, chat: str, thread: str) -> str:
        return f"https://t.me/c/{chat.removeprefix('-100')}/{thread}" if chat.startswith("-100") else ""

    async def publish_commands(self, menus: Sequence[CommandMenu]) -> None:
        """Tell Telegram which commands to offer where.

        Raises `DeliveryError`; the same again changes nothing.
        """
        await self._account.publish_commands(menus)

    async def close(self) -> None:
        await self._line.close()


def _field(result: Any, name: str) -> str:
    return str(result.get(name, "")) if isinstance(result, dict) else ""
