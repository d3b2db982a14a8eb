"""What the FAQ says: an answer, a question back, an offer; each with what is remembered of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.dialogs.article_rendering import portion
from bot.dialogs.dialog_state import DialogState, is_first_contact
from bot.dialogs.faq_search import OPTIONS, ArticleAnswer, FaqSearch
from bot.dialogs.intent import COVERED
from bot.dialogs.options import labels_of
from bot.dialogs.protocols import ArticleText
from bot.dialogs.question_stage import (
    answered,
    asked_which,
    clarified,
    others_offered,
    repeated,
    unanswered,
)
from bot.dialogs.reply import ReplyContext, human_button, said
from bot.dialogs.short_answers import language_of
from bot.i18n.texts import Texts
from bot.knowledge.articles.attached import AttachedFile
from bot.model import (
    Answer,
    Attachment,
    Button,
    Candidate,
    Event,
    Json,
    Outcome,
    Result,
    RichText,
    Style,
    Timer,
    Turn,
)
from bot.model.internal import OfferUnanswered
from bot.text.markdown import join, styled, to_rich

if TYPE_CHECKING:
    from bot.dialogs.composed.answer_composer import ComposedAnswer

OFFER_WAITED = "offer_waited"
PATIENCE = timedelta(minutes=5)  # of silence after a person was offered, until one is called anyway
NONE = "none_of_these"  # the action of its button
ALL_SAID = -1  # the passage of an article that was told to its end
AHEAD = 1.5  # times the second score: from there the first candidate is shown above a clarification


class FaqReplies:
    """The words and buttons of the FAQ, and the stage that each leaves the question at."""

    def __init__(self, texts: Texts, search: FaqSearch) -> None:
        self._texts, self._search = texts, search
        self._speaker = ReplyContext(texts, "faq")

    def answer(
        self,
        turn: Turn,
        telling: ArticleAnswer,
        memory: DialogState,
        composed: ComposedAnswer | None = None,
    ) -> Outcome:
        """*composed*: an excerpt of the article that is said in its place."""
        article, passage = telling.article, telling.passage
        language = language_of(turn, self._texts.lang)
        part = portion(article, passage, follow_up=telling.follow_up)
        told = composed.text if composed is not None and composed.text else None
        more = self._more(f"{article.id}#{passage}", language) if part.rest else None
        greeting = self._short_greeting(turn, memory, language)
        state = memory.now(
            turn,
            article=article.id,
            passage=passage,
            excerpted=told is not None,
            stage=answered(memory.stage),
            spare=telling.spare or tuple(o for o in (*memory.options, *memory.spare) if o != article.id),
            asked=(*memory.asked, telling.asked) if telling.asked else memory.asked,
            earlier=memory.listed,
        )
        return replace(
            said(
                turn,
                self._speaker,
                *greeting,
                told or part.text,
                "faq.question",
                buttons=self._answer_buttons(
                    turn,
                    article,
                    self._more(article.id, language, "article") if told else more,
                    language,
                ),
                attachments=self._files(part.files),
            ),
            state=state,
            explanation=telling.why if composed is None else {**telling.why, "assistant": composed.why},
            events=(Event("answered", data={"article": article.id, **({"composed": True} if told else {})}),),
        )

    def offer_person(
        self, turn: Turn, answer: Answer, memory: DialogState, asked: str, reason: str
    ) -> Outcome:
        """Nothing is known: a person is offered, and called when the customer falls silent.

        *asked* is the hash of the question, "" where a guess of ours was turned down.
        """
        state = memory.now(
            turn,
            stage=unanswered(memory.stage),
            asked=(*memory.asked, asked) if asked else memory.asked,
            earlier=memory.listed,
        )
        greeting = self._short_greeting(turn, memory, language_of(turn, self._texts.lang))
        key = "faq.unknown" if reason == "out_of_scope" else "faq.unsure" if asked else "faq.not_these"
        offer = replace(
            said(turn, self._speaker, *greeting, key, buttons=[human_button(turn, self._texts)]),
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

    def clarify(self, turn: Turn, answer: Answer, memory: DialogState, asked: str) -> Outcome:
        found = self._search.named(turn, answer.candidates[: answer.options])
        ahead = (
            answer.lead
            and answer.scope >= COVERED
            and len(found) > 1
            and found[0].score >= AHEAD * found[1].score
            and len(turn.text.split()) > 1
        )
        lead = self._search.article(turn, found[0].article) if ahead else None
        offered = found[1 : OPTIONS + 1] if lead else found[:OPTIONS]
        state = memory.now(
            turn,
            stage=clarified(memory.stage, tuple(c.article for c in offered), lead=lead is not None),
            article=lead.id if lead else memory.article,
            asked=(*memory.asked, asked),
            earlier=memory.listed if len(offered) == 1 else (),
        )
        if len(found) == 1:
            return self._only(turn, found[0], state, answer.why)
        facts = {"lead": join((styled(found[0].title, Style.BOLD), to_rich(lead.lead)), "\n")} if lead else {}
        return replace(
            self._offer(turn, offered, "faq.maybe" if lead else "faq.clarify", facts),
            reason="clarified",
            state=state,
            explanation=answer.why,
            events=(_offered("clarified", offered),),
        )

    def _only(self, turn: Turn, candidate: Candidate, state: Json, why: Json) -> Outcome:
        """One candidate is no list: yes or no."""
        language = language_of(turn, self._texts.lang)
        labels = {key: self._texts.text(f"buttons.{key}", lang=language) for key in ("this", "not_this")}
        pair = (
            Button(labels["this"], "article", candidate.article),
            Button(labels["not_this"], NONE),
        )
        return replace(
            said(
                turn,
                self._speaker,
                "faq.only",
                facts={"title": candidate.title},
                buttons=(pair, (human_button(turn, self._texts),)),
            ),
            result=Result.CLARIFIED,
            reason="clarified",
            state=state,
            explanation=why,
            events=(_offered("clarified", [candidate]),),
        )

    def offer_others(
        self, turn: Turn, spare: Sequence[Candidate], article: str, memory: DialogState
    ) -> Outcome:
        """*article* did not help: *spare* are offered in its place."""
        stage = others_offered(tuple(c.article for c in spare))
        return replace(
            self._offer(turn, spare, "faq.other", {}),
            reason="not_helped",
            state=memory.now(turn, article=article, stage=stage),
            events=(_offered("not_helped", spare),),
        )

    def _offer(self, turn: Turn, found: Sequence[Candidate], key: str, facts: Json) -> Outcome:
        language = language_of(turn, self._texts.lang)
        titles = [(n, c.article, c.title) for n, c in enumerate(found, 1)]
        lines = join(
            (self._texts.say("faq.option", lang=language, number=n, title=title) for n, _, title in titles),
            "\n",
        )
        labels = labels_of([c.title for c in found])
        buttons = [
            Button(f"{n}. {label}", "article", article)
            for (n, article, _), label in zip(titles, labels, strict=True)
        ]
        none = Button(self._texts.text(f"buttons.{NONE}", lang=language), NONE)
        outcome = said(
            turn,
            self._speaker,
            key,
            lines,
            buttons=[*buttons, none, human_button(turn, self._texts)],
            facts=facts,
        )
        return replace(outcome, result=Result.CLARIFIED)

    def repeated(self, turn: Turn, memory: DialogState, why: Json) -> Outcome:
        """Not the same words: the gist in one sentence, and whether to call a person."""
        language = language_of(turn, self._texts.lang)
        article = self._search.article(turn, memory.article)
        state = memory.now(
            turn,
            stage=repeated(memory.stage),
            passage=memory.passage,
            spare=memory.spare,
            earlier=memory.listed,
        )
        again = (
            [Button(self._texts.text("buttons.again", lang=language), "article", memory.article)]
            if article
            else []
        )
        return replace(
            said(
                turn,
                self._speaker,
                "faq.reminded" if article else "faq.repeated",
                buttons=[human_button(turn, self._texts), *again],
                facts={"lead": to_rich(article.lead)} if article else {},
            ),
            result=Result.CLARIFIED,
            reason="repeated",
            state=state,
            explanation=why,
        )

    def which(self, turn: Turn, memory: DialogState) -> Outcome:
        state = memory.now(
            turn,
            stage=asked_which(memory.stage),
            spare=memory.spare,
        )
        return replace(
            said(turn, self._speaker, "faq.which"), reason="which", result=Result.CLARIFIED, state=state
        )

    def helped(self, turn: Turn, article: str) -> Outcome:
        event = Event("feedback", data={"article": article, "helped": True})
        return replace(said(turn, self._speaker, "faq.helped"), reason="helped", events=(event,))

    def gone(self, turn: Turn) -> Outcome:
        """The article of a button is there no more."""
        return replace(said(turn, self._speaker, "faq.gone"), reason="article_gone")

    def pressed_old(self, turn: Turn) -> Outcome | None:
        """A press that means nothing any more is answered too; other things without words are left to the
        flow.
        """
        if not any(i.press for i in turn.inbounds):
            return None
        return replace(said(turn, self._speaker, "faq.pressed_old"), reason="pressed_old")

    def more(self, turn: Turn, article: str, passage: int, told: int = 0) -> Outcome | None:
        found = self._search.article(turn, article)
        if found is None:
            return None
        memory, language = DialogState.of(turn), language_of(turn, self._texts.lang)
        part = portion(found, passage)
        rest, further = part.more(told)
        if not rest:
            return replace(
                said(turn, self._speaker, "faq.nothing_more", buttons=[human_button(turn, self._texts)]),
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
        button = self._more(f"{found.id}#{passage}+{further}", language, key="further") if further else None
        buttons = self._answer_buttons(turn, found, button, language)
        return replace(
            said(
                turn,
                self._speaker,
                rest,
                "faq.question",
                buttons=buttons,
                attachments=self._files(part.more_files(told)),
            ),
            reason="more",
            state=state,
        )

    def _answer_buttons(
        self, turn: Turn, article: ArticleText, more: Button | None, language: str
    ) -> tuple[tuple[Button, ...], ...]:
        def label(key: str) -> str:
            return self._texts.text(f"buttons.{key}", lang=language)

        return (
            *((button,) for button in self._open(turn, article.buttons)[:OPTIONS]),
            (more,) if more else (),
            (
                Button(label("helped"), "helped", article.id),
                Button(label("not_helped"), "not_helped", article.id),
            ),
            (human_button(turn, self._texts),),
        )

    def _more(self, value: str, language: str, action: str = "more", key: str = "more") -> Button:
        return Button(self._texts.text(f"buttons.{key}", lang=language), action, value)

    def _open(self, turn: Turn, buttons: Sequence[Button]) -> list[Button]:
        """Those of an article that lead somewhere for this customer."""
        return [b for b in buttons if b.action != "article" or self._search.article(turn, b.value)]

    def _files(self, files: Sequence[AttachedFile]) -> tuple[Attachment, ...]:
        return tuple(file.attachment(self._search.folder) for file in files)

    def _short_greeting(self, turn: Turn, memory: DialogState, language: str) -> tuple[RichText, ...]:
        """The first answer of a conversation begins with a greeting."""
        if memory.greeted or not is_first_contact(turn):
            return ()
        return (self._texts.say("hello.short", lang=language, customer=turn.customer, now=turn.now),)


def _offered(kind: str, found: Sequence[Candidate]) -> Event:
    return Event(kind, data={"offered": [c.article for c in found]})
