"""What is broken right now, in the supervisors' words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from bot.model.conversations import Event

ON, MET, OFF = "incident_on", "incident_met", "incident_off"
_SENTENCE = re.compile(r"[.!?…\n]")


@dataclass(frozen=True, slots=True)
class Incident:
    """What customers are told while it lasts.

    `words` and `articles` say which questions it answers; without words its own first sentence does.
    """

    number: int
    text: str
    words: tuple[str, ...] = ()
    articles: tuple[str, ...] = ()
    by: str = ""
    since: datetime | None = None

    @property
    def subject(self) -> str:
        """The first sentence: what it is about, without how it is mended."""
        return next((part.strip() for part in _SENTENCE.split(self.text) if part.strip()), self.text)

    def event(self) -> Event:
        """What makes it known."""
        data = {
            "number": self.number,
            "text": self.text,
            "words": list(self.words),
            "articles": list(self.articles),
            "by": self.by,
        }
        return Event(ON, data=data)
