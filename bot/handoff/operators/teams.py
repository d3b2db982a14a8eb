"""Which operators answer for which tickets, and in which group those are shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from bot.config.handoff import Routing, Team
from bot.handoff.operators.roster import Roster
from bot.model import DeskState, Member, Peer, Ticket


class Teams:
    """The teams of the config and their groups; follows groups that move or put the bot out."""

    def __init__(self, teams: Sequence[Team] = ()) -> None:
        self._teams = {t.name: t for t in teams}
        self._named = {t.name: Peer(t.desk.channel, t.desk.chat) for t in teams if t.desk is not None}
        self._places = self._named  # where these groups are by now
        self._lost: frozenset[Peer] = frozenset()

    def named(self, name: str) -> Team | None:
        return self._teams.get(name)

    def line(self, name: str) -> str:
        """In which queue a team's tickets stand: its own where it has people or a group of its own, else "",
        that of all.
        """
        team = self._teams.get(name)
        return name if team is not None and (team.operators or team.desk) else ""

    def find(self, word: str) -> Team | None:
        """The team that people call so."""
        plain = word.strip().casefold()
        return next(
            (t for t in self._teams.values() if plain and plain in (t.name.casefold(), t.title.casefold())),
            None,
        )

    def named_in(self, text: str) -> tuple[Team | None, str]:
        """The team that the beginning of *text* names (titles may be of several words), and the rest."""
        words = text.split()
        for count in range(len(words), 0, -1):
            if (team := self.find(" ".join(words[:count]).rstrip(",:;"))) is not None:
                return team, " ".join(words[count:])
        return None, text

    def fitting(
        self, topics: Collection[str], channel: str, language: str, fields: Mapping[str, object]
    ) -> Team | None:
        """The first team that answers for such a ticket: everything it asks for holds."""
        about = {t.casefold() for t in topics}
        for team in self._teams.values():
            asked = (
                (bool(team.topics), any(t.casefold() in about for t in team.topics)),
                (bool(team.channels), channel in team.channels),
                (bool(team.languages), language in team.languages),
                (
                    bool(team.fields),
                    all(str(fields.get(k, "")).casefold() == v.casefold() for k, v in team.fields.items()),
                ),
            )
            if any(given for given, _ in asked) and all(holds for given, holds in asked if given):
                return team
        return None

    def place(self, name: str) -> Peer | None:
        """The team's own group, unless the bot was put out of it."""
        place = self._places.get(name)
        return None if place is None or place in self._lost else place

    def home(self, name: str) -> Peer | None:
        """The team's own group, whether the bot is in it or not."""
        return self._places.get(name)

    def all_places(self) -> tuple[Peer, ...]:
        """The groups that single teams have of their own, also those that are lost."""
        return tuple(dict.fromkeys(self._places.values()))

    def is_lost(self, place: Peer) -> bool:
        """Whether the bot was put out of this group."""
        return place in self._lost

    def places(self) -> tuple[Peer, ...]:
        """The groups that single teams have of their own, as far as the bot is in them."""
        return tuple(dict.fromkeys(p for p in self._places.values() if p not in self._lost))

    def is_desk(self, peer: Peer) -> bool:
        return any((peer.channel, peer.chat) == (p.channel, p.chat) for p in self._places.values())

    def follow(self, state: DeskState) -> None:
        """Groups are from now on where *state* says, and lost where it says so."""
        self._places = {name: state.now_at(place) for name, place in self._named.items()}
        self._lost = state.lost

    def choose(
        self,
        ticket: Ticket,
        roster: Roster,
        open_tickets: Sequence[Ticket],
        routing: Routing,
        *,
        but: str = "",
    ) -> Member | None:
        """Who is given the ticket: somebody of its team who is there and below the limit; None = nobody can
        be.

        Whoever it is counts as having it from now on, so that the next choice finds them busier.
        """
        team = self._teams.get(ticket.state.team)
        waiting = {t.number for t in open_tickets if not t.operator}
        soon = Counter(roster.held(waiting, but=ticket.number).values())
        load = Counter(t.operator for t in open_tickets) + soon
        there = [
            m
            for m in roster.members()
            if m.here and not m.silent and (team is None or not team.operators or m.id in team.operators)
        ]
        able = [m for m in there if m.id != but and load[m.id] < routing.limit]
        if not able:
            return None
        busy = load if routing.assign == "least_loaded" else soon
        chosen = min(able, key=lambda m: (busy[m.id], m.assigned.timestamp() if m.assigned else 0.0, m.id))
        roster.hold(ticket.number, chosen.id)
        return chosen
