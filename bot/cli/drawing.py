"""Tables and progress of the commands: drawn for people on a terminal, plain lines for everybody else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import typer

from bot.text.terminal_text import can_style, console_on

T = TypeVar("T")


def table(
    rows: Iterable[Sequence[str]],
    columns: Sequence[str],
    plain: Iterable[str],
    *,
    words: Collection[int] = (0,),
) -> None:
    """Print *rows* under *columns* on a terminal, and the lines *plain* elsewhere.

    The columns numbered in *words* hold words, the others figures.
    """
    if not can_style(sys.stdout):
        typer.echo("\n".join(plain))
        return
    from rich import box
    from rich.table import Table

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        is_words = number in words
        drawn.add_column(
            column,
            justify="left" if is_words else "right",
            overflow="fold",
            header_style="bold",
        )
    for row in rows:
        drawn.add_row(*row)
    console_on(sys.stdout, styled=True).print(drawn)


def followed(steps: Iterable[T], title: str, total: int | None = None) -> Iterator[T]:
    """The *steps*, with a bar on a terminal's standard error while somebody takes them."""
    if not can_style(sys.stderr):
        yield from steps
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console_on(sys.stderr, styled=True),
        transient=True,
    )
    with bar:
        yield from bar.track(steps, total=total, description=title)


@contextmanager
def busy(title: str) -> Iterator[Callable[[str], None]]:
    """A sign of life on a terminal's standard error while something runs whose length nobody knows.

    What is yielded tells how far it is, also where there is no terminal: to be called for what takes long.
    """
    if not can_style(sys.stderr):
        yield lambda text: typer.echo(f"{title}: {text}", err=True)
        return
    with console_on(sys.stderr, styled=True).status(title) as shown:
        yield lambda text: shown.update(f"{title}: {text}")
