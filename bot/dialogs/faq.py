"""Questions: answered from the knowledge base, cleared up once, or handed to a person; never the same words
twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import PurePosixPath

from bot.dialogs.article_rendering import portion
from bot.dialogs.dialog_state import Memory, is_first_contact
from bot.dialogs.intent import COVERED, IntentReader, is_own_question
from bot.dialogs.options import names_of
from bot.dialogs.protocols import ArticleText, Escalate, KnowledgeSource
from bot.dialogs.question_stage import (
    FAILURES,
    Idle,
    Unanswered,
    answered,
    asked_which,
    clarified,
    failures_of,
    is_clarifying,
    is_person_offered,
    is_second,
    may_clarify,
    needs_person,
    others_offered,
    repeated,
    unanswered,
)
from bot.dialogs.reply import Speaker, human_button, said
from bot.dialogs.several_questions import QuestionPart, in_doubt, is_one_question, left_over, parts_of
from bot.dialogs.short_answers import ShortAnswers, hash_of, language_of
from bot.i18n.texts import Texts
from bot.knowledge.base import QuestionContext
from bot.model import (
    Answer,
    Attachment,
    Button,
    Candidate,
    Decision,
    Event,
    InboundKind,
    Intent,
    Json,
    Media,
    Outcome,
    Press,
    Result,
    RichText,
    Style,
    Timer,
    Turn,
)
from bot.model.internal import OfferUnanswered
from bot.text.graphemes import shorten
from bot.text.markdown import join, styled, to_rich

OPTIONS = 3
PATIENCE = timedelta(minutes=5)  # of silence after a person was offered, until one is called anyway
RIVAL = 0.25  # of the best score: one word that fits a second article this well is unclear
ALL_SAID = -1  # the passage of an article that was told to its end
NEAR = 0.2  # of the best score offered: what is less likely is no option
UNLIKELY = 0.01  # a score from which nothing is offered after "it did not help"
QUOTED = 120  # characters of a question that are quoted back
AHEAD = 1.5  # times the second score: from there the first candidate is shown above a clarification
_ACTIONS = frozenset({"article", "more", "helped", "not_helped"})
_MEDIA = {".svg": Media.DOCUMENT, ".gif": Media.ANIMATION}


class Faq:
    """The last dialog before the desk.

    Without *escalate* it leaves what it cannot answer to the flow (None).
    """

    def __init__(
        self,
        words: Texts,
        intent: IntentReader,
        knowledge: KnowledgeSource,
        *,
        escalate: Escalate | None = None,
    ) -> None:
        self._speaker = Speaker(words, "faq")
        self._words, self._intent, self._knowledge, self._escalate = words, intent, knowledge, escalate
        self._hearing = ShortAnswers(words)

    async def __call__(self, turn: Turn) -> Outcome | None:
        memory = Memory.of(turn)
        if any(i.kind is InboundKind.INTERNAL for i in turn.inbounds):
            return self._waited(turn, memory)
        if turn.press is not None and not turn.text.strip():
            return await self._pressed(turn, turn.press, memory)
        text = turn.text.strip()
        if not text:
            return self._unknown_press(turn)
        if memory.options:
            if self._hearing.means("none_of_these", text) or self._hearing.means("no", text):
                return self._not_helped(turn, memory)
            if self._hearing.means("yes", text):
                return self._agreed(turn, memory)
            known = names_of([a for i in memory.options if (a := self._article(turn, i))])
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
            return self._which(turn, memory)
        if (
            memory.article
            and self._hearing.means("again", text)
            and (again := self.show(turn, memory.article))
        ):
            return again
        if (
            memory.article
            and self._hearing.means("more", text)
            and (more := self._more(turn, memory.article, memory.passage, memory.told))
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
        found = self._article(turn, article)
        return self._answer(turn, found, 0, Memory.of(turn)) if found is not None else None

    async def is_sure(self, turn: Turn, text: str, *, own_words: bool = False) -> bool:
        """Whether an article would be said to *text* at once; *own_words*: only where its editor wrote just
        this question.
        """
        best = self._sure_of(turn, text, await self._ask(turn, text, QuestionContext()))
        return best is not None and (not own_words or is_own_question(text, best.questions))

    # --- questions

    async def _is_wider(self, turn: Turn, text: str, memory: Memory) -> bool:
        """Whether one word that is in the title of an option fits articles beyond the options: then it is a
        new question.
        """
        if len(text.split()) > 1 or self._hearing.is_number(text):
            return False
        found = (await self._ask(turn, text, QuestionContext())).candidates
        return any(c.article not in memory.options and c.score >= RIVAL * found[0].score for c in found)

    async def _ask(self, turn: Turn, text: str, context: QuestionContext) -> Answer:
        return await self._knowledge.ask(
            text,
            language=language_of(turn, self._words.lang),
            channel=turn.conversation.peer.channel,
            segment=turn.customer.fields if turn.customer else {},
            context=context,
        )

    def _sure_of(self, turn: Turn, text: str, answer: Answer) -> ArticleText | None:
        """The article that is said at once; None where the words are to be cleared up, or nothing answers
        them.
        """
        best = (
            self._article(turn, answer.article)
            if answer.article and answer.decision is Decision.ANSWER
            else None
        )
        return best if best is not None and not _is_guess(text, best, answer) else None

    async def _several(self, turn: Turn, memory: Memory) -> Outcome | None:
        """Different questions in one breath: each gets its answer, what stays unclear is asked about last.

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
            parts, whole := await self._ask(turn, turn.text.strip(), context)
        ):
            return None
        if not sure:
            doubt = in_doubt(parts, whole) if may_clarify(memory.stage) else None
            return None if doubt is None else self._clarify(turn, doubt, memory, hash_of(turn.text))
        outcomes: list[Outcome] = []
        for part in sure.values():
            memory = Memory.of(turn)
            outcomes.append(self._told(turn, part, memory))
            turn = replace(turn, conversation=replace(turn.conversation, state=outcomes[-1].state or {}))
        if rest and (open_one := self._open(turn, rest)) is not None:
            outcomes.append(open_one)
        return together(outcomes)

    async def _part(self, turn: Turn, text: str, context: QuestionContext) -> QuestionPart:
        answer = await self._ask(turn, text, context)
        return QuestionPart(text, answer, self._sure_of(turn, text, answer))

    def _told(self, turn: Turn, part: QuestionPart, memory: Memory) -> Outcome:
        best, answer = part.sure, part.answer
        assert best is not None
        passage = next((c.passage for c in answer.candidates if c.article == best.id), 0)
        passage = 0 if is_own_question(part.text, best.questions) else passage
        follow_up = memory.answered and memory.article == best.id
        spare = _spare(best, answer)
        return self._answer(
            turn,
            best,
            passage,
            memory,
            asked=hash_of(part.text),
            spare=spare,
            follow_up=follow_up,
            why=answer.why,
        )

    def _open(self, turn: Turn, rest: Sequence[QuestionPart]) -> Outcome | None:
        """What is said of the first question without a sure answer; it is named, because others were answered
        above.
        """
        part, memory = rest[0], Memory.of(turn)
        unclear = [p for p in rest if p.answer.candidates and p.answer.decision is not Decision.HANDOFF]
        if unclear:
            part = unclear[0]
            doubt = in_doubt(unclear, part.answer) or part.answer
            said_of = self._clarify(turn, doubt, memory, hash_of(part.text))
        else:
            unknown = self._unknown(turn, part.answer, memory, hash_of(part.text), "out_of_scope")
            if unknown is None:
                return None
            said_of = unknown
        named = self._words.say(
            "faq.about",
            lang=language_of(turn, self._words.lang),
            question=_short(" ".join(p.text for p in rest)),
        )
        return replace(
            said_of,
            messages=tuple(
                replace(o, text=join((named, o.text), "\n\n")) if o.text else o for o in said_of.messages
            ),
        )

    async def _asked(self, turn: Turn, text: str, memory: Memory) -> Outcome | None:
        if (several := await self._several(turn, memory)) is not None:
            return several
        asked = hash_of(text)
        if memory.asked[-1:] == (asked,) and memory.stage != Idle():
            return self._repeated(turn, memory, {"repeated": True})
        context = QuestionContext(
            memory.article if memory.answered else "", memory.options, is_clarifying(memory.stage)
        )
        answer = await self._ask(turn, text, context)
        if (best := self._sure_of(turn, text, answer)) is not None:
            passage = next((c.passage for c in answer.candidates if c.article == answer.article), 0)
            if is_own_question(text, best.questions):
                passage = 0  # the article as a whole is the answer
            follow_up = best.id == memory.article and memory.answered
            if follow_up and memory.passage in (passage, ALL_SAID):
                return self._repeated(turn, memory, answer.why)
            spare = _spare(best, answer)
            return self._answer(
                turn, best, passage, memory, asked=asked, spare=spare, follow_up=follow_up, why=answer.why
            )
        out_of_scope = answer.decision is Decision.HANDOFF or not answer.candidates
        if out_of_scope or not may_clarify(memory.stage):
            return self._unknown(
                turn, answer, memory, asked, "out_of_scope" if out_of_scope else "low_confidence"
            )
        return self._clarify(turn, answer, memory, asked)

    def _answer(
        self,
        turn: Turn,
        article: ArticleText,
        passage: int,
        memory: Memory,
        *,
        asked: str = "",
        spare: Sequence[str] = (),
        follow_up: bool = False,
        why: Json | None = None,
    ) -> Outcome:
        language = language_of(turn, self._words.lang)
        part = portion(article, passage, follow_up=follow_up)
        greeting = self._short_greeting(turn, memory, language)
        state = memory.now(
            turn,
            article=article.id,
            passage=passage,
            stage=answered(memory.stage),
            spare=tuple(spare) or tuple(o for o in (*memory.options, *memory.spare) if o != article.id),
            asked=(*memory.asked, asked) if asked else memory.asked,
            earlier=memory.listed,
        )
        return replace(
            said(
                turn,
                self._speaker,
                *greeting,
                part.text,
                "faq.question",
                buttons=self._answer_buttons(
                    turn, article, f"{article.id}#{passage}" if part.rest else "", language
                ),
                attachments=() if follow_up else self._images(article),
            ),
            state=state,
            explanation=why or {},
            events=(Event("answered", data={"article": article.id}),),
        )

    def _unknown(self, turn: Turn, answer: Answer, memory: Memory, asked: str, reason: str) -> Outcome | None:
        """The first time a person is offered, the next time in a row the person comes."""
        if needs_person(memory.stage):
            return self._hand_over(turn, reason, answer)
        state = memory.now(
            turn,
            stage=unanswered(memory.stage),
            asked=(*memory.asked, asked),
            earlier=memory.listed,
        )
        greeting = self._short_greeting(turn, memory, language_of(turn, self._words.lang))
        key = "faq.unknown" if reason == "out_of_scope" else "faq.unsure"
        offer = replace(
            said(turn, self._speaker, *greeting, key, buttons=[human_button(turn, self._words)]),
            result=Result.CLARIFIED,
            reason=reason,
            state=state,
            explanation=answer.why,
            events=(Event("unanswered", data={"reason": reason}),),
        )
        return replace(
            offer,
            timers=(Timer(f"offer:{turn.conversation.id}", OfferUnanswered(reason), turn.now + PATIENCE),),
        )

    def _waited(self, turn: Turn, memory: Memory) -> Outcome | None:
        """A person was offered and the customer fell silent: the question still has no answer, so somebody
        gets it.
        """
        waited = (i.payload for i in turn.inbounds)
        offer = next((p for p in waited if isinstance(p, OfferUnanswered)), None)
        if offer is None or not isinstance(memory.stage, Unanswered) or self._escalate is None:
            return None
        return self._escalate(turn, reason=offer.reason)

    def _clarify(self, turn: Turn, answer: Answer, memory: Memory, asked: str) -> Outcome:
        found = self._named(
            turn, [c for c in answer.candidates if c.score >= NEAR * answer.candidates[0].score]
        )
        ahead = (
            answer.lead
            and answer.scope >= COVERED
            and len(found) > 1
            and found[0].score >= AHEAD * found[1].score
            and len(turn.text.split()) > 1
        )
        lead = self._article(turn, found[0].article) if ahead else None
        offered = found[1 : OPTIONS + 1] if lead else found[:OPTIONS]
        spare = tuple(c.article for c in found if c not in offered and not (lead and c.article == lead.id))
        state = memory.now(
            turn,
            stage=clarified(memory.stage, tuple(c.article for c in offered), lead=lead is not None),
            spare=spare[:OPTIONS],
            article=lead.id if lead else memory.article,
            asked=(*memory.asked, asked),
            earlier=memory.listed if len(offered) == 1 else (),
        )
        if len(found) == 1:
            return self._only(turn, found[0], state, answer.why)
        facts = {"lead": join((styled(found[0].title, Style.BOLD), to_rich(lead.lead)), "\n")} if lead else {}
        return self._offer(
            turn, offered, "faq.maybe" if lead else "faq.clarify", "clarified", state, answer.why, facts
        )

    def _only(self, turn: Turn, candidate: Candidate, state: Json, why: Json) -> Outcome:
        """One candidate is no list: yes or no."""
        language = language_of(turn, self._words.lang)
        labels = {key: self._words.text(f"buttons.{key}", lang=language) for key in ("this", "not_this")}
        pair = (
            Button(labels["this"], "article", candidate.article),
            Button(labels["not_this"], "not_helped"),
        )
        return replace(
            said(
                turn,
                self._speaker,
                "faq.only",
                facts={"title": candidate.title},
                buttons=(pair, (human_button(turn, self._words),)),
            ),
            result=Result.CLARIFIED,
            reason="clarified",
            state=state,
            explanation=why,
            events=(Event("clarified", data={"offered": [candidate.article]}),),
        )

    def _offer(
        self,
        turn: Turn,
        found: Sequence[Candidate],
        key: str,
        reason: str,
        state: Json,
        why: Json,
        facts: Json,
    ) -> Outcome:
        language = language_of(turn, self._words.lang)
        titles = [(n, c.article, c.title) for n, c in enumerate(found, 1)]
        lines = join(
            (self._words.say("faq.option", lang=language, number=n, title=title) for n, _, title in titles),
            "\n",
        )
        buttons = [Button(f"{n}. {title}", "article", article) for n, article, title in titles]
        return replace(
            said(
                turn,
                self._speaker,
                key,
                lines,
                buttons=[*buttons, human_button(turn, self._words)],
                facts=facts,
            ),
            result=Result.CLARIFIED,
            reason=reason,
            state=state,
            explanation=why,
            events=(Event(reason, data={"offered": [c.article for c in found]}),),
        )

    def _repeated(self, turn: Turn, memory: Memory, why: Json) -> Outcome:
        """Not the same words: the gist in one sentence, and whether to call a person."""
        language = language_of(turn, self._words.lang)
        article = self._article(turn, memory.article)
        state = memory.now(
            turn,
            stage=repeated(memory.stage),
            passage=memory.passage,
            spare=memory.spare,
            earlier=memory.listed,
        )
        again = (
            [Button(self._words.text("buttons.again", lang=language), "article", memory.article)]
            if article
            else []
        )
        return replace(
            said(
                turn,
                self._speaker,
                "faq.reminded" if article else "faq.repeated",
                buttons=[human_button(turn, self._words), *again],
                facts={"lead": to_rich(article.lead)} if article else {},
            ),
            result=Result.CLARIFIED,
            reason="repeated",
            state=state,
            explanation=why,
        )

    # --- what follows an answer

    async def _pressed(self, turn: Turn, press: Press, memory: Memory) -> Outcome | None:
        if press.action not in _ACTIONS:
            return self._unknown_press(turn)
        article, _, passage = press.value.partition("#")
        if press.action == "helped":
            return self._helped(turn, article)
        if press.action == "not_helped":
            return self._not_helped(turn, memory, article)
        if press.action == "more":
            passage, _, told = passage.partition("+")
            shown = self._more(turn, article, *(int(n) if n.isdecimal() else 0 for n in (passage, told)))
        elif (shown := self.show(turn, article)) is None and press.label and not self._article(turn, article):
            return await self._asked(turn, press.label, memory)  # a button that names a question
        return shown or replace(said(turn, self._speaker, "faq.gone"), reason="article_gone")

    def _agreed(self, turn: Turn, memory: Memory) -> Outcome | None:
        """«Да» to a list: it meant what was shown above it, or the only option; otherwise the number is asked
        for.
        """
        if memory.answered:
            return self._helped(turn, memory.article)
        if len(memory.options) == 1:
            return self.show(turn, memory.options[0])
        return self._which(turn, memory)

    def _which(self, turn: Turn, memory: Memory) -> Outcome:
        state = memory.now(
            turn,
            stage=asked_which(memory.stage),
            spare=memory.spare,
        )
        return replace(
            said(turn, self._speaker, "faq.which"), reason="which", result=Result.CLARIFIED, state=state
        )

    def _helped(self, turn: Turn, article: str) -> Outcome:
        event = Event("feedback", data={"article": article, "helped": True})
        return replace(said(turn, self._speaker, "faq.helped"), reason="helped", events=(event,))

    def _unknown_press(self, turn: Turn) -> Outcome | None:
        """A press that means nothing any more is answered too; other things without words are left to the
        flow.
        """
        if not any(i.press for i in turn.inbounds):
            return None
        return replace(said(turn, self._speaker, "faq.pressed_old"), reason="pressed_old")

    def _more(self, turn: Turn, article: str, passage: int, told: int = 0) -> Outcome | None:
        found = self._article(turn, article)
        if found is None:
            return None
        memory, language = Memory.of(turn), language_of(turn, self._words.lang)
        rest, further = portion(found, passage).more(told)
        if not rest:
            return replace(
                said(turn, self._speaker, "faq.nothing_more", buttons=[human_button(turn, self._words)]),
                reason="nothing_more",
            )
        state = memory.now(
            turn,
            article=found.id,
            passage=passage if further else ALL_SAID,
            told=further,
            stage=answered(memory.stage),
            spare=memory.spare,
        )
        buttons = self._answer_buttons(
            turn, found, f"{found.id}#{passage}+{further}" if further else "", language, more_key="further"
        )
        return replace(
            said(turn, self._speaker, rest, "faq.question", buttons=buttons), reason="more", state=state
        )

    def _not_helped(self, turn: Turn, memory: Memory, article: str = "") -> Outcome | None:
        asked_back = (
            bool(memory.options) and not memory.answered
        )  # what is turned down is our guess, no article that was read
        article = article or ("" if asked_back else memory.article)
        if asked_back and len(memory.options) == 1 and not memory.spare and not is_second(memory.stage):
            return self._unknown(turn, Answer(Decision.HANDOFF), memory, "", "low_confidence")
        tried = {article, *memory.options}
        spare = self._named(turn, [Candidate(i, "", 0.0) for i in memory.spare if i not in tried])[:OPTIONS]
        event = Event("feedback", data={"article": article, "helped": False})
        if is_second(memory.stage) or not spare:
            return self._hand_over(turn, "not_helped", None, event)
        state = memory.now(turn, article=article, stage=others_offered(tuple(c.article for c in spare)))
        outcome = self._offer(turn, spare, "faq.other", "not_helped", state, {}, {})
        return replace(outcome, events=(event, *outcome.events))

    def _hand_over(
        self, turn: Turn, reason: str, answer: Answer | None, event: Event | None = None
    ) -> Outcome | None:
        if self._escalate is None:
            return None
        outcome = self._escalate(turn, reason=reason, answer=answer)
        return outcome if event is None else replace(outcome, events=(event, *outcome.events))

    # --- parts of an answer

    def _article(self, turn: Turn, id: str) -> ArticleText | None:
        return self._knowledge.article(id, language_of(turn, self._words.lang)) if id else None

    def _named(self, turn: Turn, found: Sequence[Candidate]) -> list[Candidate]:
        """Those whose articles there are, by names that differ; of articles that nothing tells apart, the
        first.
        """
        there = {c.article: c for c in found if self._article(turn, c.article)}
        names = names_of([a for i in there if (a := self._article(turn, i))])
        ids = {i: a.id for i in there if (a := self._article(turn, i))}
        return [replace(c, title=names[ids[i]]) for i, c in there.items() if ids[i] in names]

    def _answer_buttons(
        self, turn: Turn, article: ArticleText, more: str, language: str, *, more_key: str = "more"
    ) -> tuple[tuple[Button, ...], ...]:
        def label(key: str) -> str:
            return self._words.text(f"buttons.{key}", lang=language)

        return (
            *((button,) for button in tuple(article.buttons)[:OPTIONS]),
            (Button(label(more_key), "more", more),) if more else (),
            (
                Button(label("helped"), "helped", article.id),
                Button(label("not_helped"), "not_helped", article.id),
            ),
            (human_button(turn, self._words),),
        )

    def _images(self, article: ArticleText) -> tuple[Attachment, ...]:
        return tuple(
            Attachment(
                _MEDIA.get(PurePosixPath(i).suffix.lower(), Media.PHOTO),
                (self._knowledge.folder / i).as_posix(),
                name=PurePosixPath(i).name,
            )
            for i in article.images
        )

    def _short_greeting(self, turn: Turn, memory: Memory, language: str) -> tuple[RichText, ...]:
        """The first answer of a conversation begins with a greeting."""
        if memory.greeted or not is_first_contact(turn):
            return ()
        return (self._words.say("hello.short", lang=language, customer=turn.customer, now=turn.now),)


def _is_guess(text: str, best: ArticleText, answer: Answer) -> bool:
    """Whether one word is to choose between articles that it fits alike: then it is cleared up, however sure
    the search is.
    """
    rival = max((c.score for c in answer.candidates if c.article != best.id), default=0.0)
    first = max(c.score for c in answer.candidates) if answer.candidates else 0.0
    return len(text.split()) == 1 and rival >= RIVAL * first > 0 and not is_own_question(text, best.questions)


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


def _spare(best: ArticleText, answer: Answer) -> list[str]:
    """What may be offered if *best* does not help: the likeliest of the others, else what its editor ties to
    it.
    """
    others = [c for c in answer.candidates if c.article != best.id and c.score >= UNLIKELY]
    near = [c.article for c in others if c.score >= NEAR * others[0].score]
    return (near or [b.value for b in best.buttons if b.action == "article"])[:OPTIONS]
