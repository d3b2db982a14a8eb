"""The set-up pages of Telegram, VK and MAX: a token is pasted, asked about at once, kept, and never shown
again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import get_args

from aiohttp import web

from bot.adapters.token_check import TokenCheck
from bot.errors import ConfigError, Problem
from bot.setup.channel_tokens import NO_PROXY, ChannelTokens, Platform
from bot.text.problems import problem
from bot.web.setup_pages import SetupContext

PATIENCE = 25.0  # seconds for all that a platform is asked
LONGEST_TOKEN = 500
LONGPOLL = ("vk-longpoll-off", "vk-event-off", "vk-longpoll-version")  # what VK can be asked to change


class SetupChannels:
    """GET and POST /setup/telegram, /setup/vk and /setup/max."""

    def __init__(self, frame: SetupContext) -> None:
        self._frame, self._setup = frame, frame.setup

    def add_to(self, app: web.Application) -> None:
        for platform in get_args(Platform):
            app.router.add_get(f"/setup/{platform}", self.show)
            app.router.add_post(f"/setup/{platform}", self.keep)
        app.router.add_post("/setup/vk/longpoll", self.switch_on)

    async def show(self, request: web.Request) -> web.Response:
        """GET: the field for the token, and what the platform says of the one that is kept."""
        kept = self._kept(request)
        checked = await _checked(kept, {}) if kept.token else None
        return self._page(request, kept, checked)

    async def keep(self, request: web.Request) -> web.Response:
        """POST {token, proxy, api_base}: asked about first; what the platform refuses is not kept."""
        kept = self._kept(request)
        form = {k: str(v).strip()[:LONGEST_TOKEN] for k, v in (await request.post()).items()}
        if not (form.get("token") or kept.token):
            empty = TokenCheck(problems=(problem("setup.no_token"),), refused=True)
            return self._page(request, kept, empty, status=422)
        checked = await _checked(kept, form)
        if checked.refused or (kept.platform == "vk" and not (checked.number or kept.group_id)):
            return self._page(request, kept, checked, status=422)
        try:
            kept.keep(
                self._setup.file,
                token=form.get("token", ""),
                group_id=checked.number,
                proxy=form.get("proxy", ""),
                api_base=form.get("api_base", kept.api_base),
            )
        except ConfigError as error:
            return self._page(request, kept, TokenCheck(problems=tuple(error.problems)), status=422)
        raise self._frame.went_well(kept.platform)

    async def switch_on(self, request: web.Request) -> web.Response:
        """POST /setup/vk/longpoll: VK is asked to keep the events that the bot needs."""
        from bot.adapters.vk.key_check import switch_on_longpoll

        kept = ChannelTokens.of(self._frame.config(), "vk")
        if not kept.token:
            raise web.HTTPSeeOther("/setup/vk")
        problems = await switch_on_longpoll(
            kept.token, kept.group_id, api_base=kept.api_base or None, proxy=kept.proxy or None
        )
        if problems:
            return self._page(request, kept, TokenCheck(problems=problems), status=422)
        raise web.HTTPSeeOther("/setup/vk?done")

    def _kept(self, request: web.Request) -> ChannelTokens:
        asked = request.path.split("/")[2]
        platform = next(p for p in get_args(Platform) if p == asked)
        return ChannelTokens.of(self._frame.config(), platform)

    def _page(
        self, request: web.Request, kept: ChannelTokens, checked: TokenCheck | None, *, status: int = 200
    ) -> web.Response:
        problems = checked.problems if checked else ()
        return self._frame.show(
            request,
            kept.platform,
            status=status,
            kept=kept,
            checked=checked,
            problems=[(p.severity, p.text, p.hint) for p in problems],
            longpoll=any(p.code in LONGPOLL for p in problems),
        )


async def _checked(kept: ChannelTokens, form: Mapping[str, str]) -> TokenCheck:
    """What the platform says of the token in the form, else of the one that is kept."""
    token = form.get("token") or kept.token
    proxy = form.get("proxy") or kept.proxy
    proxy = "" if proxy == NO_PROXY else proxy
    base = form.get("api_base", kept.api_base)
    try:
        async with asyncio.timeout(PATIENCE):
            return await _asked(kept.platform, token, base or None, proxy or None)
    except TimeoutError:
        return TokenCheck(problems=(_silent(kept.platform, "timeout"),))
    except ConfigError as error:  # the platform's library is not installed
        return TokenCheck(problems=error.problems, refused=True)
    except (ValueError, OSError) as error:  # an address that is none
        return TokenCheck(problems=(_silent(kept.platform, type(error).__name__),), refused=True)


async def _asked(platform: Platform, token: str, base: str | None, proxy: str | None) -> TokenCheck:
    if platform == "telegram":
        from bot.adapters.telegram.token_check import check_token

        return await check_token(token, api_base=base, proxy=proxy)
    if platform == "max":
        from bot.adapters.max import token_check

        return await token_check.check_token(token, api_base=base, proxy=proxy)
    from bot.adapters.vk.key_check import check_key

    return await check_key(token, api_base=base, proxy=proxy)


def _silent(platform: Platform, reason: str) -> Problem:
    return problem(f"{platform}.silent", reason=reason)
