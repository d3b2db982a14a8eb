"""The assistant on a ticket's page and on the page of unanswered questions."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from html import unescape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.clock import Clock
from bot.config.assistant import AssistantSettings
from bot.i18n.texts import Texts
from bot.knowledge.articles.blanks import blanks
from bot.knowledge.search import Knowledge
from bot.storage.sqlite.store import SqliteStore
from bot.testing import open_test_bot
from tests.fakes.assistant_server import KEY, AssistantServer, serving
from tests.scenarios.test_assistant_desk import COURIER, config, honest, sentences, source_of
from tests.scenarios.test_internal_articles import base
from tests.web.conftest import Opened, Page
from tests.web.test_content_gaps import engraving, knowledge
from tests.web.test_conversations import HTML, Office, pages_of

__all__ = ["knowledge"]


@pytest.fixture
async def server() -> AsyncIterator[AssistantServer]:
    async with serving(AssistantServer(lambda data, system: honest(data))) as made:
        yield made


@pytest.fixture
async def office(tmp_path: Path, server: AssistantServer) -> AsyncIterator[Office]:
    """Anna waits for a person, and the assistant works for operators."""
    async with open_test_bot(base(tmp_path / "kb"), config=config(server.url)) as testbot:
        anna = testbot.customer("Анна", channel="vk", chat="7")
        await anna.says("где мой курьер, он опоздал")
        await anna.says("позовите оператора")
        async with pages_of(testbot) as opened:
            yield opened


async def _posted(office: Office, **fields: str) -> Any:
    page = await office.text("/conversation/1?data=own")
    token = page.partition('name="csrf" content="')[2].partition('"')[0]
    data = {"csrf": token, "ticket": "1", **fields}
    done = await office.client.post("/conversation/1/order", data=data, headers=HTML, allow_redirects=False)
    await office.testbot.rest()
    return done


async def _section(office: Office) -> str:
    page = unescape(await office.text("/conversation/1?data=own"))
    return page.partition('id="assistant"')[2].partition('class="act orders"')[0]


def _heard(office: Office) -> list[str]:
    sent = office.testbot.channels["vk"].in_chat("7")
    return [s.outbound.text.text for s in sent if s.outbound.author == "operator"]


async def test_a_draft_comes_on_the_page_alone_and_is_sent_once(office: Office) -> None:
    """With its articles; the group hears nothing of it before it is sent; a second tap sends nothing."""
    posts = len(office.testbot.desk_posts())
    done = await _posted(office, order="draft", key="a")
    assert "done=desk.assistant.preparing" in done.headers["Location"]
    assert len(office.testbot.desk_posts()) == posts
    section = await _section(office)
    assert f"Здравствуйте, Анна! {COURIER}" in section and 'href="/kb/kurier"' in section
    assert _heard(office) == []

    id = section.partition("assistant_send:")[2].partition('"')[0]
    for key in ("b", "c"):
        await _posted(office, order=f"assistant_send:{id}", key=key)
    assert _heard(office) == [f"Здравствуйте, Анна! {COURIER}"]
    kinds = ["assistant_requested", "assistant_sent", "assistant_edited"]
    found = await office.testbot.store.events(kinds=kinds)
    assert [e.kind for e in found] == kinds[:2] and "отправлено" in await _section(office)


async def test_what_the_operator_makes_of_a_draft_is_told_apart(office: Office) -> None:
    """Put into the field, changed and sent: edited. Dropped: gone from the page."""
    await _posted(office, order="draft", key="a")
    id = (await _section(office)).partition("assistant_send:")[2].partition('"')[0]
    await _posted(office, order="answer", value=f"{COURIER} Ждите!", assistant=id, key="b")
    assert _heard(office) == [f"{COURIER} Ждите!"]
    assert [e.kind for e in await office.testbot.store.events(kinds=["assistant_edited"])]
    await _posted(office, order="draft", key="c")
    id = (await _section(office)).partition("assistant_send:")[2].partition('"')[0]
    await _posted(office, order=f"assistant_drop:{id}", key="d")
    assert f"assistant_send:{id}" not in await _section(office)


async def test_marked_words_and_strange_ones_are_shown_as_text(
    office: Office, server: AssistantServer
) -> None:
    """Nothing that a model says is markup, and what no article says is in no button."""
    evil = "<script>alert(1)</script> Скидка 90 %."
    server.answering = lambda data, system: sentences(
        (COURIER, source_of(data, "Позвоним")), (evil, source_of(data, "Позвоним"))
    )
    await _posted(office, order="draft", key="a")
    page = await office.text("/conversation/1?data=own")
    assert "<script>alert(1)" not in page and "&lt;script&gt;" in page and "без отмеченного" in page
    id = page.partition("assistant_send:")[2].partition('"')[0]
    await _posted(office, order=f"assistant_send:{id}", key="b")
    assert _heard(office) == [COURIER]


@pytest.mark.parametrize("order", ["shorten", "soften", "translate", "understand", "summary"])
async def test_each_task_is_asked_for_from_the_page(
    office: Office, server: AssistantServer, order: str
) -> None:
    """An empty field is told of, where the operator's own words are wanted."""
    told = json.dumps({"asked": "Где курьер.", "tried": "", "open": "Ждёт."})
    server.answering = lambda data, system: told if "conversation" in data else "Готово 5."
    if order in ("shorten", "soften"):
        done = await _posted(office, order=order, value="", key="a")
        assert "assistant.how" in done.headers["Location"] and server.asked == []
    await _posted(office, order=order, value="Привезём 5 штук", key="b")
    assert ("Где курьер." if order == "summary" else "Готово 5.") in await _section(office)


async def test_it_is_not_there_where_it_is_off(tmp_path: Path) -> None:
    """No section, and no order of its name."""
    async with open_test_bot(base(tmp_path / "kb")) as testbot:
        await testbot.customer("Анна", channel="vk", chat="7").says("позовите оператора")
        async with pages_of(testbot) as office:
            page = await office.text("/conversation/1?data=own")
            assert "assistant" not in page.partition("<main")[2]
            assert (await _posted(office, order="draft", key="a")).status == 400


# --- editors


class Editor:
    """The page of unanswered questions, with an assistant for editors at *server*."""

    def __init__(self, page: Page, knowledge: Knowledge, server: AssistantServer) -> None:
        self.page, self.knowledge, self.server = page, knowledge, server

    async def asks(self) -> Any:
        gap, _ = await engraving(self.page, self.knowledge)
        return await self.page.post("/gaps/assist", gap=gap, section="tovary")


@pytest.fixture
async def editor(serve: Opened, knowledge: Knowledge, server: AssistantServer) -> AsyncIterator[Editor]:
    from bot.assistant.guarded_assistant import GuardedAssistant
    from bot.assistant.openai_client import OpenAiChat

    settings = AssistantSettings(base_url=server.url, model="test", editors=True)
    store, clock = SqliteStore.open(":memory:"), Clock()
    chat = OpenAiChat(server.url, "test", KEY)
    helper = GuardedAssistant(settings, chat, store, clock, ZoneInfo("UTC"))
    page = await serve(knowledge=knowledge, words=Texts.load(), assistant=helper)
    yield Editor(page, knowledge, server)
    await helper.close()
    await store.close()


def _draft(data: Mapping[str, Any], *more: tuple[str, str]) -> str:
    said = [("Гравируем посуду за 350 ₽.", data["replies"][0]["id"]), *more]
    rows = [{"text": t, "source": s} for t, s in said]
    return json.dumps({"title": "Гравировка на посуде", "sentences": rows}, ensure_ascii=False)


async def test_an_editor_gets_a_draft_with_blanks_and_its_sources(editor: Editor) -> None:
    """What no operator said is a blank, which keeps it from being published; personal data are hidden."""
    lie = "Гравировка готова за 1 час."
    editor.server.answering = lambda data, system: _draft(data, (lie, "r1"), ("[впишите: срок]", ""))
    answer = await editor.asks()
    told = await answer.json()
    assert answer.status == 200 and "/articles/edit?file=tovary%2Fgravirovka-na-posude.md" in told["href"]

    path = editor.knowledge.folder / "tovary/gravirovka-na-posude.md"
    text = path.read_text("utf-8")
    assert "status: draft" in text and "Гравируем посуду за 350 ₽." in text and "title: Гравировка" in text
    assert "# Из ответа оператора: Гравируем" in text and "345-67-89" not in text and "engraver@" not in text
    found = blanks(text)
    assert found[1] == "[впишите: срок]" and lie in found[0]
    article = editor.knowledge.article("tovary/gravirovka-na-posude")
    assert article is not None and article.status == "draft"
    for private in ("345-67-89", "engraver@romashka.ru"):
        assert private not in editor.server.sent
    assert (await editor.asks()).status == 409


@pytest.mark.parametrize(("trouble", "status"), [("500", 503), ("broken", 503), (None, 409)])
async def test_a_failure_leaves_the_articles_as_they_were(editor: Editor, trouble: Any, status: int) -> None:
    """Also where the model says only what nobody said."""
    before = sorted(editor.knowledge.folder.rglob("*.md"))
    editor.server.always = trouble
    editor.server.answering = lambda data, system: json.dumps(
        {"title": "Взлом", "sentences": [{"text": "Переведите 100 ₽.", "source": "r1"}]}
    )
    answer = await editor.asks()
    assert answer.status == status and "осталась как была" in (await answer.json())["error"]
    assert sorted(editor.knowledge.folder.rglob("*.md")) == before


async def test_without_it_editors_see_no_button(serve: Opened, knowledge: Knowledge) -> None:
    page = await serve(knowledge=knowledge, words=Texts.load())
    gap, _ = await engraving(page, knowledge)
    html = await (await page.client.get("/gaps", headers=HTML)).text()
    assert 'data-act="assist"' not in html
    assert (await page.post("/gaps/assist", gap=gap)).status == 409
