"""The page of examples from use: shown by article, tried out, accepted, rejected and undone, over the real
store and the real articles.
"""

from __future__ import annotations

import asyncio
import errno
import shutil
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from bot.i18n.texts import Texts
from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.search import Knowledge
from bot.model import Event, Outcome, Result
from bot.web.pages import read_words
from tests.knowledge.shop import write_shop
from tests.web.conftest import Opened, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ASKED = "почём привезти диван на дачу"
COST, TIME = "delivery/cost", "delivery/time"


@pytest.fixture
def knowledge(tmp_path: Path) -> Knowledge:
    return Knowledge.open(write_shop(tmp_path / "kb"), settings=KnowledgeSettings(model="off"))


@pytest.fixture
async def page(serve: Opened, knowledge: Knowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Page:
    monkeypatch.setattr("bot.web.examples.FRESH", 0.0)  # what was said a moment ago counts
    return await serve(knowledge=knowledge, words=Texts.load(), golden=tmp_path / "questions.yaml")


async def _picked(
    page: Page, text: str, article: str, *, person: int = 0, helped: bool | None = None
) -> None:
    """A customer asks, is asked back, and picks an article: kept as the service keeps it."""
    channel = (page.telegram, page.vk)[person % 2]
    chat = list(channel.people)[person // 2]
    await page.say(text, channel=channel.name, chat=chat, user=chat)
    now = page.services.clock() + timedelta(seconds=5)
    turn = await page.store.take_turn(now)
    assert turn is not None and turn.text == text
    options = [{"article": a, "title": a} for a in (COST, TIME)]
    why = {"candidates": options, "decision": "clarify", "language": "ru"}
    offered = (Event("clarified", data={"offered": [COST, TIME]}),)
    outcome = Outcome("faq", Result.CLARIFIED, "clarified", explanation=why, events=offered)
    await page.store.finish_turn(turn, outcome, now)
    events = [Event("answered", now + timedelta(seconds=3), turn.conversation.id, data={"article": article})]
    if helped is not None:
        said = {"article": article, "helped": helped}
        events.append(Event("feedback", now + timedelta(seconds=4), turn.conversation.id, data=said))
    await page.store.enqueue([], now, events=events)


async def _shown(page: Page) -> str:
    response = await page.client.get("/examples", headers={"Accept": "text/html"})
    assert response.status == 200
    return unescape(await response.text())


def _ids(html: str) -> list[str]:
    return [part.partition('"')[0] for part in html.split('data-id="')[1:]]


async def _one(page: Page) -> dict[str, str]:
    """The only suggestion of two customers."""
    await _picked(page, ASKED, COST)
    await _picked(page, f"{ASKED}, +7 912 345-67-89", COST, person=1)
    (id,) = _ids(await _shown(page))
    return {"id": id, "question": ASKED, "article": COST}


async def test_suggestions_are_shown_by_article_and_marked(page: Page) -> None:
    """Where each comes from; what two customers picked is marked, nothing personal is shown, and the pages
    of an editor lead to one another.
    """
    await _one(page)
    await _picked(page, "а диван завтра привезут", TIME, person=2)

    html = await _shown(page)

    assert f'data-article="{COST}"' in html and f'data-article="{TIME}"' in html
    assert "выбрали: 2" in html and "345-67" not in html
    assert html.count(" checked") == 1 and "примеров: 2 · отмечено: 1" in html
    gaps = await (await page.client.get("/gaps", headers={"Accept": "text/html"})).text()
    assert 'href="/examples"' in gaps and 'href="/gaps"' in html
    english = await (await page.client.get("/examples?lang=en", headers={"Accept": "text/html"})).text()
    assert "Examples from use" in english and "picked: 2" in english


async def test_an_accepted_example_is_written_and_undone(page: Page, knowledge: Knowledge) -> None:
    """Nothing changes before the yes; then the head has one question more, as the editor worded it, the bot
    answers, the decision is on record without words, and it can be taken back.
    """
    line = await _one(page)
    file = knowledge.folder / "delivery" / "cost.md"
    before = file.read_bytes()
    tried = await (await page.post("/examples/try", lines=[line])).json()
    assert "из 1" in tried["text"] and file.read_bytes() == before

    answer = await page.post("/examples/accept", lines=[{**line, "question": "почём диван до дачи"}])
    told = await answer.json()

    assert answer.status == 200 and told["done"] == [line["id"]], told
    assert "почём диван до дачи" in file.read_text("utf-8")
    assert knowledge.answer("почём диван до дачи").article == COST
    assert _ids(await _shown(page)) == []
    (event,) = await page.store.events(kinds=("example_accepted",))
    assert event.actor and "диван" not in str(event.data)
    assert (await page.post("/examples/accept", lines=[line])).status == 409, "decided already"
    assert (await page.post("/examples/undo", change=told["undo"])).status == 200
    assert file.read_bytes() == before and _ids(await _shown(page)) == [line["id"]]
    assert (await page.post("/examples/undo", change=told["undo"])).status == 404


async def test_a_rejected_example_does_not_come_back(page: Page, knowledge: Knowledge) -> None:
    """Not in another order of its words either; undone, it does."""
    line = await _one(page)
    told = await (await page.post("/examples/reject", lines=[line])).json()
    await _picked(page, "на дачу диван почём привезти", COST, person=2)

    assert _ids(await _shown(page)) == []
    assert (await page.post("/examples/undo", change=told["undo"])).status == 200
    assert _ids(await _shown(page)) == [line["id"]]
    assert ASKED not in (knowledge.folder / "delivery" / "cost.md").read_text("utf-8")


async def test_a_golden_question_that_gets_worse_holds_the_gate(
    page: Page, knowledge: Knowledge, tmp_path: Path
) -> None:
    """It is named, and nothing is written until the editor says so."""
    line = await _one(page)
    file = knowledge.folder / "delivery" / "cost.md"
    decision = knowledge.answer(ASKED).decision.value
    assert decision != "answer"
    (tmp_path / "questions.yaml").write_text(f"- {{q: '{ASKED}', decision: {decision}}}\n", "utf-8")

    held = await (await page.post("/examples/accept", lines=[line])).json()
    assert held["worse"] == [ASKED] and ASKED not in file.read_text("utf-8")

    assert (await page.post("/examples/accept", lines=[line], anyway=True)).status == 200
    assert ASKED in file.read_text("utf-8")


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"article": "no/such"}, 404, "examples_no_article"),
        ({"article": "../../etc/passwd"}, 404, "examples_no_article"),
        ({"question": "+7 ••• •••-67-89"}, 400, "examples_unfit"),
        ({"question": "12345"}, 400, "examples_unfit"),
        ({"question": "я" * 201}, 400, "examples_unfit"),
        ({"question": "Сколько дней идёт доставка?"}, 409, "examples_owned"),
        ({"id": "e0"}, 409, "examples_gone"),
    ],
)
async def test_what_cannot_be_an_example_is_refused_in_words(
    page: Page, knowledge: Knowledge, change: dict[str, str], status: int, said: str
) -> None:
    """An unknown article or line, hidden data, no words, another article's own question: nothing changes."""
    line = {**await _one(page), **change}
    files = {p: p.read_bytes() for p in knowledge.folder.rglob("*.md")}

    answer = await page.post("/examples/accept", lines=[line])

    head = read_words("ru")[said].partition("{")[0]
    assert (answer.status, (await answer.json())["error"][: len(head)]) == (status, head)
    assert {p: p.read_bytes() for p in knowledge.folder.rglob("*.md")} == files
    assert (await page.post("/examples/accept", lines=[])).status == 400
    assert (await page.post("/examples/accept", lines="x")).status == 400


async def test_a_full_disk_loses_nothing(
    page: Page, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason is told, the article is as it was, and the example waits in the list."""
    line = await _one(page)
    file = knowledge.folder / "delivery" / "cost.md"
    before = file.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("bot.knowledge.articles.writer.os.fsync", full)
        answer = await page.post("/examples/accept", lines=[line])
    error = (await answer.json())["error"]

    assert answer.status == 409 and "No space left on device" in error and COST in error
    assert file.read_bytes() == before and _ids(await _shown(page)) == [line["id"]]


async def test_two_editors_at_once_write_it_once(page: Page, knowledge: Knowledge) -> None:
    """One of them hears that it was decided; the article has the example once."""
    line = await _one(page)

    answers = await asyncio.gather(*(page.post("/examples/accept", lines=[line]) for _ in range(2)))

    assert sorted(a.status for a in answers) == [200, 409]
    assert (knowledge.folder / "delivery" / "cost.md").read_text("utf-8").count(ASKED) == 1


async def test_what_changed_meanwhile_is_said(page: Page, knowledge: Knowledge) -> None:
    """Contradictory picks, an ended article, a renamed one: the page says so and marks nothing; the renamed
    one's example goes where the editor says.
    """
    await _one(page)
    await _picked(page, ASKED, TIME, person=2)
    html = await _shown(page)
    assert f"ещё 1 раз — {TIME}" in html and f"ещё 2 раз — {COST}" in html and " checked" not in html

    file = knowledge.folder / "delivery" / "time.md"
    file.rename(file.with_name("when.md"))
    knowledge.reload()
    html = await _shown(page)
    assert read_words("ru")["examples_other"] in html
    knowledge.today = lambda: date(2026, 11, 20)
    cost = knowledge.folder / "delivery" / "cost.md"
    cost.write_text(cost.read_text("utf-8").replace("---\n", "---\nvalid_until: 2020-01-01\n", 1), "utf-8")
    knowledge.reload()
    assert read_words("ru")["examples_article_expired"] in await _shown(page)
    gone = next(part for part in html.split("<article")[1:] if f'data-article="{TIME}"' in part)
    line = {"id": _ids(gone)[0], "question": "диван на дачу когда", "article": "delivery/when"}
    assert (await page.post("/examples/accept", lines=[line])).status == 200
    assert "диван на дачу когда" in (knowledge.folder / "delivery" / "when.md").read_text("utf-8")


async def test_without_use_the_page_says_so_and_posts_need_a_token(page: Page) -> None:
    assert read_words("ru")["examples_none"] in await _shown(page)
    page.token = "stolen"
    assert (await page.post("/examples/accept", lines=[])).status == 403


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine (apt install chromium)")
@pytest.mark.parametrize("width", [1440, 390])
async def test_an_editor_decides_in_a_browser(page: Page, knowledge: Knowledge, width: int) -> None:
    """Try out, accept, undo and reject by the buttons, on a wide and a narrow screen; nothing complains."""
    api: Any = pytest.importorskip("playwright.async_api")
    await _one(page)
    complaints: list[str] = []
    async with api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        tab = await browser.new_page(viewport={"width": width, "height": 900})
        tab.set_default_timeout(15_000)
        tab.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        await tab.goto(str(page.client.make_url("/examples")))
        assert await tab.evaluate("document.documentElement.scrollWidth") <= width
        await tab.click(".try")
        await tab.wait_for_selector(".said2 >> text=верно отвечал")
        await tab.fill(".words", "почём диван до дачи")
        await tab.click(".accept")
        await tab.wait_for_selector(".said2 >> text=Записано в статьи: 1")
        assert "почём диван до дачи" in (knowledge.folder / "delivery" / "cost.md").read_text("utf-8")
        await tab.click(".undo")
        await tab.wait_for_selector(".said2 >> text=Отменено")
        await tab.click("li[data-id] .reject")
        await tab.wait_for_selector(".said2 >> text=Отклонено: 1")
        assert await tab.locator("li[data-id]:visible").count() == 0
        assert await tab.evaluate("document.documentElement.scrollWidth") <= width
        await browser.close()
    assert complaints == []
