"""What the bot says to words of somebody who writes for the first time: the live dialogs themselves, asked
without a conversation.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

from bot.dialogs.about import BusinessFacts
from bot.dialogs.builtin_dialogs import DialogParts, our_dialogs
from bot.dialogs.dialog_state import DialogState
from bot.dialogs.protocols import IntentReading
from bot.dialogs.short_answers import language_of
from bot.i18n.texts import Texts
from bot.knowledge.articles.schema import Article
from bot.knowledge.base import QuestionContext
from bot.knowledge.decision.explanation import as_read
from bot.knowledge.query.intents import read_act
from bot.knowledge.search import Knowledge
from bot.model import (
    Answer,
    Conversation,
    Customer,
    Decision,
    Inbound,
    InboundKind,
    Intent,
    Outcome,
    Peer,
    Result,
    Sender,
    Turn,
)

T = TypeVar("T")
ASKING = ("unclear", "emoji")  # reasons of small talk that asks what is meant
ORDER = ("human", "menu", "greeting", "about", "smalltalk", "faq")


@dataclass(frozen=True, slots=True)
class AskerFacts:
    """What is known of whoever asks: the article shown to them just before, and their fields, by which
    articles may be limited.
    """

    last: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)


class OfflineDecision:
    """Asked like the live bot and cannot differ from it; what an owner's own dialogs or an open form would
    say is not in it.
    """

    def __init__(
        self, knowledge: Knowledge, texts: Texts | None = None, facts: BusinessFacts | None = None
    ) -> None:
        self._knowledge, self._words, self._facts = knowledge, texts or Texts.load(), facts
        self._numbers = itertools.count(
            1
        )  # each asking is a turn of its own: what was read before a reload is not reused
        self._asked = _AtOnce(knowledge, knowledge.folder)
        parts = DialogParts(facts or BusinessFacts())
        self._ours = our_dialogs(self._words, read_act, self._asked, _called, parts)

    def over(self, knowledge: Knowledge) -> OfflineDecision:
        """The same bot with other articles."""
        return OfflineDecision(knowledge, self._words, self._facts)

    def __call__(
        self,
        text: str,
        *,
        answered: bool = False,
        language: str = "",
        channel: str = "",
        asker: AskerFacts | None = None,
    ) -> Answer:
        """The decision with everything behind it; *answered* tells that an answer was shown just before,
        *asker* who asks after what.
        """
        asker = asker or AskerFacts()
        turn = self._turn(text, answered, language, channel, asker)
        self._asked.forget()
        outcome, reading = _at_once(self._decided(turn))
        spoken = language_of(turn, self._words.lang)
        context = QuestionContext(asker.last) if asker.last else None
        found = self._asked.answer(
            text, language=spoken, channel=channel, context=context, segment=asker.fields
        )
        decision, article = _decision(outcome)
        told = {**found.why, **self._why(outcome, found, decision), "upset": round(reading.upset, 3)}
        act = reading.act
        if outcome.dialog == "human" and (outcome.reason == "asked" or act is Intent.QUESTION):
            act = Intent.HUMAN if outcome.reason == "asked" else Intent.UPSET
        return replace(
            found, act=act, decision=decision, article=article, why=as_read({**told, "act": str(act)})
        )

    def reply(self, text: str, *, language: str = "", channel: str = "") -> Outcome:
        """What would be said."""
        return _at_once(self._decided(self._turn(text, False, language, channel)))[0]

    async def _decided(self, turn: Turn) -> tuple[Outcome, IntentReading]:
        reading = await self._ours.intent(turn, DialogState.of(turn))
        for name in ORDER:
            if (outcome := await self._ours.dialogs[name](turn)) is not None:
                return replace(outcome, dialog=name), reading
        return replace(_called(turn, reason="no_answer"), dialog="flow"), reading

    def _turn(
        self, text: str, answered: bool, language: str, channel: str, asker: AskerFacts | None = None
    ) -> Turn:
        now = datetime.now(UTC)
        peer = Peer(channel, "judge")
        inbound = Inbound(
            "judge",
            peer,
            Sender("judge", "", language=language),
            now,
            InboundKind.MESSAGE,
            text,
            private=True,
        )
        asker = asker or AskerFacts()
        state: dict[str, object] = {"answered": True, "greeted": True} if answered or asker.last else {}
        if asker.last:
            state["last_article"] = asker.last
        return Turn(
            id=next(self._numbers),
            conversation=Conversation(0, peer, customer=0, state=state),
            inbounds=(inbound,),
            now=now,
            customer=Customer(0, language=language or self._words.lang, fields=asker.fields),
        )

    def _why(self, outcome: Outcome, found: Answer, decision: Decision) -> dict[str, object]:
        told: dict[str, object] = {
            "dialog": outcome.dialog,
            "reason": outcome.reason,
            "decision": decision.value,
            "reply": "\n\n".join(o.text.text for o in outcome.messages if o.text),
        }
        if outcome.dialog == "faq" and decision is not found.decision:
            told["overruled"] = True
        return told


@dataclass(slots=True)
class _AtOnce:
    """The knowledge, asked in the caller's thread: nothing is awaited, so no loop is needed."""

    knowledge: Knowledge
    folder: Path
    _last: threading.local = field(default_factory=threading.local)

    def forget(self) -> None:
        """What is asked from now on is asked of the base as it is."""
        self._last.known = None

    def answer(
        self,
        question: str,
        *,
        language: str,
        channel: str,
        context: QuestionContext | None = None,
        segment: Mapping[str, object] | None = None,
    ) -> Answer:
        """What the base says; what a dialog of the same turn asked last is not asked again."""
        known_by = sorted((segment or {}).items(), key=str)
        key = (question.strip(), language, channel, context.article if context else "", known_by)
        known: tuple[object, Answer] | None = getattr(self._last, "known", None)
        if known is not None and known[0] == key:
            return known[1]
        found = self.knowledge.answer(
            question, language=language, channel=channel, context=context, segment=segment or {}
        )
        self._last.known = (key, found)
        return found

    async def ask(
        self,
        question: str,
        *,
        language: str = "",
        channel: str = "",
        segment: Mapping[str, object] | None = None,
        context: QuestionContext | None = None,
        today: date | None = None,
    ) -> Answer:
        return self.answer(question, language=language, channel=channel, context=context, segment=segment)

    @property
    def sections(self) -> Mapping[str, Mapping[str, str]]:
        return self.knowledge.sections

    def shown_to(
        self, *, language: str = "", channel: str = "", segment: Mapping[str, object] | None = None
    ) -> Sequence[Article]:
        return self.knowledge.shown_to(language=language, channel=channel, segment=segment or {})

    def article(self, id: str, language: str = "") -> Article | None:
        return self.knowledge.article(id, language)

    def article_for(
        self,
        id: str,
        *,
        language: str = "",
        channel: str = "",
        segment: Mapping[str, object] | None = None,
    ) -> Article | None:
        return self.knowledge.article_for(id, language=language, channel=channel, segment=segment or {})


def _at_once(asked: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that waits for nothing."""
    try:
        asked.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    asked.close()
    raise RuntimeError("a dialog of ours waited for something while it was judged")


def _called(turn: Turn, *, reason: str, apology: bool = False, answer: Answer | None = None) -> Outcome:
    return Outcome("desk", Result.HANDED_OFF, reason)


def _decision(outcome: Outcome) -> tuple[Decision, str | None]:
    """What a customer would notice, and the article first said."""
    if outcome.result is Result.HANDED_OFF:
        return Decision.HANDOFF, None
    if outcome.dialog != "faq":
        return Decision.CLARIFY if outcome.reason in ASKING else Decision.ANSWER, None
    told = next((str(e.data.get("article")) for e in outcome.events if e.kind == "answered"), None)
    if told is not None:
        return Decision.ANSWER, told
    return (
        Decision.HANDOFF if any(e.kind == "unanswered" for e in outcome.events) else Decision.CLARIFY
    ), None
