"""The page and the command of the coming week: figures with their error, or that it is too early."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.root import app
from bot.clock import HandClock
from bot.handoff.sla.hours import Hours
from bot.storage.sqlite.store import SqliteStore
from tests.reports.forecasts import NOW, lived
from tests.web.conftest import Opened

HTML = {"Accept": "text/html"}


async def test_the_page_shows_the_week_with_its_error(serve: Opened) -> None:
    """Both grids, the error beside "as last week", where the handling time is from; in both languages."""
    demo = SqliteStore.open(":memory:")
    await demo.enqueue((), NOW, events=lived(9, 40))
    page = await serve(hours=Hours("Europe/Berlin"), demo=demo)
    page.services.clock.shift = NOW - page.services.clock()
    html = await (await page.client.get("/forecast", headers=HTML)).text()
    english = await (await page.client.get("/forecast?lang=en", headers=HTML)).text()
    own = await (await page.client.get("/forecast?data=own&lang=ru", headers=HTML)).text()
    await demo.close()

    assert html.count("<table>") == 2 and html.count('scope="row"') == 48 and "оп." in html
    assert "прогноз ошибался на" in html and "«как на прошлой неделе» ошиблось бы" in html
    assert "Erlang C" in english and "the forecast was off by" in english
    assert "Истории пока мало" in own


async def test_the_command_prints_it_beside_a_running_bot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As words and as JSON, of any database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bot.cli.forecast.command_clock", lambda: HandClock(NOW))
    store = SqliteStore.open(tmp_path / "bot.db")
    await store.enqueue((), NOW, events=lived(9, 40))
    await store.close()
    told = await _run("forecast", "--db", str(tmp_path / "bot.db"))
    data = json.loads(await _run("forecast", "--db", str(tmp_path / "bot.db"), "--json"))

    assert "Прогноз нагрузки на неделю" in told and "Erlang C" in told
    assert len(data["hours"]) == 168 and data["errors"]["visits"]["mean"] < data["errors"]["visits"]["naive"]


async def _run(*words: str) -> str:
    import asyncio

    result = await asyncio.to_thread(CliRunner().invoke, app, list(words))
    assert result.exit_code == 0, result.output
    return result.output
