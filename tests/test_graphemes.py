"""Text is cut between characters as people see them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.graphemes import border, shorten

FAMILY, FLAG, ACCENT, HANGUL, TONE = "👨‍👩‍👧", "🇷🇺", "и\u0306", "\u1112\u1161\u11ab", "👍🏽"


@pytest.mark.parametrize("one", [FAMILY, FLAG, ACCENT, HANGUL, TONE, "\r\n", "क्षि"])
def test_a_border_never_lies_inside(one: str) -> None:
    for end in range(1, len(one)):
        assert border("да" + one + one, 2 + end) == 2
        assert border("да" + one + one, 2 + len(one) + end) == 2 + len(one)


def test_flags_are_counted_from_the_start() -> None:
    assert [border(FLAG * 3, end) for end in (2, 3, 4, 5)] == [2, 2, 4, 4]


def test_what_is_one_and_too_long_is_cut_all_the_same() -> None:
    assert border("a" + "\u0301" * 9, 4) == 4


def test_a_shortened_text_ends_in_a_whole_character() -> None:
    assert shorten(f"Да {FAMILY}", 7) == "Да…"
    assert shorten("Где мой заказ?", 8) == "Где мой…"
    assert shorten(FLAG * 3, 4) == f"{FLAG}…"
    assert shorten("коротко", 7) == "коротко"


@given(st.text(), st.integers(1, 20))
def test_a_shortened_text_fits_and_begins_as_before(text: str, limit: int) -> None:
    short = shorten(text, limit)

    assert len(short) <= max(limit, 2)
    assert short == text or text.startswith(short.removesuffix("…"))
