"""`bot test` plays flows: what other systems answer stands in the story."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import outreach
from bot.cli.clock import COMMAND_CLOCK
from bot.cli.root import app
from bot.clock import HandClock
from bot.config.loader import Config
from bot.testing import open_test_bot
from bot.testing.harness import NOON

ROOT = Path(__file__).parents[2]
STORY = """
- test: Статус заказа
  connector:
    "GET https://shop.example.com/orders/48213": {status: 200, json: {state: в пути, expected: завтра}}
  steps:
    - says: Где мой заказ?
    - hears: Напишите номер заказа
    - says: "48213"
    - hears: "Заказ 48213: в пути, ждём его у вас завтра."
- test: Магазин не отвечает
  connector:
    "GET https://shop.example.com/orders/48213": {status: 0}
  steps:
    - says: Где мой заказ 48213?
    - hears: Передаю коллегам
"""


@pytest.fixture
def folder(tmp_path: Path, articles: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An owner's folder with the example."""
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows/order_status.yaml").write_bytes((ROOT / "examples/order_status.yaml").read_bytes())
    settings = f'flows: {{hosts: [shop.example.com]}}\nknowledge: {{folder: "{articles.as_posix()}"}}\n'
    (tmp_path / "config.yaml").write_text(settings, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOT_LANG", "ru")
    return tmp_path


def test_a_story_says_what_other_systems_answer(folder: Path) -> None:
    (folder / "tests/dialogs").mkdir(parents=True)
    (folder / "tests/dialogs/order.yaml").write_text(STORY, "utf-8")
    result = CliRunner().invoke(app, ["test"])

    assert result.exit_code == 0, result.output
    assert "2" in result.output


def test_a_questionnaire_is_ordered_and_read_by_command(
    folder: Path, articles: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """The order waits for the bot; what was answered is read from its database."""
    monkeypatch.setattr(outreach, "PATIENCE", 0.1)
    set_before = COMMAND_CLOCK.set(HandClock(NOON + timedelta(minutes=5)))
    request.addfinalizer(lambda: COMMAND_CLOCK.reset(set_before))
    flow = "title: Осень\nquestionnaire: {invite: Ответите?}\nsteps:\n  - {id: a, ask: Как?, type: number}\n"
    (folder / "flows/osen.yaml").write_text(flow, "utf-8")
    with (folder / "config.yaml").open("a", encoding="utf-8") as settings:
        settings.write("channels: {telegram: {type: telegram}}\n")
    runner = CliRunner()
    assert runner.invoke(app, ["db", "migrate"]).exit_code == 0

    async def met() -> None:
        config = Config.model_validate({"base": folder, "flows": {"hosts": ["shop.example.com"]}})
        async with open_test_bot(articles, config=config, storage=str(folder / "data/bot.db")) as testbot:
            await testbot.customer().says("как вернуть товар")

    asyncio.run(met())
    sent = runner.invoke(app, ["flows", "send", "osen", "--yes"])
    assert sent.exit_code == 0 and "Ответите?" in sent.stdout, sent.output
    (order,) = (folder / "data/bot.db.orders").glob("*.json")
    assert "questionnaire=osen" in order.read_text("utf-8")
    shown = runner.invoke(app, ["flows", "results", "osen", "--csv", "a.csv"])
    assert "получили 0" in shown.stdout and (folder / "a.csv").is_file(), shown.output
    assert runner.invoke(app, ["flows", "results", "order_status"]).exit_code == 1


def test_the_commands_check_show_and_draw(folder: Path) -> None:
    runner = CliRunner()
    checked = runner.invoke(app, ["flows", "check"])
    assert checked.exit_code == 0 and "SHOP_TOKEN" in checked.stderr
    shown = runner.invoke(app, ["flows", "show", "order_status"])
    assert "не нашлось (404) → к шагу unknown" in shown.stdout
    assert runner.invoke(app, ["flows", "draw", "order_status"]).exit_code == 0
    assert (folder / "order_status.svg").read_text("utf-8").startswith("<svg")
    (folder / "flows/broken.yaml").write_text("title: Б\nsteps:\n  - {say: a, go: nowhere}\n", "utf-8")
    broken = runner.invoke(app, ["flows", "check"])
    assert broken.exit_code == 1 and "broken.yaml:3" in broken.stderr
    assert "broken.yaml:3" in runner.invoke(app, ["doctor"]).stdout
