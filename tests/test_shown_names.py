"""A name that is shown can be seen, and turns nothing around it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.handoff.card import topic_name
from bot.model import Customer
from bot.testing import TestBot
from bot.text.person_names import full_name, shown_name

UNSEEN = [
    "\u200b",
    "\u200e\u200f",
    "\u202e",
    "\u2066\u2069",
    "\u3164",
    "\u2800",
    "\ufe0f",
    "\u00ad",
    "\u0301",
    "\t\n",
    "\ufffd\u200d",
]
SIGNS = st.text(
    st.sampled_from("аЯ z1\u200b\u200d\u200e\u202e\u2067\u3164\u0301\ufe0f\U0001f469\u00a0\n\x00\ue000")
    | st.characters(),
    max_size=30,
)


@given(SIGNS)
def test_what_is_shown_is_seen(told: str) -> None:
    """No controls, no turned directions, no spaces at the ends; cleaning twice changes nothing; "" where
    nothing can be seen.
    """
    shown = shown_name(told)

    assert shown == shown.strip() == shown_name(shown) and "  " not in shown
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in shown)
    assert not any(unicodedata.category(c) == "Cf" and c not in "\u200c\u200d" for c in shown)
    assert not shown or any(unicodedata.category(c)[0] in "LNPS" for c in shown)


def test_a_name_keeps_what_belongs_to_it() -> None:
    """Families of emoji, Persian joins and accents stay; parts that cannot be seen leave no gap."""
    assert shown_name("\u202eАнна\u202c  \U0001f469\u200d\U0001f467 ") == "Анна \U0001f469\u200d\U0001f467"
    assert shown_name("می\u200cخواهم") == "می\u200cخواهم" and shown_name("Ёлка") == "Ёлка"
    assert full_name(Customer(1, "\u200b", "Ли\u202eновская")) == "Линовская"
    assert [shown_name(u) for u in UNSEEN] == [""] * len(UNSEEN)


@pytest.mark.parametrize("name", ["\u200b", "\u202e\u202e", "\u3164"])
async def test_who_has_no_name_to_be_seen_is_a_customer(testbot: TestBot, name: str) -> None:
    """The topic, the card and the button of a customer without a visible name say so in words."""
    anna, olga = testbot.customer(name), testbot.operator()
    await anna.says("позовите оператора")
    ticket = await testbot.service.store.ticket(1)
    assert ticket is not None
    nameless = testbot.service.desk.context.texts.text("desk.nameless", lang="ru")

    assert nameless in topic_name(ticket, testbot.service.desk.context.texts, "ru")
    assert any(nameless in o.text.text for o in await olga.sees(1))


async def test_a_direction_sign_turns_no_card(testbot: TestBot) -> None:
    """RLO in a customer's or an operator's name reaches nobody."""
    anna, olga = testbot.customer("Ан\u202eна"), testbot.operator("Оль\u202eга")
    await anna.says("позовите оператора")
    await olga.presses("Взять", ticket=1)
    await olga.says("Здравствуйте", ticket=1)
    said = [*(o.text.text for o in await olga.sees(1)), *anna.hears()]

    assert any("Анна" in s for s in said) and not any("\u202e" in s for s in said)
    found = await testbot.service.store.customer(1)
    assert found is not None and found.name == "Анна"
