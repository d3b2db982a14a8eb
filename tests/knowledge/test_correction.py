"""What was typed wrong is mended, and what must not be touched is not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.knowledge.query.correction import Lexicon, repair

WORDS = [
    "где",
    "мой",
    "заказ",
    "сколько",
    "стоит",
    "доставка",
    "вернуть",
    "товар",
    "курьер",
    "промокод",
    "оплата",
    "карта",
    "казань",
    "в",
    "на",
    "не",
    "прошла",
    "как",
]
SHOP = Lexicon(WORDS, ["скок", "акк"])
MIXED = Lexicon([*WORDS, "password", "reset", "order", "where"])


@pytest.mark.parametrize(
    ("typed", "meant", "kind"),
    [
        ("ult vjq pfrfp?", "где мой заказ?", "layout"),
        ("crjkmrj cnjbn ljcnfdrf d rfpfym.", "сколько стоит доставка в казань.", "layout"),
        ("gde moy zakaz", "где мой заказ", "translit"),
        ("skolko stoit dostavka", "сколько стоит доставка", "translit"),
        ("сколько стоит даставка", "сколько стоит доставка", "spelling"),
        ("как вернуть тавар", "как вернуть товар", "spelling"),
        ("вернуть товaр", "вернуть товар", "script"),
        ("где закааааз", "где заказ", "repeat"),
        ("непрошла оплата", "не прошла оплата", "split"),
    ],
)
def test_slips_layout_and_transliteration_are_mended(typed: str, meant: str, kind: str) -> None:
    """Layout, transliteration, look-alike letters, slips and glued words are read as meant, and each mend
    names its kind.
    """
    found = repair(typed, SHOP)

    assert found.text == meant
    assert kind in {r.kind for r in found.repairs}


@pytest.mark.parametrize(
    "typed",
    [
        "заказ H-118204 где",
        "промокод ROMASHKA не работает",
        "промокод leto не работает",
        "купон SALE20",
        "напишите на ghbdtn@mail.ru",
        "https://shop.example/ghbdtn не открывается",
        "позвоните +7 (900) 123-45-67",
        "трек rb123456789ru",
        "@ghbdtn напишите",
    ],
)
def test_never_touches_codes_and_addresses(typed: str) -> None:
    """Order numbers, promo codes, e-mails, links, phones and user names come through letter by letter."""
    raw = [w for w in typed.split() if any(c.isdigit() or c in "@/" for c in w) or w.isascii()]

    text = repair(typed, SHOP).text.split()

    assert [w for w in raw if w not in text and w.lower() not in text] == []


def test_words_of_the_base_slang_and_the_dictionary_stay() -> None:
    """A word that is known anywhere is no misspelling."""
    assert repair("скок стоит доставка акк собака", SHOP).repairs == ()


def test_english_questions_stay_english_in_a_russian_base() -> None:
    """Latin letters are not taken for a wrong layout where they make no Russian words."""
    assert repair("how can i return my order", SHOP).text == "how can i return my order"


def test_an_english_word_is_no_slip_of_another() -> None:
    """What the base does not say is not bent towards what it says; a real slip is."""
    english = Lexicon(["come", "parcel", "return", "refund", "sand"])

    assert (
        repair("my parcel never came, you sent nothing", english).text
        == "my parcel never came, you sent nothing"
    )
    assert repair("i want to retrun it", english).text == "i want to return it"


def test_russian_layout_of_english_words() -> None:
    """The other way round, where the base has English words."""
    assert repair("руддщ цруку щквук", MIXED).text.endswith("where order")


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=80))
def test_never_raises_and_a_second_repair_changes_nothing_known(text: str) -> None:
    """Any text comes through; a question made of words of the base is left alone."""
    repair(text, SHOP)

    assert repair(" ".join(WORDS[:5]), SHOP).repairs == ()
