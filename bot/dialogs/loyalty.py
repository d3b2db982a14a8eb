"""How many points a customer has: from the field that the owner named, never guessed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.dialogs.flows.declared_flows import Saying
from bot.dialogs.reply import ReplyContext, human_button, said
from bot.i18n.texts import Texts
from bot.model import Event, InboundKind, Outcome, Turn
from bot.text.points import amount

NAME = "loyalty"


class Loyalty:
    """Hears "how many points do I have"; what is asked about the rules of the programme is the articles'.

    *saying* tells of texts whether they say one of the phrases, in any form of their words.
    """

    def __init__(self, texts: Texts, field: str, saying: Saying) -> None:
        self._speaker = ReplyContext(texts, "loyalty")
        self._field, self._saying = field, saying
        self._phrases = texts.options("loyalty.hears")
        self._rules = frozenset(texts.options("loyalty.of_rules"))

    async def __call__(self, turn: Turn) -> Outcome | None:
        first, text = turn.inbounds[0], turn.text.strip()
        if first.kind is not InboundKind.MESSAGE or not text or not self._means(text):
            return None
        value = turn.customer.fields.get(self._field) if turn.customer else None
        event = Event("points_told", data={"helped": value not in (None, "")})
        if value in (None, ""):
            button = human_button(turn, self._speaker.texts)
            unknown = said(turn, self._speaker, "loyalty.unknown", buttons=[button])
            return replace(unknown, reason="points_unknown", events=(event,))
        told = said(turn, self._speaker, "loyalty.balance", facts={"points": amount(value)})
        return replace(told, reason="points_told", events=(event,))

    def _means(self, text: str) -> bool:
        words: Sequence[str] = re.findall(r"\w+", text.casefold())
        asks_rules = any(word.startswith(root) for word in words for root in self._rules)
        return len(words) <= 12 and not asks_rules and self._saying([text], self._phrases)[0]
