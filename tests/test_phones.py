"""A telephone number is one however it is typed; orders, sums and dates are none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.dialogs.forms.field_values import read_answer
from bot.dialogs.short_answers import ShortAnswers
from bot.handoff.contacts import contacts
from bot.i18n.texts import Texts
from bot.observability import redact
from bot.text import phones
from bot.text.customer_fields import normal
from bot.text.pii import HIDDEN, mask
from tests.dialogs.test_form import Asked

WRITTEN = [
    ("+7 912 345-67-89", "+79123456789"),
    ("8 (912) 345-67-89", "+79123456789"),
    ("89123456789", "+79123456789"),
    ("8 912 345\u201167\u201189", "+79123456789"),
    ("+7\u00a0912\u00a0345\u201367\u201389", "+79123456789"),
    ("８９１２３４５６７８９", "+79123456789"),
    ("＋７（９１２）３４５－６７－８９", "+79123456789"),
    ("8.912.345.67.89", "+79123456789"),
    ("+372 5123 456", "+3725123456"),
    ("+372 5123\u2011456", "+3725123456"),
    ("+375 29 123-45-67", "+375291234567"),
    ("0049 30 901820", "+4930901820"),
    ("0049 151 23456789", "+4915123456789"),
    ("+49 (0)30 901820", "+4930901820"),
    ("(912) 345-67-89", "+79123456789"),
]

NO_PHONES = [
    "заказ 48213",
    "№1234567890",
    "ИНН 7707083893",
    "ОГРН 1027700132195",
    "12 345 678 ₽",
    "1 234 567 890 руб.",
    "2026-11-21 10:00",
    "21.11.2026 10:30",
    "с 10:00-20:00",
    "с 01-05-2026 по 03-05-2026",
    "артикул 00123456789",
    "трек 80123456789012",
    "4-5 дней, 1-2 штуки",
    "RA123456789RU",
    "192.168.100.200",
    "100 000 000 000",
    "1234-5678",
    "978-5-17-118366-6",
]


@pytest.fixture
def _at_home() -> Iterator[None]:
    yield
    phones.set_home(None)


@pytest.mark.parametrize(("written", "number"), WRITTEN)
def test_a_phone_is_one_however_it_is_typed(written: str, number: str) -> None:
    """Masked, kept out of the log, seen by operators, taken by forms, found by /same: all know the same
    numbers.
    """
    said = f"мой номер {written}, звоните"
    asked = read_answer(Asked("phone", "phone"), written, (), ShortAnswers(Texts.load()))

    assert [(p.written, p.number) for p in phones.find(said)] == [(written, number)]
    assert normal("phone", written) == asked == number
    assert contacts([said], {}).phone == written
    assert (
        HIDDEN in mask(said)
        and written not in mask(said)
        and mask(said).endswith(f"-{number[-4:-2]}-{number[-2:]}, звоните")
    )
    assert redact(said) == "мой номер <phone>, звоните"


@pytest.mark.parametrize("said", NO_PHONES)
def test_orders_sums_and_dates_are_no_phones(said: str) -> None:
    """What is no phone stays as it is, everywhere."""
    assert (mask(said), redact(said), contacts([said], {}).phone) == (said, said, "")


def test_a_number_beside_another_is_found() -> None:
    """An order before it and a count after it belong to neither."""
    assert mask("заказ 12345 89123456789") == "заказ 12345 +7 ••• •••-67-89"
    assert mask("+372 5123 4567 2026 год") == "+372 ••• •••-45-67 2026 год"
    assert mask("+79123456789 и 8 913 345-67-80") == "+7 ••• •••-67-89 и +7 ••• •••-67-80"


@pytest.mark.usefixtures("_at_home")
def test_a_number_without_a_country_is_dialled_at_home() -> None:
    """The country of the settings says whose it is."""
    phones.set_home("DE")
    assert normal("phone", "030 901820") == "+4930901820" and HIDDEN in mask("Tel. 030 901820")
    assert normal("phone", "8 (912) 345-67-89") == "+79123456789"
