"""The words about commands: a line of /help, an entry of the menu, a row of the operators' guide."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from bot.handoff.operators.command import Command, Role
from bot.i18n.texts import Texts


def line(command: Command, texts: Texts, lang: str) -> dict[str, str]:
    """What /help says of it: how it is written, and what it does."""
    return {
        "written": written(command, texts, lang),
        "does": texts.text(_key("operator", command), lang=lang),
    }


def written(command: Command, texts: Texts, lang: str) -> str:
    """The command with what follows it."""
    key = _key("usage", command)
    return f"/{command.name} {texts.text(key, lang=lang)}" if texts.has(key) else f"/{command.name}"


def entry(command: Command, texts: Texts, lang: str) -> tuple[str, str]:
    """The command as the menu behind "/" offers it."""
    does = texts.text(_key("operator", command), lang=lang)
    if command.role is Role.SUPERVISOR:
        does = texts.text("commands.of_supervisors", lang=lang, does=does)
    return command.name, does


def table(commands: Iterable[Command], on_cards: Collection[str], texts: Texts, lang: str) -> str:
    """The table of the operators' guide, in Markdown; *on_cards*: the commands whose buttons cards have."""
    heads = [texts.text(f"commands.table.{head}", lang=lang) for head in ("button", "command", "does")]
    rows = [_row(heads), "|" + "---|" * len(heads)]
    for command in commands:
        has_button = command.name in on_cards
        label = texts.text(f"desk.button.{command.button}", lang=lang) if has_button else "—"
        details = _key("details", command)
        does = texts.text(details if texts.has(details) else _key("operator", command), lang=lang)
        if command.role is Role.SUPERVISOR:
            does = texts.text("commands.of_supervisors", lang=lang, does=does)
        rows.append(_row([label, f"`{written(command, texts, lang)}`", does]))
    return "\n".join(rows) + "\n"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _key(kind: str, command: Command) -> str:
    return f"commands.{kind}.{command.help}"
