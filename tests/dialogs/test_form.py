"""A form asks each thing once, checks it, may be skipped or left, and never keeps a person away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from bot.dialogs.forms.field_values import read_answer
from bot.dialogs.short_answers import ShortAnswers
from bot.i18n.texts import Texts
from bot.model import Customer, Media, Result
from bot.text.phones import phone
from tests.dialogs.talk import Talk


@dataclass(frozen=True)
class Asked:
    name: str
    type: str = "text"
    required: bool = False
    options: tuple[str, ...] = ()
    pattern: str | None = None
    personal: bool | None = None
    ask: Mapping[str, str] = field(default_factory=lambda: {"ru": "Вопрос?", "en": "Question?"})


@dataclass(frozen=True)
class Form:
    name: str
    when: str
    fields: tuple[Asked, ...]


BEFORE = (
    Form(
        "contact",
        "handoff",
        (Asked("name"), Asked("phone", "phone"), Asked("city", "choice", options=("Москва", "Казань"))),
    ),
)
COMMAND = (Form("callback", "command", (Asked("phone", "phone", required=True), Asked("order", "order"))),)


async def test_form_is_asked_before_a_person_and_its_answers_are_kept() -> None:
    """Three questions, three answers, then the ticket; the answers belong to the customer."""
    talk = Talk(forms=BEFORE)
    heard = await talk.says("позовите человека")
    assert "Вопрос?" in heard and talk.last.result is Result.CLARIFIED and talk.last.timers

    await talk.says("Анна")
    await talk.says("8 912 345-67-89")
    assert talk.labels == ["Москва", "Казань", "Пропустить", "Отмена"]
    await talk.presses("Казань")

    assert (talk.last.result, talk.last.reason) == (Result.HANDED_OFF, "asked")
    assert talk.customer.fields == {"name": "Анна", "phone": "+79123456789", "city": "Казань"}
    assert talk.last.cancel == ("form:1",) and talk.last.events[0].data == {
        "form": "contact",
        "given": ["name", "phone", "city"],
    }


async def test_known_fields_are_not_asked() -> None:
    """What the customer has told before, or skipped, is never asked again."""
    talk = Talk(forms=BEFORE, customer=Customer(1, "Анна", fields={"name": "Анна", "phone": ""}))
    await talk.says("оператор")
    assert talk.labels[:2] == ["Москва", "Казань"]
    await talk.says("пропустить")
    assert talk.last.result is Result.HANDED_OFF
    await talk.says("оператор")
    assert talk.last.result is Result.HANDED_OFF


async def test_asking_for_a_person_again_ends_the_form() -> None:
    """The second request for a person is not answered with a question."""
    talk = Talk(forms=BEFORE)
    await talk.says("оператор")
    await talk.says("позовите человека")
    assert (talk.last.result, talk.last.reason) == (Result.HANDED_OFF, "asked")


async def test_upset_customer_is_asked_nothing() -> None:
    """Anger skips the form."""
    talk = Talk(forms=BEFORE)
    await talk.says("безобразие")
    assert talk.last.reason == "upset" and talk.last.result is Result.HANDED_OFF


async def test_wrong_answers_are_explained_and_then_left_out() -> None:
    """Twice the mistake is named; then the form goes on without the answer."""
    talk = Talk(forms=BEFORE, customer=Customer(1, fields={"name": "А", "city": ""}))
    await talk.says("оператор")
    assert "Не похоже на номер телефона" in await talk.says("не скажу сейчас")
    assert "Не похоже на номер телефона" in await talk.says("12")
    await talk.says("13")
    assert talk.last.result is Result.HANDED_OFF and talk.customer.fields["phone"] == ""


async def test_cancelling_calls_nobody_and_skipping_goes_on() -> None:
    """«Отмена» ends the form and its timer, «Пропустить» asks the next thing."""
    talk = Talk(forms=BEFORE)
    await talk.says("оператор")
    await talk.presses("Пропустить")
    assert talk.customer.fields == {"name": ""}
    await talk.presses("Отмена")
    assert talk.last.reason == "form_cancelled" and talk.last.cancel == ("form:1",)
    assert "За 14 дней." in await talk.says("как вернуть")


async def test_who_falls_silent_gets_a_person_all_the_same() -> None:
    """Five minutes after the last question the ticket is opened without the rest."""
    talk = Talk(forms=BEFORE)
    await talk.says("оператор")
    await talk.says("Анна")
    await talk.waits(timedelta(minutes=6))
    assert (talk.last.result, talk.last.reason) == (Result.HANDED_OFF, "asked")


async def test_command_starts_a_form_and_required_fields_stay() -> None:
    """/callback asks; a required thing cannot be skipped; at the end the bot thanks."""
    talk = Talk(forms=COMMAND)
    await talk.says("/callback")
    assert talk.labels == ["Отмена"]
    assert "Без этого" in await talk.says("пропустить")
    await talk.sends(Media.CONTACT, phone="+7 912 345 67 89", user="77")
    await talk.says("номер АБ-12345")
    assert (
        talk.customer.fields == {"phone": "+79123456789", "order": "АБ-12345"}
        and talk.last.reason == "form_filled"
    )
    assert "уже записано" in await talk.says("/callback")


@pytest.mark.parametrize("user", ["78", ""])
async def test_the_contact_of_somebody_else_is_no_phone_of_the_customer(user: str) -> None:
    """A forwarded card is asked again about; only the card of who sends it counts."""
    talk = Talk(forms=COMMAND)
    await talk.says("/callback")
    await talk.sends(Media.CONTACT, phone="+7 999 000 00 00", user=user)
    assert "phone" not in talk.customer.fields
    await talk.sends(Media.CONTACT, phone="+7 912 345 67 89", user="77")
    assert talk.customer.fields["phone"] == "+79123456789"


async def test_start_leaves_the_form() -> None:
    """/start begins anew."""
    talk = Talk(forms=COMMAND)
    await talk.says("/callback")
    await talk.starts()
    assert "За 14 дней." in await talk.says("как вернуть")


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("phone", "+7 (912) 345-67-89", "+79123456789"), ("phone", "мой 89123456789", "+79123456789"),
        ("phone", "9123456789", "+79123456789"),
        ("phone", "+375 29 123-45-67", "+375291234567"), ("phone", "12345", None),
        ("email", "Почта: Anna@Mail.RU.", "anna@mail.ru"),
        ("email", "anna@mail", None), ("order", "заказ №123456", "123456"), ("order", "не помню", None),
        ("number", "1 200,5", "1200.5"),
        ("number", "много", None), ("choice", "казань", "Казань"), ("choice", "2", "Казань"),
        ("choice", "Тверь", None),
        ("text", "Анна Петрова", "Анна Петрова"), ("text", "…", None), ("text", "x" * 300, None),
        ("text", "/start", None),
    ],
)  # fmt: skip
def test_answers_are_checked_and_kept_in_one_form(type_: str, text: str, value: str | None) -> None:
    """Each type knows its answers, as people type them."""
    assert (
        read_answer(Asked("x", type_, options=("Москва", "Казань")), text, (), ShortAnswers(Texts.load()))
        == value
    )


def test_own_pattern_decides() -> None:
    """A pattern of the config is about the whole answer."""
    hearing = ShortAnswers(Texts.load())
    assert read_answer(Asked("x", pattern=r"[А-Я]{2}\d{4}"), "АБ1234", (), hearing) == "АБ1234"
    assert read_answer(Asked("x", pattern=r"[А-Я]{2}\d{4}"), "АБ12345", (), hearing) is None


def test_a_pattern_that_never_ends_holds_nobody_up() -> None:
    """Sixty letters would take this pattern years: the answer is kept as it was said, and an operator reads
    it.
    """
    assert (
        read_answer(Asked("x", pattern=r"(a|aa)+"), "a" * 60 + "!", (), ShortAnswers(Texts.load()))
        == "a" * 60 + "!"
    )


def test_phone_is_not_found_in_a_long_story() -> None:
    """A number inside a long text is no answer to «ваш телефон?»."""
    assert phone("позавчера мне звонили с номера 89123456789 и ничего не сказали про заказ") is None
