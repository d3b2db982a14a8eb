"""The table of commands in the operators' guide: `python -m tests.docs.operator_table` writes it anew."""

from __future__ import annotations

from pathlib import Path

from bot.handoff.operators.command_words import table
from bot.handoff.operators.registry import Registry
from bot.i18n.texts import Texts

PAGE = Path(__file__).parents[2] / "docs/ru/operator.md"
BEGIN, END = "<!-- commands: begin -->\n", "<!-- commands: end -->\n"
COMMAND = "python -m tests.docs.operator_table"


def written(page: str) -> str:
    """The page with the table as the registry prints it."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    registry = Registry()
    return before + BEGIN + table(registry.listed, registry.on_cards, Texts.load(), "ru") + END + after


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), encoding="utf-8")
