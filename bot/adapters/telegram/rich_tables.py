"""Tables as Telegram shows them to newer clients: a rich message of paragraphs and tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from aiogram.types import (
    InputRichBlockParagraph,
    InputRichBlockTable,
    InputRichMessage,
    RichBlockTableCell,
    RichTextBold,
    RichTextCode,
    RichTextItalic,
    RichTextSpoiler,
    RichTextStrikethrough,
    RichTextUnderline,
    RichTextUrl,
)

from bot.adapters.rich_text import part
from bot.model import RichText, Span, Style
from bot.text.markdown import is_web_link, table_cells

COLUMNS, BLOCKS = 20, 400  # what Telegram takes of them, with something to spare
_LOOKS: dict[Style, type[Any]] = {
    Style.BOLD: RichTextBold,
    Style.ITALIC: RichTextItalic,
    Style.UNDERLINE: RichTextUnderline,
    Style.STRIKE: RichTextStrikethrough,
    Style.CODE: RichTextCode,
    Style.SPOILER: RichTextSpoiler,
}


def rich_message(text: RichText) -> InputRichMessage | None:
    """The text with its tables as tables; None where there are none, or it is more than Telegram takes."""
    tables = [(s, cells) for s in text.spans if s.style is Style.TABLE and (cells := table_cells(text, s))]
    if not tables:
        return None
    blocks: list[Any] = []
    at, size = 0, 0
    for span, cells in sorted(tables, key=lambda found: found[0].offset):
        if span.offset < at or max(map(len, cells)) > COLUMNS:
            return None
        blocks += _paragraphs(part(text, at, span.offset))
        blocks.append(_table(cells))
        at, size = span.offset + span.length, size + len(cells)
    blocks += _paragraphs(part(text, at, len(text.text)))
    return InputRichMessage(blocks=blocks) if len(blocks) + size <= BLOCKS else None


def _table(cells: Sequence[Sequence[str]]) -> InputRichBlockTable:
    head, *body = cells
    rows = [[_cell(cell, head=True) for cell in head]] if any(head) else []
    rows += [[_cell(cell) for cell in row] for row in body]
    return InputRichBlockTable(cells=rows, is_bordered=True, is_striped=True)


def _cell(text: str, *, head: bool = False) -> RichBlockTableCell:
    return RichBlockTableCell(text=text or " ", is_header=head or None, align="left", valign="top")


def _paragraphs(text: RichText) -> Iterator[InputRichBlockParagraph]:
    """A line each."""
    at = 0
    for line in text.text.split("\n"):
        if line.strip():
            yield InputRichBlockParagraph(text=_styled(part(text, at, at + len(line))))
        at += len(line) + 1


def _styled(line: RichText) -> Any:
    """Stretches of one look each, links and styles around their words."""
    size = len(line.text)
    edges = {0, size, *(s.offset for s in line.spans), *(s.offset + s.length for s in line.spans)}
    marks = sorted(e for e in edges if 0 <= e <= size)
    pieces = [
        _wrapped(line.text[a:b], [s for s in line.spans if s.offset <= a and b <= s.offset + s.length])
        for a, b in pairwise(marks)
    ]
    return pieces[0] if len(pieces) == 1 else pieces


def _wrapped(text: str, spans: Sequence[Span]) -> Any:
    made: Any = text
    for span in spans:
        if (look := _LOOKS.get(span.style)) is not None:
            made = look(text=made)
        elif span.style is Style.LINK and is_web_link(span.url):
            made = RichTextUrl(text=made, url=span.url)
    return made
