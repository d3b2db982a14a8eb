"""Comments under what the business publishes: answered shortly where everybody reads, told in full where
nobody else does, given to a person, or left alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.dialogs.article_rendering import portion
from bot.dialogs.comment_words import CommentWords, shortened
from bot.dialogs.dialog_state import DialogState
from bot.dialogs.faq_search import ArticleAnswer, FaqSearch
from bot.dialogs.human import ANGRY
from bot.dialogs.protocols import Escalation, IntentDetector, KnowledgeSource
from bot.dialogs.short_answers import language_of
from bot.i18n.texts import Texts
from bot.knowledge.base import QuestionContext
from bot.model import (
    Customer,
    Event,
    InboundKind,
    Json,
    Outbound,
    Outcome,
    Result,
    RichText,
    Span,
    Style,
    Turn,
)
from bot.text.graphemes import shorten
from bot.text.markdown import join, to_rich

SPOKEN = "comment_answered"  # the event of public words of the bot
HOUR = timedelta(hours=1)
NAMED = 3  # words that name a thing, at most: «цена», "доставка по области"
PRAISE = 3  # words of a praise that somebody reads, at least
SCOLDED = 5  # words of an insult and nothing else, at most: who says more has a matter, too
QUOTED = 120  # characters of the question above the full answer
_WRITTEN = (InboundKind.MESSAGE, InboundKind.EDIT)

Flow = Callable[[Turn], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class CommentRules:
    """What the owner wants of one channel: `length` of a public answer, `per_post` public words under one
    post in an hour, and whether the bot says anything there at all.
    """

    length: int = 300
    per_post: int = 20
    answers: bool = True


@dataclass(frozen=True, slots=True)
class CommentContext:
    """What comments are decided with: *flag* puts one before the moderators, *recent* tells the events of
    public words since a moment.
    """

    texts: Texts
    read_act: IntentDetector
    knowledge: KnowledgeSource
    escalate: Escalation
    flag: Callable[[Turn, str], Outcome]
    recent: Callable[[datetime], Awaitable[Sequence[Event]]]


class CommentDialog:
    """Stands around the dialogs: what is said in public never reaches them."""

    def __init__(self, flow: Flow, tools: CommentContext, rules: Mapping[str, CommentRules]) -> None:
        self._flow, self._tools, self._rules = flow, tools, rules
        self._texts, self._words = tools.texts, CommentWords(tools.texts)
        self._search = FaqSearch(tools.knowledge, tools.texts)

    async def __call__(self, turn: Turn) -> Outcome:
        if not turn.conversation.peer.is_public or turn.inbounds[0].kind not in _WRITTEN:
            return await self._flow(turn)
        text = turn.text.strip()
        words = len(text.split())
        if not any(c.isalpha() for c in text):
            return _left_alone("no_words")
        if self._words.is_spam(text):
            return self._tools.flag(turn, "spam")
        rude = self._words.is_insult(text)
        if rude and words <= SCOLDED:
            return self._tools.flag(turn, "insult")
        praises = self._words.is_praise(text)
        upset = rude or (not praises and self._tools.read_act(text).upset >= ANGRY)
        asks = self._words.asks(text) and not (praises and "?" not in text)
        if upset:
            return await self._handed(turn, "upset", "" if rude else "comments.sorry")
        if asks or words <= NAMED:
            found = await self._sure(turn, text)
            if found is not None:
                return await self._answered(turn, found)
        if asks:
            return await self._handed(turn, "out_of_scope", "comments.asked")
        if praises and words >= PRAISE:
            return await self._handed(turn, "praise", "")
        return _left_alone("said_to_nobody")

    async def _sure(self, turn: Turn, text: str) -> ArticleAnswer | None:
        """What answers it surely, as anybody may read it.

        law: nothing that is known of the customer is in a public answer.
        """
        anybody = replace(turn, customer=Customer(0, language=language_of(turn, self._texts.lang)))
        answer = await self._search.ask(anybody, text, QuestionContext())
        best = self._search.sure_of(anybody, text, answer)
        return None if best is None else self._search.telling(text, best, answer, DialogState())

    async def _answered(self, turn: Turn, found: ArticleAnswer) -> Outcome:
        told = _told(turn.conversation.state)
        facts = turn.inbounds[-1].data
        if found.article.id in told:
            if facts.get("edited"):
                return _left_alone("edited")
            return await self._handed(turn, "repeated", "comments.asked")
        if not await self._may_speak(turn):
            return await self._handed(turn, "out_of_scope", "")
        whole = portion(found.article, found.passage)
        short = shortened(_answer_of(found), self._rule(turn).length)
        alone = bool(facts.get("alone")) and len(whole.text.text) > len(short)
        more = "sent" if alone else "invited" if facts.get("invitation") else ""
        say = [self._in_public(turn, "comments.answer", short=short, again=bool(told), more=more)]
        if alone:
            say.append(self._in_full(turn, whole.text))
        seen = {"article": found.article.id, "object": facts.get("object", "")}
        return Outcome(
            "comments",
            Result.ANSWERED,
            "comment",
            tuple(say),
            state={**turn.conversation.state, "told": [*told, found.article.id]},
            events=(Event("answered", data={"article": found.article.id}), Event(SPOKEN, data=seen)),
            explanation=found.why,
        )

    async def _handed(self, turn: Turn, reason: str, key: str) -> Outcome:
        """A person gets it; *key* says so in public, where the bot may speak and has not said it before."""
        outcome = self._tools.escalate(turn, reason=reason)
        if not key or not await self._may_speak(turn):
            return outcome
        spoken = Event(SPOKEN, data={"article": "", "object": turn.inbounds[-1].data.get("object", "")})
        said = self._in_public(turn, key)
        return replace(outcome, messages=(*outcome.messages, said), events=(*outcome.events, spoken))

    async def _may_speak(self, turn: Turn) -> bool:
        rule, place = self._rule(turn), turn.inbounds[-1].data.get("object", "")
        if not rule.answers:
            return False
        said = [e for e in await self._tools.recent(turn.now - HOUR) if e.data.get("object") == place]
        return len(said) < rule.per_post

    def _rule(self, turn: Turn) -> CommentRules:
        return self._rules.get(turn.conversation.peer.channel, CommentRules())

    def _in_public(self, turn: Turn, key: str, **facts: object) -> Outbound:
        inbound = turn.inbounds[-1]
        lang, link = language_of(turn, self._texts.lang), str(inbound.data.get("invitation", ""))
        text = self._texts.say(key, lang=lang, seed=turn.id, link=link, **facts)
        name = " ".join((inbound.sender.name or (turn.customer.name if turn.customer else "")).split())
        called = (
            RichText(name, (Span(Style.MENTION, 0, len(name), inbound.sender.id),)) + ", "
            if name
            else RichText()
        )
        if not name:
            text = RichText(text.text[:1].upper() + text.text[1:], text.spans)
        return Outbound(turn.conversation.peer, called + text, quotes=inbound.message, public=True)

    def _in_full(self, turn: Turn, answer: RichText) -> Outbound:
        lang, asked = language_of(turn, self._texts.lang), shorten(" ".join(turn.text.split()), QUOTED)
        head = self._texts.say("comments.in_full", lang=lang, seed=turn.id, question=asked)
        return Outbound(turn.conversation.peer.alone, join((head, answer), "\n\n"))


def _answer_of(found: ArticleAnswer) -> str:
    """The words of the passage that answers, without its heading; of an article without any its title."""
    passages = found.article.passages
    fitting = passages[found.passage] if found.passage < len(passages) else passages[0] if passages else None
    return (to_rich(fitting.text).text if fitting is not None else "") or found.article.title


def _told(state: Json) -> list[str]:
    """The articles that were told to this person in this thread."""
    kept = state.get("told")
    return [str(one) for one in kept] if isinstance(kept, list | tuple) else []


def _left_alone(reason: str) -> Outcome:
    return Outcome("comments", Result.IGNORED, reason)
