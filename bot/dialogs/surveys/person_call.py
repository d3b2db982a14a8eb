"""Whether a comment to a survey calls a person or speaks of one: «долго ждал оператора» is a comment."""

from __future__ import annotations

import re

from bot.dialogs.short_answers import ShortAnswers
from bot.i18n.texts import Texts

SHORT = 1  # words that are a call by themselves: «оператора!»


class PersonCall:
    """Hears a call among words about operators."""

    def __init__(self, texts: Texts) -> None:
        self._hearing = ShortAnswers(texts)
        words = "|".join(sorted(map(re.escape, texts.options("nps.calls")), key=len, reverse=True))
        self._called = re.compile(rf"(?<!\w)(?:{words})", re.IGNORECASE)

    def __call__(self, text: str) -> bool:
        return (
            len(text.split()) <= SHORT
            or self._hearing.means("human", text)
            or self._called.search(text) is not None
        )
