"""The quick ways of search give what the slow and obvious ones give."""

from __future__ import annotations

import os
import pickle
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from bot.knowledge import search
from bot.knowledge.articles.repository import ArticleRepository
from bot.knowledge.articles.schema import Article, read_articles, split_passages
from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.query.analyzer import TextAnalyzer
from bot.knowledge.query.correction import common_forms
from bot.knowledge.query.spelling import SpellingIndex
from bot.knowledge.query.synonyms import read_speech
from bot.knowledge.query.words import lemma, morphology
from bot.knowledge.retrieval import lexical
from bot.knowledge.retrieval.features import largest
from bot.knowledge.retrieval.index import LAYERS, FieldIndex, Index, question_texts
from bot.knowledge.retrieval.index_cache import key_of, load, place_of
from bot.knowledge.retrieval.lexical import count_terms
from bot.knowledge.search import Knowledge
from tests.knowledge.shop import write_shop

WORDS_ONLY = KnowledgeSettings(model="off")
SIZES = st.lists(st.integers(0, 2 * LAYERS + 3), min_size=1, max_size=12)


def _side(sizes: list[int]) -> FieldIndex:
    texts = [tuple(f"{i}.{j}" for j in range(size)) for i, size in enumerate(sizes)]
    return FieldIndex(texts, texts, frozenset())


@settings(max_examples=80, deadline=None)
@given(SIZES, st.integers(0, 1000))
def test_the_best_units_of_each_article(sizes: list[int], seed: int) -> None:
    """The best, the mean of the two best that differ, and the place of the best are those that a loop over
    the articles finds.
    """
    side = _side(sizes)
    scores = np.random.default_rng(seed).integers(0, 4, (3, side.count)).astype(np.float32) / np.float32(4)
    best, (first, mean) = side.best(scores), side.best_two(scores)
    found, which = side.best_units(scores[0], np.arange(len(sizes)))

    for i, size in enumerate(sizes):
        units = [side.texts.index(f"{i}.{j}") for j in range(size)]
        assert (side.owners[units] == i).all() and side.members[
            side.first[i] : side.first[i + 1]
        ].tolist() == units
        for row in range(3):
            mine = scores[row, units]
            top = mine.max(initial=0)
            second = mine[mine < top].max(initial=0)
            assert best[row, i] == first[row, i] == top
            assert mean[row, i] == pytest.approx((top + second) / 2 if size > 1 else top)
        assert found[i] == scores[0, units].max(initial=0)
        assert which[i] == (scores[0, units].argmax() if size else 0)


@given(st.lists(st.integers(-1, 6), max_size=90))
def test_terms_are_counted(numbers: list[int]) -> None:
    """Each known number once, sorted, with its count; each unknown one for itself, first."""
    terms, counts = count_terms(np.array(numbers, np.int64))

    known = sorted({n for n in numbers if n >= 0})
    assert terms.tolist() == [-1] * numbers.count(-1) + known
    assert counts.tolist() == [1] * numbers.count(-1) + [numbers.count(n) for n in known]


def test_the_largest_of_many() -> None:
    """Among many values the largest are the same as after sorting all."""
    values = np.random.default_rng(0).random(50_000).astype(np.float32)

    assert largest(values, 96).tolist() == np.argsort(-values, kind="stable")[:96].tolist()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    articles, _ = read_articles(write_shop(tmp_path_factory.mktemp("index")))
    return Index(articles, TextAnalyzer(read_speech()))


@pytest.mark.parametrize(
    "text", ["сколько стоит доставка в казань", "вернуть вернуть товар xyz xyz", "неведомо", ""]
)
def test_one_product_scores_every_channel(index: Index, text: str) -> None:
    """Cosine of letters and BM25 of words, counted by hand from the texts, are what the product gives."""
    reader, side = index.reader, index.questions
    reading = reader.ask(reader.canonical(text))
    scores = index.scores(reading).questions
    postings, (terms, counts) = index.postings, reading.grams
    rarity = {
        t: float(postings.idf[t]) for t in terms.tolist() if t >= 0
    }  # the first channel's rows come first
    unknown = float(postings.idf[len(reader.grams)])
    asked = [
        (t, (1 + np.log(c)) * rarity.get(t, unknown))
        for t, c in zip(terms.tolist(), counts.tolist(), strict=True)
    ]
    length = np.sqrt(sum(w * w for _, w in asked))

    for unit, words in enumerate(side.words):
        held, held_counts = reader.ask(words.split()).grams
        weights = {
            t: (1 + np.log(c)) * postings.idf[t]
            for t, c in zip(held.tolist(), held_counts.tolist(), strict=True)
        }
        norm = np.sqrt(sum(w * w for w in weights.values()))
        by_hand = sum(w * weights.get(t, 0.0) for t, w in asked if t >= 0) / max(1e-9, length * norm)
        assert scores[0, unit] == pytest.approx(by_hand, abs=1e-5)


def test_a_large_base_leaves_the_commonest_terms_out(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the budget the terms with the longest postings are dropped, so scores only fall, and rare words
    still count.
    """
    reading = index.reader.ask(index.reader.canonical("сколько стоит доставка"))
    whole = index.scores(reading).questions[0].copy()
    monkeypatch.setattr(lexical, "BUDGET", 20)
    less = index.scores(reading).questions[0]

    assert (less <= whole + 1e-6).all() and less.max() > 0 and less.sum() < whole.sum()


def test_near_words_are_those_that_a_comparison_with_all_finds() -> None:
    """The marks of letters pass every word within one or two slips by."""
    words = [w for w in common_forms()[:3000] if len(w) > 3]
    chance, spellings = random.Random(3), SpellingIndex(words)
    for word in chance.sample(words, 60):
        place = chance.randrange(len(word) - 1)
        wrong = chance.choice(
            (
                word[:place] + word[place + 1 :],
                word[:place] + word[place + 1] + word[place] + word[place + 2 :],
                word[:place] + "ж" + word[place:],
            )
        )
        for slips in (1, 2):
            near = {(w, d) for w, d, _ in spellings.near(wrong, slips)}
            every = {(w, d) for w in words if (d := OSA.distance(w, wrong)) <= slips}
            assert near <= every
            assert {d for _, d in near} == {d for _, d in every} and (
                len(near) == len(every) or len(near) >= 5
            )


def test_usual_lemmas_are_those_of_the_dictionary() -> None:
    """The list that spares the dictionary says what the dictionary says."""
    for word in random.Random(1).sample(common_forms(), 400):
        assert lemma(word) == str(morphology().parse(word)[0].normal_form).replace("ё", "е"), (
            "write lemmas_ru.txt again from forms_ru.txt"
        )


def test_what_was_read_is_kept(index: Index) -> None:
    """A reader taken from disk holds the numbers of every text, as it had read them."""
    kept = index.reader.kept()
    again = TextAnalyzer.restored(index.reader.speech, kept.vocabularies, lambda: kept.packed)

    for texts in (t for side in index.read for t in side):
        one, other = index.reader.read(texts), again.read(texts)
        assert (one.words, one.forms) == (other.words, other.forms)
        for a, b in zip(one.terms, other.terms, strict=True):
            assert all(
                np.array_equal(x, y)
                for x, y in zip(
                    (a.numbers, a.counts, a.lengths, *a.held),
                    (b.numbers, b.counts, b.lengths, *b.held),
                    strict=True,
                )
            )


def test_a_reload_answers_like_a_fresh_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a change, and after a start from the kept index, answers are those of a base that was read
    anew.
    """
    monkeypatch.setattr(search, "WORTH_SAVING", 0.0)
    folder, cache = write_shop(tmp_path / "kb"), tmp_path / "cache"
    changed = Knowledge.open(folder, settings=WORDS_ONLY, cache=cache)
    kept = load(place_of(cache, folder), key_of((), ()), ArticleRepository(folder), read_speech())
    assert kept is not None and kept.index.articles == tuple(changed.articles())
    (folder / "gift.md").write_text(
        "---\ntitle: Подарочная упаковка\naliases: [упакуйте красиво]\n---\nУпакуем в бумагу и ленту.",
        encoding="utf-8",
    )
    changed.reload()
    changed.examine()
    restored, fresh = (
        Knowledge.open(folder, settings=WORDS_ONLY, cache=cache),
        Knowledge.open(folder, settings=WORDS_ONLY),
    )

    for question in (
        "скок стоит доставка",
        "упакуете подарок в ленту?",
        "бумага лента срок",
        "не прахадит аплата",
        "какая столица австралии",
    ):
        answers = [k.answer(question) for k in (changed, restored, fresh)]
        assert len({tuple(c.article for c in a.candidates[:3]) for a in answers}) == 1
        assert np.ptp([(a.confidence, a.scope) for a in answers], axis=0).max() < 1e-3


class Trap:
    """What a foreign hand would leave: unpickled, it runs a command."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch {self.proof}",)


def test_a_planted_file_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever lies in the cache folder under whatever name of ours, opening the articles runs no command and
    answers.
    """
    monkeypatch.setattr(search, "WORTH_SAVING", 0.0)
    folder, cache, proof = write_shop(tmp_path / "kb"), tmp_path / "cache", tmp_path / "it-ran"
    Knowledge.open(folder, settings=WORDS_ONLY, cache=cache)
    for path in list(cache.iterdir()):
        path.write_bytes(pickle.dumps(Trap(proof)))
        path.with_suffix(".pickle").write_bytes(pickle.dumps(Trap(proof)))

    knowledge = Knowledge.open(folder, settings=WORDS_ONLY, cache=cache)

    assert not proof.exists()
    assert knowledge.answer("забыл пароль").candidates[0].article == "account/password"


def test_what_others_could_have_written_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is closed to others; a kept index in a folder or a file that others may write is built
    again.
    """
    monkeypatch.setattr(search, "WORTH_SAVING", 0.0)
    folder, cache = write_shop(tmp_path / "kb"), tmp_path / "cache"
    Knowledge.open(folder, settings=WORDS_ONLY, cache=cache)
    place = place_of(cache, folder)

    def taken_over() -> bool:
        return load(place, key_of((), ()), ArticleRepository(folder), read_speech()) is not None

    assert (cache.stat().st_mode & 0o777, place.stat().st_mode & 0o777) == (0o700, 0o600)
    assert taken_over()
    cache.chmod(0o777)
    assert not taken_over()
    cache.chmod(0o700)
    place.chmod(0o666)
    assert not taken_over()
    place.chmod(0o600)
    assert taken_over()


def test_a_title_that_is_all_there_is_can_be_found() -> None:
    """An article that has nothing but a long title is searched by it, though its text repeats it."""
    title = "Как изменить почту, привязанную к учётной записи?"
    article = Article("a", title, (), body=title, passages=split_passages(title))

    assert question_texts(article) == (title,)
