"""`bot eval`: figures, charts, and thresholds written without touching anything else."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from bot.cli.settings import load
from bot.config.values import with_values
from bot.testing import open_test_bot
from tests.cli.conftest import Run

QUESTIONS = """- {q: "не могу войти в аккаунт", article: account/password}
- {q: "сколько стоит доставка", article: delivery/cost}
- {q: "хочу вернуть товар", article: returns/goods}
- {q: "рецепт борща", decision: handoff}
"""


@pytest.fixture
def questions(shop: Path) -> Path:
    (shop / "tests").mkdir()
    (shop / "tests" / "questions.yaml").write_text(QUESTIONS, encoding="utf-8")
    return shop / "tests" / "questions.yaml"


def test_the_report_and_its_charts(run: Run, shop: Path, questions: Path) -> None:
    """Words and JSON tell the same; the SVG is XML with both panels, the PNG is one."""
    told = run("eval", "--chart", "out/a.svg", "--chart", "out/a.png").stdout
    row = json.loads(run("eval", "tests/questions.yaml", "--json").stdout)

    assert "Вопросов: 4; с ответом в базе 3" in told and "answer_threshold" in told
    assert (row["questions"], row["in_scope"], row["recall1"]) == (4, 3, 1.0)
    assert row["advice"]["reached"] and len(row["points"]) > 10
    svg = ElementTree.parse(shop / "out" / "a.svg")
    assert "Калибровка" in "".join(svg.getroot().itertext())
    assert (shop / "out" / "a.png").read_bytes().startswith(b"\x89PNG\r\n")
    run("eval", "--chart", "a.gif", code=2)


def test_thresholds_are_written_and_nothing_else_changes(run: Run, shop: Path, questions: Path) -> None:
    """The comment stays, the bot reads the new value, a second time changes nothing."""
    before = (shop / "config.yaml").read_text("utf-8")

    run("eval", "--write")
    after = (shop / "config.yaml").read_text("utf-8")
    run("eval", "--write")

    value = yaml.safe_load(after)["knowledge"]["answer_threshold"]
    assert re.sub(r"  answer_threshold: .*\n", "", after) == before
    assert (
        json.loads(run("ask", "хочу вернуть товар", "--json").stdout)["why"]["thresholds"]["answer"] == value
    )
    assert (shop / "config.yaml").read_text("utf-8") == after


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# только\nbusiness: {name: Да}\n",
        "knowledge: {}\nweb: {port: 1}\n",
        "knowledge: {folder: a}  # да\nweb: {port: 1}\n",
        "knowledge:\n  # где\n  folder: a # тут\nweb: {port: 1}\n",
        "knowledge: {folder: a, answer_threshold: 0.5, scope_threshold: 0.1}\n",
        "knowledge:\n    answer_threshold: 0.5 # было\n    folder: a\n",
        "knowledge:\nweb: {port: 1}\n",
    ],
)
def test_values_join_any_form_of_a_section(text: str) -> None:
    """Flow, block, empty or missing: both values are there, all else and every comment stays."""
    after = with_values(text, "knowledge", {"answer_threshold": 0.61, "scope_threshold": 0.3})

    old, new = yaml.safe_load(text) or {}, yaml.safe_load(after)
    assert new == {
        **old,
        "knowledge": {**(old.get("knowledge") or {}), "answer_threshold": 0.61, "scope_threshold": 0.3},
    }
    assert re.findall(r"#.*", after) == re.findall(r"#.*", text)


def test_an_article_that_is_not_there_is_told(run: Run, questions: Path) -> None:
    """A typo in the file would look like a bad search."""
    questions.write_text("- {q: раз, article: nosuch/one}\n", encoding="utf-8")

    assert "nosuch/one" in run("eval", code=1).output


def test_a_png_without_pillow_says_what_to_install(
    run: Run, questions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SVG needs nothing."""
    monkeypatch.setitem(sys.modules, "PIL", None)  # as if it were not installed

    assert "otklik[chart]" in run("eval", "--chart", "a.png", code=1).output
    run("eval", "--chart", "a.svg")


def test_the_cost_table_marks_now_and_the_cheapest(run: Run, shop: Path, questions: Path) -> None:
    """Measured on labelled questions; `--by-cost` writes the cheapest in place of the precise one."""
    told = run("eval", "--cost-wrong", "1000").stdout
    cheapest = json.loads(run("eval", "--cost-wrong", "1000", "--json").stdout)["advice"]["cheapest"]

    assert "дешевле всего" in told and "сейчас" in told and "за сто вопросов" in told
    run("eval", "--cost-wrong", "1000", "--by-cost", "--write")
    assert (
        yaml.safe_load((shop / "config.yaml").read_text("utf-8"))["knowledge"]["answer_threshold"] == cheapest
    )


def ask_much(shop: Path, count: int) -> None:
    """So many customers ask something, kept as the service keeps it."""

    async def said() -> None:
        async with open_test_bot(
            shop / "kb_articles",
            config=load(None),
            storage=str(shop / "data" / "bot.db"),
            threads=False,
        ) as testbot:
            words = ("сколько стоит доставка", "хочу вернуть платье", "рецепт борща", "доставка заказ")
            for number in range(count):
                customer = testbot.customer("Анна", chat=str(1000 + number))
                await customer.says(words[number % len(words)])

    (shop / "data").mkdir(exist_ok=True)
    asyncio.run(said())


def test_own_questions_give_an_expected_cost(run: Run, shop: Path) -> None:
    """Without records and with few of them nothing is advised; with enough the cheapest is written, and only
    that line changes.
    """
    run("eval", "--own", code=1)
    ask_much(shop, 8)
    before = (shop / "config.yaml").read_text("utf-8")
    assert "рано" in run("eval", "--own", "--days", "3650", "--write").stdout
    assert (shop / "config.yaml").read_text("utf-8") == before
    ask_much(shop, 60)

    told = run("eval", "--own", "--days", "3650", "--write").stdout
    found = json.loads(run("eval", "--own", "--days", "3650", "--json").stdout)

    assert "дешевле всего" in told and found["enough"] and not found["measured"]
    after = (shop / "config.yaml").read_text("utf-8")
    assert re.sub(r"  answer_threshold: .*\n", "", after) == before
    assert yaml.safe_load(after)["knowledge"]["answer_threshold"] == found["cheapest"]["threshold"]
