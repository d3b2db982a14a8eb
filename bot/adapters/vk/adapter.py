"""The VK channel: a community's messages in our words, our deliveries in VK's.

Works alone, without any other platform.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from aiohttp import web

from bot.adapters.base import Accept, Adapter, ChatInfo, File, Files, Health, Limits
from bot.adapters.vk.callback import CallbackApi
from bot.adapters.vk.calls import RandomIds, is_private, peer_id
from bot.adapters.vk.chats import Chats
from bot.adapters.vk.check import check_account, check_longpoll, settings_problems
from bot.adapters.vk.client import PER_SECOND, VkClient
from bot.adapters.vk.community import Community
from bot.adapters.vk.errors import ACCOUNT_CODES, VkRefusal, VkSilence, to_account_error
from bot.adapters.vk.intake import Intake, read_cursor
from bot.adapters.vk.longpoll import LongPoll
from bot.adapters.vk.sender import VkSender
from bot.adapters.vk.settings import VkSettings, WatchedComments
from bot.adapters.vk.updates import VkReader
from bot.adapters.vk.users import SenderCache
from bot.clock import Clock
from bot.errors import AccountError, BotError, ConfigError, DeliveryError, Problem, Refused
from bot.model import PUBLIC, Attachment, Inbound, InboundKind, Media, Outbound, Sender, Sent
from bot.observability import get_logger

LIMITS = Limits(
    text=4096,
    caption=4096,
    attachments=10,
    label=40,
    buttons=10,
    row=5,
    notice=90,
    media=frozenset(Media) - {Media.STICKER, Media.CONTACT, Media.AUDIO, Media.OTHER},
    topics=False,
    edits=True,
    reactions=True,
    per_second=PER_SECOND,
    peer_per_second=3.0,
    peer_burst=5,
    group_per_minute=0.0,
)
_READ_KINDS = frozenset({InboundKind.MESSAGE, InboundKind.PRESS, InboundKind.START})


class VkAdapter(Adapter):
    """One community."""

    kind = "vk"
    platform_name = "VK"

    def __init__(
        self, name: str, settings: VkSettings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        problems = settings_problems(
            name, settings.mode, settings.secret, settings.confirmation, settings.proxy
        )
        if problems:
            raise ConfigError(problems)
        self.name, self.limits = name, LIMITS
        self.health = Health(polls=settings.mode == "longpoll")
        self._group, self._mode, self._clock = settings.group_id, settings.mode, clock
        self._mark_read = settings.mark_read
        self._client = VkClient(settings.token, api_base=settings.api_base, proxy=settings.proxy)
        self._people = SenderCache(self._client)
        random_ids = RandomIds(f"{name}:{settings.salt}")
        self._speaker = VkSender(
            self._client, self.health, random_ids, channel=name, group_id=settings.group_id
        )
        self._chats = Chats(self._client, self._people, group_id=settings.group_id)
        comments = self._comments = None
        if settings.comments:
            from bot.adapters.vk.comment_channel import CommentChannel  # only where they are watched
            from bot.adapters.vk.comments import CommentReader

            self._comments = CommentChannel(self._client, settings)
            comments = CommentReader(name, settings.group_id, settings.comments.places, clock)
        reader = VkReader(name, settings.group_id, clock, random_ids.holds, comments)
        self._guid = random_ids.of
        self._intake = Intake(
            self._client, reader, self._people, channel=name, group_id=settings.group_id, clock=clock
        )
        community = Community(name, settings.group_id, self.health, clock)
        self._longpoll = LongPoll(self._client, self._intake, community, kept=self._kept, wait=settings.wait)
        self._callback = CallbackApi(
            self._intake,
            community,
            secret=settings.secret or "",
            confirmation=settings.confirmation or "",
            kept=self._kept,
        )
        self._asides: set[asyncio.Task[None]] = set()
        self._log = get_logger("vk").bind(channel=name)

    @classmethod
    def configured(cls, name: str, keys: Mapping[str, Any], clock: Clock) -> VkAdapter:
        """See `ConfiguredAdapter`."""
        comments = WatchedComments.of(keys["comments"]) if keys.get("comments") else None
        return cls(name, VkSettings(**{**keys, "comments": comments}), clock=clock)

    # --- taking in

    async def run(self, accept: Accept, *, cursor: str | None) -> None:
        accept = self._comments.asking(accept) if self._comments else accept
        try:
            if self._mode == "callback":
                await self._serve(accept, cursor)
            else:
                self._aside(self._look_at_settings())
                await self._longpoll.run(accept, cursor=cursor)
        except AccountError as error:
            self.health.last_error = f"{error} → {error.hint}" if error.hint else str(error)
            raise
        finally:
            self.health.state = "stopped"

    @property
    def webhook_path(self) -> str:
        return f"/hooks/{self.name}"

    def routes(self) -> list[web.RouteDef]:
        """What the web server serves for this channel in callback mode."""
        return [web.post(self.webhook_path, self._callback.answer)] if self._mode == "callback" else []

    def take_calls(self, accept: Accept) -> None:
        """See `Adapter.take_calls`."""
        self._callback.open(self._comments.asking(accept) if self._comments else accept)

    async def _serve(self, accept: Accept, cursor: str | None) -> None:
        """VK comes to us: what is left is to see that the account works, and what was missed while we were
        away.
        """
        failures = 0
        while True:
            try:
                await self._client.call("groups.getById")
                missed = (
                    await self._intake.missed(read_cursor(cursor).at)
                    if cursor and read_cursor(cursor).at
                    else ()
                )
                await accept(missed, cursor=None)
                break
            except VkRefusal as error:
                if error.code in ACCOUNT_CODES:
                    raise to_account_error(error) from None
                problem: BotError = error
            except BotError as error:
                problem = error
            failures += 1
            self.health.state, self.health.last_error = "failing", str(problem)
            self._log.warning("start_failed", error=str(problem), failures=failures)
            self._callback.open(accept)  # what VK brings meanwhile is welcome all the same
            await asyncio.sleep(min(30.0, 2.0**failures) * random.uniform(0.6, 1.0))
        self._callback.open(accept)
        self.health.state = "working"
        await asyncio.Event().wait()

    async def _look_at_settings(self) -> None:
        """Say at once what would keep the queue silent: a bot that hears nothing looks like one that
        works.
        """
        with contextlib.suppress(VkRefusal, VkSilence):
            for problem in await check_longpoll(self._client, self._group, self._watched):
                self.health.details[f"{problem.code}:{problem.text}"[:80]] = str(problem)
                self._log.warning("settings_problem", code=problem.code, text=problem.text, hint=problem.hint)

    def _kept(self, inbounds: Sequence[Inbound]) -> None:
        peers = [
            i.peer.chat for i in inbounds if i.private and i.kind in _READ_KINDS and not i.peer.is_public
        ]
        if peers and self._mark_read:
            self._aside(self._intake.mark_read(peers))

    def _aside(self, work: Coroutine[Any, Any, None]) -> None:
        """Cosmetics that nobody waits for."""
        task = asyncio.create_task(work)
        self._asides.add(task)
        task.add_done_callback(self._asides.discard)

    # --- sending

    async def send(self, outbound: Outbound, *, nonce: int, target: str, files: Files) -> Sent:
        if outbound.to.is_public:
            if self._comments is None:
                raise Refused("comments are not watched any more", code="comment_rights")
            return await self._comments.sender.send(outbound, guid=self._guid(nonce))
        return await self._speaker.send(outbound, nonce=nonce, target=target, files=files)

    # --- asking

    async def read(self, attachment: Attachment) -> File:
        url = attachment.data.get("url")
        if not isinstance(url, str):
            raise Refused("VK gives no file for this attachment", code="file_gone")
        file = await self._client.fetch(url)
        return File(file.content, attachment.name, attachment.mime or file.mime)

    async def chat_info(self, chat: str) -> ChatInfo:
        return await self._chats.chat_info(chat)

    async def membership(self, chat: str, user: str) -> Literal["administrator", "member", "none"]:
        return await self._chats.membership(chat, user)

    async def profile(self, user: str) -> Sender | None:
        return await self._chats.profile(user)

    def is_group(self, chat: str) -> bool:
        return not is_private(peer_id(chat))

    async def hint_typing(self, outbound_chat: str, thread: str = "") -> None:
        if self._client.busy or thread.startswith(PUBLIC):
            return
        with contextlib.suppress(VkRefusal, VkSilence, DeliveryError):
            await self._client.call_aside(
                "messages.setActivity", peer_id=peer_id(outbound_chat), type="typing", group_id=self._group
            )

    async def check(self) -> tuple[Problem, ...]:
        watched = self._watched
        found = await check_account(
            self._client, self._group, longpoll=self._mode == "longpoll", watched=watched
        )
        return (*found, *(await self._comments.check() if self._comments else ()))

    @property
    def _watched(self) -> frozenset[str]:
        return self._comments.places if self._comments else frozenset()

    async def close(self) -> None:
        for task in tuple(self._asides):
            task.cancel()
        await asyncio.gather(*self._asides, return_exceptions=True)
        await self._client.close()
        if self._comments is not None:
            await self._comments.close()
