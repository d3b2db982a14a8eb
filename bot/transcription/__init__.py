"""Voice messages as words: who listens (`Transcriber`), and what was heard (`HeardSpeech`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.adapters.base import File


@dataclass(frozen=True, slots=True)
class HeardSpeech:
    """What an engine understood: the words, their language (a code such as "ru", "" = not told), and how sure
    the engine is of them (0 to 1; None = it does not say).
    """

    text: str
    language: str = ""
    confidence: float | None = None


class TranscriptionFailed(Exception):
    """Nobody could listen; *again*: another try may go well. Never holds a key or the words."""

    def __init__(self, why: str, *, again: bool = True) -> None:
        super().__init__(why)
        self.again = again


class Transcriber(Protocol):
    """An engine that listens: an address somewhere, or a model on this machine."""

    name: str  # as transcripts say who wrote them down

    async def transcribe(self, audio: File, *, timeout: float) -> HeardSpeech:
        """The words of *audio* within *timeout* seconds. Raises `TranscriptionFailed`."""
        ...

    async def check(self) -> str:
        """What keeps it from working, in words, for `bot doctor`; "" where all is well. Never raises."""
        ...

    async def close(self) -> None:
        """Give back connections and processes."""
        ...
