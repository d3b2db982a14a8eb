"""What other systems tell of a customer: any bytes are read or refused in words, and one person's phone has
one form.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dialogs.surveys import nps, rating
from bot.errors import ConfigError
from bot.text.customer_fields import NEWS, fault, normal, read_table, shown


@given(st.binary(max_size=400))
def test_any_bytes_are_a_table_or_refused_in_words(content: bytes) -> None:
    """Never another error than the one with file and line."""
    try:
        rows = read_table(content, "crm.csv")
    except ConfigError as error:
        assert error.problems and all(p.file == "crm.csv" and p.text for p in error.problems)
    else:
        assert all(row.channel and row.chat for row in rows)


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), min_size=1, max_size=5))
def test_any_cells_are_kept_as_they_are_or_refused(cells: list[tuple[str, str]]) -> None:
    """A row that is taken holds what the file said, stripped of blanks at its ends."""
    quoted = "\n".join(
        ",".join(f'"{v.replace(chr(34), chr(34) * 2)}"' for v in ("vk", str(n), *row))
        for n, row in enumerate(cells, 1)
    )
    try:
        rows = read_table(f"channel,id,a,b\n{quoted}\n".encode("utf-8", "surrogatepass"), "crm.csv")
    except ConfigError:
        return
    for row in rows:
        assert (row.values["a"], row.values["b"]) == tuple(
            v.replace("\r\n", "\n").strip() for v in cells[int(row.chat) - 1]
        ) or "\r" in "".join(cells[int(row.chat) - 1])


@pytest.mark.parametrize("written", ["+7 912 345-67-89", "8 (912) 345-67-89", "9123456789", "+79123456789"])
def test_a_phone_has_one_form(written: str) -> None:
    """However somebody wrote it."""
    assert normal("phone", written) == "+79123456789"


def test_what_cannot_be_kept_is_refused() -> None:
    """Names and values, each with its reason."""
    assert fault("vip", "да") == "" and fault("город", None) == ""
    assert "строчных букв" in fault("VIP", 1)
    assert "хранит своё" in fault("rating_asked", "x")
    assert "текст, число" in fault("a", [1])
    assert "конечным" in fault("a", float("nan"))
    assert "500" in fault("a", "x" * 501)
    assert "не адрес почты" in fault("email", "no")


@pytest.mark.parametrize("name", [rating.ASKED, nps.ASKED_AT, nps.SCORED, NEWS])
def test_the_bots_own_marks_are_out_of_reach(name: str) -> None:
    """No table and no other system takes away that somebody wants no broadcasts, or when they were asked."""
    assert "хранит своё" in fault(name, None)
    assert shown({name: "x"}) == {}


def test_only_attributes_are_shown() -> None:
    """Contacts have their own place on the card, our own marks none."""
    assert shown(
        {"phone": "+7", "order": "1", "rating_asked": "x", "empty": "", "vip": True, "город": "Омск"}
    ) == {"vip": True, "город": "Омск"}
