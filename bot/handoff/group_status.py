"""The groups of operators as the platforms see them: lost and found, rights that lack, topics switched on and
off; said by name, at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.errors import BotError, PeerGone, Problem
from bot.handoff import card_posts, notices
from bot.handoff.desk_context import DeliveryStatus, DeskContext
from bot.model import (
    DeskState,
    Event,
    GroupStatus,
    Inbound,
    InboundKind,
    Json,
    Outbound,
    Outcome,
    Peer,
    Priority,
    Result,
    Sender,
    Ticket,
    Timer,
    Turn,
)
from bot.model.internal import GroupChanged, UnattendedTicket

PATIENCE = 5.0  # seconds that asking a platform may take
CALM = timedelta(seconds=55)  # a group in order is looked at this often, one in trouble in every round
FAILED: tuple[DeliveryStatus, ...] = ("failed",)
TOLD = 5  # operators who hear of it in private where no supervisor is named
BLIND = frozenset(
    {"vk-chat-rights"}
)  # where these lack, the platform does not even tell whether the bot is in the chat
HAPPENED = ("desk_refused", "desk_lost", "desk_found", "desk_bound", "chat_moved")
LATE = timedelta(seconds=10)
AGAIN = timedelta(minutes=10)  # such a chat, once it refused words, is tried again after this
OUT = ("left", "kicked", "none")


class Chat(Protocol):
    """What a platform says about a chat."""

    @property
    def kind(self) -> str: ...

    @property
    def problems(self) -> Sequence[Problem]: ...


class Groups:
    """Looks at every group; what changed arrives there as a timer.

    What was found is kept by the store, so that no restart and no other process says it again. When a group
    was looked at last is this process's own: only the holder of the lease "periodic" looks, and a new holder
    looks at once, finding what the store knows already. What happened to a group is read from the events, so
    that it is the same whichever process met it.
    """

    def __init__(self) -> None:
        self._checked: Mapping[Peer, GroupStatus] = {}
        self._looked: dict[Peer, datetime] = {}
        self._refused: dict[Peer, datetime] = {}
        self._heard: datetime | None = None

    def known(self, place: Peer) -> GroupStatus | None:
        return self._checked.get(place)

    def follow(self, state: DeskState) -> None:
        """From now on groups are known to be as *state* says."""
        self._checked = state.checked

    async def _hear(self, desk: DeskContext, now: datetime) -> None:
        """A group to which something happened since the last round is looked at in this one."""
        late = now - LATE  # an event may be committed a little later than its time
        since, self._heard = min(self._heard or late, late), late
        for event in await desk.ticket_reader.events(since=since, kinds=HAPPENED):
            if event.kind == "chat_moved":
                self._looked.clear()
            self._looked.pop(_place(event.data), None)

    async def look(self, desk: DeskContext, now: datetime) -> tuple[Inbound, ...]:
        """The groups that are not as they were."""
        found = []
        await self._hear(desk, now)
        for place in desk.places.known_groups():
            before = self.known(place)
            calm = (before is None or before.is_calm) and not desk.teams.is_lost(place)
            if calm and now - self._looked.get(place, now - CALM) < CALM:
                continue
            self._looked[place] = now
            seen = await ask(desk, place)
            if seen is not None and self._is_doubtful(seen, place, desk.teams.is_lost(place), now):
                seen = GroupStatus(gone=True)
            if seen is None or (seen == before and seen.gone == desk.teams.is_lost(place)):
                continue
            key = f"group:{place.channel}:{place.chat}:{int(now.timestamp())}"
            found.append(
                Inbound(key, place, Sender(""), now, InboundKind.INTERNAL, private=False, payload=_find(seen))
            )
        return tuple(found)

    def _is_doubtful(self, seen: GroupStatus, place: Peer, is_lost: bool, now: datetime) -> bool:
        """Whether a chat that refused words must not be believed to hear them again, for a while."""
        if not is_lost or BLIND.isdisjoint(seen.lacks):
            self._refused.pop(place, None)
            return False
        if now - self._refused.setdefault(place, now) < AGAIN:
            return True
        self._refused[place] = now
        return False


async def ask(desk: DeskContext, place: Peer) -> GroupStatus | None:
    """How the group is now; None where nobody can tell."""
    try:
        async with asyncio.timeout(PATIENCE):
            chat = await desk.places.chat_info(place)
    except PeerGone:
        return GroupStatus(gone=True)
    except (BotError, TimeoutError):
        return None
    return None if chat is None else GroupStatus(chat.kind, tuple(p.code for p in chat.problems))


def _find(standing: GroupStatus) -> GroupChanged:
    return GroupChanged(standing.kind, standing.lacks, standing.gone)


def told(standing: GroupStatus) -> Json:
    return {"kind": standing.kind, "lacks": list(standing.lacks), "gone": standing.gone}


async def decide(desk: DeskContext, turn: Turn) -> Outcome | None:
    """What follows from how a group of operators is now; None = the turn is not about that."""
    inbound = turn.inbounds[0]
    if not any(
        p.channel == inbound.peer.channel and p.chat == inbound.peer.chat for p in desk.places.known_groups()
    ):
        return None
    place = replace(inbound.peer, thread="")
    if isinstance(found := inbound.payload, GroupChanged):
        return await _changed(desk, turn, place, GroupStatus(found.kind, found.lacks, gone=found.gone))
    if inbound.kind is InboundKind.REMOVED:
        return await _changed(desk, turn, place, GroupStatus(gone=True))
    if inbound.kind is InboundKind.ADDED:
        now = await ask(desk, place)
        came = inbound.data.get("before") in OUT
        if now is None or now.gone:  # the platform tells of it before it answers questions about it
            now = GroupStatus("forum" if inbound.data.get("forum") else "group")
        return await _changed(desk, turn, place, now, came=came)
    return None


async def _changed(
    desk: DeskContext, turn: Turn, place: Peer, now: GroupStatus, *, came: bool = False
) -> Outcome:
    where = {"channel": place.channel, "chat": place.chat}
    checked = Event("desk_checked", data={**where, **told(now)})
    before, lost = desk.groups.known(place), desk.teams.is_lost(place)
    if now.gone:
        gone = () if lost else (Event("desk_lost", data=where),)
        if before is not None and before.gone and lost:
            return Outcome("desk", Result.IGNORED, "known")
        say = to_responsible(desk, place, "desk.group_lost")
        return Outcome(
            "desk",
            Result.IGNORED,
            "lost",
            say,
            events=(checked, *gone),
            timers=await _elsewhere(desk, turn, place),
        )
    is_back = came or lost or (before is not None and before.gone)
    events = (checked, *((Event("desk_found", data=where),) if is_back else ()))
    news = _news(desk, before or GroupStatus(now.kind), now, is_back)
    say = tuple(
        Outbound(
            place,
            desk.texts.say(key, lang=desk.lang, lacks=_named(desk, now)),
            priority=Priority.NOTICE,
            author="",
        )
        for key in news
    )
    if now.lacks and "desk.lacks" in news:
        say = (*say, *to_responsible(desk, place, "desk.lacks_afar", lacks=_named(desk, now)))
    if is_back or news:
        say = (*say, *await _shown_again(desk, place, now, whole=is_back))
    return Outcome("desk", Result.ANSWERED, "found" if is_back else "checked", say, events=events)


def _news(desk: DeskContext, before: GroupStatus, now: GroupStatus, is_back: bool) -> list[str]:
    """What is said in the group, as keys."""
    news = []
    if before.kind and now.kind != before.kind:
        news.append("desk.topics_on" if now.kind == "forum" else "desk.topics_off")
    if now.lacks and (is_back or now.lacks != before.lacks):
        news.append("desk.lacks")
    elif not now.lacks and (is_back or before.lacks):
        news.append("desk.ready" if is_back else "desk.rights_back")
    return news


def _named(desk: DeskContext, standing: GroupStatus) -> list[str]:
    """Each right that lacks, and the step that mends it."""
    return [
        desk.texts.text(
            key if desk.texts.has(key := f"desk.lack.{code.lower()}") else "desk.lack.other", lang=desk.lang
        )
        for code in standing.lacks
    ]


def cause(desk: DeskContext, place: Peer | None) -> str:
    """Why something may not have reached the group, with the step that mends it; "" where nothing is
    known.
    """
    standing = desk.groups.known(replace(place, thread="")) if place is not None else None
    return " ".join(_named(desk, standing)) if standing is not None else ""


def to_responsible(desk: DeskContext, place: Peer, key: str, **facts: object) -> tuple[Outbound, ...]:
    """To the supervisors in private; where none are named, to operators of the same channel: the group itself
    may not hear.
    """
    if told_ := notices.to_supervisors(desk, key, **facts):
        return told_
    text = desk.texts.say(key, lang=desk.lang, **facts)
    people = [m.id.partition(":")[2] for m in desk.roster.members() if m.id.startswith(f"{place.channel}:")][
        :TOLD
    ]
    return tuple(
        Outbound(Peer(place.channel, user), text, priority=Priority.NOTICE, author="") for user in people
    )


async def _shown_again(
    desk: DeskContext, place: Peer, now: GroupStatus, *, whole: bool
) -> tuple[Outbound, ...]:
    """The open tickets of a group with their history: all of them, or those that cannot be seen there as they
    should.
    """
    say: list[Outbound] = []
    for ticket in await desk.ticket_reader.tickets(limit=1000):
        to = replace(place, thread=f"ticket:{ticket.number}")
        if _belongs(desk, ticket, place) and (
            whole or await _is_hidden(desk, ticket, to, now.kind == "forum")
        ):
            say += await card_posts.reposted(desk, ticket.number, to)
    return tuple(say)


def _belongs(desk: DeskContext, ticket: Ticket, place: Peer) -> bool:
    """Whether the ticket is shown in *place*, once that can be written to."""
    home = desk.places.home(ticket)
    return home == place or (home is not None and desk.teams.is_lost(home))


async def _is_hidden(desk: DeskContext, ticket: Ticket, to: Peer, in_topics: bool) -> bool:
    cards = [
        c
        for c in await desk.ticket_reader.deliveries(peer=to, name=f"card:{ticket.number}")
        if c.status in ("sent", "pending", "sending")
    ]
    if not cards or (
        in_topics and await desk.ticket_reader.topic(ticket.number, to.channel, to.chat) is None
    ):
        return True
    return bool(await desk.ticket_reader.deliveries(peer=to, after=cards[-1].id, status=FAILED, limit=1))


async def _elsewhere(desk: DeskContext, turn: Turn, place: Peer) -> tuple[Timer, ...]:
    """The tickets of a group that is gone are shown where operators still are."""
    if all(p == place or desk.teams.is_lost(p) for p in desk.places.known_groups()):
        return ()
    his = [t for t in await desk.ticket_reader.tickets(limit=1000) if desk.places.home(t) == place]
    return tuple(
        Timer(f"lost:{t.number}", UnattendedTicket("group_lost"), turn.now, conversation=t.conversation)
        for t in his
    )


def _place(data: Json) -> Peer:
    return Peer(str(data.get("channel", "")), str(data.get("chat", "")))
