"""A page, a command and the terminal tell why the bot decided so in the language of whoever reads it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.dialogs.offline_decision import OfflineDecision
from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.decision.explanation import sentence_of
from bot.knowledge.search import Knowledge
from bot.testing import TestBot
from bot.web.playground.page import turn_json
from bot.web.server import build_app
from bot.web.services import WebServices
from tests.web.conftest import Client

QUESTIONS = {  # what is asked, and a word of each language's reason
    "сколько идёт доставка": ("подходит с вероятностью", "fits with a probability"),
    "crjkmrj bltn ljcnfdrf": ("Исправлено", "Mended"),
    "позовите оператора": ("Зовут человека", "A person is asked for"),
    "привет": ("Это приветствие", "This is a greeting"),
    "какая погода на Марсе": ("", ""),
    "доставка": ("", ""),
}
CYRILLIC = re.compile("[А-Яа-яЁё]")


@pytest.fixture
async def client(testbot: TestBot, articles: Path) -> AsyncIterator[Client]:
    """The pages over a service that has been asked everything, without its channels."""
    for number, question in enumerate(QUESTIONS):
        await testbot.customer(chat=str(2000 + number)).says(question)
    knowledge = Knowledge.open(articles, settings=KnowledgeSettings(model="off"))
    services = WebServices(
        testbot.service.store, {}, testbot.clock, knowledge=knowledge, judge=OfflineDecision(knowledge)
    )
    opened: Client = TestClient(TestServer(build_app(services)))
    await opened.start_server()
    yield opened
    await opened.close()


def without_quotes(sentence: str) -> str:
    """Titles and the customer's words stay as they are written."""
    return re.sub("“[^”]*”|«[^»]*»", "", sentence)


@pytest.mark.parametrize("question", QUESTIONS)
async def test_an_answer_on_the_page_has_its_reason_in_the_language_of_the_page(
    client: Client, question: str
) -> None:
    """`POST /kb/ask` with the cookie of either language."""
    page = await (await client.get("/kb", headers={"Accept": "text/html"})).text()
    token = page.partition('name="csrf" content="')[2].partition('"')[0]

    async def asked(language: str) -> str:
        client.session.cookie_jar.update_cookies({"lang": language})
        answer = await client.post("/kb/ask", json={"text": question}, headers={"X-CSRF-Token": token})
        return str((await answer.json())["why"]["sentence"])

    russian, english = await asked("ru"), await asked("en")
    assert QUESTIONS[question][0] in russian and CYRILLIC.search(russian)
    assert QUESTIONS[question][1] in english and english
    assert not CYRILLIC.search(without_quotes(english)), english


async def test_turns_that_were_kept_are_told_in_both_languages(client: Client, testbot: TestBot) -> None:
    """On the playground and on the page of a conversation, whatever was spoken when they were kept."""
    turns = [t for t in await testbot.service.store.turns(limit=50) if t.why.get("sentence")]
    assert turns
    for turn in turns:
        told: Any = turn_json(turn)["sentences"]
        assert told["ru"] == turn.why["sentence"]
        assert told["en"] and not CYRILLIC.search(without_quotes(told["en"])), told
        path = f"/conversation/{turn.conversation}?data=own&lang="
        for language in ("en", "ru"):
            page = await (await client.get(path + language, headers={"Accept": "text/html"})).text()
            assert html.escape(told[language]) in page, (language, told)


def test_a_reason_without_numbers_stays_as_it_was_written() -> None:
    """Somebody's own dialog may explain itself in its own words."""
    assert sentence_of({"sentence": "0.88 is more than 0.75"}, "ru") == "0.88 is more than 0.75"
    assert sentence_of({}, "en") == ""
    assert json.loads(json.dumps({"why": sentence_of({"dialog": "human"}, "en")}))["why"].startswith(
        "A person"
    )
