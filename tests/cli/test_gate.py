"""The gate before publishing, by the command line: real conversations are replayed against a draft."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.cli.clock import COMMAND_CLOCK
from bot.cli.settings import load
from bot.clock import HandClock
from bot.testing import open_test_bot
from bot.testing.harness import NOON
from tests.cli.conftest import Run

GOLDEN = '- {q: "Не могу войти в аккаунт", article: account/password}\n'


@pytest.fixture(autouse=True)
def that_day() -> Iterator[None]:
    """Commands run an hour after the customers wrote."""
    set_before = COMMAND_CLOCK.set(HandClock(NOON + timedelta(hours=1)))
    yield
    COMMAND_CLOCK.reset(set_before)


def talk(shop: Path) -> None:
    """Twenty answers that somebody was glad of or not, and one question that nobody knows."""

    async def said() -> None:
        config = load(None)
        file = str(shop / "data" / "bot.db")
        async with open_test_bot(shop / "kb_articles", config=config, storage=file) as testbot:
            for number in range(20):
                customer = testbot.customer("Анна", chat=str(1001 + number))
                await customer.says("Хочу вернуть товар" if number < 3 else "Сколько стоит доставка?")
                if number == 0:
                    await customer.presses("Да, помогло")
            stranger = testbot.customer("Олег", chat="2001")
            await stranger.says("выращиваете ли вы кактусы на балконе, +7 912 345-67-89")

    (shop / "data").mkdir(exist_ok=True)
    asyncio.run(said())


def draft(shop: Path, *without: str) -> Path:
    """A copy of the articles, without these."""
    folder = shop / "draft"
    shutil.copytree(shop / "kb_articles", folder)
    for name in without:
        (folder / name).unlink()
    return folder


def test_a_draft_that_takes_answers_away_is_held_back(run: Run, shop: Path) -> None:
    """What helped somebody stands first, with before and after; the share over the limit ends with code 1."""
    talk(shop)
    folder = draft(shop, "returns/goods.md")

    report = json.loads(run("kb", "gate", str(folder), "--json", code=1).stdout)
    told = run("kb", "gate", str(folder), code=1).stdout

    first = report["changes"][0]
    assert (first["q"], first["asked"], first["helped"], first["harmful"]) == (
        "Хочу вернуть товар",
        3,
        1,
        True,
    )
    assert first["before"]["article"] == "returns/goods" and "14 дней" in first["before"]["words"]
    assert first["after"]["article"] != "returns/goods"
    assert report["lost"] == {"questions": 3, "share": 0.15, "enough": True}
    assert [r["code"] for r in report["blocked"]] == ["lost"]
    assert "прежний ответ помог: 1" in told and "15.0%" in told and "max_lost_share" in told
    gone = next(row for row in report["coverage"] if row["article"] == "returns/goods")
    assert (gone["before"], gone["after"], gone["state"]) == (3, 0, "removed")


def test_a_draft_that_only_adds_answers_goes_through(run: Run, shop: Path) -> None:
    """The new article answers what nobody knew; words of customers are masked; coverage names who answers
    nothing.
    """
    talk(shop)
    folder = draft(shop)
    (folder / "cactus.md").write_text(
        "---\ntitle: Кактусы\naliases: [выращиваете ли вы кактусы, кактусы на балконе]\n---\nДа.\n",
        encoding="utf-8",
    )
    (folder / "broken.md").write_text("---\ntitle: [\n", encoding="utf-8")

    report = json.loads(run("kb", "gate", str(folder), "--json").stdout)
    told = run("kb", "gate", str(folder)).stdout

    gained = next(c for c in report["changes"] if c["kind"] == "gained")
    assert gained["after"]["article"] == "cactus" and "345-67" not in gained["q"] and "••" in gained["q"]
    assert report["blocked"] == [] and "promo/codes" in report["unused"]
    assert "broken.md" in told and "(новая)" in told and "Публиковать можно" in told


def test_a_golden_question_that_breaks_holds_back(run: Run, shop: Path) -> None:
    """Without a single conversation, too; the owner may be content to be told."""
    (shop / "tests").mkdir()
    (shop / "tests" / "questions.yaml").write_text(GOLDEN, encoding="utf-8")
    folder = draft(shop, "account/password.md", "account/password.en.md")

    told = run("kb", "gate", str(folder), code=1).stdout
    config = (shop / "config.yaml").read_text("utf-8")
    (shop / "config.yaml").write_text(config + "  release: {golden: tell, days: 7}\n", encoding="utf-8")
    allowed = json.loads(run("kb", "gate", str(folder), "--json").stdout)

    assert "Не могу войти в аккаунт" in told and "questions.yaml:1" in told and "golden: must" in told
    assert allowed["limits"]["days"] == 7 and len(allowed["golden"]["broken"]) == 1


def test_drafts_of_the_folder_are_tried_without_a_copy(run: Run, shop: Path) -> None:
    """Without a folder those with `status: draft` count as published; a folder that is not there is named."""
    talk(shop)
    (shop / "kb_articles" / "cactus.md").write_text(
        "---\ntitle: Кактусы на балконе\nstatus: draft\naliases: [выращиваете ли вы кактусы]\n---\nДа.\n",
        encoding="utf-8",
    )

    report = json.loads(run("kb", "gate", "--json").stdout)

    assert [c["after"]["article"] for c in report["changes"]] == ["cactus"]
    assert "nosuch" in run("kb", "gate", "nosuch", code=1).output
