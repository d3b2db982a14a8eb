"""Where the desk is: named in the config, or bound by a button in a group the bot was added to, or by a
code that the owner sends there.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from bot.errors import BotError
from bot.handoff.binding_code import CODE_SETTING
from bot.handoff.group_status import Chat
from bot.i18n.texts import Texts
from bot.model import (
    Button,
    DeskState,
    Event,
    InboundKind,
    Outbound,
    OutboundKind,
    Outcome,
    Peer,
    Priority,
    Result,
    Sender,
    Turn,
)
from bot.model.desk_state import DESK_SETTING

BIND = "bind_desk"  # the button by which a group becomes the desk
IsDesk = Callable[[Peer], bool]
IsOurs = Callable[[str], bool]
PATIENCE = 5.0  # seconds that asking a platform may take


class ChatDirectory(Protocol):
    """What the platforms are asked about chats and people. All raise `BotError`."""

    async def membership(self, peer: Peer, user: str) -> str: ...

    async def chat_info(self, peer: Peer) -> Chat | None: ...

    async def profile(self, peer: Peer, user: str) -> Sender | None: ...

    def topic_url(self, peer: Peer, thread: str) -> str:
        """Where a browser opens the topic; "" where there is no such address."""
        ...


@dataclass(frozen=True, slots=True)
class BoundGroup:
    """The desk where no button chose one; *fixed* = the config names it, and no button may."""

    place: Peer | None = None
    fixed: bool = False


class GroupBinding:
    """Knows the desk's place and changes it when an administrator of a group says so.

    *others* tells the groups of single teams, *is_ours* supervisors
    and operators who are known.
    """

    def __init__(
        self,
        texts: Texts,
        *,
        lang: str,
        bound: BoundGroup,
        platforms: ChatDirectory,
        others: IsDesk,
        is_ours: IsOurs,
    ) -> None:
        self.place, self._fixed, self.platforms = bound.place, bound.fixed, platforms
        self._default = bound.place
        self._texts, self._lang = texts, lang
        self._others, self._is_ours = others, is_ours

    def is_desk(self, peer: Peer) -> bool:
        """Whether operators work there: in the desk of all, or in a team's group."""
        return self._others(peer) or (
            self.place is not None and (peer.channel, peer.chat) == (self.place.channel, self.place.chat)
        )

    async def membership(self, peer: Peer, user: str) -> str:
        """Whether *user* is in the group; "" where the platform cannot be asked now."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self.platforms.membership(peer, user)
        except (BotError, TimeoutError):
            return ""

    async def profile(self, peer: Peer, user: str) -> Sender | None:
        """Who *user* is; None where nobody can tell."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self.platforms.profile(peer, user)
        except (BotError, TimeoutError):
            return None

    async def decide(self, turn: Turn) -> Outcome | None:
        """What concerns the place itself; None = not about that."""
        inbound = turn.inbounds[0]
        if inbound.kind is InboundKind.ADDED:
            return self._added(turn)
        if inbound.kind is InboundKind.REMOVED:
            return Outcome("desk", Result.IGNORED, "removed")
        if turn.press and turn.press.action == BIND:
            return await self._bind(turn)
        return None

    def _added(self, turn: Turn) -> Outcome:
        """Another group than the desk: offered to be it; where there is a desk already, that one hears of
        it.
        """
        inbound, title = turn.inbounds[0], str(turn.inbounds[0].data.get("title", ""))
        came = inbound.data.get("before") in ("left", "kicked", "none", None)
        told: tuple[Outbound, ...] = ()
        if self.place is not None and came:
            text = self._texts.say(
                "desk.another_group", lang=self._lang, title=title, by=inbound.sender.name, fixed=self._fixed
            )
            told = (Outbound(self.place, text, priority=Priority.NOTICE, author=""),)
        if self.place is not None and self._fixed:
            said = Outbound(inbound.peer, self._texts.say("desk.fixed", lang=self._lang), author="")
            return Outcome("desk", Result.IGNORED, "another_group", (said, *told) if came else ())
        button = Button(self._texts.text("desk.button.bind", lang=self._lang), BIND, style="primary")
        offer = self._texts.say("desk.offer", lang=self._lang, title=title, bound=self.place is not None)
        offered = self._answer(
            turn, "offered", Outbound(inbound.peer, offer, buttons=((button,),), name="offer", author="")
        )
        return replace(offered, messages=(*offered.messages, *told))

    async def _bind(self, turn: Turn) -> Outcome:
        inbound = turn.inbounds[0]
        if (why := await self._may_not_bind(turn)) is not None:
            notice = Outbound(
                inbound.peer,
                self._texts.say(why, lang=self._lang),
                kind=OutboundKind.ACKNOWLEDGE,
                quotes=inbound.callback,
                author="",
            )
            return self._answer(turn, "refused", notice)
        return self._bound(turn, edits="offer")

    def by_code(self, turn: Turn, *, right: bool) -> Outcome:
        """A code was sent in a group; the *right* one makes it the desk, and holds no longer."""
        why = "desk.fixed" if self._fixed else "" if right else "desk.wrong_code"
        if why:
            said = Outbound(turn.inbounds[0].peer, self._texts.say(why, lang=self._lang), author="")
            return self._answer(turn, "refused", said)
        bound = self._bound(turn)
        return replace(bound, settings={**bound.settings, CODE_SETTING: None})

    def _bound(self, turn: Turn, *, edits: str = "") -> Outcome:
        """The group is the desk from now on; *edits* names the message that offered it."""
        inbound = turn.inbounds[0]
        place = replace(inbound.peer, thread="")
        bound = Outbound(
            place,
            self._texts.say("desk.bound", lang=self._lang),
            kind=OutboundKind.EDIT if edits else OutboundKind.SAY,
            edits=edits,
            author="",
        )
        event = Event("desk_bound", data={"channel": place.channel, "chat": place.chat})
        say = [bound]
        if self.place is not None and self.place != place:
            title = self._texts.say("desk.bound_elsewhere", lang=self._lang, by=inbound.sender.name)
            say.append(Outbound(self.place, title, priority=Priority.NOTICE, author=""))
        return replace(
            self._answer(turn, "bound", bound),
            messages=tuple(say),
            events=(event,),
            settings={DESK_SETTING: json.dumps([place.channel, place.chat])},
        )

    async def _may_not_bind(self, turn: Turn) -> str | None:
        """Why this person may not: whoever owns some group must not take the customers away from those who
        answer them.
        """
        inbound = turn.inbounds[0]
        if self._fixed:
            return "desk.fixed"
        if await self.membership(inbound.peer, inbound.sender.id) != "administrator":
            return "desk.only_administrators"
        if self.place is None or self._is_ours(f"{inbound.peer.channel}:{inbound.sender.id}"):
            return None
        if self.place.channel == inbound.peer.channel and await self.membership(
            self.place, inbound.sender.id
        ) in ("administrator", "member"):
            return None
        return "desk.only_operators"

    def follow(self, state: DeskState) -> None:
        """From now on the place is the one that *state* knows, wherever it is by now."""
        place = self._default if self._fixed else state.bound or self._default
        self.place = place and state.now_at(place)

    def _answer(self, turn: Turn, reason: str, say: Outbound) -> Outcome:
        return Outcome("desk", Result.ANSWERED, reason, (say,))
