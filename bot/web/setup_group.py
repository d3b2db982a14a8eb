"""The set-up page of the operators' group: it is chosen by a code that is sent there."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

from aiohttp import web

from bot.adapters.base import ChatInfo
from bot.errors import BotError, Problem
from bot.handoff.binding_code import CODE_SETTING, BindingCode, kept_code, new_code
from bot.model import Peer
from bot.web.setup_pages import SetupContext

PATIENCE = 8.0
RIGHTS = "manage_topics+pin_messages+delete_messages"  # that the bot asks for where it is added by the link


class SetupGroup:
    """GET and POST /setup/group."""

    def __init__(self, frame: SetupContext) -> None:
        self._frame, self._services = frame, frame.services

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/setup/group", self.show)
        app.router.add_post("/setup/group", self.make_code)
        app.router.add_get("/setup/group/place", self.tell_place)

    async def show(self, request: web.Request) -> web.Response:
        """GET: which group it is and what lacks there, or how to choose one."""
        config = self._frame.config()
        setup, now = self._frame.setup, self._services.clock()
        place = setup.desk() if setup.live else None
        code = kept_code(await self._services.store.setting(CODE_SETTING), now) if setup.live else None
        chat = await self._chat(place) if place else None
        problems = chat if isinstance(chat, tuple) else chat.problems if chat else ()
        return self._frame.show(
            request,
            "group",
            place=place,
            group_title=chat.title if isinstance(chat, ChatInfo) else "",
            problems=[(p.severity, p.text, p.hint) for p in problems],
            code=code,
            link=self._link(code) if code else "",
            fixed=config.desk is not None,
        )

    async def tell_place(self, request: web.Request) -> web.Response:
        """GET /setup/group/place: for the page that waits for the choice."""
        place = self._frame.setup.desk() if self._frame.setup.live else None
        return web.json_response({"chat": place.chat if place else ""})

    async def make_code(self, request: web.Request) -> web.Response:
        """POST: a new code; the one before holds no longer."""
        if not self._frame.setup.live:
            raise web.HTTPSeeOther("/setup/group")
        await new_code(self._services.store, self._services.clock())
        raise web.HTTPSeeOther("/setup/group")

    def _link(self, code: BindingCode) -> str:
        """Adds the Telegram bot to a group, with the rights it needs, and sends the code there."""
        for adapter in self._services.channels.values():
            if adapter.kind == "telegram" and (name := adapter.health.details.get("username")):
                return f"https://t.me/{quote(str(name))}?startgroup={code.code}&admin={RIGHTS}"
        return ""

    async def _chat(self, place: Peer) -> ChatInfo | tuple[Problem, ...]:
        adapter = self._services.channels.get(place.channel)
        if adapter is None:
            return ()
        try:
            async with asyncio.timeout(PATIENCE):
                return await adapter.chat_info(place.chat)
        except (BotError, TimeoutError) as error:
            return (Problem(str(error) or "timeout", hint=getattr(error, "hint", "")),)
