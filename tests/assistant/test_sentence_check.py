"""What the check of the assistant's sentences lets pass; `python -m benchmarks.sentences` prints rates."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.sentences import pairs
from bot.dialogs.composed.article_sentences import article_sentences, split_sentences
from bot.dialogs.composed.excerpt import whole_choice
from bot.dialogs.composed.sentence_check import is_supported
from bot.knowledge.articles.repository import ArticleRepository
from bot.knowledge.articles.schema import Article
from bot.knowledge.search import Knowledge
from tests.fakes.assistant_server import LIES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("second", [False, True])
def test_of_written_sentences_no_unsupported_one_passes(second: bool) -> None:
    """And nearly all supported ones do: reordered, with the condition before or after."""
    judged = [(right, is_supported(said, source), said) for said, source, right in pairs(second=second)]

    assert [said for right, found, said in judged if found and not right] == []
    supported = [found for right, found, _ in judged if right]
    assert sum(supported) >= 0.92 * len(supported)


@pytest.fixture(scope="module")
def shop() -> Sequence[Article]:
    found, _ = ArticleRepository(ROOT / "kb_articles").read()
    return found


def test_every_sentence_of_an_article_supports_itself(shop: Sequence[Article]) -> None:
    """But for single signs, and the shop's sentences are told apart as people would."""
    lost = [
        s.rich.text
        for article in shop
        for s in article_sentences(article)
        if not is_supported(s.rich.text, s.rich.text, [span.url for span in s.rich.spans])
    ]
    assert len(lost) <= 6, lost


def test_what_models_do_to_sentences_does_not_pass(shop: Sequence[Article]) -> None:
    """Numbers, negations, promises, modal words, conditions and things made up, over the shop's articles.
    What is only shuffled may pass as a choice: what the customer reads are the article's words.
    """
    chance, found, tried = random.Random(7), list[tuple[str, str]](), 0
    for article in shop[::4]:
        for sentence in article_sentences(article):
            for lie in LIES:
                said = lie(sentence.rich.text, chance)
                tried += 1
                if Counter(said.split()) != Counter(sentence.rich.text.split()):
                    found += [(said, sentence.rich.text)] * is_supported(said, sentence.rich.text)

    assert tried > 800 and found == []


@pytest.mark.parametrize(
    "said",
    [
        "Вернуть товар можно за 14 дней.\u202eа",
        "Вернуть товар можно за 14 дней.\x00",
        "Вернуть товар можно за 14 дней. " + "Вернуть товар можно за 14 дней. " * 9,
        "<b>Вернуть</b> <script>alert(1)</script> товар можно за 14 дней.",
        "Верни́те тοвар можно за 14 дней.",  # a Greek letter
        "",
        "за",
        "14",
    ],
)
def test_tricks_are_no_sentences(said: str) -> None:
    assert not is_supported(said, "Вернуть товар можно за 14 дней.")


def test_links_are_the_sources() -> None:
    source, url = "Заказ виден на сайте.", "https://romashka.example/orders"

    assert is_supported(f"Заказ виден на сайте {url}", source, [url])
    for other in ("https://evil.example", "evil.com/pay", "pay@evil.com", "www.evil.ru"):
        assert not is_supported(f"Заказ виден на сайте {other}", source, [url])


def test_sentences_end_where_people_end_them() -> None:
    text = "Ждём на ул. Мира, д. 5. Вход со двора. Открыто с 10:00 до 20:00, обед 13.00. Цена 3.5 тыс. руб.!"

    assert split_sentences(text) == [
        "Ждём на ул. Мира, д. 5.",
        "Вход со двора.",
        "Открыто с 10:00 до 20:00, обед 13.00.",
        "Цена 3.5 тыс. руб.!",
    ]


RULES = """---
title: Правила
aliases: [правила]
lang: ru
---
Обмен возможен в течение 30 дней. Но подарочные карты не обмениваем. Курьер приедет завтра. \
Он позвонит за час.

Для обмена нужны:

- чек;
- паспорт.

Доставка по городу бесплатна. Скидки не суммируются.
"""


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (0, "Обмен возможен в течение 30 дней. Но подарочные карты не обмениваем."),
        (1, "Обмен возможен в течение 30 дней. Но подарочные карты не обмениваем."),
        (3, "Курьер приедет завтра. Он позвонит за час."),
        (5, "Для обмена нужны: • чек; • паспорт."),
        (4, "Для обмена нужны: • чек; • паспорт."),
        (7, "Доставка по городу бесплатна."),
    ],
)
def test_what_belongs_together_is_said_together(tmp_path: Path, chosen: int, said: str) -> None:
    """A limit with what it limits, a list with the words that lead to it, "он" with whom it means."""
    (tmp_path / "rules.md").write_text(RULES, encoding="utf-8")
    [article] = Knowledge.open(tmp_path).articles()
    sentences = article_sentences(article)

    kept = whole_choice(sentences, {chosen})
    assert " ".join(s.rich.text for s in sentences if s.place in kept) == said
