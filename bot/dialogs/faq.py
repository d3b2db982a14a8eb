"""Questions: answered from the knowledge base, cleared up once, or handed to a person; never the same words
twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.dialogs.dialog_state import DialogState
from bot.dialogs.faq_replies import ALL_SAID, NONE, FaqReplies
from bot.dialogs.faq_search import OPTIONS, RIVAL, ArticleAnswer, FaqSearch
from bot.dialogs.intent import IntentReader, is_own_question
from bot.dialogs.options import names_of
from bot.dialogs.protocols import Escalation, KnowledgeSource
from bot.dialogs.question_stage import (
    FAILURES,
    Idle,
    Unanswered,
    failures_of,
    is_clarifying,
    is_person_offered,
    is_second,
    may_clarify,
    needs_person,
)
from bot.dialogs.several_questions import QuestionPart, in_doubt, is_one_question, left_over, parts_of
from bot.dialogs.short_answers import ShortAnswers, hash_of, language_of
from bot.i18n.texts import Texts
from bot.knowledge.base import QuestionContext
from bot.model import (
    Answer,
    Candidate,
    Decision,
    Event,
    InboundKind,
    Intent,
    Outcome,
    Press,
    Turn,
)
from bot.model.internal import OfferUnanswered
from bot.text.graphemes import shorten
from bot.text.markdown import join

if TYPE_CHECKING:
    from bot.dialogs.composed.answer_composer import ComposedAnswer

QUOTED = 120  # characters of a question that are quoted back
Composing = Callable[[Turn, str, ArticleAnswer], Awaitable["ComposedAnswer | None"]]
_ACTIONS = frozenset({"article", "more", "helped", "not_helped", NONE})


class Faq:
    """The last dialog before the desk.

    Without *escalate* it leaves what it cannot answer to the flow (None). *compose* picks an answer out of
    the article that is said at once.
    """

    def __init__(
        self,
        texts: Texts,
        intent: IntentReader,
        knowledge: KnowledgeSource,
        *,
        escalate: Escalation | None = None,
        compose: Composing | None = None,
    ) -> None:
        self._texts, self._intent, self._escalate, self._compose = texts, intent, escalate, compose
        self._search = FaqSearch(knowledge, texts)
        self._replies = FaqReplies(texts, self._search)
        self._hearing = ShortAnswers(texts)

    async def __call__(self, turn: Turn) -> Outcome | None:
        memory = DialogState.of(turn)
        if any(i.kind is InboundKind.INTERNAL for i in turn.inbounds):
            return self._waited(turn, memory)
        if turn.press is not None and not turn.text.strip():
            return await self._pressed(turn, turn.press, memory)
        text = turn.text.strip()
        if not text:
            return self._replies.pressed_old(turn)
        if memory.options:
            meant = self._hearing.agreement(text)
            if meant:
                return self._agreed(turn, memory) if meant == "yes" else self._not_helped(turn, memory)
            known = names_of([a for i in memory.options if (a := self._search.article(turn, i))])
            titles = [known.get(i, "") for i in memory.options]
            place = self._hearing.choice(text, titles)
            if (
                place is not None
                and not await self._is_wider(turn, text, memory)
                and (shown := self.show(turn, memory.options[place]))
            ):
                return shown
        if (
            not memory.options and memory.earlier and self._hearing.is_number(text)
        ):  # the list before the words that came between
            place = self._hearing.choice(text, [""] * len(memory.earlier))
            if place is not None and (shown := self.show(turn, memory.earlier[place])):
                return shown
        if memory.options and self._hearing.is_number(text) and failures_of(memory.stage) < FAILURES:
            return self._replies.which(turn, memory)
        if (
            memory.article
            and self._hearing.means("again", text)
            and (again := self.show(turn, memory.article))
        ):
            return again
        if (
            memory.article
            and self._hearing.means("more", text)
            and (more := self._more(turn, memory))
        ):
            return more
        act = (await self._intent(turn, memory)).act
        said_no = (
            memory.answered
            and not is_person_offered(memory.stage)
            and (self._hearing.means("no", text) or self._hearing.means("disliked", text))
        )
        if (act is Intent.NOT_HELPED and (memory.article or memory.options)) or said_no:
            return self._not_helped(turn, memory)
        return await self._asked(turn, text, memory)

    def show(self, turn: Turn, article: str) -> Outcome | None:
        """The answer of an article chosen by its id (a button, a number, a deep link); None where there is
        none.
        """
        found = self._search.article(turn, article)
        return (
            self._replies.answer(turn, ArticleAnswer(found), DialogState.of(turn))
            if found is not None
            else None
        )

    def _more(self, turn: Turn, memory: DialogState) -> Outcome | None:
        """«Подробнее»: of an excerpt the article itself, else the rest."""
        if memory.excerpted:
            return self.show(turn, memory.article)
        return self._replies.more(turn, memory.article, memory.passage, memory.told)

    async def is_sure(self, turn: Turn, text: str, *, own_words: bool = False) -> bool:
        """Whether an article would be said to *text* at once; *own_words*: only where its editor wrote just
        this question.
        """
        best = self._search.sure_of(turn, text, await self._search.ask(turn, text, QuestionContext()))
        return best is not None and (not own_words or is_own_question(text, best.questions))

    async def _is_wider(self, turn: Turn, text: str, memory: DialogState) -> bool:
        """Whether one word that is in the title of an option fits articles beyond the options: then it is a
        new question.
        """
        if len(text.split()) > 1 or self._hearing.is_number(text):
            return False
        found = (await self._search.ask(turn, text, QuestionContext())).candidates
        return any(c.article not in memory.options and c.score >= RIVAL * found[0].score for c in found)

    async def _several(self, turn: Turn, memory: DialogState) -> Outcome | None:
        """Different questions in one go: each gets its answer, what stays unclear is asked about last.

        None where it is one question.
        """
        context = QuestionContext(
            memory.article if memory.answered else "", memory.options, is_clarifying(memory.stage)
        )
        parts = [await self._part(turn, text, context) for text in parts_of(turn)]
        sure = {p.sure.id: p for p in parts if p.sure is not None}
        rest = left_over(parts)
        if len(sure) + len(rest) < 2:
            return None
        if len(sure) < 2 and is_one_question(
            parts, whole := await self._search.ask(turn, turn.text.strip(), context)
        ):
            return None
        if not sure:
            doubt = in_doubt(parts, whole) if may_clarify(memory.stage) else None
            return None if doubt is None else self._replies.clarify(turn, doubt, memory, hash_of(turn.text))
        outcomes: list[Outcome] = []
        for part in sure.values():
            memory = DialogState.of(turn)
            outcomes.append(self._told(turn, part, memory))
            turn = replace(turn, conversation=replace(turn.conversation, state=outcomes[-1].state or {}))
        if rest and (open_one := self._open(turn, rest)) is not None:
            outcomes.append(open_one)
        return together(outcomes)

    async def _part(self, turn: Turn, text: str, context: QuestionContext) -> QuestionPart:
        answer = await self._search.ask(turn, text, context)
        return QuestionPart(text, answer, self._search.sure_of(turn, text, answer))

    def _told(self, turn: Turn, part: QuestionPart, memory: DialogState) -> Outcome:
        assert part.sure is not None
        answer = replace(part.answer, article=part.sure.id)
        telling = self._search.telling(part.text, part.sure, answer, memory)
        return self._replies.answer(turn, telling, memory)

    def _open(self, turn: Turn, rest: Sequence[QuestionPart]) -> Outcome | None:
        """What is said of the first question without a sure answer; it is named, because others were answered
        above.
        """
        part, memory = rest[0], DialogState.of(turn)
        unclear = [p for p in rest if p.answer.candidates and p.answer.decision is not Decision.HANDOFF]
        if unclear:
            part = unclear[0]
            doubt = in_doubt(unclear, part.answer) or part.answer
            said_of = self._replies.clarify(turn, doubt, memory, hash_of(part.text))
        else:
            unknown = self._unknown(turn, part.answer, memory, hash_of(part.text), "out_of_scope")
            if unknown is None:
                return None
            said_of = unknown
        named = self._texts.say(
            "faq.about",
            lang=language_of(turn, self._texts.lang),
            question=_short(" ".join(p.text for p in rest)),
        )
        return replace(
            said_of,
            messages=tuple(
                replace(o, text=join((named, o.text), "\n\n")) if o.text else o for o in said_of.messages
            ),
        )

    async def _asked(self, turn: Turn, text: str, memory: DialogState) -> Outcome | None:
        if (several := await self._several(turn, memory)) is not None:
            return several
        asked = hash_of(text)
        if memory.asked[-1:] == (asked,) and memory.stage != Idle():
            return self._replies.repeated(turn, memory, {"repeated": True})
        context = QuestionContext(
            memory.article if memory.answered else "", memory.options, is_clarifying(memory.stage)
        )
        answer = await self._search.ask(turn, text, context)
        if (best := self._search.sure_of(turn, text, answer)) is not None:
            telling = self._search.telling(text, best, answer, memory)
            if telling.follow_up and memory.passage in (telling.passage, ALL_SAID):
                return self._replies.repeated(turn, memory, answer.why)
            composed = await self._compose(turn, text, telling) if self._compose is not None else None
            return self._replies.answer(turn, telling, memory, composed)
        out_of_scope = answer.decision is Decision.HANDOFF or not answer.candidates
        if out_of_scope or not may_clarify(memory.stage):
            return self._unknown(
                turn, answer, memory, asked, "out_of_scope" if out_of_scope else "low_confidence"
            )
        return self._replies.clarify(turn, answer, memory, asked)

    def _unknown(
        self, turn: Turn, answer: Answer, memory: DialogState, asked: str, reason: str
    ) -> Outcome | None:
        """The first time a person is offered, the next time in a row the person comes."""
        if needs_person(memory.stage):
            return self._hand_over(turn, reason, answer)
        return self._replies.offer_person(turn, answer, memory, asked, reason)

    def _waited(self, turn: Turn, memory: DialogState) -> Outcome | None:
        """A person was offered and the customer fell silent: the question still has no answer, so somebody
        gets it.
        """
        waited = (i.payload for i in turn.inbounds)
        offer = next((p for p in waited if isinstance(p, OfferUnanswered)), None)
        if offer is None or not isinstance(memory.stage, Unanswered) or self._escalate is None:
            return None
        return self._escalate(turn, reason=offer.reason)

    async def _pressed(self, turn: Turn, press: Press, memory: DialogState) -> Outcome | None:
        if press.action not in _ACTIONS:
            return self._replies.pressed_old(turn)
        article, _, passage = press.value.partition("#")
        if press.action == "helped":
            return self._replies.helped(turn, article)
        if press.action == NONE and not memory.options:
            return self._replies.pressed_old(turn)
        if press.action in ("not_helped", NONE):
            return self._not_helped(turn, memory, article)
        if press.action == "more":
            passage, _, told = passage.partition("+")
            shown = self._replies.more(
                turn, article, *(int(n) if n.isdecimal() else 0 for n in (passage, told))
            )
        elif (
            (shown := self.show(turn, article)) is None
            and press.label
            and not self._search.article(turn, article)
        ):
            return await self._asked(turn, press.label, memory)  # a button that names a question
        return shown or self._replies.gone(turn)

    def _agreed(self, turn: Turn, memory: DialogState) -> Outcome | None:
        """«Да» to a list: it meant what was shown above it, or the only option; otherwise the number is asked
        for.
        """
        if memory.answered:
            return self._replies.helped(turn, memory.article)
        if len(memory.options) == 1:
            return self.show(turn, memory.options[0])
        return self._replies.which(turn, memory)

    def _not_helped(self, turn: Turn, memory: DialogState, article: str = "") -> Outcome | None:
        # what is turned down is our guess, no article that was read
        asked_back = bool(memory.options) and not memory.answered
        article = article or ("" if asked_back else memory.article)
        if asked_back and not is_second(memory.stage):  # law: nobody is asked which one twice in a row
            return self._unknown(turn, Answer(Decision.HANDOFF), memory, "", "low_confidence")
        tried = {article, *memory.options}
        spare = self._search.named(turn, [Candidate(i, "", 0.0) for i in memory.spare if i not in tried])[
            :OPTIONS
        ]
        event = Event("feedback", data={"article": article, "helped": False})
        if is_second(memory.stage) or not spare:
            return self._hand_over(turn, "not_helped", None, event)
        outcome = self._replies.offer_others(turn, spare, article, memory)
        return replace(outcome, events=(event, *outcome.events))

    def _hand_over(
        self, turn: Turn, reason: str, answer: Answer | None, event: Event | None = None
    ) -> Outcome | None:
        if self._escalate is None:
            return None
        outcome = self._escalate(turn, reason=reason, answer=answer)
        return outcome if event is None else replace(outcome, events=(event, *outcome.events))


def together(outcomes: Sequence[Outcome]) -> Outcome:
    """One outcome of several: everything is said, the last one's state stays."""
    last = outcomes[-1]
    say = tuple(o for outcome in outcomes for o in outcome.messages)
    events = tuple(e for outcome in outcomes for e in outcome.events)
    why = (
        {**last.explanation, "several": [dict(o.explanation) for o in outcomes[:-1]]}
        if len(outcomes) > 1
        else last.explanation
    )
    return replace(last, messages=say, events=events, explanation=why)


def _short(text: str) -> str:
    return shorten(text, QUOTED)
