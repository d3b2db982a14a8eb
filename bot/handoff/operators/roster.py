"""Who the operators are, who is there and who was given a ticket last: folded from events, so that no restart
forgets it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rapidfuzz import fuzz

from bot.model import Event, Inbound, Peer, RichText, Sender, Span, Style

KINDS = (
    "operator_met",
    "operator_joined",
    "operator_away",
    "operator_back",
    "operator_left",
    "ticket_assigned",
)
_CALL = re.compile(r"(?<![\w@.])@(\w{3,32})")
NAME_WORDS = 3  # as a name, a last name and what stands between them
ALIKE = 85  # how alike (0..100) a written name must be to an operator's


class CallName(str):
    """A name by which operators are called; `whom` are the names in it and the ids of those who must hear
    it.
    """

    whom: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, *people: tuple[str, str]) -> CallName:
        made = cls(" ".join(name for name, _ in people))
        made.whom = people
        return made

    def mentioned(self, text: RichText, channel: str) -> RichText:
        """The text in which they are really called: platforms notify by id, not by what a name looks like."""
        spans, at = list(text.spans), 0
        for name, id in self.whom:
            of, _, user = id.partition(":")
            found = text.text.find(name, at)
            if found >= 0 and of == channel and name:
                spans.append(Span(Style.MENTION, found, len(name), user))
                at = found + len(name)
        return RichText(text.text, tuple(spans))


@dataclass(frozen=True, slots=True)
class Member:
    """An operator as the desk knows them. `assigned` is when they were last given a ticket, `chats` the
    groups they were seen in.

    `silent`: they came into the group and have not written or pressed anything yet, so nothing is given to
    them by itself.
    """

    id: str
    name: str = ""
    username: str = ""
    away: bool = False
    left: bool = False
    assigned: datetime | None = None
    last_name: str = ""
    chats: frozenset[str] = frozenset()
    silent: bool = False

    @property
    def here(self) -> bool:
        return not (self.away or self.left)

    @property
    def full_name(self) -> str:
        return " ".join(p for p in (self.name, self.last_name) if p)

    @property
    def channel(self) -> str:
        return self.id.partition(":")[0]

    @property
    def user(self) -> str:
        """The platform's id."""
        return self.id.partition(":")[2]

    @property
    def call(self) -> CallName:
        """How they are called in the group so that they are notified."""
        return (
            CallName.of((f"@{self.username}" if self.username else self.name, self.id))
            if self.name or self.username
            else CallName()
        )


def labels(members: Sequence[Member]) -> dict[str, str]:
    """By id what each is shown as: the name where that is enough, else with the last name, the username, the
    id.
    """
    forms: tuple[Callable[[Member], str], ...] = (
        lambda m: m.name,
        lambda m: m.full_name,
        lambda m: f"{m.full_name} @{m.username}" if m.username else f"{m.full_name} {m.id}",
        lambda m: f"{m.full_name} {m.id}",
    )
    shown: dict[str, str] = {}
    for member in members:
        alike = [m for m in members if m.id != member.id]
        shown[member.id] = (
            next(
                (f(member) for f in forms if all(f(member).casefold() != f(m).casefold() for m in alike)),
                member.id,
            ).strip()
            or member.id
        )
    return shown


class Roster:
    """Watches events: what was committed holds."""

    def __init__(self) -> None:
        self._members: dict[str, Member] = {}
        self._held: dict[int, str] = {}  # ticket -> who is about to be given it

    def hold(self, ticket: int, id: str) -> None:
        """Count a ticket as given before that is committed: several are decided on at once, and must not all
        go to the same person.
        """
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
            known = _met(known, event)
        elif event.kind == "operator_joined":
            known = replace(_met(known, event), silent=not known.name)
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
        if (
            known is not None
            and inbound.peer.chat in known.chats
            and not known.silent
            and known == _named(known, sender)
        ):
            return ()
        return (Event("operator_met", actor=id, data=_data(sender, inbound.peer.chat)),)

    def joined(self, id: str, sender: Sender, chat: str) -> tuple[Event, ...]:
        """The event that makes somebody known who has come into the group and said nothing yet."""
        known = self._members.get(id)
        if not sender.name or (known is not None and not known.left and chat in known.chats):
            return ()
        return (Event("operator_joined", actor=id, data=_data(sender, chat)),)

    def member(self, id: str) -> Member:
        return self._members.get(id, Member(id))

    def members(self) -> tuple[Member, ...]:
        """Everybody who has not left, by name."""
        return tuple(sorted((m for m in self._members.values() if not m.left), key=lambda m: (m.name, m.id)))

    def is_here(self, id: str) -> bool:
        """Whether tickets may be left with this operator; somebody not known yet is taken to be."""
        return self.member(id).here

    def works(self, id: str) -> bool:
        """Whether it is somebody who is known and has not left."""
        return bool(self.member(id).name) and not self.member(id).left

    def is_in(self, id: str, place: Peer) -> bool:
        """Whether an operator was seen in this group; of one known from before groups were noted, on the
        channel.
        """
        member = self.member(id)
        seen = not member.chats or place.chat in member.chats
        return self.works(id) and member.channel == place.channel and seen

    def called(self, text: str) -> Member | None:
        """The operator whom *text* calls by their @username."""
        names = {n.casefold() for n in _CALL.findall(text)}
        return (
            next((m for m in self.members() if m.username and m.username.casefold() in names), None)
            if names
            else None
        )

    def find(self, word: str) -> tuple[Member, ...]:
        """The operators whom *word* (a name, a full name, a last name, @username or id) may mean; several
        where it is not clear.
        """
        plain = _plain(word)
        exact = [m for m in self.members() if plain and plain in _ways(m)]
        if exact:
            return tuple(exact)
        return tuple(
            m
            for m in self.members()
            if m.name and max(fuzz.ratio(plain, n) for n in (_plain(m.name), _plain(m.full_name))) >= ALIKE
        )

    def named(self, text: str) -> tuple[tuple[Member, ...], str]:
        """Whom the beginning of *text* names, by as many words as belong to the name, and the rest of it."""
        words = text.split()
        for count in range(min(NAME_WORDS, len(words)), 0, -1):
            name = " ".join(words[:count])
            exact = tuple(m for m in self.members() if _plain(name) in _ways(m))
            if exact:
                return exact, " ".join(words[count:])
        for count in range(min(NAME_WORDS, len(words)), 0, -1):
            if found := self.find(" ".join(words[:count])):
                return found, " ".join(words[count:])
        return (), text


def _met(known: Member, event: Event) -> Member:
    data = event.data
    chats = known.chats | {str(data["chat"])} if data.get("chat") else known.chats
    return replace(
        known,
        name=str(data.get("name", "")),
        last_name=str(data.get("last_name", "")),
        username=str(data.get("username", "")),
        chats=chats,
        left=False,
        silent=False,
    )


def _named(known: Member, sender: Sender) -> Member:
    return replace(known, name=sender.name, last_name=sender.last_name, username=sender.username, left=False)


def _data(sender: Sender, chat: str) -> dict[str, object]:
    return {"name": sender.name, "last_name": sender.last_name, "username": sender.username, "chat": chat}


def _plain(word: str) -> str:
    """As names are compared: without case, the mark of a call, and what keyboards leave off above a
    letter.
    """
    parts = unicodedata.normalize("NFKD", word.strip().lstrip("@").casefold().rstrip(",:;"))
    return " ".join("".join(c for c in parts if not unicodedata.combining(c)).split())


def _ways(member: Member) -> frozenset[str]:
    """Everything that names this operator and only such."""
    swapped = f"{member.last_name} {member.name}" if member.last_name else ""
    ways = (member.id, member.user, member.username, member.name, member.full_name, member.last_name, swapped)
    return frozenset(_plain(w) for w in ways if w.strip())
