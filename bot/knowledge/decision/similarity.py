"""Whether a question is about something that was said elsewhere: by its words in any form, or because the
same article would answer both.
"""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz import fuzz

from bot.knowledge.query.words import lemma, words_of
from bot.knowledge.search import Knowledge
from bot.model import Decision

SURE = 0.3  # confidence from which the first candidate says what a text is about
SECOND = 0.5  # of the first score: so near a second candidate is meant as well
COVER = 0.5  # share of the weight of a text's words that a question must say
TYPO = 80  # how alike (0..100) two longer words are that are one, mistyped
TITLE = 90  # how alike (0..100) a written title must be to an article's
LONG = 5  # letters from which a word may be mistyped
ROOT = 5  # letters at the start that make two longer words relatives: доставка, доставить


class SimilarityMatcher:
    """Compares texts with the words and the articles of a base.

    Cheap enough for every question while something is looked for.
    """

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge

    def find(self, name: str) -> str:
        """The id of the article with this id, title, beginning of a title or nearly this title; "" where
        there is none, or several.
        """
        if self._knowledge.article(name) is not None:
            return name
        known = {a.id: " ".join(words_of(a.title)) for a in self._knowledge.articles()}
        said = " ".join(words_of(name))
        if not said:
            return ""
        for fits in (
            lambda title: title == said,
            lambda title: title.startswith(said),
            lambda title: fuzz.ratio(title, said) >= TITLE,
        ):
            if alike := [id for id, title in known.items() if fits(title)]:
                return alike[0] if len(alike) == 1 else ""
        return ""

    def meant(self, name: str) -> tuple[str, ...]:
        """The article of this name, else all articles of this topic, section or tag; none where it is a word
        like any other.
        """
        if one := self.find(name):
            return (one,)
        said = words_of(name)
        return tuple(
            a.id
            for a in self._knowledge.articles()
            if any(said and words_of(t) == said for t in (a.topic, a.section, *a.tags))
        )

    def title(self, article: str) -> str:
        found = self._knowledge.article(article)
        return found.title if found else article

    def related(self, text: str) -> tuple[str, ...]:
        """Ids of the articles that *text* is about; none where the base does not know."""
        answer = self._knowledge.answer(text)
        if answer.decision is Decision.HANDOFF or answer.confidence < SURE:
            return ()
        near = [c.article for c in answer.candidates[:2] if c.score >= SECOND * answer.candidates[0].score]
        return tuple(near)

    def fits(
        self,
        question: str,
        text: str,
        words: Sequence[str] = (),
        articles: Sequence[str] = (),
        *,
        language: str = "",
        channel: str = "",
    ) -> bool:
        """Whether *question* asks about what *text* tells.

        Where *words* are named, one of them must be said; else enough of the text's own words, weighed by how
        rare they are. A question that one of *articles* answers fits in any case.
        """
        if any(self.holds(question, w) for w in words):
            return True
        if not words and self.cover(question, text) >= COVER:
            return True
        return bool(articles) and self._answers(question, articles, language, channel)

    def holds(self, question: str, phrase: str) -> bool:
        """Whether *question* says all words of *phrase*, in any form and give or take a letter."""
        return self.saying((question,), (phrase,))[0]

    def saying(self, texts: Sequence[str], phrases: Sequence[str]) -> list[bool]:
        """Of each text whether it says all words of one of *phrases*.

        Every different word is compared once, however many texts there are.
        """
        said = [frozenset(words_of(text)) for text in texts]
        forms = {
            word: {word, lemma(word), *map(lemma, self._knowledge.index.reader.canonical(word))}
            for word in frozenset[str]().union(*said)
        }
        wanted = [[(w, lemma(w)) for w in words_of(phrase)] for phrase in phrases]
        meant = {
            pair: {
                word for word, known in forms.items() if any(_is_typo_of(w, k) for w in pair for k in known)
            }
            for pairs in wanted
            for pair in pairs
        }
        return [
            any(pairs and all(not words.isdisjoint(meant[pair]) for pair in pairs) for pairs in wanted)
            for words in said
        ]

    def cover(self, question: str, text: str) -> float:
        """The share (0..1) of what *text* says that *question* says too; synonyms and relatives count."""
        said, asked = self._meanings(text), self._meanings(question)
        weights = {term: self._weight(term) for term in said}
        found = sum(
            weight for term, weight in weights.items() if any(_is_relative_of(term, a) for a in asked)
        )
        return found / max(1e-6, sum(weights.values()))

    def _answers(self, question: str, articles: Sequence[str], language: str, channel: str) -> bool:
        answer = self._knowledge.answer(question, language=language, channel=channel)
        if answer.decision is Decision.HANDOFF or answer.confidence < SURE or not answer.candidates:
            return False
        first = self._knowledge.article(answer.candidates[0].article)
        return first is not None and (first.id in articles or first.twin_of in articles)

    def _weight(self, meaning: str) -> float:
        """How much a lemma (or a group of synonyms) tells in this base: the rarer, the more."""
        index = self._knowledge.index
        number = index.reader.meanings.get([meaning])[0]
        return (
            float(index.meaning_rarity[number])
            if 0 <= number < len(index.meaning_rarity)
            else index.meaning_unknown
        )

    def _lemmas(self, text: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(lemma(w) for w in self._knowledge.index.reader.canonical(text)))

    def _meanings(self, text: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._knowledge.index.reader.speech.meanings(self._lemmas(text))))


def _is_typo_of(word: str, other: str) -> bool:
    return word == other or (
        min(len(word), len(other)) >= LONG and fuzz.ratio(word, other, score_cutoff=TYPO) > 0
    )


def _is_relative_of(word: str, other: str) -> bool:
    return _is_typo_of(word, other) or (
        min(len(word), len(other)) > ROOT and word[:ROOT] == other[:ROOT] and not word.startswith("#")
    )
