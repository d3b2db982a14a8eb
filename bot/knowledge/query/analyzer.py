"""Texts as numbers: what is read of an article and of a question before anything is compared."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.knowledge.query.synonyms import Synonyms
from bot.knowledge.query.words import grams, lemma, words_of
from bot.knowledge.retrieval.lexical import Counts, Floats, Ints, Ints32, Vocabulary, count_terms

AnyArray = npt.NDArray[Any]
AnyInts = npt.NDArray[np.signedinteger[Any]]
_NONE: Ints = np.zeros(0, np.int64)
KINDS = ("grams", "lemmas", "pairs", "meanings")


@dataclass(frozen=True, slots=True)
class AnalyzedText:
    """A question as numbers: character n-grams, lemmas, lemma pairs (with lemmas), meanings.

    `words` are canonical.
    """

    words: tuple[str, ...]
    grams: Counts
    lemmas: Counts
    pairs: Counts
    meanings: Counts

    @property
    def kinds(self) -> tuple[Counts, Counts, Counts, Counts]:
        return self.grams, self.lemmas, self.pairs, self.meanings


@dataclass(frozen=True, slots=True)
class TextTerms:
    """One kind of term in some texts: text i has the next `lengths[i]` of `numbers`, with `counts` alike;
    `held` are its terms with the number of texts that have each.
    """

    numbers: Ints32
    counts: Floats
    lengths: Ints32
    held: tuple[Ints32, Floats]


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Some texts of one article as numbers: `words` are the canonical words of each, `forms` all words as
    written.
    """

    words: tuple[str, ...]
    forms: frozenset[str]
    terms: tuple[TextTerms, ...]  # in the order of `KINDS`


@dataclass(frozen=True, slots=True)
class PackedBlocks:
    """Many blocks in a few arrays, as they are kept between starts: for each kind of term: numbers, counts,
    lengths and where each block ends, then terms held, their texts and ends.
    """

    texts: tuple[tuple[str, ...], ...]
    words: tuple[tuple[str, ...], ...]
    forms: tuple[str, ...]
    terms: tuple[tuple[Ints32, Floats, Ints32, Ints, Ints32, Floats, Ints], ...]

    @classmethod
    def of(cls, blocks: Mapping[tuple[str, ...], TextBlock]) -> PackedBlocks:
        """The blocks by their texts."""
        every = list(blocks.values())
        kinds = tuple(_packed([b.terms[k] for b in every]) for k in range(len(KINDS)))
        return cls(
            tuple(blocks), tuple(b.words for b in every), tuple(" ".join(b.forms) for b in every), kinds
        )

    def blocks(self) -> dict[tuple[str, ...], TextBlock]:
        """As they were."""
        rows = np.concatenate(([0], np.cumsum([len(t) for t in self.texts]))).astype(np.int64).tolist()
        kinds = []
        for numbers, counts, lengths, ends, held, holders, held_ends in self.terms:
            cuts, held_cuts = [0, *ends.tolist()], [0, *held_ends.tolist()]
            kinds.append(
                [
                    TextTerms(numbers[a:b], counts[a:b], lengths[r:s], (held[c:d], holders[c:d]))
                    for (a, b), (c, d), (r, s) in zip(
                        pairwise(cuts), pairwise(held_cuts), pairwise(rows), strict=True
                    )
                ]
            )
        return {
            t: TextBlock(w, frozenset(f.split()), tuple(found))
            for t, w, f, *found in zip(self.texts, self.words, self.forms, *kinds, strict=True)
        }


def _packed(terms: Sequence[TextTerms]) -> tuple[Ints32, Floats, Ints32, Ints, Ints32, Floats, Ints]:
    def joined(parts: Sequence[AnyArray], kind: type[np.generic]) -> AnyArray:
        return np.concatenate(parts) if parts else np.zeros(0, kind)

    return (
        joined([t.numbers for t in terms], np.int32),
        joined([t.counts for t in terms], np.float32),
        joined([t.lengths for t in terms], np.int32),
        np.cumsum([len(t.numbers) for t in terms], dtype=np.int64),
        joined([t.held[0] for t in terms], np.int32),
        joined([t.held[1] for t in terms], np.float32),
        np.cumsum([len(t.held[0]) for t in terms], dtype=np.int64),
    )


@dataclass(frozen=True, slots=True)
class SavedAnalyzer:
    """A reader as it is kept between starts: its terms by kind in the order of their numbers, and all that it
    has read.
    """

    vocabularies: Mapping[str, tuple[str, ...]]
    packed: PackedBlocks


class TextAnalyzer:
    """Turns texts into numbers and remembers those it has read; numbers never change while it lives."""

    def __init__(self, speech: Synonyms) -> None:
        self.speech = speech
        self.grams, self.lemmas, self.pairs, self.meanings = (
            Vocabulary(),
            Vocabulary(),
            Vocabulary(),
            Vocabulary(),
        )
        self._learning = threading.Lock()
        self._gram_ids: dict[str, Ints] = {}
        self._read: dict[tuple[str, ...], TextBlock] = {}
        self._packed: Callable[[], PackedBlocks] | None = None  # what was read before the last start

    def read(self, texts: tuple[str, ...]) -> TextBlock:
        """The numbers of some texts of one article."""
        if (packed := self._packed) is not None:
            self._read, self._packed = packed().blocks(), None
        known = self._read.get(texts)
        if known is None:
            forms = [words_of(text) for text in texts]
            words = [self._canonical(f) for f in forms]
            with self._learning:  # law: a number is given once, whoever reads
                known = self._read[texts] = self._learnt(forms, words)
        return known

    def canonical(self, text: str) -> tuple[str, ...]:
        return self._canonical(words_of(text))

    def _canonical(self, forms: Sequence[str]) -> tuple[str, ...]:
        return tuple(self.speech.without_preamble(self.speech.canonical(forms)))

    def ask(self, words: Sequence[str]) -> AnalyzedText:
        """The numbers of a question in canonical words; what the base never said is -1, counted each for
        itself.
        """
        lemmas, pairs, meanings = self._terms(words)
        known = self._gram_ids
        letters = [
            found if (found := known.get(w)) is not None else np.array(self.grams.get(grams(w)), np.int64)
            for w in words
        ]
        kinds = (self.lemmas.get(lemmas), self.pairs.get(pairs), self.meanings.get(meanings))
        return AnalyzedText(
            tuple(words),
            count_terms(np.concatenate(letters) if letters else _NONE),
            *(count_terms(np.array(numbers, np.int64)) for numbers in kinds),
        )

    def kept(self) -> SavedAnalyzer:
        """What the next start makes this reader of again."""
        vocabularies = {kind: tuple(getattr(self, kind).numbers) for kind in KINDS}
        return SavedAnalyzer(vocabularies, self._packed() if self._packed else PackedBlocks.of(self._read))

    @classmethod
    def restored(
        cls, speech: Synonyms, vocabularies: Mapping[str, Sequence[str]], packed: Callable[[], PackedBlocks]
    ) -> TextAnalyzer:
        """A reader that knows what another one had read; *packed* is asked for when a text is first to be
        read.
        """
        reader = cls(speech)
        for kind in KINDS:
            setattr(reader, kind, Vocabulary(vocabularies[kind]))
        reader._packed = packed
        return reader

    def forget_all_but(self, texts: Collection[tuple[str, ...]]) -> None:
        if len(self._read) > len(texts) * 1.5 + 1000:
            kept = set(texts)
            self._read = {t: r for t, r in self._read.items() if t in kept}

    def _learnt(self, forms: Sequence[Sequence[str]], words: Sequence[Sequence[str]]) -> TextBlock:
        letters, lengths = [_NONE], []
        others: tuple[list[list[int]], ...] = ([], [], [])
        for text in words:
            lemmas, pairs, meanings = self._terms(text)
            found = [self._letters(w) for w in text]
            letters += found
            lengths.append(sum(map(len, found)))
            for numbers, vocabulary, terms in zip(
                others, (self.lemmas, self.pairs, self.meanings), (lemmas, pairs, meanings), strict=True
            ):
                numbers.append(vocabulary.add(terms))
        flat = (
            (np.array([n for text in numbers for n in text], np.int64), [len(text) for text in numbers])
            for numbers in others
        )
        terms_of = (_terms_of(np.concatenate(letters), lengths), *(_terms_of(*found) for found in flat))
        return TextBlock(
            tuple(" ".join(w) for w in words), frozenset(f for found in forms for f in found), terms_of
        )

    def _letters(self, word: str) -> Ints:
        if (found := self._gram_ids.get(word)) is None:
            found = self._gram_ids[word] = np.array(self.grams.add(grams(word)), np.int64)
        return found

    def _terms(self, words: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
        lemmas = [lemma(w) for w in words]
        return lemmas, lemmas + [f"{a} {b}" for a, b in pairwise(lemmas)], self.speech.meanings(lemmas)


def _terms_of(numbers: Ints, lengths: Sequence[int]) -> TextTerms:
    """Counts each text's terms and each term's texts at once; *lengths* say how many of the *numbers* each
    text has.
    """
    keys, counts = _counted((np.repeat(np.arange(len(lengths)), lengths) << 32) | numbers)
    terms = (keys & 0xFFFFFFFF).astype(np.int32)
    held, holders = _counted(terms)
    sizes = np.bincount(keys >> 32, minlength=len(lengths)).astype(np.int32)
    return TextTerms(
        terms,
        counts.astype(np.float32),
        sizes,
        (held.astype(np.int32, copy=False), holders.astype(np.float32)),
    )


def _counted(values: AnyInts) -> tuple[AnyInts, Ints]:
    """Distinct values, sorted, and how often each occurs."""
    if not len(values):
        return values, _NONE
    values = np.sort(values)
    edges = np.empty(len(values) + 1, bool)
    edges[0] = edges[-1] = True
    np.not_equal(values[1:], values[:-1], out=edges[1:-1])
    first = edges.nonzero()[0]
    return values[first[:-1]], first[1:] - first[:-1]
