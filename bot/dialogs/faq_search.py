"""What the articles know of a customer's words: asked in the customer's language, channel and segment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.dialogs.dialog_state import DialogState
from bot.dialogs.intent import is_own_question
from bot.dialogs.options import names_of
from bot.dialogs.personal_articles import personal
from bot.dialogs.protocols import ArticleText, KnowledgeSource
from bot.dialogs.short_answers import hash_of, language_of
from bot.i18n.texts import Texts
from bot.knowledge.base import QuestionContext
from bot.model import (
    Answer,
    Candidate,
    Decision,
    Json,
    Turn,
)

OPTIONS = 3
RIVAL = 0.25  # of the best score: one word that fits a second article this well is unclear
NEAR = 0.2  # of the best score offered: what is less likely is no option
UNLIKELY = 0.01  # a score from which nothing is offered after "it did not help"


@dataclass(frozen=True, slots=True)
class ArticleAnswer:
    """An article as it is told: from which passage, as a `follow_up` of what was told before or not.

    `asked` is the hash of the words it answers ("" = it was chosen), `spare` may be offered if it does not
    help, `why` explains the choice.
    """

    article: ArticleText
    passage: int = 0
    asked: str = ""
    spare: tuple[str, ...] = ()
    follow_up: bool = False
    why: Json = field(default_factory=dict)


class FaqSearch:
    """The knowledge base, asked for a turn."""

    def __init__(self, knowledge: KnowledgeSource, texts: Texts) -> None:
        self._knowledge, self._texts, self._lang = knowledge, texts, texts.lang
        self.folder = knowledge.folder

    async def ask(self, turn: Turn, text: str, context: QuestionContext) -> Answer:
        return await self._knowledge.ask(
            text,
            language=language_of(turn, self._lang),
            channel=turn.conversation.peer.channel,
            segment=turn.customer.fields if turn.customer else {},
            context=context,
        )

    def sure_of(self, turn: Turn, text: str, answer: Answer) -> ArticleText | None:
        """The article that is said at once; None where the words are to be cleared up, or nothing answers
        them.
        """
        best = (
            self.article(turn, answer.article)
            if answer.article and answer.decision is Decision.ANSWER
            else None
        )
        return best if best is not None and not _is_guess(text, best, answer) else None

    def article(self, turn: Turn, id: str) -> ArticleText | None:
        """The article as this customer reads it.

        law: whatever names an article (a button, a deep link, an old list, another article), nobody reads one
        that is not for their channel and segment.
        """
        found = (
            self._knowledge.article_for(
                id,
                language=language_of(turn, self._lang),
                channel=turn.conversation.peer.channel,
                segment=turn.customer.fields if turn.customer else {},
            )
            if id
            else None
        )
        return None if found is None else personal(found, self._texts, turn.customer, turn.now)

    def named(self, turn: Turn, found: Sequence[Candidate]) -> list[Candidate]:
        """Those whose articles there are, by names that differ; of articles that nothing tells apart, the
        first.
        """
        there = {c.article: c for c in found if self.article(turn, c.article)}
        names = names_of([a for i in there if (a := self.article(turn, i))])
        ids = {i: a.id for i in there if (a := self.article(turn, i))}
        return [replace(c, title=names[ids[i]]) for i, c in there.items() if ids[i] in names]

    def telling(self, text: str, best: ArticleText, answer: Answer, memory: DialogState) -> ArticleAnswer:
        """How *best* is told to the words *text* that *answer* is about."""
        passage = next((c.passage for c in answer.candidates if c.article == answer.article), 0)
        if is_own_question(text, best.questions):
            passage = 0  # the article as a whole is the answer
        follow_up = memory.answered and memory.article == best.id
        return ArticleAnswer(best, passage, hash_of(text), tuple(_spare(best, answer)), follow_up, answer.why)


def _is_guess(text: str, best: ArticleText, answer: Answer) -> bool:
    """Whether one word is to choose between articles that it fits alike: then it is cleared up, however sure
    the search is.
    """
    rival = max((c.score for c in answer.candidates if c.article != best.id), default=0.0)
    first = max(c.score for c in answer.candidates) if answer.candidates else 0.0
    return len(text.split()) == 1 and rival >= RIVAL * first > 0 and not is_own_question(text, best.questions)


def _spare(best: ArticleText, answer: Answer) -> list[str]:
    """What may be offered if *best* does not help: the likeliest of the others, else what its editor ties to
    it.
    """
    others = [c for c in answer.candidates if c.article != best.id and c.score >= UNLIKELY]
    near = [c.article for c in others if c.score >= NEAR * others[0].score]
    return (near or [b.value for b in best.buttons if b.action == "article"])[:OPTIONS]
