"""Who waits for news of a chat in this process: woken when there is some, and told what nobody keeps."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import contextmanager

PER_CHAT, ALL = 12, 2000  # streams open at once: of one visitor, of this process
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
        self._count = 0
        self.closed = False

    def is_full(self, chat: str) -> bool:
        """Whether one more would be too many."""
        return self._count >= ALL or len(self._open.get(chat, ())) >= PER_CHAT

    def is_watched(self, chat: str) -> bool:
        return chat in self._open

    @contextmanager
    def listening(self, chat: str) -> Iterator[Listener]:
        """A stream of *chat* until the end of the block."""
        listener = Listener()
        self._open.setdefault(chat, set()).add(listener)
        self._count += 1
        try:
            yield listener
        finally:
            self._count -= 1
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
