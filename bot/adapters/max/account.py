"""What MAX says about the bot's account, its chats and the people in them; each fault with the way to mend
it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from bot.adapters.base import ChatInfo, CommandMenu
from bot.adapters.max.attachments import fields
from bot.adapters.max.calls import COMMANDS, address
from bot.adapters.max.client import MaxClient
from bot.adapters.max.updates import UPDATE_TYPES
from bot.adapters.sanitize import clean_json
from bot.clock import Clock
from bot.errors import AccountError, DeliveryError, PeerGone, Problem, Refused
from bot.text.problems import problem, warning

_CACHED = timedelta(seconds=60)
_KEPT = 4096
_RIGHTS = {"read_all_messages": "MAX012", "write": "MAX013", "pin_message": "MAX014"}
_GONE = ("removed", "left", "closed", "suspended")

Membership = Literal["administrator", "member", "none"]


class MaxAccount:
    """One bot's account. `me` is what MAX told last, empty before `meet`."""

    def __init__(self, client: MaxClient, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._strangers: dict[
            tuple[str, str], datetime
        ] = {}  # who did not belong to a chat, and when that was asked
        self.me: Mapping[str, Any] = {}

    async def meet(self) -> Mapping[str, Any]:
        """Ask who we are. Raises `AccountError` for a wrong token."""
        self.me = _clean(await self._client.call("GET", "/me"))
        return self.me

    # --- chats and people

    async def chat_info(self, chat: str) -> ChatInfo:
        """See `Adapter.chat_info`. Of a person's dialog MAX tells nothing by their number."""
        if (group := address(chat).get("chat_id")) is None:
            return ChatInfo(chat)
        told = _clean(await self._client.call("GET", f"/chats/{group}"))
        if told.get("status") in _GONE:
            raise PeerGone(f"the bot is not in the chat any more ({told['status']})")
        own = _clean(await self._client.call("GET", f"/chats/{group}/members/me"))
        return ChatInfo(chat, str(told.get("title") or ""), "group", tuple(_faults(own)))

    async def membership(self, chat: str, user: str) -> Membership:
        """Of a stranger asked at most once a minute, unless `forget` is called in between: whoever presses
        buttons in a public group causes no calls without end.

        law: that somebody belongs to a chat is never remembered; another process may have heard that they
        were put out.
        """
        group = address(chat).get("chat_id")
        if group is None:
            return "member" if chat == user else "none"
        now, asked = self._clock(), self._strangers.get((chat, user))
        if not user.isdigit() or (asked is not None and timedelta(0) <= now - asked < _CACHED):
            return "none"
        try:
            told = await self._client.call("GET", f"/chats/{group}/members", params={"user_ids": user})
        except (PeerGone, Refused):  # the chat or the person is unknown: nobody who belongs there
            told = {}
        members = told.get("members")
        for member in members if isinstance(members, list) else ():
            if str(fields(member).get("user_id")) == user:
                return "administrator" if member.get("is_admin") or member.get("is_owner") else "member"
        if len(self._strangers) >= _KEPT:
            self._strangers.clear()
        self._strangers[chat, user] = now
        return "none"

    def forget(self, chat: str, users: Sequence[str] = ()) -> None:
        """Membership there changed: *users*, or all, are asked about again."""
        for key in [k for k in self._strangers if k[0] == chat and (not users or k[1] in users)]:
            del self._strangers[key]

    # --- the account itself

    async def check(self, *, webhook: str | None) -> tuple[Problem, ...]:
        """What is wrong with the account; *webhook* is the address it should have, None for polling."""
        try:
            await self.meet()
            hooks = await self.hooks()
        except AccountError as error:
            return (Problem(str(error), code="MAX001", hint=error.hint),)
        except DeliveryError as error:
            return (problem("max.silent", code="MAX002", reason=error),)
        if webhook is None:
            stands = (warning("max.hook_stands", code="MAX005"),) if hooks else ()
            return (warning("max.polling", code="MAX004"), *stands)
        lacks = () if webhook in hooks else (warning("max.hook_lacks", code="MAX006"),)
        others = tuple(warning("max.hook_other", code="MAX007", url=u) for u in hooks if u != webhook)
        return (*lacks, *others)

    async def hooks(self) -> Sequence[str]:
        """The addresses that MAX tells of events. Raises `DeliveryError`."""
        told = await self._client.call("GET", "/subscriptions")
        found = told.get("subscriptions")
        urls = [fields(s).get("url") for s in found] if isinstance(found, list) else []
        return [str(u) for u in urls if u]

    async def subscribe(self, url: str, secret: str) -> None:
        """Let MAX call *url* with *secret*; the same again renews it. Raises `DeliveryError`."""
        wanted = {"url": url, "update_types": list(UPDATE_TYPES), "secret": secret}
        await self._client.call("POST", "/subscriptions", body=wanted)

    async def unsubscribe_all(self) -> None:
        """Only who has no webhook hears by polling. Raises `DeliveryError`."""
        for url in await self.hooks():
            await self._client.call("DELETE", "/subscriptions", params={"url": url})

    async def publish_commands(self, menus: Sequence[CommandMenu]) -> None:
        """MAX has one list of commands for all chats: the one of private chats, in its first language.

        Raises `DeliveryError`.
        """
        for menu in menus:
            if menu.scope == "private":
                told = [{"name": name, "description": said} for name, said in menu.commands[:COMMANDS]]
                await self._client.call("PATCH", "/me/commands", body={"commands": told})
                return


def _faults(own: Mapping[str, Any]) -> list[Problem]:
    if not own.get("is_admin") and not own.get("is_owner"):
        return [problem("max.no_admin", code="MAX011")]
    given = own.get("permissions")
    if own.get("is_owner") or not isinstance(given, list):
        return []
    return [
        (warning if right == "pin_message" else problem)(f"max.right.{right}", code=code)
        for right, code in _RIGHTS.items()
        if right not in given
    ]


def _clean(told: object) -> Mapping[str, Any]:
    return fields(clean_json(told))
