"""Tables and progress: drawn on a terminal, plain lines in a pipe, a file, or where NO_COLOR is set."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from bot.cli.drawing import busy, followed, table

ROWS = [("dostavka/sroki", "7", "Сроки доставки"), ("oplata/karta", "12", "Оплата картой")]
COLUMNS = ("Статья", "Вопросов", "Заголовок")
PLAIN = ["dostavka/sroki 7", "oplata/karta 12"]


class Terminal(io.StringIO):
    """What rich and we take for a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Standard output and standard error of a terminal 100 columns wide."""
    made = Terminal()
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")
    return made


@contextmanager
def on(screen: Terminal) -> Iterator[None]:
    with redirect_stdout(screen), redirect_stderr(screen):
        yield


def test_a_terminal_sees_a_table(screen: Terminal) -> None:
    with on(screen):
        table(ROWS, COLUMNS, PLAIN, words=(0, 2))

    shown = screen.getvalue()
    assert "\x1b[" in shown and "─" in shown
    assert all(cell in shown for row in (COLUMNS, *ROWS) for cell in row)


def test_a_pipe_sees_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    table(ROWS, COLUMNS, PLAIN)

    assert capsys.readouterr().out == "dostavka/sroki 7\noplata/karta 12\n"


def test_no_color_is_obeyed(screen: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    with on(screen), busy("считаю"):
        table(ROWS, COLUMNS, PLAIN)
        assert list(followed("абв", "буквы", 3)) == ["а", "б", "в"]

    assert screen.getvalue() == "dostavka/sroki 7\noplata/karta 12\n"


def test_progress_gives_every_step_and_names_what_is_done(screen: Terminal) -> None:
    with on(screen):
        assert list(followed(range(5), "Вопросы", 5)) == [0, 1, 2, 3, 4]

    assert "Вопросы" in screen.getvalue()


def test_words_are_no_markup(screen: Terminal) -> None:
    """What editors write in brackets is shown as written."""
    with on(screen):
        table([("[bold]x[/bold]", ":smile:")], ("a", "b"), [], words=(0, 1))

    assert "[bold]x[/bold]" in screen.getvalue() and ":smile:" in screen.getvalue()


@pytest.mark.parametrize(("environment", "styled"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_command_on_a_real_terminal(shop: Path, environment: dict[str, str], styled: bool) -> None:
    """`bot kb list`, its errors too, with and without NO_COLOR."""
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "bot", "kb", "list"]
    done = subprocess.Popen(
        command, cwd=shop, stdout=theirs, stderr=theirs, env={**kept, "TERM": "xterm", **environment}
    )
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
    except OSError:  # the other side is closed
        pass
    os.close(ours)

    assert done.wait() == 0
    assert "delivery/time" in shown.decode() and (b"\x1b[" in shown) is styled


def test_a_slow_preparation_is_told_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Half a minute of silence looks like a hang; standard output stays for the answer."""
    with busy("Загружаю") as told:
        told("векторы слов готовятся: 40 %")

    said = capsys.readouterr()
    assert said.err == "Загружаю: векторы слов готовятся: 40 %\n" and not said.out
