"""Draws what a chat shows as lines of a terminal: bubbles with their styles, and the buttons below."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from rich.box import ROUNDED
from rich.panel import Panel
from rich.text import Text

from bot.model import Outbound, Rows, Style
from bot.text.graphemes import shorten
from bot.text.terminal_text import can_style, drawn, terminal_text


def draw(
    messages: Iterable[Outbound], *, width: int, styles: frozenset[Style] = frozenset(Style), label: int = 64
) -> list[str]:
    """Each message a box of *width* columns, its buttons under it, cut at *label* characters as the channel
    would.
    """
    lines: list[str] = []
    for message in messages:
        files = [
            Text(f"[{a.media.value}: {PurePosixPath(a.name or a.ref).name}]") for a in message.attachments
        ]
        body = Text("\n").join([*files, terminal_text(message.text, styles)])
        lines += drawn(Panel(body, box=ROUNDED, width=width), styled=can_style(sys.stdout), width=width)
        lines += _buttons(message.buttons, width, label)
        lines.append("")
    return lines[:-1]


def beside(left: Sequence[str], right: Sequence[str], width: int) -> list[str]:
    """Two drawings next to each other."""
    rows = max(len(left), len(right))
    return [
        f"{_padded(left[i] if i < len(left) else '', width)}  {right[i] if i < len(right) else ''}".rstrip()
        for i in range(rows)
    ]


def _buttons(rows: Rows, width: int, label: int) -> list[str]:
    lines = []
    for row in rows:
        each = (width - 2 - 2 * (len(row) - 1)) // len(row)
        boxes = []
        for button in row:
            text = Text(shorten(button.label, label) + (" ↗" if button.url else ""))
            text.truncate(max(1, each - 4), overflow="ellipsis", pad=True)
            boxes.append(f"[ {text.plain} ]")
        lines.append(" " + "  ".join(boxes))
    return lines


def _padded(row: str, width: int) -> str:
    return row + " " * max(0, width - Text.from_ansi(row).cell_len)
