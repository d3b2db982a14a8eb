"""Our text as a terminal shows it: styles where it can show them, nothing but the words elsewhere."""

from __future__ import annotations

import io
import os
from typing import TextIO

from rich.console import Console, RenderableType
from rich.text import Text

from bot.model import RichText, Style

_LOOKS = {
    Style.BOLD: "bold",
    Style.ITALIC: "italic",
    Style.UNDERLINE: "underline",
    Style.STRIKE: "strike",
    Style.LINK: "underline blue",
    Style.CODE: "cyan",
    Style.PRE: "cyan",
    Style.QUOTE: "dim",
}


def can_style(stream: TextIO) -> bool:
    """Whether styles may be shown: on a terminal, unless NO_COLOR says otherwise."""
    return stream.isatty() and "NO_COLOR" not in os.environ


def terminal_text(text: RichText, styles: frozenset[Style] = frozenset(Style)) -> Text:
    """The words with their *styles*. Their own control codes lose their power: nobody's words steer the
    terminal.
    """
    shown = Text(text.text.replace("\x1b", "\ufffd"), overflow="fold")
    for span in text.spans:
        if span.style in styles and span.style in _LOOKS:
            shown.stylize(_LOOKS[span.style], span.offset, span.offset + span.length)
    return shown


def console_on(file: TextIO, *, styled: bool, width: int | None = None) -> Console:
    """Where rich draws: nothing is guessed, marked up or coloured by itself."""
    return Console(
        file=file,
        width=width,
        force_terminal=styled,
        color_system="standard" if styled else None,
        no_color=not styled,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
    )


def drawn(what: RenderableType, *, styled: bool, width: int) -> list[str]:
    """The lines of *what* in *width* columns."""
    out = io.StringIO()
    console_on(out, styled=styled, width=width).print(what)
    return out.getvalue().rstrip("\n").split("\n")


def coded(text: Text, *, styled: bool) -> str:
    """One text with its codes, its lines as long as they are."""
    if not styled:
        return text.plain
    out = io.StringIO()
    console_on(out, styled=True, width=max(1, text.cell_len)).print(text, end="", soft_wrap=True)
    return out.getvalue()
