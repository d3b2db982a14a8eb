"""A question finds its article, and the bot knows when it knows."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.knowledge import search
from bot.knowledge.articles.schema import read_articles
from bot.knowledge.base import KnowledgeSettings, QuestionContext, ReloadResult
from bot.knowledge.decision.ranking import confidence_inputs, rank, rank_inputs, read_models
from bot.knowledge.decision.self_check import held_out
from bot.knowledge.query.analyzer import TextAnalyzer
from bot.knowledge.query.synonyms import read_speech
from bot.knowledge.retrieval.features import ALL_FEATURES, AnalyzedQuery, Vectors, gather
from bot.knowledge.retrieval.index import Index
from bot.knowledge.retrieval.semantic import VectorStore
from bot.knowledge.search import Knowledge
from bot.model import Decision
from tests.knowledge.shop import ARTICLES, write_shop

WORDS_ONLY = KnowledgeSettings(model="off")
SAID = [
    "сколько",
    "стоит",
    "доставка",
    "товар",
    "вернуть",
    "пароль",
    "не",
    "работает",
    "промокод",
    "оплата",
    "xyz",
    "п123",
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Knowledge:
    """The small shop, searched by words."""
    return Knowledge.open(write_shop(tmp_path_factory.mktemp("kb")), settings=WORDS_ONLY)


@pytest.mark.parametrize(
    ("question", "article"),
    [
        ("Сколько дней идёт доставка?", "delivery/time"),
        ("скок стоит доставка", "delivery/cost"),
        ("crjkmrj cnjbn ljcnfdrf", "delivery/cost"),
        ("kak vernut tovar", "returns/goods"),
        ("не прахадит аплата", "payment/failed"),
        ("Здравствуйте! Подскажите, пожалуйста, как восстановить пароль", "account/password"),
        ("в казань за сколько довезёт почта", "delivery/time"),
        ("I cannot log in to my account", "account/password.en"),
    ],
)
def test_a_question_finds_its_article_however_it_is_typed(
    shop: Knowledge, question: str, article: str
) -> None:
    """Clean, misspelt, in the wrong layout, in Latin letters, in slang, by words of the text alone, in
    English.
    """
    assert shop.answer(question).candidates[0].article == article


def test_a_known_question_is_answered_and_a_foreign_one_is_not(shop: Knowledge) -> None:
    """An example question itself is answered; what the base does not cover never is, and is less covered."""
    known, foreign = shop.answer("Как восстановить пароль?"), shop.answer("какая столица австралии")

    assert (known.decision, known.article) == (Decision.ANSWER, "account/password")
    assert foreign.decision is not Decision.ANSWER
    assert foreign.scope < known.scope and foreign.confidence < known.confidence


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "???",
        "👍",
        "\0",
        "\ud800",
        "1234567",
        "а" * 100_000,
        "{{ 7*7 }}",
        "<script>",
        "ж\u0301" * 50,
        ";'[]",
    ],
)
def test_any_text_is_survived(shop: Knowledge, text: str) -> None:
    """Whatever is written, an answer with finite numbers comes, and its reasons are JSON."""
    answer = shop.answer(text)

    assert 0 <= answer.confidence <= 1 and 0 <= answer.scope <= 1
    json.dumps(answer.why, allow_nan=False)


def test_no_words_are_handed_over(shop: Knowledge) -> None:
    """Where nothing can be read there is nothing to answer."""
    assert shop.answer("!!!").decision is Decision.HANDOFF


def test_an_empty_folder_hands_over(tmp_path: Path) -> None:
    """A base without articles answers nothing and breaks nothing."""
    assert Knowledge.open(tmp_path, settings=WORDS_ONLY).answer("где заказ").decision is Decision.HANDOFF


def test_why_tells_what_was_understood_and_how_sure(shop: Knowledge) -> None:
    """The reasons hold what was understood, the repairs, each channel, both probabilities, the thresholds and
    a sentence.
    """
    why = shop.answer("ghbdtn, crjkmrj cnjbn ljcnfdrf").why

    assert why["raw"] == "ghbdtn, crjkmrj cnjbn ljcnfdrf"
    assert "сколько стоит доставка" in str(why["understood"])
    assert {r["kind"] for r in why["repairs"]} == {"layout"}  # type: ignore[attr-defined]
    assert {"letters", "words", "rapidfuzz", "neighbours"} <= set(why["channels"])  # type: ignore[call-overload]
    assert {"confidence", "scope", "thresholds", "lemmas", "candidates", "timings", "language"} <= set(why)
    assert "Исправлено" in str(why["sentence"]) and "%" in str(why["sentence"])


def test_thresholds_decide_who_answers(tmp_path: Path) -> None:
    """The same question is answered, cleared up or handed over as the owner sets the thresholds."""
    folder, question = write_shop(tmp_path), "Как восстановить пароль?"

    eager = Knowledge.open(folder, settings=KnowledgeSettings(model="off", answer=0.0, handoff=0.0)).answer(
        question
    )
    wary = Knowledge.open(
        folder, settings=KnowledgeSettings(model="off", answer=1.01, handoff=0.0, lead=0.1)
    ).answer(question)
    shy = Knowledge.open(folder, settings=KnowledgeSettings(model="off", answer=0.0, handoff=1.01)).answer(
        question
    )

    assert [eager.decision, wary.decision, shy.decision] == [
        Decision.ANSWER,
        Decision.CLARIFY,
        Decision.HANDOFF,
    ]
    assert (eager.article, wary.article, wary.lead, shy.article) == ("account/password", None, True, None)


def test_expired_drafts_channels_and_segments(tmp_path: Path) -> None:
    """An article past its last day, a draft, one for another channel or for other customers is never a
    candidate.
    """
    head = "---\ntitle: Пароль для {}\naliases: [пароль для {}]\n{}\n---\nТекст.\n"
    folder = write_shop(
        tmp_path,
        {
            "old.md": head.format("старых", "старых", "valid_until: 2026-01-31"),
            "draft.md": head.format("новых", "новых", "draft: true"),
            "vk.md": head.format("вк", "вк", "channels: [vk]"),
            "vip.md": head.format("важных", "важных", "segment: {vip: true, city: [Казань]}"),
        },
    )
    base = Knowledge.open(folder, settings=WORDS_ONLY)

    def ids(question: str, *, today: date = date(2026, 1, 31), **given: Any) -> set[str]:
        return {c.article for c in base.answer(question, today=today, **given).candidates}

    assert "old" in ids("пароль для старых") and "old" not in ids("пароль для старых", today=date(2026, 2, 1))
    assert "draft" not in ids("пароль для новых")
    assert "vk" in ids("пароль для вк", channel="vk-shop") and "vk" not in ids(
        "пароль для вк", channel="telegram"
    )
    assert "vip" in ids("пароль для важных", segment={"vip": "yes", "city": "казань"})
    assert "vip" not in ids("пароль для важных", segment={"vip": "yes"}) and "vip" not in ids(
        "пароль для важных"
    )


def test_the_language_of_the_question_chooses_the_twin(shop: Knowledge) -> None:
    """Each of two twins answers in its language, never both; an article without a twin answers everybody."""
    russian = [c.article for c in shop.answer("забыл пароль", language="en").candidates]
    english = [c.article for c in shop.answer("how do I reset my password", language="ru").candidates]

    assert "account/password" in russian and "account/password.en" not in russian
    assert "account/password.en" in english and "account/password" not in english
    assert shop.article("account/password", "en").id == "account/password.en"  # type: ignore[union-attr]
    assert shop.article("account/password.en", "ru").id == "account/password"  # type: ignore[union-attr]
    assert shop.article("delivery/time", "en").id == "delivery/time"  # type: ignore[union-attr]


def test_a_follow_up_leans_on_the_last_article(shop: Knowledge) -> None:
    """«а если срочно?» after delivery times is about delivery times, and the reasons say so."""
    alone = shop.answer("а если срочно?")
    after = shop.answer("а если срочно?", context=QuestionContext(article="delivery/time"))

    assert after.candidates[0].article == "delivery/time"
    assert after.why["followed"] and not alone.why["followed"]
    assert (
        shop.answer("Как восстановить пароль?", context=QuestionContext(article="delivery/time")).article
        == "account/password"
    )


@pytest.mark.parametrize(
    "question",
    [
        "а сколько стоит космический корабль",
        "а кто президент Франции?",
        "а как приготовить борщ",
        "а где живут пингвины",
        "и как выучить английский язык",
        "but who wrote Hamlet",
    ],
)
def test_another_subject_is_no_follow_up(shop: Knowledge, question: str) -> None:
    """Nobody who asks about a spaceship after delivery times hears of delivery times again."""
    after = shop.answer(question, context=QuestionContext(article="delivery/time"))
    assert not after.why["followed"] and after.article != "delivery/time"


@pytest.mark.parametrize(
    "question",
    [
        "а в Казань?",
        "а в Набережные Челны?",
        "а если коробка порвана?",
        "а детям?",
        "а это сколько весит?",
        "а чем?",
    ],
)
def test_what_leans_on_the_last_article_still_does(shop: Knowledge, question: str) -> None:
    after = shop.answer(question, context=QuestionContext(article="delivery/time"))
    assert after.why["followed"] and after.candidates[0].article == "delivery/time"


def test_at_least_five_candidates_in_order(shop: Knowledge) -> None:
    """Candidates come best first; the first one's score is the confidence."""
    answer = shop.answer("доставка заказ оплата возврат пароль промокод")

    scores = [c.score for c in answer.candidates]
    assert len(scores) >= 5 and scores == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(answer.confidence, abs=1e-4)


def test_the_passage_that_fits(shop: Knowledge) -> None:
    """The candidate names the part of the article that holds the words of the question."""
    answer = shop.answer("доставка почта от пяти до четырнадцати дней в казань")

    found = answer.candidates[0]
    assert shop.article(found.article).passages[found.passage].heading == "Регионы"  # type: ignore[union-attr]


# --- training and asking
# -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    articles, _ = read_articles(write_shop(tmp_path_factory.mktemp("features")))
    return Index(articles, TextAnalyzer(read_speech()))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(SAID), min_size=1, max_size=8))
def test_features_of_training_are_those_of_asking(shop: Knowledge, index: Index, words: list[str]) -> None:
    """The networks see the same numbers whether a base is built for training or opened for asking: one order,
    one confidence.
    """
    text, reader = " ".join(words), index.reader
    evidence = gather(index, AnalyzedQuery(text, reader.ask(reader.canonical(text))))
    asked = shop.answer(text, language="ru")

    by_hand = {index.ids[a]: row for a, row in zip(evidence.articles, evidence.table, strict=True)}
    candidates: Any = asked.why["candidates"]
    both = [found for found in candidates if found["article"] in by_hand]
    assert both or not by_hand or not candidates
    for found in both:
        seen = [found.get(f, 0.0) for f in ALL_FEATURES]
        assert np.allclose(seen, by_hand[found["article"]], atol=2e-3)


def test_networks_fit_the_features(index: Index) -> None:
    """The shipped coefficients have the width of what the code feeds them, and give finite numbers."""
    from bot.knowledge.decision.ranking import SelfCheck

    evidence = gather(
        index, AnalyzedQuery("как вернуть товар", index.reader.ask(("как", "вернуть", "товар")))
    )
    models = read_models()
    assert {kind for kind, model in models.items() if model.paired} == {"paired", "paired_en"}
    for model in models.values():
        assert rank_inputs(index, evidence, paired=model.paired).shape[1] == len(model.rank.mean)
        scores = rank(index, evidence, model)
        inputs = confidence_inputs(index, evidence, scores, SelfCheck(), paired=model.paired)
        assert len(inputs) == len(model.right.mean) == len(model.covered.mean) == len(model.right_bare.mean)
        assert np.isfinite(scores).all() and np.isfinite(model.right(inputs[None])).all()


def test_each_of_two_encoders_has_features_of_its_own(index: Index) -> None:
    """What one says and the other does not stands in its own columns, and brings its article to the list."""
    units, passages = index.questions.count, index.passages.count
    by_ours, by_sentence = index.ids.index("delivery/time"), index.ids.index("returns/goods")
    questions = np.zeros((units, 4), np.float32)
    questions[index.questions.owners == by_ours, 0] = 1
    questions[index.questions.owners == by_sentence, 2] = 1
    both = Vectors(questions, np.zeros((passages, 4), np.float32), "two", split=2)
    asked = AnalyzedQuery("ыыы", index.reader.ask(("ыыы",)), np.array([1, 0, 1, 0], np.float32))

    evidence = gather(index, asked, vectors=both)
    rows = {
        int(a): dict(zip(ALL_FEATURES, row, strict=True))
        for a, row in zip(evidence.articles, evidence.table, strict=True)
    }
    assert (rows[by_ours]["semantic"], rows[by_ours]["sentence"]) == (1, 0)
    assert (rows[by_sentence]["semantic"], rows[by_sentence]["sentence"]) == (0, 1)
    assert rows[by_sentence]["head_sentence"] > 0 >= rows[by_sentence]["head_semantic"]
    assert evidence.similar > 0 and evidence.similar_sentence > 0


def test_a_phone_number_beside_a_question_changes_nothing(tmp_path: Path) -> None:
    """Customers leave their number, their card or their order beside what they ask."""
    base = Knowledge.open(write_shop(tmp_path), settings=WORDS_ONLY)
    asked = "сколько стоит доставка"

    for number in ("+7 912 345-67-89", "8(912)3456789", "2200 1234 5678 9010", "заказ 100000123"):
        answer = base.answer(f"{asked} {number}")
        assert answer.article == base.answer(asked).article == "delivery/cost", number
    assert base.answer("+7 912 345-67-89").article is None


def test_a_code_that_an_article_names_is_asked_for(tmp_path: Path) -> None:
    """A long number that stands in the base says which article is meant."""
    folder = write_shop(tmp_path)
    text = "---\ntitle: Коды отказа\n---\n0400300003: подпись не совпадает. 0300300001: ошибка в формате."
    (folder / "codes.md").write_text(text, "utf-8")
    base = Knowledge.open(folder, settings=WORDS_ONLY)

    assert base.answer("0400300003 что это").candidates[0].article == "codes"
    assert base.answer("0400300003 что это").scope > base.answer("0400300999 что это").scope


# --- reload
# ------------------------------------------------------------------------------------------------------------


def test_reload_tells_what_changed_and_keeps_the_last_good(tmp_path: Path) -> None:
    """Changed, added, removed are named; a broken file is a problem and goes on answering as it was."""
    base = Knowledge.open(write_shop(tmp_path), settings=WORDS_ONLY)
    assert not base.reload()

    (tmp_path / "gift.md").write_text(
        "---\ntitle: Подарочная упаковка\n---\nУпакуем красиво.", encoding="utf-8"
    )
    (tmp_path / "promo/codes.md").unlink()
    (tmp_path / "delivery/cost.md").write_text("---\ntitle: [сломано\n---\n", encoding="utf-8")
    (tmp_path / "delivery/time.md").write_text(
        ARTICLES["delivery/time.md"].replace("два дня", "три дня"), encoding="utf-8"
    )
    done = base.reload()

    assert (done.added, done.removed, done.changed) == (("gift",), ("promo/codes",), ("delivery/time",))
    assert [p.file.endswith("cost.md") for p in done.problems] == [True]
    assert base.answer("сколько стоит доставка").candidates[0].article == "delivery/cost"
    assert base.answer("подарочная упаковка").candidates[0].article == "gift"
    assert "promo/codes" not in {c.article for c in base.answer("промокод не работает").candidates}


async def test_watch_reports_changes_within_a_second(tmp_path: Path) -> None:
    """A saved file answers by itself."""
    base = Knowledge.open(write_shop(tmp_path), settings=WORDS_ONLY)
    heard: asyncio.Queue[ReloadResult] = asyncio.Queue()
    watching = asyncio.create_task(base.watch(heard.put))
    try:
        await asyncio.sleep(0.3)
        (tmp_path / "gift.md").write_text("---\ntitle: Подарочная упаковка\n---\nУпакуем.", encoding="utf-8")
        done = await asyncio.wait_for(heard.get(), 5)
        assert done.added == ("gift",)
        assert (await base.ask("подарочная упаковка")).candidates[0].article == "gift"
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def test_watch_sees_what_no_file_system_tells_of(tmp_path: Path) -> None:
    """Another folder under the same name, as a deployment puts it there: no event comes from the old one."""
    old, new, place = tmp_path / "1", tmp_path / "2", tmp_path / "kb"
    for folder in (old, new):
        folder.mkdir()
        write_shop(folder)
    (new / "gift.md").write_text("---\ntitle: Подарочная упаковка\n---\nУпакуем.", encoding="utf-8")
    place.symlink_to(old)
    base = Knowledge.open(place, settings=WORDS_ONLY)
    heard: asyncio.Queue[ReloadResult] = asyncio.Queue()
    watching = asyncio.create_task(base.watch(heard.put, every=0.1))
    try:
        (tmp_path / "next").symlink_to(new)
        (tmp_path / "next").replace(place)
        assert (await asyncio.wait_for(heard.get(), 5)).added == ("gift",)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


def test_embeddings_that_cannot_be_had_say_why(tmp_path: Path) -> None:
    """Without an encoder words answer alone, and the status says what to do."""
    base = Knowledge.open(write_shop(tmp_path), settings=KnowledgeSettings(model="./no-such-model"))
    base.load_embeddings()

    assert base.status.embeddings == "" and "no-such-model" in base.status.reason
    assert base.answer("забыл пароль").candidates[0].article == "account/password"


def test_importing_search_loads_nothing_heavy() -> None:
    """Start-up stays quick: torch, scipy and pymorphy3 come only when they are needed."""
    code = (
        "import sys, bot.knowledge.search; print([m for m in ('torch', 'scipy', 'pymorphy3',"
        " 'sentence_transformers', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


# --- the base examines itself, and is kept
# -------------------------------------------------------------------------------


def test_held_out_examples_are_really_gone(tmp_path: Path) -> None:
    """In the self-check no article has the example that asks, neither as an example nor as its title."""
    articles, _ = read_articles(write_shop(tmp_path))
    left, taken = held_out(articles)

    assert taken
    assert all(question not in left[number].questions for question, number in taken)
    assert {number for _, number in taken} <= {i for i, a in enumerate(articles) if len(a.questions) > 1}


def test_the_saved_index_answers_alike_and_notices_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second start takes the kept index over and answers the same; what changed meanwhile is read; a torn
    file is built anew.
    """
    monkeypatch.setattr(search, "WORTH_SAVING", 0.0)
    folder, cache = write_shop(tmp_path / "kb"), tmp_path / "cache"
    first = Knowledge.open(folder, settings=WORDS_ONLY, cache=cache).answer("скок стоит доставка")
    (kept,) = cache.glob("index-*")

    second = Knowledge.open(folder, settings=WORDS_ONLY, cache=cache).answer("скок стоит доставка")
    assert (second.candidates, second.confidence) == (first.candidates, first.confidence)

    (folder / "gift.md").write_text(
        "---\ntitle: Подарочная упаковка\n---\nУпакуем красиво.", encoding="utf-8"
    )
    assert (
        Knowledge.open(folder, settings=WORDS_ONLY, cache=cache)
        .answer("подарочная упаковка")
        .candidates[0]
        .article
        == "gift"
    )

    kept.write_bytes(kept.read_bytes()[:1000])
    assert (
        Knowledge.open(folder, settings=WORDS_ONLY, cache=cache).answer("забыл пароль").candidates[0].article
        == "account/password"
    )


def test_vectors_are_encoded_once(tmp_path: Path) -> None:
    """Vectors are kept by content and model: a second store computes nothing, a changed text only itself."""

    class Counting:
        split = 0
        id = "counting"
        languages: tuple[str, ...] = ()
        backgrounds: Mapping[str, np.ndarray] = {}

        def __init__(self) -> None:
            self.seen: list[str] = []

        def encode(self, texts: Sequence[str], *, query: bool = False, language: str = "") -> np.ndarray:
            self.seen += texts
            return np.array([[len(t), 1.0] for t in texts], np.float32)

    first, second, other = Counting(), Counting(), Counting()
    VectorStore(first, tmp_path).encode(["а", "бб", "а"])
    assert VectorStore(second, tmp_path).encode(["бб", "ввв"]).tolist() == [[2.0, 1.0], [3.0, 1.0]]
    other.id = "other"
    VectorStore(other, tmp_path).encode(["а"])

    assert (sorted(first.seen), second.seen, other.seen) == (["а", "бб"], ["ввв"], ["а"])


def test_synonyms_of_the_owner(tmp_path: Path) -> None:
    """The owner's list of words works in questions and articles alike."""
    words = tmp_path / "words.yaml"
    words.write_text("пароль: [секретик, ключик от двери]\n", encoding="utf-8")
    base = Knowledge.open(
        write_shop(tmp_path / "kb"), settings=KnowledgeSettings(model="off", synonyms=(words,))
    )

    assert base.answer("забыл ключик от двери").candidates[0].article == "account/password"


def test_retrievers_find_by_one_channel(shop: Knowledge) -> None:
    """Each channel answers alone through the same protocol, best first."""
    for name, retriever in shop.retrievers.items():
        found = retriever.find("как вернуть товар", 3)
        assert found[0].article == "returns/goods", name
        assert [m.score for m in found] == sorted((m.score for m in found), reverse=True)


def test_an_articles_own_words_are_answered(shop: Knowledge) -> None:
    """What the editor wrote as an example of one article is answered, in any order of words, however
    short.
    """
    owned = [(a, q) for a in shop.articles() for q in a.questions if shop.owns(q)]
    missed = []
    for article, question in owned:
        found = shop.answer(" ".join(reversed(question.split())), language=article.lang)
        if found.decision is not Decision.ANSWER or found.article not in (article.id, article.twin_of):
            missed.append((question, found.article))

    assert len(owned) > 20
    assert missed == []


def test_words_of_two_articles_belong_to_neither(tmp_path: Path) -> None:
    """A question that stands in two articles is not certain in either."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.md").write_text(
            f"---\ntitle: Статья {name}\naliases: [где мой заказ]\n---\n\nТекст {name}.\n", encoding="utf-8"
        )
    twice = Knowledge.open(tmp_path, settings=WORDS_ONLY)

    assert not twice.owns("где мой заказ") and twice.owns("статья a")
