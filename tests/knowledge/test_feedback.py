"""What people's clicks change: confidence, a little, and only from enough of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.feedback_loader import clicks
from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.quality.feedback import FARTHEST, FEWEST, Feedback, shift_of
from bot.knowledge.search import Knowledge
from bot.testing import open_test_bot
from tests.knowledge.shop import write_shop

ASKED = "не могу войти в личный кабинет, забыл пароль"  # no article says exactly this
OTHER = "можно ли сдать платье назад и вернуть деньги за товар"


@pytest.fixture
def shop(tmp_path: Path) -> Knowledge:
    return Knowledge.open(write_shop(tmp_path), settings=KnowledgeSettings(model="off"))


def test_without_enough_labels_nothing_changes(shop: Knowledge) -> None:
    """No label, or one too few: the very same numbers, and the reasons do not speak of clicks."""
    before = shop.answer(ASKED)

    assert shop.learn(()).labels == 0
    assert shop.learn([Feedback(ASKED, "account/password", False)] * (FEWEST - 1)).labels == 0

    after = shop.answer(ASKED)
    assert (after.confidence, after.scope, after.candidates) == (
        before.confidence,
        before.scope,
        before.candidates,
    )
    assert "feedback" not in after.why


def test_many_not_helped_lower_confidence_and_more_of_them_lower_it_more(shop: Knowledge) -> None:
    """Answers that were sure and did not help make the bot less sure; the order of articles and scope stay;
    the reasons show by how much.
    """
    before = shop.answer(ASKED)
    shop.learn([Feedback(ASKED, "account/password", False)] * FEWEST)
    few = shop.answer(ASKED)
    shop.learn([Feedback(ASKED, "account/password", False)] * 200)
    many = shop.answer(ASKED)

    assert before.confidence > 0.6
    assert before.confidence > few.confidence > many.confidence > 0.05
    assert [c.article for c in many.candidates] == [
        c.article for c in before.candidates
    ] and many.scope == before.scope
    told = few.why["feedback"]
    assert told == {
        "labels": FEWEST,
        "before": round(before.confidence, 4),
        "shift": pytest.approx(few.confidence - before.confidence, abs=1e-3),
    }


def test_learning_again_replaces_what_was_learnt(shop: Knowledge) -> None:
    """Verdicts that are gone count no more: the events say everything, nothing else is kept."""
    before = shop.answer(ASKED).confidence
    shop.learn([Feedback(ASKED, "account/password", False)] * 50)
    shop.learn(())

    assert shop.answer(ASKED).confidence == before


def test_a_picked_option_judges_what_came_first(shop: Knowledge) -> None:
    """Who picks another article says that the first was wrong; who rejects another says nothing of the
    first.
    """
    picked = shop.learn([Feedback(ASKED, "promo/codes", True)] * FEWEST)
    rejected = shop.learn([Feedback(ASKED, "promo/codes", False)] * FEWEST)
    gone = shop.learn([Feedback(ASKED, "no/such", True)] * FEWEST)

    assert picked.labels == FEWEST and picked.offset < 0
    assert (rejected.labels, gone.labels) == (0, 0)


def test_what_is_learnt_survives_a_reload(shop: Knowledge) -> None:
    """A changed article does not make the bot forget its clicks."""
    shop.learn([Feedback(ASKED, "account/password", False)] * 40)
    low = shop.answer(OTHER).why["feedback"]
    path = shop.folder / "promo/codes.md"
    path.write_text(path.read_text("utf-8") + "\nЕщё строка.\n", encoding="utf-8")
    shop.reload()
    shop.examine()

    assert shop.answer(OTHER).why["feedback"]["labels"] == low["labels"] == 40  # type: ignore[index]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=120), st.floats(0, 1), st.floats(0, 1))
def test_the_shift_is_bounded_and_keeps_the_order(
    cases: list[tuple[float, bool]], one: float, other: float
) -> None:
    """Whatever people click: a probability stays one, moves at most so far, and a surer answer stays the
    surer one.
    """
    shift = shift_of(cases)
    low, high = sorted((one, other))

    assert 0 <= shift(low) <= shift(high) <= 1
    assert shift.limit <= FARTHEST
    assert shift.labels or shift(one) == one


def test_well_calibrated_clicks_change_next_to_nothing() -> None:
    """Where nine of ten answers given at .9 and six of ten at .6 were right, confidence was right already."""
    shift = shift_of([(0.9, n % 10 != 0) for n in range(100)] + [(0.6, n % 10 < 6) for n in range(100)])

    assert shift(0.9) == pytest.approx(0.9, abs=0.01) and shift(0.6) == pytest.approx(0.6, abs=0.01)


async def test_clicks_are_read_from_the_records(tmp_path: Path) -> None:
    """«Помогло», «не помогло» and a picked option become verdicts on the question that came before; a
    follow-up and silence become none.
    """
    async with open_test_bot(write_shop(tmp_path), desk=None) as testbot:
        pleased, cross, unsure, silent = (
            testbot.customer(name, chat=chat)
            for name, chat in (("А", "1"), ("Б", "2"), ("В", "3"), ("Г", "4"))
        )
        await pleased.says("как восстановить пароль?")
        await silent.says("как восстановить пароль?")
        await cross.says("сколько стоит доставка?")
        await unsure.says("деньги за доставку")
        await testbot.later(seconds=5)
        await pleased.presses("Да, помогло")
        await cross.presses("Нет, не помогло")
        await unsure.presses("Стоимость доставки")
        found = await clicks(testbot.service.store, testbot.clock().replace(year=2000), testbot.clock())

    assert {(f.question, f.article, f.right) for f in found} == {
        ("как восстановить пароль?", "account/password", True),
        ("сколько стоит доставка?", "delivery/cost", False),
        ("деньги за доставку", "delivery/cost", True),
    }
