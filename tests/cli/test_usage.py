"""A call that cannot be understood is answered in one language only, with the way to the help."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.root import app
from tests.cli.conftest import Run

CALLS = [
    (("ask", "--bogus"), "--bogus"),
    (("ask", "x", "--languag", "ru"), "--language"),
    (("kb", "import", "nofile.csv"), "nofile.csv"),
    (("customers", "join", "1"), "other"),
    (("export",), "--customer"),
    (("eval", "--precision", "7"), "1"),
    (("eval", "--precision", "many"), "0.95"),
    (("incident", "clear", "x"), "number"),
    (("kb", "stats", "too", "many"), "too many"),
    (("report", "--from", "x"), "x"),
    (("report", "--from", "2026-11-10", "--to", "2026-11-01"), "2026-11-01"),
    (("kbb",), "kb"),
]


@pytest.mark.parametrize(("call", "named"), CALLS)
def test_a_wrong_call_is_told_in_one_language(
    run: Run, monkeypatch: pytest.MonkeyPatch, call: tuple[str, ...], named: str
) -> None:
    """Exit code 2; no English words of a library in the Russian, no Russian in the English."""
    monkeypatch.setenv("BOT_LANG", "ru")
    russian = run(*call, code=2).output
    monkeypatch.setenv("BOT_LANG", "en")
    english = run(*call, code=2).output

    assert named in russian and named in english
    assert re.search("[а-яё]{3}", russian)
    assert not re.search(r"Usage|Error|Invalid|Input|Missing|Try|should be|day is", russian)
    assert not re.search("[А-Яа-яЁё]", english)
    assert not re.search(r"Input should be|Invalid", english)


@pytest.mark.parametrize(
    "call",
    [
        ("--lang", "en", "config", "check"),
        ("config", "--lang=en", "check"),
        ("config", "check", "--lang", "en-GB"),
    ],
)
def test_the_language_may_be_named_anywhere(run: Run, call: tuple[str, ...]) -> None:
    """Before the command, in a group, behind everything."""
    assert run(*call).output == "All is well.\n"
    assert run("config", "check").output == "Всё в порядке.\n"


def test_a_language_that_is_none_is_told(run: Run) -> None:
    """And what comes after `--` is a text, whatever it looks like."""
    assert "de" in run("config", "check", "--lang", "de", code=2).output
    assert run("ask", "--json", "--", "--lang").output.startswith("{")


def test_the_version_is_told(run: Run) -> None:
    assert run("--version").output == f"Отклик {version('otklik')}\n"
    assert run("--version", "--lang", "en").output == f"otklik {version('otklik')}\n"


@pytest.mark.parametrize(
    ("words", "wanted"),
    [("bot kb pre", "preview"), ("bot doc", "doctor"), ("bot kb --lang en sug", "suggest")],
)
def test_a_shell_completes_commands(
    run: Run, monkeypatch: pytest.MonkeyPatch, words: str, wanted: str
) -> None:
    """What the script of `bot --show-completion` asks for at Tab; words that are no command complete to
    nothing.
    """
    monkeypatch.setenv("_BOT_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    completed = CliRunner().invoke(app, [], prog_name="bot", catch_exceptions=False)

    assert completed.output.split() == [wanted]


def test_completion_is_put_into_the_shell(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told in the reader's language, with the file that was changed."""
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr("shellingham.detect_shell", lambda: ("bash", "/bin/bash"))
    home.mkdir()
    told = run("--install-completion").output

    assert str(home) in told and "Tab" in told and re.search("[а-я]", told)
    assert "_BOT_COMPLETE" in next(f.read_text("utf-8") for f in home.rglob("bot.sh"))
