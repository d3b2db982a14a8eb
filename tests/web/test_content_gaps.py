"""The page of unanswered questions: groups, an example, a draft, and the customers who are told, over the
real store and the real articles.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.handoff.sla.hours import Hours
from bot.i18n.texts import Texts
from bot.knowledge.articles.schema import Article
from bot.knowledge.articles.writer import ReadOnlyArticles, add_question
from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.quality.gaps import DraftEffect, Gap, MissedQuestion
from bot.knowledge.search import Knowledge
from bot.model import Outbound, Outcome, Peer, Priority, Result, RichText, Status
from bot.web.content_gaps import ContentGaps, gaps_table
from bot.web.gaps import GapRow
from bot.web.pages import read_words
from tests.web.conftest import Opened, Page

ARTICLES = Path(__file__).parents[2] / "kb_articles"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ASKED = (
    "делаете ли вы гравировку на кружке",
    "гравировка на кружке есть?",
    "хочу гравировку на кружке, +7 912 345-67-89",
)


@pytest.fixture
def knowledge(tmp_path: Path) -> Knowledge:
    """The demo articles in a folder that may be changed, searched by words."""
    shutil.copytree(ARTICLES, tmp_path / "kb")
    return Knowledge.open(tmp_path / "kb", settings=KnowledgeSettings(model="off"))


@pytest.fixture
async def page(serve: Opened, knowledge: Knowledge) -> Page:
    return await serve(knowledge=knowledge, words=Texts.load())


def _gap(question: str, article: str) -> Gap:
    return Gap("g1", (MissedQuestion(question, "clarified", datetime(2026, 11, 20, tzinfo=UTC), 1, article),))


def _people(page: Page) -> list[tuple[str, str]]:
    return [(s.name, person) for s in (page.telegram, page.vk) for person in s.people]


async def _ask(
    page: Page, knowledge: Knowledge, person: tuple[str, str], text: str, *, status: Status | None = None
) -> Peer:
    """A customer asks, and the bot does not know: the turn is kept with its reason as the service keeps
    it.
    """
    channel, chat = person
    await page.say(text, channel=channel, chat=chat, user=chat)
    turn = await page.store.take_turn(page.services.clock() + timedelta(seconds=5))
    assert turn is not None and turn.text == text
    answer = knowledge.answer(text)
    why = {
        **answer.why,
        "decision": "handoff",
        "candidates": [{"article": c.article, "title": c.title} for c in answer.candidates],
    }
    await page.store.finish_turn(
        turn,
        Outcome("faq", Result.CLARIFIED, "out_of_scope", status=status, explanation=why),
        page.services.clock(),
    )
    return turn.conversation.peer


async def _reply(page: Page, peer: Peer, text: str) -> None:
    """An operator's words to the customer."""
    await page.store.enqueue(
        [Outbound(peer, RichText(text), author="operator", author_name="Ольга")], page.services.clock()
    )


def _file_of(told: dict[str, str]) -> str:
    """The file that the editor opens."""
    return parse_qs(urlsplit(told["href"]).query)["file"][0]


async def _shown(page: Page) -> str:
    response = await page.client.get("/gaps", headers={"Accept": "text/html"})
    assert response.status == 200
    return unescape(await response.text())


async def engraving(page: Page, knowledge: Knowledge) -> tuple[str, list[Peer]]:
    """Three customers ask about engraving; an operator answers the first.

    Returns the group's id, and who asked.
    """
    peers = [
        await _ask(page, knowledge, person, text) for person, text in zip(_people(page), ASKED, strict=False)
    ]
    await _reply(page, peers[0], "Гравируем посуду за 350 ₽, пишите на engraver@romashka.ru.")
    html = await _shown(page)
    assert html.count('class="gap"') == 1, "three wordings of one meaning are one group"
    return html.partition('class="gap" id="')[2].partition('"')[0], peers


def _write_answer(knowledge: Knowledge) -> None:
    asked = (
        "делаете ли вы гравировку на кружке, гравировка на кружке, хочу гравировку на кружке, закажу"
        " гравировку"
    )
    text = f"---\ntitle: Гравировка\naliases: [{asked}]\n---\nГравируем посуду за 350 ₽.\n"
    (knowledge.folder / "tovary" / "gravirovka.md").write_text(text, "utf-8")
    knowledge.reload()


async def test_questions_of_one_meaning_are_one_group_and_masked(page: Page, knowledge: Knowledge) -> None:
    """Count, wordings, the nearest article with its score and the operator's words; no phone, no e-mail."""
    await engraving(page, knowledge)

    html = await _shown(page)

    assert "клиентов: 3" in html and "Сейчас бот отвечает на 0 из 3" in html
    assert "Ближе всего была" in html and "сходство 0." in html
    assert "Гравируем посуду за 350 ₽" in html
    assert "345-67" not in html and "engraver@" not in html and "•••" in html
    assert f">{read_words('ru')['gaps']}</a>" in html


async def test_an_absurd_question_is_offered_no_article(page: Page, knowledge: Knowledge) -> None:
    """Where no article comes near, none is filled in and no button is the first choice; a near one is still
    offered.
    """
    await _ask(page, knowledge, _people(page)[0], "какая погода завтра")
    far = await _shown(page)
    assert 'name="article" list="articles" value=""' in far and 'class="go"' not in far
    row = GapRow(
        _gap("как вернуть товар, если не подошёл размер?", "vozvrat/kak-vernut"),
        DraftEffect(0, 1, {}),
        False,
        0.73,
        None,
    )
    assert (row.near, row.section) == ("vozvrat/kak-vernut", "vozvrat")


async def test_what_is_not_our_question_leaves_the_list_and_comes_back(
    page: Page, knowledge: Knowledge
) -> None:
    """The group goes to the end of the page, stays there for other wordings of the same words, and can be
    brought back; no words are kept.
    """
    gap, _ = await engraving(page, knowledge)

    assert (await page.post("/gaps/dismiss", gap=gap)).status == 200
    html = await _shown(page)
    assert 'class="gap"' not in html and "Не наши вопросы: 1" in html and 'data-act="restore"' in html
    (event,) = await page.store.events(kinds=("gap_dismissed",))
    assert "гравировк" not in str(event.data)
    assert (await page.post("/gaps/restore", gap=gap)).status == 200
    assert (await _shown(page)).count('class="gap"') == 1


async def test_an_example_and_a_draft_can_be_undone(page: Page, knowledge: Knowledge) -> None:
    """The files are as they were before, once; what somebody changed since is left alone."""
    gap, _ = await engraving(page, knowledge)
    file = knowledge.folder / "tovary" / "podarochnaya-upakovka.md"
    before = file.read_bytes()
    added = await (
        await page.post("/gaps/add", gap=gap, article="tovary/podarochnaya-upakovka", question=ASKED[0])
    ).json()
    assert file.read_bytes() != before
    assert (await page.post("/gaps/undo", gap=gap, change=added["undo"])).status == 200
    assert file.read_bytes() == before
    assert (await page.post("/gaps/undo", gap=gap, change=added["undo"])).status == 404

    drafted = await (await page.post("/gaps/draft", gap=gap, section="tovary")).json()
    draft = knowledge.folder / _file_of(drafted)
    draft.write_text(draft.read_text("utf-8") + "\nМоё.\n", "utf-8")
    assert (await page.post("/gaps/undo", gap=gap, change=drafted["undo"])).status == 409
    assert "Моё." in draft.read_text("utf-8")


async def test_what_was_done_can_be_taken_back_later(page: Page, knowledge: Knowledge) -> None:
    """The page lists it when it is opened anew, on any replica, until it is taken back."""
    gap, _ = await engraving(page, knowledge)
    article = knowledge.article("tovary/podarochnaya-upakovka")
    assert article is not None
    before = article.path.read_bytes()
    await page.post("/gaps/add", gap=gap, article=article.id, question=ASKED[0])

    html = await _shown(page)
    change = html.partition('name="change" value="')[2].partition('"')[0]
    undone = await page.post("/gaps/undo", gap="gone", change=change)

    assert 'class="acts2"' in html and article.title in html
    assert undone.status == 200 and article.path.read_bytes() == before
    assert 'class="acts2"' not in await _shown(page)
    (event,) = await page.store.events(kinds=("gap_remedied",))
    assert event.actor == "page:owner" and "гравировку" not in json.dumps(
        dict(event.data), ensure_ascii=False
    )


async def test_a_draft_is_made_of_the_answer_that_was_chosen(page: Page, knowledge: Knowledge) -> None:
    """Of the operators' words the editor takes those they want, or none; nothing that nobody said."""
    gap, peers = await engraving(page, knowledge)
    await _reply(page, peers[1], "Да, гравируем за два дня.")
    page.services.clock.shift += timedelta(minutes=1)  # what was read is read anew
    await asyncio.sleep(0)
    assert (await page.post("/gaps/draft", gap=gap, section="tovary", reply="выдумка")).status == 400
    answer = await page.post(
        "/gaps/draft",
        gap=gap,
        section="tovary",
        reply="Гравируем посуду за 350 ₽, пишите на e•••@romashka.ru.",
    )

    told = await answer.json()
    assert answer.status == 200, told
    article = knowledge.article(_file_of(told).removesuffix(".md"))
    assert article is not None and article.body.strip().startswith("Гравируем посуду")
    assert "за два дня" not in article.body


async def test_the_report_counts_no_question_that_is_not_ours(serve: Opened, knowledge: Knowledge) -> None:
    """What was put aside is in no table, whichever replica put it aside, and is there again once taken
    back.
    """
    page = await serve(knowledge=knowledge, words=Texts.load(), hours=Hours(country=None))
    gap, _ = await engraving(page, knowledge)
    other = ContentGaps(page.store, knowledge, fresh=1000)
    before = [g.id for g in (await other.read()).gaps]

    await page.post("/gaps/dismiss", gap=gap)
    aside = await other.read()
    await page.post("/gaps/restore", gap=gap)

    assert gap in before and not aside.gaps and [g.id for g in aside.aside] == [gap]
    assert gaps_table(aside, lambda at: True).rows == ()
    assert [g.id for g in (await other.read()).gaps] == before


async def test_a_slow_base_is_asked_a_little_at_each_look(
    serve: Opened, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page opens before the base was asked about every group; what is left is said, and asked next
    time.
    """
    monkeypatch.setattr("bot.web.gaps.PATIENCE", 0.0)
    monkeypatch.setattr("bot.web.gaps.FIRST", 1)
    page = await serve(knowledge=knowledge, words=Texts.load())
    words = ("кактусы на балконе", "страховка велосипеда", "прокат самокатов")
    for person, text in zip(_people(page), words, strict=False):
        await _ask(page, knowledge, person, text)

    html = await _shown(page)

    assert html.count('class="gap"') == 3 and html.count('class="now"') == 1
    assert "не задал вопросы заново: 2" in html


async def test_the_report_names_the_gaps_and_opens_their_conversations(
    serve: Opened, knowledge: Knowledge
) -> None:
    """The same groups on the supervisor's page, for its period and channel, masked, with the way to the
    conversations and to the editor's page.
    """
    page = await serve(knowledge=knowledge, words=Texts.load(), hours=Hours(country=None))
    gap, _ = await engraving(page, knowledge)

    async def html(path: str) -> str:
        answer = await page.client.get(path, headers={"Accept": "text/html"})
        assert answer.status == 200, path
        return unescape(await answer.text())

    today = page.services.clock().astimezone(page.services.timezone).date()
    report = await html(f"/report?data=own&from={today}&to={today}")
    assert "гравировк" in report and 'href="/gaps"' in report and "345-67-89" not in report
    listed = await html(f"/report/list?of=gaps:{gap}&data=own&from={today}&to={today}")
    assert len(set(re.findall(r"/conversation/\d+", listed))) == 3
    assert "гравировк" not in await html("/report?data=own&from=2020-01-01&to=2020-01-02")
    for kind in ("csv", "xlsx"):
        file = await page.client.get(f"/report/file.{kind}?data=own&from={today}&to={today}")
        assert file.status == 200 and (
            kind == "xlsx" or "гравировк" in (await file.read()).decode("utf-8-sig")
        )


async def test_an_example_is_added_and_the_effect_counted(page: Page, knowledge: Knowledge) -> None:
    """Only the head of the chosen article grows by a line; the answer says in numbers what the bot answers
    now.
    """
    gap, _ = await engraving(page, knowledge)
    file = knowledge.folder / "tovary" / "podarochnaya-upakovka.md"
    before = file.read_text("utf-8").splitlines()

    answer = await page.post("/gaps/add", gap=gap, article="tovary/podarochnaya-upakovka", question=ASKED[0])

    told = await answer.json()
    assert answer.status == 200, told
    assert told["total"] == 3 and told["answered"] >= 1
    assert "было 0" in told["text"]
    after = file.read_text("utf-8").splitlines()
    assert [line for line in after if line not in before] == [f"  - {ASKED[0]}"] and len(after) == len(
        before
    ) + 1
    assert knowledge.answer(ASKED[0]).article == "tovary/podarochnaya-upakovka"
    assert not list(file.parent.glob(".*")), "nothing is left beside the article"


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"article": "tovary/nowhere"}, 404, "gaps_no_article"),
        ({"article": "../../etc/passwd"}, 404, "gaps_no_article"),
        ({"question": "чего никто не спрашивал"}, 400, "gaps_no_question"),
        ({"question": "хочу гравировку на кружке, +7 ••• •••-67-89"}, 400, "gaps_no_question"),
        ({"gap": "g000000"}, 404, "gaps_gone"),
    ],
)
async def test_what_cannot_be_added_is_refused_in_words(
    page: Page, knowledge: Knowledge, fields: dict[str, str], status: int, said: str
) -> None:
    """An unknown article, group or question changes nothing."""
    gap, _ = await engraving(page, knowledge)
    files = {p: p.read_bytes() for p in knowledge.folder.rglob("*.md")}

    answer = await page.post(
        "/gaps/add", **{"gap": gap, "article": "tovary/podarochnaya-upakovka", "question": ASKED[0], **fields}
    )

    assert (answer.status, (await answer.json())["error"]) == (status, read_words("ru")[said])
    assert {p: p.read_bytes() for p in knowledge.folder.rglob("*.md")} == files


async def test_a_draft_of_the_operators_words_can_be_read(page: Page, knowledge: Knowledge) -> None:
    """It is a draft with the customers' questions; nobody is answered with it, and a second one is
    refused.
    """
    gap, _ = await engraving(page, knowledge)

    answer = await page.post("/gaps/draft", gap=gap, section="tovary")

    told = await answer.json()
    assert answer.status == 200, told
    article = knowledge.article(_file_of(told).removesuffix(".md"))
    assert article is not None and article.status == "draft" and article.section == "tovary"
    assert ("Гравируем посуду за 350 ₽" in article.body and ASKED[0] in article.questions) or ASKED[
        1
    ] in article.questions
    assert told["answered"] == 0
    html = await (await page.client.get(told["href"], headers={"Accept": "text/html"})).text()
    assert "Гравируем посуду за 350 ₽" in unescape(html), "the editor opens with it"
    assert (await page.post("/gaps/draft", gap=gap, section="tovary")).status == 409


@pytest.mark.parametrize("section", ["../..", "/etc", ".git", "tovary/../../.."])
async def test_a_draft_stays_inside_the_folder(page: Page, knowledge: Knowledge, section: str) -> None:
    """A section that leads out (or into what is hidden) writes nothing there."""
    gap, _ = await engraving(page, knowledge)
    outside = set(knowledge.folder.parent.rglob("*.md")) | set(Path("/etc").glob("*.md"))

    answer = await page.post("/gaps/draft", gap=gap, section=section)

    new = (set(knowledge.folder.parent.rglob("*.md")) | set(Path("/etc").glob("*.md"))) - outside
    assert answer.status == 400 or all(p.is_relative_to(knowledge.folder / "etc") for p in new)


async def test_a_folder_that_cannot_be_written_is_said_politely(page: Page, knowledge: Knowledge) -> None:
    """The refusal says so in words, and nothing is changed."""
    gap, _ = await engraving(page, knowledge)
    (knowledge.folder / "not-a-folder").write_text("", "utf-8")

    answer = await page.post("/gaps/draft", gap=gap, section="not-a-folder")

    assert answer.status == 409
    assert "только для чтения" in (await answer.json())["error"]
    assert knowledge.reload().added == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_read_only_article_is_left_alone(knowledge: Knowledge) -> None:
    """Also where its folder could be written to."""
    article = knowledge.article("tovary/uhod")
    assert isinstance(article, Article)
    article.path.chmod(0o444)

    with pytest.raises(ReadOnlyArticles):
        add_question(article, "как мыть")


async def test_those_who_asked_are_told_once(page: Page, knowledge: Knowledge) -> None:
    """Everybody whom nobody answered gets one message with the answer's button; a repeat tells nobody."""
    gap, peers = await engraving(page, knowledge)
    _write_answer(knowledge)
    html = await _shown(page)
    assert "Сообщить спросившим (2)" in html and "уже ответил оператор (1)" in html

    first = await (await page.post("/gaps/tell", gap=gap)).json()
    again = await (await page.post("/gaps/tell", gap=gap)).json()

    enqueued = [d.outbound for d in await page.store.deliveries() if d.outbound.priority is Priority.BULK]
    assert [o.to for o in enqueued] == peers[1:]
    assert "клиентов: 2" in first["text"] and again["text"] == read_words("ru")["gaps_nobody"]
    for outbound in enqueued:
        assert (outbound.on_uncertain, outbound.author) == ("hold", "bot")
        assert (
            "Гравировка" in outbound.text.text
            and "912" not in outbound.text.text
            and "•" not in outbound.text.text
        )
        assert [(b.action, b.value) for row in outbound.buttons for b in row] == [
            ("article", "tovary/gravirovka")
        ]
    events = await page.store.events(kinds=("told_of_answer",))
    assert len({e.conversation for e in events}) == len(events) == 2


async def test_presses_at_once_tell_everybody_once(page: Page, knowledge: Knowledge) -> None:
    """Two editors press together: still one message for each, the one a person answered included where that
    is wished.
    """
    gap, peers = await engraving(page, knowledge)
    _write_answer(knowledge)

    await asyncio.gather(*(page.post("/gaps/tell", gap=gap, everyone="yes") for _ in range(4)))

    enqueued = [d.outbound.to for d in await page.store.deliveries() if d.outbound.priority is Priority.BULK]
    assert sorted(enqueued) == sorted(peers)


async def test_nobody_is_told_while_there_is_no_answer(page: Page, knowledge: Knowledge) -> None:
    """Without an article nothing is offered, and a forged post sends nothing."""
    gap, _ = await engraving(page, knowledge)

    assert 'data-act="tell"' not in await _shown(page)
    assert (await (await page.post("/gaps/tell", gap=gap, everyone="yes")).json())["text"] == read_words(
        "ru"
    )["gaps_nobody"]
    assert not [d for d in await page.store.deliveries() if d.outbound.priority is Priority.BULK]


async def test_who_blocked_the_bot_or_talks_to_a_person_is_not_told(page: Page, knowledge: Knowledge) -> None:
    """The bot neither writes where it may not nor speaks into somebody else's talk."""
    people = _people(page)
    peers = [
        await _ask(page, knowledge, p, ASKED[0], status=s)
        for p, s in zip(people[:3], (None, Status.WAITING, None), strict=True)
    ]
    await page.post(
        "/happen",
        channel=people[0][0],
        chat=people[0][1],
        user=people[0][1],
        what="block",
        key="3fa85f64-5717-4562-b3fc-2c963f66afa6",
    )
    turn = await page.store.take_turn(page.services.clock() + timedelta(seconds=5))
    assert turn is not None
    await page.store.finish_turn(turn, Outcome("relay", Result.IGNORED, "blocked"), page.services.clock())
    conversation = await page.store.conversation(peers[0])
    assert conversation is not None and not conversation.reachable
    html = await _shown(page)
    gap = html.partition('class="gap" id="')[2].partition('"')[0]
    _write_answer(knowledge)

    html = await _shown(page)
    await page.post("/gaps/tell", gap=gap)

    assert "не написать: 1" in html and "говорят с оператором: 1" in html
    assert [d.outbound.to for d in await page.store.deliveries() if d.outbound.priority is Priority.BULK] == [
        peers[2]
    ]


async def test_an_article_is_shown_in_both_skins(page: Page, knowledge: Knowledge) -> None:
    """The messages of both chats as data; Telegram's keep every style, VK's buttons are as short as VK wants;
    tags stay text.
    """
    text = (
        "---\ntitle: Тест\naliases: [тест]\nbuttons:\n  - Очень длинная надпись на кнопке, длиннее сорока"
        " знаков: tovary/uhod\n---\n**Жирно**, `код` и <не тег>.\n"
    )
    (knowledge.folder / "test.md").write_text(text, "utf-8")
    knowledge.reload()

    html = await (await page.client.get("/kb/test", headers={"Accept": "text/html"})).text()

    skins: dict[str, list[dict[str, Any]]] = json.loads(
        unescape(html.partition('data-skins="')[2].partition('"')[0])
    )
    assert set(skins) == {"telegram", "vk", "max"}
    assert {s["style"] for m in skins["telegram"] for s in m["spans"]} >= {"bold", "code"}
    assert "code" not in {s["style"] for m in skins["vk"] for s in m["spans"]}
    assert all(len(b["label"]) <= 40 for m in skins["vk"] for row in m["buttons"] for b in row)
    assert "<не тег>" in skins["vk"][0]["text"] and "<не тег" not in html


async def test_the_page_of_an_article_shows_its_pictures_and_what_is_wrong_with_files(
    page: Page, knowledge: Knowledge
) -> None:
    """Only what an article may send is given, and only from the folder of articles."""
    head = "---\ntitle: Тест\naliases: [тест]\n---\n"
    text = f"{head}Цены.\n\n![Прайс](<файлы/п 1.png>)\n\n![Нет](net.png)\n"
    (knowledge.folder / "test.md").write_text(text, "utf-8")
    (knowledge.folder / "файлы").mkdir()
    (knowledge.folder / "файлы" / "п 1.png").write_bytes(b"\x89PNG")
    knowledge.reload()

    html = await (await page.client.get("/kb/test", headers={"Accept": "text/html"})).text()
    skins = json.loads(unescape(html.partition('data-skins="')[2].partition('"')[0]))
    shown = next(a for m in skins["vk"] for a in m["attachments"])
    assert shown["picture"] and shown["data"]["caption"] == "Прайс" and "net.png" in html and "KB026" in html
    picture = await page.client.get(f"/file/{shown['file']}")
    assert (picture.status, await picture.read()) == (200, b"\x89PNG")
    assert picture.headers["Content-Disposition"] == "inline"
    for path in ("test.md", "..%2Fconfig.yaml", "%2E%2E/secret.png"):
        assert (await page.client.get(f"/file/kb/{path}")).status in (400, 404)


async def test_a_broken_base_and_a_pageless_bot_still_show(serve: Opened, knowledge: Knowledge) -> None:
    """Without words there is no preview and nobody to tell; without questions the page says that all is
    well.
    """
    page = await serve(knowledge=knowledge)

    assert read_words("ru")["gaps_none"] in await _shown(page)
    html = await (await page.client.get("/kb/tovary/uhod", headers={"Accept": "text/html"})).text()
    assert "data-skins" not in html and "<pre" in html


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine (apt install chromium)")
async def test_an_editor_closes_a_gap_in_a_browser(page: Page, knowledge: Knowledge) -> None:
    """Add an example by its button, read the effect, open a draft and see it in both chats; nothing
    complains.
    """
    api = pytest.importorskip("playwright.async_api")
    await engraving(page, knowledge)
    complaints: list[str] = []
    async with api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        tab = await browser.new_page(viewport={"width": 390, "height": 800})
        tab.set_default_timeout(15_000)
        tab.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        await tab.goto(str(page.client.make_url("/gaps")))
        assert await tab.evaluate("document.documentElement.scrollWidth") <= 390
        await tab.fill("[data-act=add] [name=article]", "tovary/podarochnaya-upakovka")
        await tab.click("[data-act=add] button")
        await tab.wait_for_selector(".said2 >> text=Бот отвечает на")
        await tab.click("[data-act=draft] button")
        await tab.click(".said2:has-text('Черновик') a")
        await tab.wait_for_selector("#phone .bubble >> text=Гравируем")
        assert "Гравируем" in await tab.input_value("[name=body]")
        assert await tab.evaluate("document.documentElement.scrollWidth") <= 390
        await browser.close()
    assert complaints == []
