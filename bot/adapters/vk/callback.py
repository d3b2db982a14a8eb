"""VK's Callback API: VK calls us; "ok" is said only when everything is kept."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping, Sequence

from aiohttp import web

from bot.adapters.base import Accept
from bot.adapters.update_calls import not_kept
from bot.adapters.vk.community import Community
from bot.adapters.vk.intake import Cursor, Intake
from bot.errors import StorageError
from bot.model import Inbound
from bot.observability import get_logger


class CallbackApi:
    """The entry point of VK's calls. Before `open` and while the store fails VK is asked to come again."""

    def __init__(
        self,
        intake: Intake,
        community: Community,
        *,
        secret: str,
        confirmation: str,
        kept: Callable[[Sequence[Inbound]], None],
    ) -> None:
        self._intake, self._kept = intake, kept
        self._health, self._clock, self._group = community.health, community.clock, community.group_id
        self._secret, self._confirmation = secret.encode(), confirmation
        self._accept: Accept | None = None
        self._log = get_logger("vk").bind(channel=community.channel)

    def open(self, accept: Accept) -> None:
        self._accept = accept

    async def answer(self, request: web.Request) -> web.Response:
        """What VK hears: the confirmation string, "ok", or an error that makes it come again."""
        try:
            call = json.loads(await request.read())
        except (ValueError, RecursionError):
            return web.Response(status=400, text="not JSON")
        if not isinstance(call, Mapping) or call.get("group_id") != self._group:
            return web.Response(status=403, text="not this group")
        if call.get("type") == "confirmation":
            return web.Response(text=self._confirmation)
        if not hmac.compare_digest(str(call.get("secret") or "").encode("utf-8", "replace"), self._secret):
            return web.Response(status=403, text="wrong secret")
        if self._accept is None:
            return not_kept()
        inbounds = await self._intake.read([call])
        try:
            if inbounds:
                await self._accept(inbounds, cursor=str(Cursor("", self._clock().timestamp())))
        except StorageError as error:
            self._health.last_error = str(error)
            self._log.error("not_kept", error=str(error))
            return not_kept()
        self._health.last_poll = self._clock()
        self._kept(inbounds)
        return web.Response(text="ok")
