"""`bot report` over a database that a running bot owns."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.root import app
from bot.testing import open_test_bot


async def test_figures_beside_a_running_bot(
    articles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is read while it is written; the table names what each figure means."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "bot.db"
    async with open_test_bot(articles, storage=str(file)) as testbot:
        anna = testbot.customer()
        await anna.says("Сколько идёт доставка?")
        await anna.says("позовите оператора")
        await asyncio.to_thread(_look, file)
        await asyncio.to_thread(_save, file)


def _look(file: Path) -> None:
    days = ["--db", str(file), "--from", "2026-11-20", "--to", "2026-11-20"]
    read = json.loads(CliRunner().invoke(app, ["report", *days, "--json"]).output)
    assert read["figures"]["nst"]["value"] == 1 and read["figures"]["conversations"]["value"] == 1
    words = CliRunner().invoke(app, ["report", *days]).output
    assert str(file) in words and "ничего нет" not in words
    other = (
        CliRunner()
        .invoke(app, ["report", "--db", str(file), "--from", "2026-10-01", "--to", "2026-10-02"])
        .output
    )
    assert str(file) in other and "ничего нет" in other and "--db" in other and "--from" in other
    assert "NST" in words and "Сколько обращений к операторам открыто" in words


def _save(file: Path) -> None:
    """A folder that is not there is made; where nothing can be written, one line says so."""
    days = ["--db", str(file), "--from", "2026-11-20", "--to", "2026-11-20"]
    saved = CliRunner().invoke(
        app, ["report", *days, "--xlsx", "new/folder/week.xlsx", "--csv", "other/week.csv"]
    )
    assert saved.exit_code == 0, saved.output
    assert Path("new/folder/week.xlsx").read_bytes()[:2] == b"PK" and Path("other/week.csv").read_bytes()
    refused = CliRunner().invoke(app, ["report", *days, "--xlsx", "other/week.csv/week.xlsx"])
    assert (
        refused.exit_code == 1
        and "week.xlsx" in refused.output
        and not isinstance(refused.exception, OSError)
    )


def test_what_cannot_be_counted_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No database, days the wrong way round: what to do, no traceback."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text("", "utf-8")
    missing = CliRunner().invoke(app, ["report"])
    assert missing.exit_code == 1 and "--db" in missing.output
    wrong = CliRunner().invoke(app, ["report", "--from", "2026-11-20", "--to", "2026-11-01"])
    assert wrong.exit_code == 2 and "bot report" in wrong.output
