"""The page of the answer threshold: counted on customers' questions, set by the owner, quiet with little."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.app import Overrides, build_service
from bot.cli.site import site_of
from bot.config.loader import read_config
from bot.errors import ConfigError, Problem
from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.quality.threshold_costs import FEWEST
from bot.knowledge.search import Knowledge
from bot.model import Outcome, Result, Turn
from bot.web.pages import read_words
from tests.knowledge.shop import write_shop
from tests.web.conftest import Opened, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CONFIG = "# наш магазин\nknowledge:\n  folder: kb  # статьи\n  embeddings: {model: 'off'}\n"


@pytest.fixture
def knowledge(tmp_path: Path) -> Knowledge:
    return Knowledge.open(write_shop(tmp_path / "kb"), settings=KnowledgeSettings(model="off"))


@pytest.fixture
def given() -> list[float]:
    """The thresholds that were set."""
    return []


@pytest.fixture
async def page(serve: Opened, knowledge: Knowledge, given: list[float]) -> Page:
    return await serve(knowledge=knowledge, set_threshold=given.append)


async def _ask(page: Page, count: int) -> None:
    """Customers ask: half of them surely, half of them not; kept as the service keeps it."""
    for number in range(count):
        await page.say(f"вопрос номер {number}")
        await _answer(page, await _take(page), 0.95 if number % 2 else 0.6)


async def _take(page: Page) -> Turn:
    turn = await page.store.take_turn(page.services.clock() + timedelta(seconds=5))
    assert turn is not None
    return turn


async def _answer(page: Page, turn: Turn, sure: float = 0.95) -> None:
    rows = [{"article": "delivery/cost", "title": "", "score": sure}]
    why = {"confidence": sure, "scope": 0.9, "candidates": rows}
    now = page.services.clock() + timedelta(seconds=5)
    await page.store.finish_turn(turn, Outcome("faq", Result.ANSWERED, "answered", explanation=why), now)


async def _shown(page: Page, query: str = "") -> str:
    response = await page.client.get(f"/threshold{query}", headers={"Accept": "text/html"})
    assert response.status == 200
    return unescape(await response.text())


async def test_the_page_says_who_chose_the_threshold(page: Page, knowledge: Knowledge) -> None:
    """A base that examined itself says by how many questions; an owner's is the owner's."""
    words, chosen = read_words("ru"), knowledge.threshold
    said = words["cost_by_base"].replace("{n}", str(chosen.asked))
    assert (
        chosen.asked > 0
        and f"{said.replace('{share}', f'{100 * chosen.precision:.0f}')}</p>" in await _shown(page)
    )

    knowledge.settings = replace(knowledge.settings, answer=0.7)
    assert f"{words['cost_by_owner']}</p>" in await _shown(page)


async def test_little_is_said_to_be_little(page: Page) -> None:
    """Below the fewest there is no table, no picture and no advice; the form is there."""
    await _ask(page, 3)

    html = await _shown(page)

    assert "Вопросов за 28 дн.: 3" in html and str(FEWEST) in html
    assert "<table" not in html and "<svg" not in html and 'id="set"' in html


async def test_a_turn_that_ends_after_later_ones_is_counted(page: Page) -> None:
    """Each question once, whichever worker or process was quicker, and however often the page is opened."""
    await page.say("первый вопрос")
    slow = await _take(page)
    other = next(id for id in page.vk.people)
    await page.say("второй вопрос", channel="play-vk", chat=other, user=other)
    await _answer(page, await _take(page))
    before = await _shown(page)
    await _answer(page, slow)
    after = await _shown(page)
    page.services.clock.shift += timedelta(minutes=10)

    assert "Вопросов за 28 дн.: 1" in before and "Вопросов за 28 дн.: 2" in after
    assert ["Вопросов за 28 дн.: 2" in await _shown(page) for _ in range(2)] == [True, True]


async def test_the_cheapest_threshold_follows_the_owners_weights(page: Page, knowledge: Knowledge) -> None:
    """Dear mistakes raise it, dear people lower it; the present one is marked, and weights are kept in the
    form.
    """
    await _ask(page, FEWEST)

    careful = await _shown(page, "?wrong=100000&handoff=1&clarify=0")
    bold = await _shown(page, "?wrong=1&handoff=50&clarify=50&days=7")

    assert "Дешевле всего порог 0.99" in careful and "Дешевле всего порог 0.60" in bold
    assert "<svg" in careful and "● сейчас" in careful and 'value="100000"' in careful
    assert f"на {FEWEST} вопросах клиентов за 28 дн." in careful
    english = await (await page.client.get("/threshold?lang=en", headers={"Accept": "text/html"})).text()
    assert "The cheapest threshold is" in english
    kb = await (await page.client.get("/kb?lang=ru", headers={"Accept": "text/html"})).text()
    assert 'href="/threshold"' in kb and f"{knowledge.threshold.value:.2f}" in kb
    await _ask(page, 1)
    assert f"на {FEWEST + 1} вопросах" in await _shown(page)


@pytest.mark.parametrize("query", ["?wrong=x", "?wrong=-1", "?handoff=1e99", "?clarify=nan"])
async def test_weights_that_are_none_are_refused(page: Page, query: str) -> None:
    response = await page.client.get(f"/threshold{query}", headers={"Accept": "application/json"})
    assert (response.status, (await response.json())["error"]) == (400, read_words("ru")["cost_bad_weight"])
    await _shown(page, "?days=100500&wrong=&handoff=3,5")


async def test_a_threshold_is_set_with_an_event(page: Page, knowledge: Knowledge, given: list[float]) -> None:
    """What was before and what is now is on record."""
    before = knowledge.threshold.value

    answer = await page.post("/threshold/set", answer="0,61")

    assert answer.status == 200 and given == [0.61] and "0.61" in (await answer.json())["text"]
    (event,) = await page.store.events(kinds=("threshold_set",))
    assert event.actor and event.data == {"from": before, "to": 0.61}


@pytest.mark.parametrize("value", ["", "x", "0", "1", "2", "nan", "inf", None])
async def test_what_is_no_threshold_is_refused(page: Page, given: list[float], value: object) -> None:
    """In words, and nothing is written; without the page's token neither."""
    answer = await page.post("/threshold/set", answer=value)
    assert (answer.status, (await answer.json())["error"]) == (400, read_words("ru")["cost_bad"])
    page.token = "stolen"
    assert (await page.post("/threshold/set", answer="0.7")).status == 403
    assert given == []


async def test_a_file_that_cannot_be_written_is_told(serve: Opened, knowledge: Knowledge) -> None:
    """The reason comes in words, no event says that anything was set; without a file there is no form."""

    def full(answer: float) -> None:
        raise ConfigError([Problem("места нет", "config.yaml")])

    page = await serve(knowledge=knowledge, set_threshold=full)
    answer = await page.post("/threshold/set", answer="0.7")
    assert answer.status == 409 and "места нет" in (await answer.json())["error"]
    assert await page.store.events(kinds=("threshold_set",)) == ()
    fileless = await serve(knowledge=knowledge)
    assert 'id="set"' not in await _shown(fileless)
    assert (await fileless.post("/threshold/set", answer="0.7")).status == 409


async def test_the_running_bot_and_its_file_follow(tmp_path: Path) -> None:
    """The very service: the file keeps its comments, and the bot decides by the new threshold at once."""
    write_shop(tmp_path / "kb")
    (tmp_path / "config.yaml").write_text(CONFIG, "utf-8")
    config = read_config(tmp_path / "config.yaml")
    service = await build_service(config, Overrides(adapters={}, storage=":memory:", log_events=False))
    try:
        keep = site_of(service).services.set_threshold
        assert keep is not None
        keep(0.07)
        text = (tmp_path / "config.yaml").read_text("utf-8")
        assert service.knowledge.answer("хочу вернуть товар").why["thresholds"]["answer"] == 0.07  # type: ignore[index]
    finally:
        await service.close()

    assert yaml.safe_load(text)["knowledge"]["answer_threshold"] == 0.07
    assert "# наш магазин" in text and "folder: kb  # статьи" in text
    assert not list(tmp_path.glob(".*.new"))


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine (apt install chromium)")
@pytest.mark.parametrize("width", [1440, 390])
async def test_an_owner_sets_it_in_a_browser(page: Page, given: list[float], width: int) -> None:
    """Weights are typed, the table is counted anew, the threshold is set; nothing complains or is cut."""
    api: Any = pytest.importorskip("playwright.async_api")
    await _ask(page, FEWEST)
    complaints: list[str] = []
    async with api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        tab = await browser.new_page(viewport={"width": width, "height": 900})
        tab.set_default_timeout(15_000)
        tab.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        await tab.goto(str(page.client.make_url("/threshold")))
        assert await tab.evaluate("document.documentElement.scrollWidth") <= width
        await tab.fill("[name=wrong]", "100000")
        await tab.click(".weights button:not(.go)")
        await tab.wait_for_selector(".advice >> text=0.99")
        assert await tab.locator("svg rect").count() > 20
        await tab.click("#set button")
        await tab.wait_for_selector(".said2 >> text=Порог теперь 0.99")
        assert await tab.evaluate("document.documentElement.scrollWidth") <= width
        await browser.close()
    assert complaints == [] and given == [0.99]
