"""Which channels this process may send to now, where several share a database."""

from __future__ import annotations

from collections.abc import Collection

from bot.errors import DeliveryError
from bot.leases import LeaseKeeper, channel_lease


class ForeignChannel(DeliveryError):
    """Another process may be sending there by now: nothing was sent, and the delivery is given back."""


class OwnChannels:
    """The leased ones, each from when what its last sender left was taken over.

    Without *leases* all of *channels* are this process's own.
    """

    def __init__(self, channels: Collection[str], leases: LeaseKeeper | None = None) -> None:
        self._channels = channels
        self._leases = leases if leases is not None and leases.shared else None
        self._taken_over: dict[str, int] = {}  # and in which tenure

    @property
    def shared(self) -> bool:
        """Whether others may be sending to other channels."""
        return self._leases is not None

    def tenure(self, channel: str) -> int:
        """Another number each time that the channel becomes this process's; 0 while it is not."""
        return 1 if self._leases is None else self._leases.tenure(channel_lease(channel))

    def may_send(self, channel: str, tenure: int) -> bool:
        """Whether it is this process's, as it has been since *tenure*. Law: asked before each call."""
        return tenure != 0 and self.tenure(channel) == tenure

    def holds(self, channel: str) -> bool:
        return self.tenure(channel) != 0

    def gained(self) -> tuple[tuple[str, int], ...]:
        """Channels that are still to be taken over, with their tenure."""
        found = ((c, self.tenure(c)) for c in self._channels if self._leases is not None)
        return tuple((c, n) for c, n in found if n and self._taken_over.get(c) != n)

    def note_taken_over(self, channel: str, tenure: int) -> None:
        self._taken_over[channel] = tenure

    def tenures(self) -> dict[str, int]:
        """The channels that may be sent to."""
        found = {channel: self.tenure(channel) for channel in self._channels}
        if self._leases is None:
            return found
        return {c: n for c, n in found.items() if n and self._taken_over.get(c) == n}
