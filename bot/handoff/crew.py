"""Who the operators are, who is there and who was given a ticket last: folded from events, so that no restart forgets it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from rapidfuzz import fuzz

from bot.model import Event, Inbound

KINDS = ("operator_met", "operator_away", "operator_back", "operator_left", "ticket_assigned")
_CALL = re.compile(r"(?<![\w@.])@(\w{3,32})")
ALIKE = 85  # how alike (0..100) a written name must be to an operator's


@dataclass(frozen=True, slots=True)
class Member:
    """An operator as the desk knows him. `assigned` is when he was last given a ticket."""

    id: str
    name: str = ""
    username: str = ""
    away: bool = False
    left: bool = False
    assigned: datetime | None = None

    @property
    def here(self) -> bool:
        return not (self.away or self.left)

    @property
    def call(self) -> str:
        """How he is called in the group so that he is notified."""
        return f"@{self.username}" if self.username else self.name


class Crew:
    """Watches events: what was committed holds."""

    def __init__(self) -> None:
        self._members: dict[str, Member] = {}
        self._held: dict[int, str] = {}  # ticket -> who is about to be given it

    def hold(self, ticket: int, id: str) -> None:
        """Count a ticket as given before that is committed: several are decided on at once, and must not all go to the same person."""
        self._held[ticket] = id

    def held(self, *, but: int) -> dict[int, str]:
        """Who is about to be given which tickets, *but* aside."""
        return {number: id for number, id in self._held.items() if number != but}

    def seen(self, event: Event) -> None:
        """What an event says about an operator."""
        if event.ticket is not None:
            self._held.pop(event.ticket, None)
        if event.kind not in KINDS or not event.actor:
            return
        known = self._members.get(event.actor, Member(event.actor))
        if event.kind == "operator_met":
            known = replace(known, name=str(event.data.get("name", "")), username=str(event.data.get("username", "")), left=False)
        elif event.kind == "ticket_assigned":
            known = replace(known, assigned=event.at)
        else:
            known = replace(known, away=event.kind == "operator_away", left=event.kind == "operator_left")
        self._members[event.actor] = known

    def meeting(self, inbound: Inbound) -> tuple[Event, ...]:
        """The event that makes a new or renamed operator known; nothing for one who is."""
        sender = inbound.sender
        if sender.anonymous or not sender.id or inbound.private:
            return ()
        id = f"{inbound.peer.channel}:{sender.id}"
        known = self._members.get(id)
        if known is not None and (known.name, known.username, known.left) == (sender.name, sender.username, False):
            return ()
        return (Event("operator_met", actor=id, data={"name": sender.name, "username": sender.username}),)

    def member(self, id: str) -> Member:
        return self._members.get(id, Member(id))

    def members(self) -> tuple[Member, ...]:
        """Everybody who has not left, by name."""
        return tuple(sorted((m for m in self._members.values() if not m.left), key=lambda m: (m.name, m.id)))

    def is_here(self, id: str) -> bool:
        """Whether tickets may be left with this operator; somebody not known yet is taken to be."""
        return self.member(id).here

    def called(self, text: str) -> Member | None:
        """The operator whom *text* calls by his @username."""
        names = {n.casefold() for n in _CALL.findall(text)}
        return next((m for m in self.members() if m.username and m.username.casefold() in names), None) if names else None

    def find(self, word: str) -> tuple[Member, ...]:
        """The operators whom *word* (a name, @username or id) may mean; several where it is not clear."""
        plain = word.strip().lstrip("@").casefold()
        exact = [m for m in self.members() if plain in (m.id.casefold(), m.username.casefold(), m.name.casefold())]
        if exact:
            return tuple(exact)
        return tuple(m for m in self.members() if m.name and fuzz.ratio(plain, m.name.casefold()) >= ALIKE)
