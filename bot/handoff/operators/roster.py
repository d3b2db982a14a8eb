"""Who the operators are, who is there and who was given a ticket last, as the store keeps it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from rapidfuzz import fuzz

from bot.model import DeskState, Event, Inbound, Member, Peer, Sender

_CALL = re.compile(r"(?<![\w@.])@(\w{3,32})")
NAME_WORDS = 3  # as a name, a last name and what stands between them
ALIKE = 85  # how alike (0..100) a written name must be to an operator's


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
    """The operators as of the last `follow`; what is about to be given to whom is this process's own.

    law: only what this process decides at once has to be spread by it. What others have committed is in the
    tickets themselves, and of two processes that choose in the same instant one chooses anew
    (`Outcome.desk_version`).
    """

    def __init__(self, members: Iterable[Member] = ()) -> None:
        self._members = {m.id: m for m in members}
        self._held: dict[int, str] = {}  # ticket -> who is about to be given it

    def follow(self, state: DeskState) -> None:
        """From now on the operators are those of *state*."""
        self._members = {m.id: m for m in state.operators}

    def hold(self, ticket: int, id: str) -> None:
        """Count a ticket as given before that is committed: several are decided on at once, and must not all
        go to the same person.
        """
        self._held[ticket] = id

    def held(self, waiting: Collection[int], *, but: int) -> dict[int, str]:
        """Who is about to be given which of these tickets, *but* aside. For the others it has come to
        something, here or in another process: they are held no more.
        """
        self._held = {number: id for number, id in self._held.items() if number in waiting}
        return {number: id for number, id in self._held.items() if number != but}

    def seen(self, event: Event) -> None:
        """What was about to be given was, or was not."""
        if event.ticket is not None:
            self._held.pop(event.ticket, None)

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
