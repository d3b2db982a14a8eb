"""What the people of a history share: the testbot, one die, one clock, and the buttons that lie before each
of them.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime, timedelta
from random import Random

from bot.model import OutboundKind, Peer, Ticket
from bot.testing.fakes import SentMessage
from bot.testing.harness import PlayedCustomer, PlayedOperator, TestBot, find_button

SEEN = 3  # messages of a chat whose buttons can still be found
GOLDEN = (5**0.5 - 1) / 2  # steps of this part of one never come near to where they were lately
CHATS = 20_000  # chats whose last messages are remembered


class Simulation:
    """Nothing here grows with time: of what was shown only the newest buttons of each chat are kept."""

    def __init__(self, testbot: TestBot, random: Random) -> None:
        self.testbot, self.random = testbot, random
        self.words = 0  # how many messages people wrote and buttons they pressed
        self._shown: OrderedDict[tuple[str, str], deque[SentMessage]] = OrderedDict()
        self._spread: dict[str, float] = {}  # the latest of the evenly spread numbers, by name

    @property
    def now(self) -> datetime:
        return self.testbot.clock()

    def after(self, least: float, most: float) -> datetime:
        """A moment so many seconds from now."""
        return self.now + timedelta(seconds=round(self.random.uniform(least, most)))

    def happens(self, chance: float) -> bool:
        return self.random.random() < chance

    def evenly(self, name: str) -> float:
        """As `random`, but evenly spread over the times it is asked by this *name*: nothing rare stays
        away.
        """
        self._spread[name] = (self._spread.get(name, 0.5) + GOLDEN) % 1
        return self._spread[name]

    def look(self) -> None:
        """Take in what the channels have shown since, and let the channels forget it."""
        for name, channel in self.testbot.channels.items():
            for said in channel.said:
                if said.outbound.to.thread or said.outbound.kind not in (OutboundKind.SAY, OutboundKind.EDIT):
                    continue  # what lies in a topic is pressed by its operator
                key = (name, said.outbound.to.chat)
                self._shown.setdefault(key, deque(maxlen=SEEN)).append(said)
                self._shown.move_to_end(key)
            channel.said.clear()
        while len(self._shown) > CHATS:
            self._shown.popitem(last=False)

    async def press(self, customer: PlayedCustomer, label: str, *, exact: bool = False) -> bool:
        """Press a button of the last messages; False where there is none."""
        wanted = self._shown_in(customer.peer, label, exact=exact)
        if not wanted:
            return False
        self.words += 1
        await customer.taps(*find_button(wanted, label), run=False)
        return True

    async def press_in_group(self, operator: PlayedOperator, label: str) -> bool:
        """The same in the operators' group, outside the tickets' topics."""
        wanted = self._shown_in(self.testbot.place, label)
        if not wanted:
            return False
        self.words += 1
        await operator.taps(*find_button(wanted, label), run=False)
        return True

    def _shown_in(self, peer: Peer, label: str, *, exact: bool = False) -> list[SentMessage]:
        """The last messages of a chat that have such a button."""
        return [
            s
            for s in self._shown.get((peer.channel, peer.chat), ())
            if any(b.label == label if exact else label in b.label for row in s.outbound.buttons for b in row)
        ]

    async def ticket(self, number: int) -> Ticket | None:
        return await self.testbot.service.store.ticket(number)

    async def ticket_of(self, customer: PlayedCustomer) -> Ticket | None:
        """The open ticket of a customer."""
        found = await self.testbot.service.store.conversation(customer.peer)
        return await self.ticket(found.ticket) if found and found.ticket else None
