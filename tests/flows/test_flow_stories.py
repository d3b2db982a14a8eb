"""`bot test` plays flows: what other systems answer stands in the story."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.root import app

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
