"""Whom an operator means by a name, and whether that colleague can see the ticket: what is given to somebody
must be seen by them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.handoff.desk_context import DeskContext
from bot.handoff.operators.replies import say
from bot.handoff.operators.roster import labels
from bot.handoff.tickets import lifecycle
from bot.model import Button, Inbound, InboundKind, Member, Outcome, Peer, Rows, Sender, Ticket, Turn

SHOWN = 10


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom the beginning of *text* names, and the *rest* of it; nobody or several where it is not clear."""

    text: str
    people: tuple[Member, ...]
    rest: str


async def meant(desk: DeskContext, turn: Turn, text: str) -> Addressee:
    """The colleagues whom the beginning of *text* names, and what follows it.

    Also one who never wrote, by their id.
    """
    user, rest = _mentioned(turn.inbounds[0], text)
    if not user:
        people, rest = desk.roster.named(text)
        if people:
            return Addressee(text, people, rest)
        word, _, rest = text.partition(" ")
        channel, _, user = word.rpartition(":")
        if channel not in ("", turn.peer.channel):
            return Addressee(text, (), text)
    found = await _by_id(desk, turn.peer, user)
    return Addressee(text, found, rest.strip() if found else text)


def _mentioned(inbound: Inbound, text: str) -> tuple[str, str]:
    """The platform's id of whom a command's *text* begins by calling, and what follows the call; "" where it
    calls nobody.
    """
    begin = len(inbound.text.rstrip()) - len(text)
    if inbound.kind is not InboundKind.MESSAGE or not text or inbound.text[begin:].rstrip() != text:
        return "", text
    end = next(
        ((m.user, m.offset + m.length) for m in inbound.mentions if m.offset == begin and m.user.isdigit()),
        None,
    )
    return ("", text) if end is None else (end[0], inbound.text[end[1] :].lstrip(" ,:;").rstrip())


async def _by_id(desk: DeskContext, place: Peer, user: str) -> tuple[Member, ...]:
    """Whom the platform knows by this id in the group, also where they have not written there yet."""
    known = desk.roster.member(f"{place.channel}:{user}")
    if known.name and not known.left:
        return (known,)
    if not user.isdigit() or await desk.places.membership(place, user) not in ("administrator", "member"):
        return ()
    sender = await desk.places.profile(place, user) or Sender(user)
    return (Member(known.id, sender.name or user, sender.username, last_name=sender.last_name),)


def unclear(
    desk: DeskContext, turn: Turn, ticket: Ticket, found: Addressee, action: str = "give_to"
) -> Outcome:
    """Nobody of this name, or several: said with everybody who can be meant, each a tap away."""
    shown = found.people or colleagues(desk, ticket)
    reason = found.rest if action == "give_to" else ""
    named = labels(shown)
    key = "desk.which_person" if found.people else "desk.no_such_person"
    people = [_shown(m, named) for m in shown[:SHOWN]]
    return say(desk, turn, key, offered(found.people, action, reason), word=found.text, people=people)


def offered(people: tuple[Member, ...], action: str, reason: str = "") -> Rows:
    """Each of them a tap away."""
    named = labels(people)
    return tuple((Button(named[m.id], action, f"{m.id} {reason}".strip()),) for m in people[:SHOWN])


def colleagues(desk: DeskContext, ticket: Ticket) -> tuple[Member, ...]:
    """Those who work where the ticket is shown."""
    place = desk.places.thread(ticket)
    return tuple(
        m for m in desk.roster.members() if m.name and place is not None and desk.roster.is_in(m.id, place)
    )


async def reachable(desk: DeskContext, ticket: Ticket, member: Member) -> Peer | None:
    """The group in which *member* would see the ticket: its own where they are in it, else theirs; None where
    there is none.
    """
    own = desk.places.thread(ticket)
    for place in dict.fromkeys([*([replace(own, thread="")] if own else []), *desk.places.groups()]):
        if place.channel != member.channel or desk.teams.is_lost(place):
            continue
        if place.chat in member.chats:
            return place
        standing = await desk.places.membership(place, member.user)
        if standing in ("administrator", "member") or (not standing and not member.chats):
            return place
    return None


def brought(desk: DeskContext, ticket: Ticket, place: Peer) -> Ticket:
    """The ticket as one of *place*: of the team whose group that is, or of all."""
    own = desk.places.thread(ticket)
    if own is not None and replace(own, thread="") == place:
        return ticket
    team = next((t.name for t in desk.rules.teams if desk.teams.place(t.name) == place), "")
    return lifecycle.shown_in(ticket, team or ticket.state.team, team)


def _shown(member: Member, named: dict[str, str]) -> str:
    label = named[member.id]
    return (
        f"{label} (@{member.username})" if member.username and f"@{member.username}" not in label else label
    )
