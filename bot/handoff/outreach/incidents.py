"""The incidents that last, as the store keeps them: customers who ask about one hear of it first."""

from __future__ import annotations

from collections.abc import Mapping

from bot.model import DeskState, Incident


class Incidents:
    """Those of the last `follow`."""

    def __init__(self, known: tuple[Incident, ...] = ()) -> None:
        self.open = known  # the oldest first
        self.next_number = max((i.number for i in known), default=0) + 1
        self._met: Mapping[int, int] = {}

    def follow(self, state: DeskState) -> None:
        """From now on they are those of *state*."""
        self.open, self.next_number, self._met = state.incidents, state.next_incident, state.met

    def met(self, number: int) -> int:
        """How many conversations had heard of it when that was last read: for what is looked at."""
        return self._met.get(number, 0)
