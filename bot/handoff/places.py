"""Where tickets are shown: the group of all, and the groups of single teams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.handoff.group_binding import GroupBinding
from bot.handoff.group_status import Chat
from bot.handoff.operators.teams import Teams
from bot.model import Peer, Sender, Ticket


class DeskPlaces:
    """The groups in which operators work. *titles* tells how they call a channel."""

    def __init__(self, binding: GroupBinding, teams: Teams, titles: Mapping[str, str] | None = None) -> None:
        self.binding, self._teams, self._titles = binding, teams, dict(titles or {})

    def thread(self, ticket: Ticket) -> Peer | None:
        """Where the ticket is shown: its team's group, else the desk of all, else any that is left; None
        while there is no desk.

        A group that is lost hears nothing: what is said meanwhile is kept, and shown there when the bot is
        back.
        """
        place = self._teams.place(ticket.state.desk) or self.binding.place
        if place is not None and self._teams.is_lost(place):
            place = next(iter(self._teams.places()), None)
        if place is None:
            return None
        return replace(place, thread=f"ticket:{ticket.number}")

    def title(self, channel: str) -> str:
        """How operators call a channel."""
        return self._titles.get(channel, channel)

    def groups(self) -> tuple[Peer, ...]:
        """Every group in which operators work."""
        return tuple(dict.fromkeys([*self._main(), *self._teams.places()]))

    def known_groups(self) -> tuple[Peer, ...]:
        """The same, with those that the bot was put out of."""
        return tuple(dict.fromkeys([*self._main(), *self._teams.all_places()]))

    def home(self, ticket: Ticket) -> Peer | None:
        """The group the ticket belongs to, whether the bot is in it or not."""
        return self._teams.home(ticket.state.desk) or self.binding.place

    def is_desk(self, peer: Peer) -> bool:
        """Whether operators work there."""
        return self.binding.is_desk(peer)

    async def chat_info(self, peer: Peer) -> Chat | None:
        """What the platform says of a group. Raises `BotError`."""
        return await self.binding.platforms.chat_info(peer)

    def topic_url(self, peer: Peer, thread: str) -> str:
        """Where a browser opens a topic of a group; "" where there is no such address."""
        return self.binding.platforms.topic_url(peer, thread)

    async def profile(self, peer: Peer, user: str) -> Sender | None:
        """Who *user* is; None where nobody can tell."""
        return await self.binding.profile(peer, user)

    async def membership(self, peer: Peer, user: str) -> str:
        """Whether *user* is in the group; "" where the platform cannot be asked now."""
        return await self.binding.membership(peer, user)

    def _main(self) -> tuple[Peer, ...]:
        return (self.binding.place,) if self.binding.place else ()
