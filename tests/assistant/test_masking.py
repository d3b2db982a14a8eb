"""What is personal leaves as a mark, and is put back; what is not stays readable."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.assistant.masking import Masking


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("звоните 8 (912) 345-67-89", "звоните [PHONE_1]"),
        ("почта anna.k@mail.ru", "почта [EMAIL_1]"),
        ("карта 4111-1111-1111-1111, срок 12/27", "карта [CARD_1], срок 12/27"),
        ("паспорт 4510 123456 выдан", "паспорт [PASSPORT_1] выдан"),
        ("паспорт серия 45 10 № 123456", "паспорт серия [PASSPORT_1]"),
        ("СНИЛС 112-233-445 95", "СНИЛС [NUMBER_1]"),
        ("родился 12.05.1987", "родился [DATE_1]"),
        ("заказ № 4512-77 не пришёл", "заказ № [ORDER_1] не пришёл"),
        ("меня зовут Пётр Иванов, где посылка", "меня зовут [NAME_1], где посылка"),
        ("живу: ул. Мира, д. 5, кв. 12", "живу: [ADDRESS_1]"),
        ("Ленинский проспект, 12к2, подъезд 3", "[ADDRESS_1]"),
        ("I live at 221B Baker Street", "I live at [ADDRESS_1]"),
        ("ключ sk-abcdef0123456789abcd", "ключ [SECRET_1]"),
        ("токен 123456789:AAbbCCddEE", "токен [SECRET_1]"),
        ("пишите @anna_shop", "пишите [HANDLE_1]"),
        ("смотрите https://shop.example/o?t=77.", "смотрите [LINK_1]."),
        ("счёт 40817810099910004312", "счёт [ORDER_1]"),
        ("ФИО: Петров Пётр, тел +7 912 345-67-89", "ФИО: [NAME_1], тел [PHONE_1]"),
        ("получатель: Петров 8-912-345-67-89", "получатель: [NAME_1]"),
        ("Передайте Ольге Смирновой", "Передайте [NAME_1] [NAME_2]"),
    ],
)
def test_personal_data_are_marked(text: str, masked: str) -> None:
    masking = Masking(["Ольга Смирнова"])

    assert masking.hide(text) == masked and masking.show(masked) == text


@pytest.mark.parametrize(
    "text",
    [
        "Вернуть можно за 14 дней, доставка от 3000 рублей, в 2026 году, до 20:00.",
        "Платёж 1 250 000 ₽ проходит за 2-3 дня.",
        "Размер 42-44, вес 15,5 кг, скидка 20 %.",
    ],
)
def test_sums_and_times_stay(text: str) -> None:
    assert Masking().hide(text) == text


def test_the_same_words_have_the_same_mark_in_all_of_a_task() -> None:
    masking = Masking()

    assert masking.hide_all({"a": ["anna@mail.ru", "boris@mail.ru"], "b": "anna@mail.ru", "n": 3}) == {
        "a": ["[EMAIL_1]", "[EMAIL_2]"],
        "b": "[EMAIL_1]",
        "n": 3,
    }


def test_a_mark_that_somebody_typed_reads_nothing() -> None:
    """Else a customer's words could make the reply hold another person's number."""
    masking = Masking()
    hidden = masking.hide_all(["позвоните на [PHONE_1]", "+7 912 345-67-89"])

    assert hidden == ["позвоните на [TEXT_1]", "[PHONE_1]"]
    assert masking.show(hidden[0]) == "позвоните на [PHONE_1]"
    assert masking.show("[PHONE_9]") == "[PHONE_9]"


WORDS = st.lists(
    st.one_of(
        st.sampled_from(["+7 912 345-67-89", "a@b.ru", "[NAME_1]", "Анна", "ул. Мира, д. 5", "№ 4512", "https://x.ru/a"]),
        st.text(alphabet="абв 019.,[]_@\n", max_size=8),
    ),
    max_size=8,
)  # fmt: skip


@given(WORDS)
def test_what_is_hidden_comes_back_as_it_was(words: list[str]) -> None:
    text, masking = " ".join(words), Masking(["Анна"])
    hidden = masking.hide(text)

    assert masking.show(hidden) == text
    assert not re.search(r"345-67-89|a@b\.ru|https", hidden)


@pytest.mark.parametrize(
    "part", ["A.", "1-", "1 ", "a-", "ул. А ", "a@", "http://", "[A_1]", "родился ", "1111 "]
)
def test_no_text_takes_long(part: str) -> None:
    """However it was made: the longest that a task may hold is looked through at once."""
    text, masking, began = part * (24_000 // len(part)), Masking(["Анна Петрова"]), time.process_time()

    assert masking.show(masking.hide(text)) == text
    assert time.process_time() - began < 4  # seconds; it was twenty for some
