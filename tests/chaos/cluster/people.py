"""Customers of both platforms and operators of the group, who write what comes into their heads, from one
seed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tests.chaos.cluster.platform_servers import OPERATORS, Platforms
from tests.chaos.platforms import DESK_CHAT
from tests.chaos.random_people import PLEAS, PUZZLES, QUESTIONS

KNOWN = QUESTIONS[:4]  # what the articles answer
NAMES = ("Анна", "Борис", "Вера", "Глеб", "Дарья", "Егор")


@dataclass(frozen=True, slots=True)
class Said:
    """A message that a person wrote; *mark* stands in its text and in no other."""

    platform: str
    chat: str
    thread: str
    mark: str


@dataclass(slots=True)
class People:
    """Everybody outside. The first *callers* want a person and are carried to the operators' group, which
    bears only 20 messages a minute: *desk* is its share of what happens. All others ask what the bot knows.
    """

    platforms: Platforms
    dice: random.Random
    customers: int
    callers: int
    desk: float
    said: list[Said] = field(default_factory=list)
    pressed: int = 0

    def acts(self) -> None:
        """Somebody does something."""
        deeds = (
            (self._asks, 0.9 * (1 - self.desk)),
            (self._begins, 0.1 * (1 - self.desk)),
            (self._calls, 0.5 * self.desk),
            (self._operator_says, 0.25 * self.desk),
            (self._operator_takes, 0.25 * self.desk),
        )
        self.dice.choices([d for d, _ in deeds], [w for _, w in deeds])[0]()

    def _asks(self) -> None:
        self._says(self._customer(), self.dice.choice(KNOWN))

    def _begins(self) -> None:
        """Two things at once, of which each is a turn of its own."""
        customer = (self._customer() + 1) // 2 * 2
        self.platforms.telegram.says(1000 + customer, NAMES[customer % len(NAMES)], "/start")
        self._says(customer, self.dice.choice(KNOWN))

    def _calls(self) -> None:
        self._says(self.dice.randrange(self.callers), self.dice.choice((*PLEAS, *PUZZLES)))

    def _customer(self) -> int:
        """Even numbers are of Telegram, odd ones of VK."""
        return self.dice.randrange(self.callers, self.customers)

    def _says(self, customer: int, words: str) -> None:
        name, mark = NAMES[customer % len(NAMES)], self._mark()
        if customer % 2:
            self.platforms.vk.says(2000 + customer, name, f"{words} {mark}")
            self.said.append(Said("vk", str(2000 + customer), "", mark))
        else:
            self.platforms.telegram.says(1000 + customer, name, f"{words} {mark}")
            self.said.append(Said("telegram", str(1000 + customer), "", mark))

    def _operator_says(self) -> None:
        if topics := self.platforms.telegram.topics:
            thread = self.dice.choice(topics[-6:])
            user, name = self.dice.choice(list(OPERATORS.items()))
            for _ in range(self.dice.randint(1, 3)):  # each is a turn of its own
                words, mark = self.dice.choice(("Смотрю", "Минуту", "Проверил, всё в пути")), self._mark()
                self.platforms.telegram.says(user, name, f"{words} {mark}", chat=DESK_CHAT, thread=thread)
                self.said.append(Said("telegram", DESK_CHAT, thread, mark))

    def _operator_takes(self) -> None:
        shown = [a for a in self.platforms.traffic.arrivals if a.chat == DESK_CHAT and a.buttons][-4:]
        if shown:
            arrival = self.dice.choice(shown)
            user, name = self.dice.choice(list(OPERATORS.items()))
            self.platforms.telegram.presses(user, name, arrival, arrival.buttons[0][1])
            self.pressed += 1

    def _mark(self) -> str:
        return f"[m{len(self.said) + 1}]"
