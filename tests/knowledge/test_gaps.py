"""Gaps are found in what was kept of conversations, and gathered by meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bot.knowledge.quality.gaps import (
    AGREED,
    ALIKE,
    CLOSE,
    MissedQuestion,
    draft,
    effect,
    group,
    is_closed,
    missed,
)
from bot.model import Answer, Decision, HistoryEntry
from bot.text.pii import mask

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn as kept; its moment is its id in minutes."""

    id: int
    dialog: str
    result: str
    reason: str
    text: str = ""
    why: Mapping[str, object] = field(default_factory=dict)
    conversation: int = 1

    @property
    def at(self) -> datetime:
        return START + timedelta(minutes=self.id)


def why(decision: str, article: str = "a") -> Mapping[str, object]:
    return {"decision": decision, "candidates": [{"article": article, "title": article.upper()}]}


ASKED = Turn(1, "faq", "clarified", "clarified", "где купон", why("clarify"))
ANSWERED = Turn(1, "faq", "answered", "answered", "где купон", why("answer"))
UNKNOWN = Turn(1, "faq", "clarified", "out_of_scope", "где купон", why("handoff"))
CHOSEN = Turn(2, "faq", "answered", "answered")
PERSON = Turn(2, "desk", "handed_off", "asked_for_person", "оператора")
PICKED = Turn(2, "faq", "answered", "answered", "второе", why("clarify"))
UNHELPED_IN = ("desk", "handed_off", "not_helped")
UNHELPED = Turn(2, *UNHELPED_IN)


@pytest.mark.parametrize(
    ("talk", "kinds"),
    [
        ([ASKED, CHOSEN], []),
        ([ASKED], ["clarified"]),
        ([ASKED, PERSON], ["clarified"]),
        ([ANSWERED], []),
        ([ANSWERED, UNHELPED], ["not_helped"]),
        ([UNKNOWN, PERSON], ["unanswered"]),
        (
            [UNKNOWN, Turn(2, "desk", "handed_off", "out_of_scope", "где купон", why("handoff"))],
            ["unanswered"],
        ),
        ([UNKNOWN, Turn(2, "faq", "answered", "answered", "другой вопрос", why("answer"))], ["unanswered"]),
        (
            [ASKED, PICKED, Turn(3, *UNHELPED_IN)],
            [],
        ),
        ([PERSON], []),
        ([Turn(1, "smalltalk", "answered", "answered", "спасибо")], []),
        ([Turn(1, "faq", "clarified", "out_of_scope", "???", why("handoff"))], []),
    ],
)
def test_which_turns_are_gaps(talk: Sequence[Turn], kinds: Sequence[str]) -> None:
    """Unanswered, clarified in vain, or answered without help; once for a question, never for small talk."""
    assert [m.kind for m in missed(talk, lambda _: ())] == kinds


def test_operators_words_belong_to_the_question_before_them() -> None:
    """What was said after the next question is not the answer to this one; everything is masked."""
    lines = [
        HistoryEntry(START + timedelta(minutes=m), author, text)  # type: ignore[arg-type]
        for m, author, text in (
            (0, "operator", "раньше"),
            (3, "operator", "Пишите на a.b@shop.ru"),
            (4, "note", "заметка"),
            (9, "operator", "позже"),
        )
    ]
    later = Turn(7, "faq", "answered", "answered", "другой вопрос", why("answer"))

    (found,) = missed([UNKNOWN, PERSON, later], lambda _: lines)

    assert found.replies == ("Пишите на a•••@shop.ru",)
    assert (found.article, found.title) == ("a", "A")


def test_an_answer_to_the_next_question_stands_under_that_one() -> None:
    """In one talk with a person the customer goes on asking; a call for a person is no question.

    Each answer stands where it belongs.
    """
    lines = [
        HistoryEntry(START + timedelta(minutes=m), author, text)  # type: ignore[arg-type]
        for m, author, text in (
            (1, "customer", "где купон"),
            (2, "customer", "можно оператора?"),
            (3, "operator", "Купон в письме"),
            (4, "customer", "а когда вы работаете?"),
            (5, "operator", "С десяти до восьми"),
        )
    ]
    call = Turn(2, "desk", "handed_off", "asked_for_person", "можно оператора?")

    (found,) = missed([UNKNOWN, call], lambda _: lines)

    assert found.replies == ("Купон в письме",)


def test_what_an_operator_was_asked_and_answered_is_learnt() -> None:
    """A question carried to a person, for which the articles had nothing sure, with their own words;
    statements and what nobody answered are not.
    """
    carried = why("clarify")
    talk = [
        Turn(1, "relay", "carried", "carried", "а подарочная упаковка у вас есть?", carried),
        Turn(3, "relay", "carried", "carried", "мой заказ 48213, Казань", carried),
        Turn(5, "relay", "carried", "carried", "как вернуть чайник обратно?", why("answer")),
        Turn(7, "relay", "carried", "carried", "а вы где?", carried),
        Turn(9, "relay", "carried", "carried", "когда вы работаете в праздники?", carried),
    ]
    answers = {2: "Да, 150 рублей", 6: "Курьером", 8: "На Лесной"}
    lines = [
        HistoryEntry(START + timedelta(minutes=m), "operator", text, "Ольга") for m, text in answers.items()
    ]
    lines += [HistoryEntry(turn.at, "customer", turn.text) for turn in talk]
    lines.sort(key=lambda line: line.at)
    found = missed(talk, lambda _: lines)

    assert [(m.question, m.kind, m.replies) for m in found] == [
        ("а подарочная упаковка у вас есть?", "unanswered", ("Да, 150 рублей",))
    ]


def test_an_answer_to_an_earlier_question_does_not_stand_under_a_later_one() -> None:
    """Two questions wait in one ticket; the operator answers the first one first, then the second, each in
    words of its own. What could be meant for either stands under none.
    """
    carried = why("clarify")
    talk = [
        Turn(1, "faq", "clarified", "out_of_scope", "делаете ли вы гравировку?", why("handoff")),
        Turn(2, "desk", "handed_off", "asked_for_person", "оператора"),
        Turn(4, "relay", "carried", "carried", "а подарочная упаковка у вас есть?", carried),
    ]
    lines = [
        HistoryEntry(START + timedelta(minutes=m), author, text)  # type: ignore[arg-type]
        for m, author, text in (
            (1, "customer", "делаете ли вы гравировку?"),
            (4, "customer", "а подарочная упаковка у вас есть?"),
            (5, "operator", "Минутку, уточню"),
            (6, "operator", "Гравировка стоит 350 рублей"),
            (7, "operator", "Упаковка в подарок бесплатно"),
        )
    ]

    found = missed(talk, lambda _: lines)

    assert [(m.question, m.replies) for m in found] == [
        ("делаете ли вы гравировку?", ("Гравировка стоит 350 рублей",)),
        ("а подарочная упаковка у вас есть?", ("Упаковка в подарок бесплатно",)),
    ]


def test_a_draft_has_the_answer_to_the_question_that_stands_for_all() -> None:
    """Words said to another wording of the group are its answer only where there are none to this one."""
    (gap,) = group(
        [
            MissedQuestion("ремонт обуви", "unanswered", START, 1, replies=("Чиним за день",)),
            MissedQuestion("ремонт обуви где сделать", "unanswered", START, 2, replies=("На Лесной",)),
            MissedQuestion("ремонт обуви", "unanswered", START + timedelta(minutes=1), 3),
        ]
    )

    assert (gap.question, gap.answer) == ("ремонт обуви", "Чиним за день")


def of(*questions: str) -> list[MissedQuestion]:
    return [MissedQuestion(q, "unanswered", START + timedelta(minutes=n), n) for n, q in enumerate(questions)]


def test_questions_of_one_meaning_are_one_gap() -> None:
    """Other forms and order do not part them, one common word does not join them; the most asked comes
    first.
    """
    gaps = group(
        of(
            "где ремонт обуви",
            "когда приедет мастер",
            "ремонтируете обувь?",
            "а ремонт обуви где?",
            "обувь оптом",
        )
    )

    assert [(g.count, g.question) for g in gaps] == [
        (3, "где ремонт обуви"),
        (1, "обувь оптом"),
        (1, "когда приедет мастер"),
    ]


def test_a_shared_thing_is_no_shared_question() -> None:
    """One rare word in common («ваза», «кружка») joins nothing where each question has a word of its own; the
    same question stays one.
    """
    gaps = group(of(
        "ремонтируете ли вы вазы", "треснула ваза", "как ухаживать за вазой", "какого цвета ваза",
        "сделаете гравировку на кружке", "гравировка на кружке есть?", "можно вернуть кружку",
    ))  # fmt: skip

    assert sorted(len(g.questions) for g in gaps) == [1, 1, 1, 1, 1, 2]
    assert all("вернуть" not in q for g in gaps if len(g.questions) > 1 for q in g.questions)


def test_typos_and_layout_do_not_part_a_gap() -> None:
    """What was understood counts, what was written is shown."""
    written, plain = (
        MissedQuestion("htvjyn j,edb", "unanswered", START, 1, understood="ремонт обуви"),
        MissedQuestion("ремонт обуви", "unanswered", START, 2),
    )

    (gap,) = group([written, plain])

    assert set(gap.questions) == {"htvjyn j,edb", "ремонт обуви"}


def test_meaning_joins_what_words_part() -> None:
    """With vectors, questions without a common word are one gap."""
    questions = of("чините ли будильники", "ремонт часов", "цена тапок")
    vectors = np.array([[1, 0], [0.9, 0.436], [0, 1]], np.float32)

    assert [g.count for g in group(questions)] == [1, 1, 1]
    assert [g.count for g in group(questions, lambda texts: vectors)] == [2, 1]


def test_the_same_article_joins_what_is_nearly_alike() -> None:
    """Vectors that are not quite near enough are, where the same article came nearest to both."""

    said = ("чините ли будильники", "ремонт часов")

    def gaps(*articles: str) -> int:
        asked = [
            MissedQuestion(q, "unanswered", START, n, article)
            for n, (q, article) in enumerate(zip(said, articles, strict=True))
        ]
        near = CLOSE * (1 - AGREED / ALIKE / 2)
        vectors = np.array([[1, 0], [near, (1 - near**2) ** 0.5]], np.float32)
        return len(group(asked, lambda texts: vectors))

    assert (gaps("a", "a"), gaps("a", "b"), gaps("", "")) == (1, 2, 2)


def test_who_asks_twice_counts_once() -> None:
    """A gap is as large as the conversations it was missed in; what stands for it shows nothing masked."""
    (gap,) = group(
        [
            MissedQuestion("чините обувь •••", "unanswered", START, 1),
            MissedQuestion("чините обувь •••", "unanswered", START, 1),
            MissedQuestion("скажите, чините ли вы обувь", "unanswered", START, 2),
        ]
    )

    assert (gap.count, gap.question) == (2, "скажите, чините ли вы обувь")


def test_the_article_that_came_nearest_tells_too() -> None:
    """Half alike words are one gap where the same article was rejected, and two where others were."""

    def gaps(first: str, second: str) -> int:
        one = MissedQuestion("делаете гравировку на дереве", "unanswered", START, 1, first)
        two = MissedQuestion("гравировку сделаете? мой телефон новый", "unanswered", START, 2, second)
        return len(group([one, two]))

    assert (gaps("a", "a"), gaps("a", "b")) == (1, 2)


def test_a_draft_begins_with_the_matter() -> None:
    """Greetings and particles are no title; what was masked is no example; without replies there is a place
    for them.
    """
    gap = group(of("Здравствуйте, а вы чините обувь?", "чините обувь? пишите на a•••@mail.ru"))[0]

    title, text = draft(gap, placeholder="Ответ.")

    assert title == "Чините обувь"
    assert "•" not in text and text.endswith("status: draft\n---\nОтвет.\n")


def test_the_name_of_a_gap_stays_when_it_grows() -> None:
    """So that a command typed a minute later means the same."""
    before = group(of("ремонт часов"))[0].id

    assert group(of("ремонт часов", "сделаете ремонт часов", "другое"))[0].id == before


def test_a_gap_is_closed_when_all_of_it_is_answered() -> None:
    """An article that did not help closes it only once it was changed."""
    unanswered = group(of("ремонт часов", "ремонт часов срочно"))[0]
    unhelped = group([MissedQuestion("ремонт часов", "not_helped", START, 1, "watch")])[0]
    now = effect(unanswered, lambda q: Answer(Decision.ANSWER, article="watch"))
    half = effect(
        unanswered,
        lambda q: Answer(
            Decision.ANSWER if "срочно" in q else Decision.HANDOFF, article="watch" if "срочно" in q else None
        ),
    )
    same = effect(unhelped, lambda q: Answer(Decision.ANSWER, article="watch"))

    assert (half.answered, half.total) == (1, 2)
    assert is_closed(unanswered, now, lambda a: START) and not is_closed(unanswered, half, lambda a: START)
    assert not is_closed(unhelped, same, lambda a: START - timedelta(days=1)) and is_closed(
        unhelped, same, lambda a: START + timedelta(days=1)
    )


def test_contacts_are_masked_and_order_numbers_are_not() -> None:
    """Contacts are hidden, order numbers are not."""
    assert (
        mask("заказ 123456, +7 912 345-67-89, anna@mail.ru, 4111 1111 1111 1111")
        == "заказ 123456, +7 ••• •••-67-89, a•••@mail.ru, •••• 1111"
    )
