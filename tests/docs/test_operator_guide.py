"""What operators are told about their commands is what the registry says."""

from __future__ import annotations

import pytest

from bot.handoff.operators.command import Command, Role
from bot.handoff.operators.registry import ASSISTANT, COMMANDS, ROWS, Registry
from bot.i18n.texts import Texts
from tests.docs.operator_table import BEGIN, COMMAND, END, PAGE, written

REGISTRY = Registry(assistant=True)


def test_the_guides_table_is_what_the_registry_prints() -> None:
    """The table is made, not written by hand."""
    page = PAGE.read_text("utf-8")

    assert page.count(BEGIN) == page.count(END) == 1
    assert page == written(page), f"the commands have changed: {COMMAND}"


@pytest.mark.parametrize("lang", ["ru", "en"])
@pytest.mark.parametrize("command", REGISTRY.listed, ids=lambda c: c.name)
def test_each_command_has_its_words(command: Command, lang: str) -> None:
    """A command that nobody can explain is not offered."""
    texts = Texts.load()

    assert texts.text(f"commands.operator.{command.help}", lang=lang)
    if command.name in REGISTRY.on_cards:
        assert texts.text(f"desk.button.{command.button}", lang=lang)


def test_no_name_and_no_button_is_given_twice() -> None:
    """One word, one command."""
    names = [name for c in (*COMMANDS, *ASSISTANT) for name in (c.name, *c.aliases) if name]
    buttons = [c.button for c in (*COMMANDS, *ASSISTANT) if c.button]

    assert len(names) == len(set(names)) == len(REGISTRY.names)
    assert len(buttons) == len(set(buttons))


def test_every_button_of_a_card_does_something() -> None:
    """The rows of a card name commands that have a button."""
    for row in (row for rows in ROWS.values() for row in rows):
        for name in row:
            command = REGISTRY.named(name)
            assert command is not None and REGISTRY.pressed(command.button) is command, name


def test_what_a_supervisor_is_offered_in_private_can_be_asked_for_there() -> None:
    """The menu and the routing agree."""
    for command in REGISTRY.menu(afar=True):
        assert REGISTRY.afar(command.name, "" if command.afar else "12") is command
    assert {c.name for c in REGISTRY.menu() if c.role is Role.SUPERVISOR} >= {
        "overview",
        "assign",
        "priority",
    }
