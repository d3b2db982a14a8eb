"""Where the desk is: named in the config, or bound by a button in a group the bot was added to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.errors import BotError
from bot.model import Button, Event, InboundKind, Outbound, Outcome, Peer, Result, Turn, Verb
from bot.wording import Wording

Membership = Callable[[Peer, str], Awaitable[str]]
SETTING = "desk"
PATIENCE = 5.0  # seconds that asking a platform may take


class Binding:
    """Knows the desk's place and changes it when an administrator of a group says so. Watches events: what was committed holds."""

    def __init__(self, words: Wording, *, lang: str, place: Peer | None = None, fixed: bool = False, membership: Membership) -> None:
        self.place, self._fixed = place, fixed
        self._words, self._lang, self._membership = words, lang, membership
        self.others: Callable[[Peer], bool] = lambda peer: False  # groups of single teams

    def is_desk(self, peer: Peer) -> bool:
        """Whether operators work there: in the desk of all, or in a team's group."""
        return self.others(peer) or (self.place is not None and (peer.channel, peer.chat) == (self.place.channel, self.place.chat))

    async def membership(self, peer: Peer, user: str) -> str:
        """Whether *user* is in the group; "" where the platform cannot be asked now."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._membership(peer, user)
        except (BotError, TimeoutError):
            return ""

    async def decide(self, turn: Turn) -> Outcome | None:
        """What concerns the place itself; None = not about that."""
        inbound = turn.said[0]
        if inbound.kind is InboundKind.ADDED:
            return self._added(turn)
        if inbound.kind is InboundKind.REMOVED:
            where = {"channel": inbound.peer.channel, "chat": inbound.peer.chat}
            lost = (Event("desk_lost", data=where),) if self.is_desk(inbound.peer) else ()
            return Outcome("desk", Result.IGNORED, "removed", events=lost)
        if turn.press and turn.press.action == "bind_desk":
            return await self._bind(turn)
        return None

    def _added(self, turn: Turn) -> Outcome:
        inbound = turn.said[0]
        if self.is_desk(inbound.peer):
            key = "desk.ready" if inbound.data.get("status") == "administrator" else "desk.needs_rights"
            found = Event("desk_found", data={"channel": inbound.peer.channel, "chat": inbound.peer.chat})
            back = inbound.data.get("before") in ("left", "kicked", "none")
            return replace(self._answer(turn, "found" if back else "added", Outbound(inbound.peer, self._words.say(key, lang=self._lang), author="")), events=(found,))
        if self.place is not None and self._fixed:
            return Outcome("desk", Result.IGNORED, "another_group")
        button = Button(self._words.text("desk.button.bind", lang=self._lang), "bind_desk", style="primary")
        offer = self._words.say("desk.offer", lang=self._lang, title=str(inbound.data.get("title", "")), bound=self.place is not None)
        return self._answer(turn, "offered", Outbound(inbound.peer, offer, buttons=((button,),), name="offer", author=""))

    async def _bind(self, turn: Turn) -> Outcome:
        inbound = turn.said[0]
        if await self.membership(inbound.peer, inbound.sender.id) != "administrator":
            notice = Outbound(inbound.peer, self._words.say("desk.only_administrators", lang=self._lang), verb=Verb.ACKNOWLEDGE, quotes=inbound.callback, author="")
            return self._answer(turn, "refused", notice)
        place = replace(inbound.peer, thread="")
        bound = Outbound(place, self._words.say("desk.bound", lang=self._lang), verb=Verb.EDIT, edits="offer", author="")
        event = Event("desk_bound", data={"channel": place.channel, "chat": place.chat})
        return replace(self._answer(turn, "bound", bound), events=(event,), keep={SETTING: json.dumps([place.channel, place.chat])})

    def seen(self, event: Event) -> None:
        """The place follows what was committed."""
        if event.kind == "desk_bound":
            self.place = Peer(str(event.data["channel"]), str(event.data["chat"]))
        elif event.kind == "chat_moved" and self.place == Peer(str(event.data["channel"]), str(event.data["old"])):
            self.place = Peer(str(event.data["channel"]), str(event.data["new"]))

    def _answer(self, turn: Turn, reason: str, say: Outbound) -> Outcome:
        return Outcome("desk", Result.ANSWERED, reason, (say,))


def read_place(setting: str | None) -> Peer | None:
    """The bound desk as it was kept."""
    return Peer(*json.loads(setting)) if setting else None
