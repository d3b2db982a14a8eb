"""Who waits for news of a chat in this process: woken when there is some, and told what nobody keeps."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

PER_CHAT, PER_ADDRESS, ALL = 12, 200, 2000  # streams open at once: of a visitor, an address, this process
BACKLOG = 20  # passing news of one stream


class Listener:
    """One open stream."""

    def __init__(self) -> None:
        self.passing: list[tuple[str, dict[str, object]]] = []  # told once, and kept nowhere: typing
        self._news = asyncio.Event()

    def wake(self) -> None:
        self._news.set()

    async def wait(self, seconds: float) -> bool:
        """Whether something happened since the last call, within so many seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), seconds)
        happened = self._news.is_set()
        self._news.clear()
        return happened


class ChatStreams:
    """The open streams by chat."""

    def __init__(self) -> None:
        self._open: dict[str, set[Listener]] = {}
        self._addresses: Counter[str] = Counter()
        self.closed = False

    def is_full(self, chat: str, address: str) -> bool:
        """Whether one more would be too many. No address can take the streams of everybody else."""
        full = self._addresses.total() >= ALL or self._addresses[address] >= PER_ADDRESS
        return full or len(self._open.get(chat, ())) >= PER_CHAT

    def is_watched(self, chat: str) -> bool:
        return chat in self._open

    @contextmanager
    def listening(self, chat: str, address: str) -> Iterator[Listener]:
        """A stream of *chat* that goes to *address*, until the end of the block."""
        listener = Listener()
        self._open.setdefault(chat, set()).add(listener)
        self._addresses[address] += 1
        try:
            yield listener
        finally:
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]
            listeners = self._open[chat]
            listeners.discard(listener)
            if not listeners:
                del self._open[chat]

    def wake(self, chat: str) -> None:
        """There is something new in the store."""
        for listener in self._open.get(chat, ()):
            listener.wake()

    def tell(self, chat: str, kind: str, data: dict[str, object]) -> None:
        """Say something to whoever listens now."""
        for listener in self._open.get(chat, ()):
            listener.passing = [*listener.passing[-BACKLOG:], (kind, data)]
            listener.wake()

    def close(self) -> None:
        """End every stream."""
        self.closed = True
        for listeners in self._open.values():
            for listener in listeners:
                listener.wake()
