"""An editor takes what use suggests: listed by article, accepted into its head, rejected for good."""

from __future__ import annotations

import asyncio
import errno
import json
from pathlib import Path

import pytest

from bot.cli.settings import load
from bot.testing import open_test_bot
from tests.cli.conftest import Run

QUESTION = "деньги за доставку"


def talk(shop: Path, *, options: tuple[str, ...] = ("Стоимость доставки", "Стоимость доставки")) -> None:
    """Customers ask the same unclear question, and each picks an option."""

    async def said() -> None:
        async with open_test_bot(
            shop / "kb_articles", config=load(None), storage=str(shop / "data" / "bot.db")
        ) as testbot:
            for number, option in enumerate(options):
                customer = testbot.customer("Анна", chat=str(1001 + number))
                await customer.says(f"{QUESTION}, +7 912 345-67-89" if number else QUESTION)
                await testbot.later(seconds=5)
                await customer.presses(option)
                await testbot.later(seconds=5)

    (shop / "data").mkdir(exist_ok=True)
    asyncio.run(said())


def test_a_picked_question_becomes_an_example_after_yes(run: Run, shop: Path) -> None:
    """Nothing changes before; then one line of the head does, the list is empty, and a repeat says so."""
    assert "Вопросов клиентов пока нет" in run("kb", "examples").stdout
    talk(shop)
    file = shop / "kb_articles" / "delivery" / "cost.md"
    before = file.read_text("utf-8")

    (line,) = json.loads(run("kb", "examples", "--json").stdout)
    told = run("kb", "examples").stdout
    assert (line["article"], line["question"], line["picked"], line["chosen"]) == (
        "delivery/cost",
        QUESTION,
        2,
        True,
    )
    assert f"✓ [{line['id']}]" in told and "выбрали в уточнении: 2" in told and "345-67" not in told
    assert file.read_text("utf-8") == before

    done = run("kb", "examples", "--accept", "delivery/cost").stdout
    after = file.read_text("utf-8")
    assert after.replace(f", {QUESTION}", "") == before and "теперь пример" in done
    assert json.loads(run("kb", "examples", "--json").stdout) == []
    run("kb", "examples", "--accept", line["id"], code=1)
    assert file.read_text("utf-8") == after


def test_what_is_rejected_never_comes_back(run: Run, shop: Path) -> None:
    """One customer's pick is not marked; rejected, it is gone, and the article is as it was."""
    talk(shop, options=("Стоимость доставки",))
    (line,) = json.loads(run("kb", "examples", "--json").stdout)
    assert not line["chosen"]
    run("kb", "examples", "--accept", "delivery/cost", code=1)

    run("kb", "examples", "--reject", line["id"])

    assert json.loads(run("kb", "examples", "--json").stdout) == []
    assert QUESTION not in (shop / "kb_articles" / "delivery" / "cost.md").read_text("utf-8")


def test_a_golden_question_holds_the_gate(run: Run, shop: Path) -> None:
    """What would make a golden question go elsewhere is not written, unless told to."""
    talk(shop)
    (shop / "tests").mkdir()
    (shop / "tests" / "questions.yaml").write_text(
        f"- {{q: '{QUESTION}', decision: clarify}}\n", encoding="utf-8"
    )
    file = shop / "kb_articles" / "delivery" / "cost.md"

    refused = run("kb", "examples", "--accept", "delivery/cost", code=1)
    assert QUESTION in refused.output and "--yes" in refused.output
    assert QUESTION not in file.read_text("utf-8")

    assert "было 1, стало 0 из 1" in run("kb", "examples", "--accept", "delivery/cost", "--yes").stdout
    assert QUESTION in file.read_text("utf-8")


def test_a_full_disk_is_told_and_loses_nothing(run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The article is as it was, nothing lies beside it, and the suggestion is still there."""
    talk(shop)
    file = shop / "kb_articles" / "delivery" / "cost.md"
    before = file.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("bot.knowledge.articles.writer.os.fsync", full)
    told = run("kb", "examples", "--accept", "delivery/cost", code=1).output
    monkeypatch.undo()
    monkeypatch.chdir(shop)

    assert "No space left on device" in told and "каким был" in told
    assert file.read_bytes() == before and not list(file.parent.glob(".*"))
    assert len(json.loads(run("kb", "examples", "--json").stdout)) == 1


def test_a_renamed_article_takes_its_example_by_name(run: Run, shop: Path) -> None:
    """The line says that the article is gone, and goes where the editor says."""
    talk(shop)
    folder = shop / "kb_articles" / "delivery"
    (folder / "cost.md").rename(folder / "price.md")

    assert "больше нет" in run("kb", "examples").stdout
    (line,) = json.loads(run("kb", "examples", "--json").stdout)
    run("kb", "examples", "--accept", line["id"], code=1)
    run("kb", "examples", "--accept", line["id"], "--to", "delivery/price")
    assert QUESTION in (folder / "price.md").read_text("utf-8")
