"""An answer picked out of the article by the assistant, and checked; else the article as it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.assistant.errors import AssistantError
from bot.assistant.task import Assistant, Task
from bot.dialogs.article_rendering import portion
from bot.dialogs.composed.article_sentences import ArticleSentence, article_sentences, split_sentences
from bot.dialogs.composed.excerpt import excerpt, whole_choice
from bot.dialogs.composed.sentence_check import is_supported
from bot.dialogs.faq_search import ArticleAnswer
from bot.dialogs.personal_articles import PersonalArticle
from bot.dialogs.protocols import ArticleText
from bot.model import Json, RichText, Turn
from bot.observability import get_logger
from bot.text.markdown import plain
from bot.text.person_names import names_of

TASK = "answer"  # its instructions
LEAST = 4  # sentences of an article that is worth a choice
MOST = 12  # sentences of a reply that are looked at
LONGEST_QUESTION = 1000  # characters that are sent
LONGEST_ARTICLE = 8000  # characters of an article that is worth the time
TOKENS = 600
AT_ONCE = 4  # questions of one process: half of its workers, so that nobody else's turn waits


@dataclass(frozen=True, slots=True)
class ComposedAnswer:
    """What is said instead of the article as it stands ("" = that), and *why*, for the turn's record."""

    text: RichText
    why: Json


class AnswerComposer:
    """Asks *assistant*; a customer waits *seconds* at most."""

    def __init__(self, assistant: Assistant, seconds: float) -> None:
        self._assistant, self._seconds, self._asking = assistant, seconds, 0
        self._log = get_logger("assistant")

    async def __call__(self, turn: Turn, question: str, telling: ArticleAnswer) -> ComposedAnswer | None:
        """None where the assistant has no say: a ticket is open, or the article is short, holds the
        customer's own facts, or was told before.

        Never raises: law: without the assistant everything works as before.
        """
        article = telling.article
        open_ticket = turn.ticket is not None and turn.ticket.status != "closed"
        if open_ticket or telling.follow_up or isinstance(article, PersonalArticle):
            return None
        sentences = article_sentences(article)
        if len(sentences) < LEAST or sum(len(s.rich.text) for s in sentences) > LONGEST_ARTICLE:
            return None
        if self._asking >= AT_ONCE:
            return ComposedAnswer(RichText(), {"outcome": "crowded"})
        self._asking += 1
        try:
            reply = await self._assistant.complete(self._task(turn, question, article))
        except AssistantError as error:
            return ComposedAnswer(RichText(), {"outcome": error.reason})
        except Exception:  # noqa: BLE001 - law: without the assistant everything works as before
            self._log.exception("assistant_broke")
            return ComposedAnswer(RichText(), {"outcome": "broke"})
        finally:
            self._asking -= 1
        chosen, dropped = _chosen(reply.data, sentences)
        return _composed(telling, sentences, chosen, dropped)

    def _task(self, turn: Turn, question: str, article: ArticleText) -> Task:
        passages = [
            {"id": _id(n), "title": plain(p.heading), "text": plain(p.text)}
            for n, p in enumerate(article.passages)
            if p.text.strip()
        ]
        return Task(
            name=TASK,
            audience="customers",
            data={"question": question[:LONGEST_QUESTION], "article": article.title, "passages": passages},
            language=article.lang,
            shape="json",
            names=names_of(turn.customer),
            customer=turn.conversation.customer,
            conversation=turn.conversation.id,
            longest=TOKENS,
            seconds=self._seconds,
        )


def _composed(
    telling: ArticleAnswer, sentences: Sequence[ArticleSentence], chosen: frozenset[int], dropped: int
) -> ComposedAnswer:
    why: dict[str, object] = {"outcome": "unsupported", "dropped": dropped}
    if not chosen:
        return ComposedAnswer(RichText(), why)
    if telling.passage and all(sentences[p].passage != telling.passage for p in chosen):
        return ComposedAnswer(RichText(), {**why, "outcome": "elsewhere"})  # not what the search found
    kept = whole_choice(sentences, chosen)
    text = excerpt(telling.article, sentences, kept)
    if len(text.text) >= len(portion(telling.article, telling.passage).text.text):
        return ComposedAnswer(RichText(), {**why, "outcome": "no_shorter"})
    sources = [[_id(sentences[p].passage), p, p in chosen] for p in sorted(kept)]
    return ComposedAnswer(text, {**why, "outcome": "composed", "sources": sources})


def _chosen(data: Mapping[str, object], sentences: Sequence[ArticleSentence]) -> tuple[frozenset[int], int]:
    """The places of the sentences that the reply means, and how many it made up."""
    chosen, dropped = set[int](), 0
    for text, source in _claims(data):
        meant = [
            _meant(part, [s for s in sentences if _id(s.passage) == source]) for part in split_sentences(text)
        ]
        if not meant or not all(meant):
            dropped += 1
            continue
        chosen |= {place for places in meant for place in places}
    return frozenset(chosen), dropped


def _claims(data: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Text and source of each sentence of the reply, as far as it has the form that was asked for."""
    told = data.get("sentences")
    for one in told[:MOST] if isinstance(told, list) else ():
        text, source = (one.get("text"), one.get("source")) if isinstance(one, Mapping) else (None, None)
        if isinstance(text, str) and isinstance(source, str) and text.strip():
            yield text, source


def _meant(text: str, sentences: Sequence[ArticleSentence]) -> tuple[int, ...]:
    """The sentence, or the two neighbours, that say the same."""
    for count in (1, 2):
        for n in range(len(sentences) - count + 1):
            some = sentences[n : n + count]
            urls = [span.url for s in some for span in s.rich.spans if span.url]
            if is_supported(text, " ".join(s.rich.text for s in some), urls):
                return tuple(s.place for s in some)
    return ()


def _id(passage: int) -> str:
    return f"p{passage + 1}"
