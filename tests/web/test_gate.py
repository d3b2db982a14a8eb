"""The page of the gate before publishing: drafts are asked the questions that customers asked, over the real
store and real articles; what is likely harm stands first, and a supervisor's yes is on record.
"""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.dialogs.offline_decision import OfflineDecision
from bot.i18n.texts import Texts
from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.quality.release import ReleaseLimits
from bot.knowledge.search import Knowledge
from bot.model import Answer, Event, Outcome, Result, Turn
from bot.release_gate import draft_of, with_drafts_published
from bot.web.gate import open_gate
from bot.web.server import build_app
from bot.web.users import PageRole, may
from tests.knowledge.shop import write_shop
from tests.web.browser import ARGS, CHROMIUM, FAINT
from tests.web.conftest import Opened, Page

THIEF = """---
title: Возврат техники
status: draft
aliases: [Можно ли вернуть товар?, Вернуть товар обратно можно?]
---
Технику вернуть нельзя.
"""
CACTUS = "---\ntitle: Кактусы\nstatus: draft\naliases: [Выращиваете ли вы кактусы?]\n---\nДа, на балконе.\n"
HTML = {"Accept": "text/html"}


@pytest.fixture
def knowledge(tmp_path: Path) -> Knowledge:
    folder = write_shop(tmp_path / "kb", {"returns/thief.md": THIEF, "cactus.md": CACTUS})
    return Knowledge.open(folder, settings=KnowledgeSettings(model="off"))


@pytest.fixture
async def page(serve: Opened, knowledge: Knowledge) -> Page:
    limits = ReleaseLimits(max_lost_share=0.0)
    return await serve(knowledge=knowledge, words=Texts.load(), release=limits)


async def ask(page: Page, knowledge: Knowledge, text: str, *, times: int = 1, helped: bool = False) -> None:
    """Customers ask, the bot decides by the articles, and somebody says that it helped."""
    for _ in range(times):
        await page.say(text)
        now = page.services.clock() + timedelta(seconds=5)
        turn = await page.store.take_turn(now)
        assert turn is not None
        await answer(page, knowledge, turn, helped=helped)
        page.services.clock.shift += timedelta(minutes=1)


async def answer(page: Page, knowledge: Knowledge, turn: Turn, *, helped: bool) -> None:
    found = knowledge.answer(turn.text)
    rows = [{"article": c.article, "title": c.title} for c in found.candidates]
    why = {**found.why, "decision": str(found.decision), "candidates": rows}
    reason = "answered" if found.article else "out_of_scope"
    result = Result.ANSWERED if found.article else Result.CLARIFIED
    now = page.services.clock()
    await page.store.finish_turn(turn, Outcome("faq", result, reason, explanation=why), now)
    if helped:
        data = {"article": found.article, "helped": True}
        event = Event("feedback", now + timedelta(seconds=9), conversation=turn.conversation.id, data=data)
        await page.store.enqueue([], now, events=[event])


async def checked(page: Page, *drafts: str) -> str:
    """Compare, wait for the end; returns the name of the comparison."""
    begun = await page.post("/gate/run", drafts=list(drafts))
    assert begun.status == 200, await begun.text()
    run = str((await begun.json())["run"])
    async with asyncio.timeout(20):
        while (await (await page.client.get(f"/gate/state?run={run}")).json())["state"] == "running":
            await asyncio.sleep(0.02)
    return run


async def shown(page: Page, query: str = "") -> str:
    response = await page.client.get(f"/gate{query}", headers=HTML)
    assert response.status == 200
    return unescape(await response.text())


async def test_likely_harm_stands_first_with_before_and_after(page: Page, knowledge: Knowledge) -> None:
    """What helped somebody and would be answered otherwise is first, however much is won elsewhere."""
    await ask(page, knowledge, "выращиваете ли вы кактусы, мой номер +7 912 345-67-89", times=5)
    await ask(page, knowledge, "Сколько стоит доставка?", times=20)
    await ask(page, knowledge, "Можно ли вернуть товар?", times=2, helped=True)

    run = await checked(page, "returns/thief", "cactus")
    html = await shown(page, f"?run={run}")

    harm, gained = html.index("«Можно ли вернуть товар?»"), html.index("«выращиваете ли вы кактусы")
    assert harm < gained and "345-67" not in html and 'class="change harm"' in html
    assert "прежний ответ помог: 2" in html and "Публикация задержана" in html and "cactus" in html
    only = await shown(page, f"?run={run}&kind=gained")
    assert "«выращиваете" in only and "«Можно ли" not in only
    english = await shown(page, f"?run={run}&lang=en")
    assert (
        "Publishing is held back" in english
        and "{" not in english.partition("<main")[2].partition("</main")[0]
    )


async def test_a_supervisors_yes_is_on_record_and_holds_for_that_draft(
    page: Page, knowledge: Knowledge
) -> None:
    """A reason is needed; the same draft is allowed from then on, another one is not."""
    await ask(page, knowledge, "Сколько стоит доставка?", times=20)
    await ask(page, knowledge, "Можно ли вернуть товар?", times=2, helped=True)
    run = await checked(page, "returns/thief")

    assert (await page.post("/gate/allow", run=run, reason="да")).status == 400
    assert (await page.post("/gate/allow", run=run, reason="Закон изменился с первого числа")).status == 200

    (event,) = await page.store.events(kinds=("release_allowed",))
    assert event.data["reason"] == "Закон изменился с первого числа" and event.actor == "page:owner"
    assert "Публикация разрешена" in await shown(page) and "Закон изменился" in await shown(page)
    gate = open_gate(page.services, knowledge)
    thief = next(a for a in knowledge.articles() if a.id == "returns/thief")
    same = await gate.compare(draft_of(knowledge, changed=[replace(thief, status="published")]))
    other = await gate.compare(draft_of(knowledge, removed=["returns/goods"]))
    assert await gate.allowed(page.store, same) is not None
    assert same.blocked and await gate.allowed(page.store, other) is None


async def test_whom_an_article_is_for_counts(page: Page, knowledge: Knowledge) -> None:
    """A draft for some customers answers their questions and no others', though the words are the same."""
    gold = (
        "---\ntitle: Золотым\nsegment: {vip: true}\naliases: [Можно ли вернуть товар?]\n---\nВернём за год.\n"
    )
    (knowledge.folder / "gold.md").write_text(gold.replace("title", "status: draft\ntitle"), "utf-8")
    knowledge.reload()
    await ask(page, knowledge, "Можно ли вернуть товар?")
    other = next(iter(page.vk.people))
    await page.say("Можно ли вернуть товар?", channel="play-vk", chat=other, user=other)
    turn = await page.store.take_turn(page.services.clock() + timedelta(seconds=5))
    assert turn is not None and turn.conversation.customer is not None
    await answer(page, knowledge, turn, helped=False)
    now = page.services.clock()
    await page.store.change_fields(turn.conversation.customer, {"vip": "да", "имя": "Вера"}, now, by="crm")

    report = await open_gate(page.services, knowledge).compare(with_drafts_published(knowledge, ["gold"]))
    run = await checked(page, "gold")

    (change,) = report.changes
    assert change.question.conversation == turn.conversation.id and change.question.fields == {"vip": "да"}
    assert (change.before.article, change.after.article, report.asked) == ("returns/goods", "gold", 2)
    assert '"fields": {}' in str(await page.store.setting(f"release_run:{run}"))


async def test_a_saved_change_of_an_article_is_a_draft_too(page: Page, knowledge: Knowledge) -> None:
    """What the editor kept beside a published article is checked like a new one."""
    await ask(page, knowledge, "Хочу вернуть товар", helped=True)
    place = knowledge.folder / "_drafts" / "returns" / "goods.md"
    place.parent.mkdir(parents=True)
    place.write_text("---\ntitle: Обмен посуды\naliases: [обмен чашек]\n---\nЧашки меняем.\n", "utf-8")

    html = await shown(page)
    run = await checked(page, "returns/goods")
    after = await shown(page, f"?run={run}")

    assert 'value="returns/goods"' in html
    assert "«Хочу вернуть товар»" in after and "изменена" in after


async def test_a_draft_with_places_to_fill_is_not_publishable(page: Page, knowledge: Knowledge) -> None:
    """The page says so before and after the comparison, and never "may be published"."""
    await ask(page, knowledge, "Сколько стоит доставка?", times=20)
    place = knowledge.folder / "_drafts" / "returns" / "goods.md"
    place.parent.mkdir(parents=True)
    place.write_text("---\ntitle: Возврат\naliases: [возврат]\n---\nВозврат — [впишите: срок].\n", "utf-8")

    html = await shown(page)
    assert "не заполнено мест: 1" in html
    run = await checked(page, "returns/goods")
    after = await shown(page, f"?run={run}")
    assert "Публиковать рано" in after and "[впишите: срок]" in after
    assert 'class="verdict answer"' not in after


async def test_what_was_forgotten_is_not_shown(page: Page, knowledge: Knowledge) -> None:
    """What is kept of a comparison has no words of customers, so it ends with theirs."""
    await ask(page, knowledge, "Можно ли вернуть товар?", helped=True)
    run = await checked(page, "returns/thief")
    assert "Можно ли вернуть товар?" in await shown(page)
    kept = await page.store.setting(f"release_run:{run}")
    turn = (await page.store.turns())[0]
    found = await page.store.conversation(turn.peer)
    assert found is not None and found.customer is not None

    await page.store.forget_customer(found.customer, page.services.clock())

    assert kept is not None and "Можно ли вернуть" not in kept
    assert "«Можно ли вернуть товар?»" not in await shown(page)


class Waiting(OfflineDecision):
    """A judge that takes its time: until it is let go."""

    let_go = threading.Event()

    def __call__(self, text: str, **context: Any) -> Answer:
        self.let_go.wait(20)
        return super().__call__(text, **context)


async def test_another_replica_follows_stops_and_shows_it(serve: Opened, knowledge: Knowledge) -> None:
    """How far a comparison is and what came of it stands in the store, and so does that it is unwanted."""
    page = await serve(knowledge=knowledge, words=Texts.load(), judge=Waiting(knowledge))
    other: TestClient[Any, Any] = TestClient(TestServer(build_app(page.services)))
    await other.start_server()
    try:
        await ask(page, knowledge, "Сколько стоит доставка?")
        run = (await (await page.post("/gate/run", drafts=["cactus"])).json())["run"]
        assert (await page.post("/gate/run", drafts=["cactus"])).status == 409
        assert (await (await other.get(f"/gate/state?run={run}")).json())["state"] == "running"
        await page.post("/gate/stop", run=run)
        async with asyncio.timeout(20):
            while (state := (await (await other.get(f"/gate/state?run={run}")).json())["state"]) == "running":
                await asyncio.sleep(0.02)
        assert state == "stopped"
        assert "Проверка остановлена" in unescape(await (await other.get("/gate", headers=HTML)).text())
    finally:
        Waiting.let_go.set()
        await other.close()


async def test_what_says_nothing_any_more_has_stopped(page: Page) -> None:
    """A comparison whose process died is no longer said to run."""
    now = page.services.clock().isoformat()
    row = {
        "id": "x",
        "state": "running",
        "at": now,
        "begun": now,
        "by": "",
        "drafts": [],
        "done": 1,
        "total": 9,
    }
    kept = json.dumps({**row, "error": "", "report": None, "counts": None})
    await page.store.keep_setting("release_run:x", kept)
    before = (await (await page.client.get("/gate/state?run=x")).json())["state"]
    page.services.clock.shift += timedelta(minutes=1)

    after = (await (await page.client.get("/gate/state?run=x")).json())["state"]

    assert (before, after) == ("running", "stopped")


async def test_what_cannot_be_asked_for_is_told_in_words(page: Page) -> None:
    """No draft, a draft that is none, a comparison that is gone."""
    assert (await page.post("/gate/run", drafts=[])).status == 400
    assert (await page.post("/gate/run", drafts=["returns/goods"])).status == 400
    assert (await page.post("/gate/allow", run="nosuch", reason="давно пора это сделать")).status == 404
    assert (await page.client.get("/gate/state?run=nosuch")).status == 404
    assert may(PageRole.EDITOR, "POST", "/gate/run") and not may(PageRole.EDITOR, "POST", "/gate/allow")
    assert may(PageRole.SUPERVISOR, "POST", "/gate/allow") and not may(PageRole.OPERATOR, "POST", "/gate/run")


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine (apt install chromium)")
async def test_an_editor_checks_and_a_supervisor_allows_in_a_browser(
    page: Page, knowledge: Knowledge
) -> None:
    """From the list of articles to the yes; nothing complains, nothing is cut, axe finds nothing serious."""
    api: Any = pytest.importorskip("playwright.async_api")
    await ask(page, knowledge, "Сколько стоит доставка?", times=20)
    await ask(page, knowledge, "Можно ли вернуть товар?", times=2, helped=True)
    complaints: list[str] = []
    async with api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        tab = await browser.new_page(viewport={"width": 1440, "height": 900})
        tab.set_default_timeout(15_000)
        tab.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        await tab.goto(str(page.client.make_url("/kb")))
        await tab.click('a[href="/gate"]')
        await tab.uncheck('[value="cactus"]')
        await tab.click("#choose button")
        await tab.wait_for_selector(".change.harm")
        for width, scheme in ((1440, "dark"), (390, "dark"), (390, "light")):
            await tab.set_viewport_size({"width": width, "height": 900})
            await tab.emulate_media(color_scheme=scheme)
            assert await tab.evaluate("document.documentElement.scrollWidth") <= width
            assert await serious(tab) == []
        await tab.fill("[name=reason]", "Закон изменился с первого числа")
        await tab.click("#allow button")
        await tab.wait_for_selector("#allow .said2 >> text=Разрешено")
        await browser.close()
    assert complaints == [] and len(await page.store.events(kinds=("release_allowed",))) == 1


async def serious(tab: Any) -> list[str]:
    """What axe finds that keeps people from reading the page or working with it."""
    from axe_playwright_python.async_playwright import Axe

    found = (await Axe().run(tab)).response["violations"]
    told = [f"{v['id']}: {[n['target'] for n in v['nodes']]}" for v in found if v["impact"] != "minor"]
    return told + list(await tab.evaluate(FAINT))
