"""Names are said rightly or not at all."""

from __future__ import annotations

import logging

import pytest

from bot.model import Customer
from bot.text.person_names import call_name, clean_name, decline, gender_of


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("Анна", "Анна"), ("АННА", "Анна"), ("анна-мария", "Анна-Мария"), ("Анна 🌸", "Анна"),
        ("Анна Петрова", "Анна"), ("John", "John"),
        ("Мария (доставка)", "Мария"), ("Миша", "Миша"), ("Юля", "Юля"), ("Нұрлан", ""),
        ("❤️Настюша❤️", ""), ("xXx_killer", ""),
        ("user12345", ""), ("Магазин", ""), ("DELETED", ""), ("", ""), ("ъъъ", ""), ("🔥🔥", ""),
        ("**x**", ""), ("[a](tg://user)", ""),
        ("{{7*7}}", ""), ("Ааааа", ""), ("А", ""), ("\u202eАнна", "Анна"), ("I want my money back now", ""),
    ],
)  # fmt: skip
def test_customers_are_called_by_real_names_only(told: str, said: str) -> None:
    """A decorated name is cleaned; a nickname, a pet name or a sentence is not said at all."""
    assert call_name(Customer(1, told)) == said


def test_name_told_in_a_form_comes_first() -> None:
    """What the customer typed themselves beats the platform's nickname."""
    assert call_name(Customer(1, "xXx", fields={"name": "Павел"})) == "Павел"
    assert call_name(None) == ""


@pytest.mark.parametrize(
    ("first", "last", "dative"),
    [
        ("Анна", "Черных", "Анне Черных"), ("Павел", "Коваль", "Павлу Ковалю"),
        ("Артём", "Соловей", "Артёму Соловею"),
        ("Айгуль", "Шевченко", "Айгуль Шевченко"), ("Любовь", "", "Любови"), ("Илья", "Ким", "Илье Киму"),
        ("Ольга", "Ким", "Ольге Ким"),
        ("Саша", "", "Саше"), ("Арзу", "", "Арзу"), ("John", "Smith", "John Smith"), ("", "", ""),
    ],
)  # fmt: skip
def test_names_are_declined_in_the_dative(first: str, last: str, dative: str) -> None:
    """Hard names are declined as Russian has it; Latin and unknown ones stay as they are."""
    assert decline(first, last, case="dat") == dative


def test_other_cases_and_a_gender_from_the_platform() -> None:
    """The platform's gender decides where the name does not."""
    assert decline("Женя", "Кузнецова", "female", "ins") == "Женей Кузнецовой"
    assert decline("Саша", case="gen") == "Саши"
    assert decline("Игорь", case="acc") == "Игоря"


def test_gender_is_unknown_rather_than_guessed() -> None:
    """Names of both genders tell nothing."""
    assert (gender_of("Анна"), gender_of("Павел", "Коваль"), gender_of("Саша"), gender_of("John")) == (
        "female",
        "male",
        "",
        "",
    )


def test_names_do_not_reach_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """The library behind would log a contradictory name; ours does not."""
    with caplog.at_level(logging.DEBUG):
        gender_of("Анна", "Иванов")
    assert "Иванов" not in caplog.text.title()


def test_cleaning_keeps_double_names() -> None:
    """Two words stay two words."""
    assert clean_name("Анна Мария") == "Анна Мария"
