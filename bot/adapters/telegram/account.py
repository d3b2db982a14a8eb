"""What Telegram says about the bot's account, its rights and the people it meets; each fault with the way to
mend it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from aiogram.methods import GetChat, GetChatMember, GetMe, GetWebhookInfo, SetMyCommands
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
)

from bot.adapters.base import ChatInfo, CommandMenu
from bot.adapters.sanitize import clean_json
from bot.adapters.telegram.calls import chat_id
from bot.adapters.telegram.session import ApiConnection
from bot.adapters.telegram.updates import Membership, to_membership, to_sender
from bot.clock import Clock
from bot.errors import AccountError, DeliveryError, PeerGone, Problem, Refused
from bot.model import Peer, Sender
from bot.text.problems import problem, warning

_CACHED = timedelta(seconds=60)
_KEPT = 4096
_RIGHTS = {
    "can_manage_topics": "TG013",
    "can_pin_messages": "TG014",
    "can_delete_messages": "TG015",
}


class TelegramAccount:
    """One bot's account. `me` is what getMe told last, empty before `meet`."""

    def __init__(self, line: ApiConnection, bot_id: int, clock: Clock) -> None:
        self._line, self._bot_id, self._clock = line, bot_id, clock
        self._strangers: dict[
            tuple[str, str], datetime
        ] = {}  # who did not belong to a chat, and when that was asked
        self.me: Mapping[str, Any] = {}

    async def meet(self) -> Mapping[str, Any]:
        """Ask who we are. Raises `AccountError` for a wrong token."""
        self.me = await self._line.call(GetMe())
        return self.me

    # --- chats and people

    async def chat_info(self, chat: str) -> ChatInfo:
        number = chat_id(Peer("", chat))
        told = _plain(await self._line.call(GetChat(chat_id=number)))
        title = str(told.get("title") or told.get("first_name") or "")
        if told.get("type") == "private":
            return ChatInfo(chat, title)
        is_forum = bool(told.get("is_forum"))
        own = _plain(await self._line.call(GetChatMember(chat_id=number, user_id=self._bot_id)))
        if to_membership(own) == "none":
            raise PeerGone("the bot is not in the chat")
        return ChatInfo(
            chat, title, "forum" if is_forum else "group", tuple(await self._faults(own, is_forum))
        )

    async def _faults(self, own: Mapping[str, Any], is_forum: bool) -> list[Problem]:
        if own.get("status") not in ("administrator", "creator"):
            me = self.me or await self.meet()
            faults = []
            if own.get("status") == "restricted" and own.get("can_send_messages") is False:
                faults.append(problem("telegram.may_not_write", code="TG016"))
            if is_forum:
                faults.append(problem("telegram.no_admin", code="TG011"))
            if not me.get("can_read_all_group_messages"):
                faults.append(problem("telegram.hears_little", code="TG012"))
            return faults
        wanted = _RIGHTS if is_forum else {k: v for k, v in _RIGHTS.items() if k != "can_manage_topics"}
        return [
            (problem if right == "can_manage_topics" else warning)(f"telegram.right.{right}", code=code)
            for right, code in wanted.items()
            if own.get("status") != "creator" and not own.get(right)
        ]

    async def membership(self, chat: str, user: str) -> Membership:
        """Of a stranger asked at most once a minute, unless `forget` is called in between: whoever presses
        buttons in a public group causes no calls without end.

        law: that somebody belongs to a chat is never remembered. Another process may have heard that they
        were put out; known operators are not asked about, so the answer is seldom needed twice.
        """
        now = self._clock()
        asked = self._strangers.get((chat, user))
        if not user.isdigit() or (asked is not None and timedelta(0) <= now - asked < _CACHED):
            return "none"
        try:
            status = to_membership(
                await self._line.call(GetChatMember(chat_id=chat_id(Peer("", chat)), user_id=int(user)))
            )
        except (PeerGone, Refused):  # the chat or the person is unknown: nobody who belongs there
            status = "none"
        if status == "none":
            if len(self._strangers) >= _KEPT:
                self._strangers.clear()
            self._strangers[chat, user] = now
        return status

    def forget(self, chat: str, users: Sequence[str] = ()) -> None:
        """Membership there changed: *users*, or all, are asked about again."""
        for key in [k for k in self._strangers if k[0] == chat and (not users or k[1] in users)]:
            del self._strangers[key]

    async def profile(self, user: str) -> Sender | None:
        if not user.isdigit():
            return None
        try:
            return to_sender(_plain(await self._line.call(GetChat(chat_id=int(user)))))
        except (PeerGone, Refused):
            return None

    # --- the account itself

    async def check(self, *, webhook: str | None) -> tuple[Problem, ...]:
        """What is wrong with the account; *webhook* is the address it should have, None for polling."""
        try:
            me = await self.meet()
            hook = _plain(await self._line.call(GetWebhookInfo()))
        except AccountError as error:
            return (Problem(str(error), code="TG001", hint=error.hint),)
        except DeliveryError as error:
            return (problem("telegram.silent", code="TG002", reason=error),)
        problems = []
        if not me.get("can_join_groups", True):
            problems.append(warning("telegram.no_groups", code="TG003"))
        if not me.get("can_read_all_group_messages"):
            problems.append(warning("telegram.private", code="TG004"))
        return (*problems, *_hook_problems(hook, webhook))

    async def publish_commands(self, scopes: Sequence[CommandMenu]) -> None:
        """Tell Telegram which commands to offer where; the same again changes nothing.

        Raises `DeliveryError`.
        """
        for scope in scopes:
            commands = [BotCommand(command=c, description=d) for c, d in scope.commands]
            await self._line.call(
                SetMyCommands(commands=commands, scope=_scope(scope), language_code=scope.language or None)
            )


def _hook_problems(hook: Mapping[str, Any], wanted: str | None) -> list[Problem]:
    problems, url = [], str(hook.get("url", ""))
    if wanted is None and url:
        problems.append(warning("telegram.hook_stands", code="TG005"))
    if wanted is not None and url != wanted:
        problems.append(warning("telegram.hook_lacks", code="TG006"))
    if wanted is not None and hook.get("last_error_message"):
        problems.append(warning("telegram.hook_failed", code="TG007", reason=hook["last_error_message"]))
    return problems


def _scope(
    scope: CommandMenu,
) -> BotCommandScopeAllPrivateChats | BotCommandScopeAllGroupChats | BotCommandScopeChat:
    match scope.scope:
        case "private":
            return BotCommandScopeAllPrivateChats()
        case "groups":
            return BotCommandScopeAllGroupChats()
    return BotCommandScopeChat(chat_id=chat_id(Peer("", scope.chat)))


def _plain(result: object) -> Mapping[str, Any]:
    cleaned = clean_json(result)
    return cleaned if isinstance(cleaned, dict) else {}
