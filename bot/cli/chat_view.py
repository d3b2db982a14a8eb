"""Draws what a chat shows as lines of a terminal: bubbles with their styles, and the buttons below."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from bot.model import Outbound, RichText, Rows, Style
from bot.text.graphemes import shorten

_CODES = {
    Style.BOLD: "1",
    Style.ITALIC: "3",
    Style.UNDERLINE: "4",
    Style.STRIKE: "9",
    Style.LINK: "4;34",
    Style.CODE: "36",
    Style.PRE: "36",
    Style.QUOTE: "2",
}


def width_of(text: str) -> int:
    """Columns that *text* takes in a terminal."""
    return sum(
        (
            0
            if unicodedata.combining(c) or c in "\u200d\ufe0f"
            else 2
            if unicodedata.east_asian_width(c) in "WF"
            else 1
        )
        for c in text
    )


def coloured() -> bool:
    """Whether styles may be shown."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def draw(
    messages: Iterable[Outbound], *, width: int, styles: frozenset[Style] = frozenset(Style), label: int = 64
) -> list[str]:
    """Each message a box of *width* columns, its buttons under it, cut at *label* characters as the channel
    would.
    """
    lines: list[str] = []
    for message in messages:
        rows = [f"[{a.media.value}: {PurePosixPath(a.name or a.ref).name}]" for a in message.attachments]
        rows += wrap(message.text, width - 4, styles)
        lines += [
            f"╭{'─' * (width - 2)}╮",
            *(f"│ {_padded(row, width - 4)} │" for row in rows),
            f"╰{'─' * (width - 2)}╯",
        ]
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


def wrap(rich: RichText, width: int, styles: frozenset[Style] = frozenset(Style)) -> list[str]:
    """The lines of *rich* in *width* columns, styles as terminal codes where the output can show them."""
    lines: list[str] = []
    start = 0
    for row in rich.text.split("\n"):
        for begin, end in _pieces(row, width):
            lines.append(_styled(rich, start + begin, start + end, styles))
        start += len(row) + 1
    return lines


def _pieces(row: str, width: int) -> list[tuple[int, int]]:
    pieces: list[tuple[int, int]] = []
    begin = 0
    while width_of(row[begin:]) > width:
        end = begin
        while width_of(row[begin : end + 1]) <= width:
            end += 1
        space = row.rfind(" ", begin, end + 1)
        cut = space if space > begin else end
        pieces.append((begin, cut))
        begin = cut + 1 if space > begin else cut
    pieces.append((begin, len(row)))
    return pieces


def _styled(rich: RichText, start: int, end: int, styles: frozenset[Style]) -> str:
    if not coloured():
        return rich.text[start:end]
    done, now = [], ""
    for place in range(start, end):
        codes = ";".join(
            _CODES[s.style]
            for s in rich.spans
            if s.style in styles and s.style in _CODES and s.offset <= place < s.offset + s.length
        )
        if codes != now:
            done.append("\x1b[0m" if now else "")
            done.append(f"\x1b[{codes}m" if codes else "")
            now = codes
        done.append(rich.text[place])
    return "".join(done) + ("\x1b[0m" if now else "")


def _buttons(rows: Rows, width: int, label: int) -> list[str]:
    lines = []
    for row in rows:
        each = (width - 2 - 2 * (len(row) - 1)) // len(row)
        texts = [_fitting(shorten(b.label, label), each - 4) + (" ↗" if b.url else "") for b in row]
        lines.append(
            " " + "  ".join(f"[ {text}{' ' * max(0, each - 4 - width_of(text))} ]" for text in texts)
        )
    return lines


def _fitting(text: str, width: int) -> str:
    while width_of(text) > width and text:
        text = text[:-2] + "…"
    return text


def _padded(row: str, width: int) -> str:
    bare = row
    while "\x1b[" in bare:
        before, _, rest = bare.partition("\x1b[")
        bare = before + rest.partition("m")[2]
    return row + " " * max(0, width - width_of(bare))
