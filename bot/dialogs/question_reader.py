"""What the words of somebody who waits for a person hold: a question, an answer the bot is sure of, or that
it is needed no more.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from bot.dialogs.about import OF_BUSINESS
from bot.dialogs.builtin_dialogs import BuiltinDialogs
from bot.dialogs.dialog_state import DialogState
from bot.dialogs.everyday import everyday_of
from bot.dialogs.protocols import ArticleText, IntentDetector
from bot.dialogs.short_answers import ShortAnswers
from bot.handoff.desk_context import ArticleAudience, BotAnswer
from bot.i18n.texts import Texts
from bot.model import Intent, Outcome, RichText, Turn

CALM = 0.5  # how upset (0..1) whoever asks may sound and still be answered by the bot
CALL = 3  # words of a mere call, at most
_CLAUSE = re.compile(r"[.!?;,\n]+")


class QuestionReader:
    """Reads customers' words for the desk."""

    def __init__(self, texts: Texts, read_act: IntentDetector) -> None:
        self._read_act, self._everyday, self._hearing = read_act, everyday_of(texts), ShortAnswers(texts)

    def question(self, text: str) -> str:
        """The words themselves where they are a question; of a call for a person what else is asked in it; ""
        where nothing is.
        """
        if not text.strip() or self._everyday.topic(text) or self._hearing.means("human", text):
            return ""
        act = self._read_act(text).act
        if act is Intent.QUESTION:
            return text
        if act not in (Intent.HUMAN, Intent.UPSET):
            return ""
        return ", ".join(clause.strip() for clause in _CLAUSE.split(text) if self._asks(clause.strip()))

    def _asks(self, clause: str) -> bool:
        """Whether a part of a call for a person is a question of its own: not a number, a courtesy or a
        single word.
        """
        if len(clause.split()) < 2 or any(c.isdigit() for c in clause) or self._everyday.topic(clause):
            return False
        return self._read_act(clause).act is Intent.QUESTION

    def meaning(self, text: str) -> Literal["yes", "not_needed", "call", ""]:
        """A yes, "not needed any more", a mere call for a person, or something else."""
        if self._hearing.means("yes", text):
            return "yes"
        over = self._everyday.topic(text) == "not_needed" or self._hearing.means("cancel", text)
        if over:
            return "not_needed"
        return "call" if self._is_call(text) else ""

    def _is_call(self, text: str) -> bool:
        """Nothing but a call: a word or a few, without a number or a question."""
        if self._hearing.means("human", text):
            return True
        is_short = 0 < len(text.split()) <= CALL and not any(c.isdigit() for c in text)
        return is_short and self._read_act(text).act is Intent.HUMAN and not self.question(text)


class SideAnswer:
    """What the bot surely answers while a person is awaited; None for everything else."""

    def __init__(
        self,
        ours: BuiltinDialogs,
        text: Callable[[str, ArticleAudience], RichText],
        article: Callable[[str], ArticleText | None],
    ) -> None:
        self._ours, self._text, self._article = ours, text, article

    async def __call__(self, turn: Turn) -> BotAnswer | None:
        alone = replace(turn, conversation=replace(turn.conversation, state={}))
        reading = await self._ours.intent(alone, DialogState())
        if reading.act is not Intent.QUESTION or reading.upset >= CALM:
            return None
        for name in ("about", "faq"):
            if (outcome := await self._ours.dialogs[name](alone)) is not None:
                audience = ArticleAudience(alone.customer, alone.conversation.peer.channel)
                return self._said(outcome, audience)
        return None

    def _said(self, outcome: Outcome, audience: ArticleAudience) -> BotAnswer | None:
        if outcome.dialog == "about":
            return (
                BotAnswer(outcome.messages[-1].text)
                if outcome.reason in OF_BUSINESS or outcome.reason in ("hours", "languages")
                else None
            )
        shown = next((str(e.data.get("article", "")) for e in outcome.events if e.kind == "answered"), "")
        found = self._article(shown) if shown else None
        return BotAnswer(self._text(shown, audience), found.id, found.title) if found is not None else None
