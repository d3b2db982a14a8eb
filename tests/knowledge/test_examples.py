"""Examples learnt from use: what is suggested, what is marked, and what speaks against it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from bot.knowledge.articles.schema import Article
from bot.knowledge.quality.example_effect import NewExample, effect_of, with_examples
from bot.knowledge.quality.examples import (
    ACCEPTED,
    REJECTED,
    RESTORED,
    SuggestedExample,
    owner_of,
    settled,
    suggest_examples,
)
from bot.knowledge.quality.feedback import Feedback, Source
from bot.knowledge.quality.golden import GoldenQuestion
from bot.model import Answer, Candidate, Decision, Event
from bot.text.customer_words import LONGEST, as_example, masked

TODAY = date(2026, 11, 20)
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
COST = Article("delivery/cost", "Стоимость доставки", ("Сколько стоит доставка?",))
TIME = Article("delivery/time", "Сроки доставки", ("Когда привезут заказ?",))
BASE = (COST, TIME)


def said(
    question: str, article: str = "delivery/cost", source: Source = "picked", conversation: int = 1
) -> Feedback:
    return Feedback(question, article, source != "not_helped", "ru", source, conversation, AT)


def suggested(*verdicts: Feedback, articles: tuple[Article, ...] = BASE) -> tuple[SuggestedExample, ...]:
    return suggest_examples(verdicts, articles, TODAY)


def test_the_same_question_of_two_customers_is_one_marked_line() -> None:
    """Words in another order and form are one line; two customers are enough to mark it, one is not."""
    (one,) = suggested(said("почём привезти диван"))
    (line,) = suggested(
        said("почём привезти диван", conversation=1),
        said("диван привезти почём?", source="helped", conversation=2),
    )

    assert not one.chosen
    assert (line.article, line.picked, line.helped, line.customers, line.chosen) == (
        "delivery/cost",
        1,
        1,
        2,
        True,
    )
    assert line.id == one.id


def test_an_operators_article_is_marked_at_once() -> None:
    """An operator knows the answer; a customer may press beside it."""
    (line,) = suggested(said("почём привезти диван", source="sent"))

    assert line.chosen


@pytest.mark.parametrize(
    "question",
    ["Сколько стоит доставка", "скока стоит доставка?", "Стоимость доставки", "доставка", "12345", "🙂"],
)
def test_what_is_there_or_says_nothing_is_not_suggested(question: str) -> None:
    """Words that the article has, nearly, in its title, or that are none."""
    assert suggested(said(question), said(question, conversation=2)) == ()


def test_near_duplicates_among_the_suggestions_are_one() -> None:
    """The better supported one stays; a number makes another question."""
    found = suggested(
        said("почём привезти большой диван"),
        said("почём привезти большой диван", conversation=2),
        said("почём привести большой диван", conversation=3),
        said("почём привезти 3 больших дивана", conversation=4),
    )

    assert [s.question for s in found] == ["почём привезти большой диван", "почём привезти 3 больших дивана"]


def test_contradiction_is_shown_and_nothing_is_marked() -> None:
    """Picked for two articles, or found unhelpful by somebody: both lines say so."""
    lines = suggested(
        *(said("диван завтра привезёте", conversation=n) for n in (1, 2)),
        *(said("диван завтра привезёте", "delivery/time", conversation=n) for n in (3, 4, 5)),
    )
    (unhelped,) = suggested(
        *(said("почём привезти диван", conversation=n) for n in (1, 2)),
        said("почём привезти диван", source="not_helped", conversation=3),
    )

    assert {s.article: s.elsewhere for s in lines} == {
        "delivery/cost": (("delivery/time", 3),),
        "delivery/time": (("delivery/cost", 2),),
    }
    assert not any(s.chosen for s in (*lines, unhelped)) and unhelped.against == 1


@pytest.mark.parametrize(
    ("article", "hindrance"),
    [
        (None, "gone"),
        (replace(COST, status="draft"), "draft"),
        (replace(COST, status="archived"), "archived"),
        (replace(COST, valid_until=date(2026, 11, 19)), "expired"),
    ],
)
def test_an_article_that_nobody_sees_any_more_is_named(article: Article | None, hindrance: str) -> None:
    """Unpublished, ended or renamed meanwhile: the line stays, says why, and is not marked."""
    base = (TIME, *([article] if article else []))

    (line,) = suggested(said("почём привезти диван", source="sent"), articles=base)

    assert (line.hindrance, line.chosen) == (hindrance, False)


def test_a_question_of_another_article_is_named() -> None:
    """Word for word elsewhere: it leads there already, and cannot lead to two."""
    (line,) = suggested(said("Когда привезут заказ", source="sent"))

    assert (line.hindrance, line.owner, line.chosen) == ("owned", "delivery/time", False)
    assert owner_of("заказ когда привезут?", BASE, "delivery/cost") == "delivery/time"
    assert owner_of("заказ когда привезут?", BASE, "delivery/time") == ""


def test_what_was_decided_does_not_come_back() -> None:
    """Accepted and rejected lines are gone whatever the order of their words; a restored one returns. Twins
    are one article.
    """
    (line,) = suggested(said("почём привезти диван"))
    events = [
        Event(REJECTED, data={"examples": [line.id]}),
        Event(ACCEPTED, data={"examples": ["e1"]}),
        Event(RESTORED, data={"examples": ["e1"]}),
    ]
    done = settled(events)

    assert done == {line.id}
    assert suggest_examples([said("диван почём привезти")], BASE, TODAY, done=done) == ()
    english = Article("delivery/cost.en", "Price", ("how much is it",), twin_of="delivery/cost", lang="en")
    (twin,) = suggested(
        said("почём привезти диван"),
        said("почём привезти диван", "delivery/cost.en", conversation=2),
        articles=(*BASE, english),
    )[:1]
    assert not twin.contested


def test_several_questions_in_one_message_teach_nothing() -> None:
    """Which of them the article answers nobody said."""
    assert suggested(replace(said("почём привезти диван и когда", source="sent"), mixed=True)) == ()


def test_nothing_personal_is_suggested_or_shown() -> None:
    """Phones, e-mails, cards, numbers of orders and the customer's name, in any case, are masked in the words
    and missing in the example.
    """
    words = (
        "Здравствуйте! Меня зовут Пётр. Почём привезти диван Анне Черных, заказ № 77-4512,"
        " тел. +7 912 345-67-89, anna@mail.ru, карта 2200 1234 5678 9012, трек RB123456789RU?"
    )
    (line,) = suggest_examples([said(words, source="sent")], BASE, TODAY, names=lambda _: ("Анна", "Черных"))

    for secret in ("Пётр", "Анн", "Черных", "4512", "345-67", "anna@", "1234", "123456789"):
        assert secret not in line.question and secret not in line.words[0], secret
    assert line.question.startswith("Почём привезти диван") and "•••" in line.words[0]


@pytest.mark.parametrize(
    ("words", "example"),
    [
        ("Добрый день, подскажите, пожалуйста, как вернуть товар?", "как вернуть товар?"),
        ("перевод до 100000 рублей сколько идёт", "перевод до 100000 рублей сколько идёт"),
        ("меня зовут анна хочу вернуть деньги", "хочу вернуть деньги"),
        ("+7 912 345-67-89", ""),
        ("очень долго рассказываю. " * 20 + "Так как вернуть деньги? Жду.", "Так как вернуть деньги?"),
    ],
)
def test_an_example_is_what_was_asked(words: str, example: str) -> None:
    """No greeting, no data, no story; a sum stays."""
    assert as_example(words) == example
    assert len(as_example("слово " * 100)) <= LONGEST
    assert masked("сколько стоит диван") == "сколько стоит диван"


def test_the_effect_counts_questions_and_golden_ones() -> None:
    """A golden question that comes right no more is named."""
    articles = with_examples(BASE, [NewExample("delivery/cost", "почём")] * 2)
    assert [a.aliases for a in articles] == [("Сколько стоит доставка?", "почём"), TIME.aliases]

    def ask(right: str) -> object:
        def answer(question: str, *, answered: bool = False, language: str = "") -> Answer:
            return Answer(Decision.ANSWER, (Candidate(right, "", 1.0),), article=right)

        return answer

    effect = effect_of(
        [NewExample("delivery/cost.en", "почём")],
        [GoldenQuestion("когда", "delivery/time")],
        ask("delivery/time"),  # type: ignore[arg-type]
        ask("delivery/cost"),  # type: ignore[arg-type]
        {"delivery/cost.en": "delivery/cost"},
    )
    assert (effect.total, effect.before, effect.after) == (1, 0, 1)
    assert (effect.golden, effect.golden_before, effect.golden_after, effect.worse) == (1, 1, 0, ("когда",))
