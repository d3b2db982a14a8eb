"""A call that cannot be understood is answered in one language only, with the way to the help."""

from __future__ import annotations

import re

import pytest

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
