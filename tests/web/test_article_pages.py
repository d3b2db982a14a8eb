"""The editor's pages over the real store and real articles: drafts that nobody is answered with, publication
behind the golden questions, what is changed on the disk meanwhile, and who may do what.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import struct
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from bot.i18n.texts import Texts
from bot.knowledge.articles.schema import Article
from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.quality.release import ReleaseLimits
from bot.knowledge.search import Knowledge
from bot.text.tone import ToneCheck
from bot.web.users import PageRole, may
from tests.knowledge.shop import write_shop
from tests.web.conftest import Opened, Page
from tests.web.test_gate import THIEF, ask

ARTICLES = Path(__file__).parents[2] / "kb_articles"
PLACE = "dostavka/punkty-vydachi.md"
GOLDEN = "- {q: где ваши пункты выдачи, article: dostavka/punkty-vydachi}\n"
MINE = {
    "title": "Гравировка",
    "section": "tovary",
    "questions": ["делаете ли вы гравировку"],
    "audience": "customers",
    "buttons": [["Цены", "tovary/uhod"]],
    "body": "Гравировку делаем за два дня.",
}


@pytest.fixture
def knowledge(tmp_path: Path) -> Knowledge:
    """Some of the demo articles in a folder that may be changed, searched by words."""
    for section in ("dostavka", "tovary"):
        shutil.copytree(ARTICLES / section, tmp_path / "kb" / section)
    return Knowledge.open(tmp_path / "kb", settings=KnowledgeSettings(model="off"))


@pytest.fixture
async def page(serve: Opened, knowledge: Knowledge, tmp_path: Path) -> Page:
    golden = tmp_path / "questions.yaml"
    golden.write_text(GOLDEN, "utf-8")
    return await serve(knowledge=knowledge, words=Texts.load(), golden=golden, tone=ToneCheck())


async def opened(page: Page, place: str) -> dict[str, Any]:
    """What the editor's page of a file starts with."""
    html = await (await page.client.get("/articles/edit", params={"file": place})).text()
    found: dict[str, Any] = json.loads(unescape(html.partition('data-opened="')[2].partition('"')[0]))
    return found


async def sent(page: Page, act: str, state: dict[str, Any], **more: object) -> tuple[int, dict[str, Any]]:
    """A step of the page over what it has."""
    body = {"file": state["file"], "source": state["text"], "seen": state["seen"], **more}
    answer = await page.post(f"/articles/{act}", **body)
    found: dict[str, Any] = await answer.json()
    return answer.status, found


async def written(page: Page, form: dict[str, Any] | None = None) -> dict[str, Any]:
    """A new article, saved as a draft."""
    html = await (await page.client.get("/articles/new")).text()
    state = json.loads(unescape(html.partition('data-opened="')[2].partition('"')[0]))
    status, answer = await sent(page, "save", state, form=form or MINE)
    assert status == 200, answer
    return answer


def said(knowledge: Knowledge, question: str) -> str | None:
    return knowledge.answer(question).article


async def test_a_draft_answers_nobody_until_it_is_published(page: Page, knowledge: Knowledge) -> None:
    """Its file is there; published, the bot answers with it; each step is on record with who did it."""
    draft = await written(page)
    assert draft["file"] == "tovary/gravirovka.md" and not draft["served"]
    assert "status: draft" in (knowledge.folder / draft["file"]).read_text("utf-8")
    assert said(knowledge, "делаете ли вы гравировку") != "tovary/gravirovka"

    status, plan = await sent(page, "plan", draft)
    assert (status, plan["broken"], plan["new"]) == (200, [], True)
    status, done = await sent(page, "publish", draft)

    assert status == 200 and done["served"]
    assert said(knowledge, "делаете ли вы гравировку") == "tovary/gravirovka"
    events = await page.store.events(kinds=("article_saved", "article_published"))
    assert [(e.kind, e.actor, e.data["article"]) for e in events] == [
        ("article_saved", "page:owner", "tovary/gravirovka.md"),
        ("article_published", "page:owner", "tovary/gravirovka.md"),
    ]


async def test_a_change_of_a_published_article_waits_beside_it(page: Page, knowledge: Knowledge) -> None:
    """Customers get the old text, the editor finds their own again; publishing puts it in place."""
    state, path = await opened(page, PLACE), knowledge.folder / PLACE
    before = path.read_text("utf-8")
    form = {**state["form"], "body": "Забрать можно в любой день."}
    _, draft = await sent(page, "save", state, form=form)
    assert path.read_text("utf-8") == before and draft["seen"]["draft"]
    assert (await opened(page, PLACE))["form"]["body"] == "Забрать можно в любой день."

    await sent(page, "publish", draft)

    article = knowledge.article("dostavka/punkty-vydachi")
    assert isinstance(article, Article) and article.body == "Забрать можно в любой день."
    assert not (knowledge.folder / "_drafts" / PLACE).exists()


async def test_keys_without_a_field_stay_as_they_are_written(page: Page, knowledge: Knowledge) -> None:
    """A remark, a key of another program and the order of the head: only what was changed differs."""
    path = knowledge.folder / "tovary" / "sklad.md"
    head = "---\n# моё\ncreated: 2024-01-01\nsegment: {vip: true}\ntitle: Склад\naliases: [склад]\n---\n"
    path.write_text(head + "Текст\n", "utf-8")
    state = await opened(page, "tovary/sklad.md")

    _, checked = await sent(page, "check", state, form={**state["form"], "body": "Новый текст"})

    assert checked["text"] == head + "Новый текст\n"


async def test_what_is_changed_on_the_disk_meanwhile_is_never_written_over(
    page: Page, knowledge: Knowledge
) -> None:
    """Neither saving nor publishing: both texts come back, and it goes on once the editor has seen them."""
    state, path = await opened(page, PLACE), knowledge.folder / PLACE
    theirs = path.read_text("utf-8") + "\nДописал коллега.\n"
    path.write_text(theirs, "utf-8")
    form = {**state["form"], "body": "Моё."}

    for act in ("save", "plan", "publish"):
        status, answer = await sent(page, act, state, form=form)
        assert status == 409 and answer["conflict"]["theirs"] == theirs
        assert "Моё." in answer["conflict"]["mine"]
    assert path.read_text("utf-8") == theirs and not (knowledge.folder / "_drafts").exists()

    status, _ = await sent(page, "publish", {**state, "seen": answer["now"]}, form=form)
    assert status == 200 and "Моё." in path.read_text("utf-8")


async def test_a_draft_overtaken_by_its_file_is_told_when_it_is_opened(
    page: Page, knowledge: Knowledge
) -> None:
    """Days later, too: what the draft was begun from is remembered."""
    state, path = await opened(page, PLACE), knowledge.folder / PLACE
    await sent(page, "save", state, form={**state["form"], "body": "Моё."})
    assert (await opened(page, PLACE))["overtaken"] is None

    path.write_text("---\ntitle: Пункты\n---\nДругое.\n", "utf-8")

    assert (await opened(page, PLACE))["overtaken"] == "---\ntitle: Пункты\n---\nДругое.\n"


async def test_what_breaks_a_golden_question_needs_a_reason(page: Page, knowledge: Knowledge) -> None:
    """Nothing is written without one; with it the event tells it."""
    thief = {
        **MINE,
        "title": "Где ваши пункты выдачи",
        "questions": ["где ваши пункты выдачи", "ваши пункты выдачи"],
        "body": "Где ваши пункты выдачи.",
    }
    draft = await written(page, thief)

    _, plan = await sent(page, "plan", draft)
    _, refused = await sent(page, "publish", draft)
    assert "где ваши пункты выдачи" in [b["question"] for b in plan["broken"]]
    assert refused["refused"] and "status: draft" in (knowledge.folder / draft["file"]).read_text("utf-8")
    assert (await sent(page, "publish/anyway", draft))[0] == 400

    status, _ = await sent(page, "publish/anyway", draft, reason="так решили")

    event = (await page.store.events(kinds=("article_published",)))[-1]
    assert status == 200 and event.data["reason"] == "так решили"


async def test_each_step_can_be_undone_once(page: Page, knowledge: Knowledge) -> None:
    """Publishing, taking back and deleting; a second press finds nothing to undo."""
    path = knowledge.folder / PLACE
    before = path.read_text("utf-8")
    state = await opened(page, PLACE)
    _, done = await sent(page, "publish", state, form={**state["form"], "body": "Моё."})
    assert (await page.post("/articles/undo", change=done["undo"])).status == 200
    assert path.read_text("utf-8") == before
    assert (await page.post("/articles/undo", change=done["undo"])).status == 404

    _, back = await sent(page, "withdraw", await opened(page, PLACE))
    article = knowledge.article("dostavka/punkty-vydachi")
    assert isinstance(article, Article) and article.status == "draft" and not back["served"]
    _, gone = await sent(page, "discard", back)
    assert gone["gone"] and not path.exists()

    await page.post("/articles/undo", change=gone["undo"])
    await page.post("/articles/undo", change=back["undo"])
    assert path.read_text("utf-8") == before


async def test_remarks_come_while_it_is_written(page: Page, knowledge: Knowledge) -> None:
    """The tone, a link to nowhere, a blank that is still to be filled; with the row of the text."""
    draft = await written(page)
    body = "Ответ.\n\nУважаемый клиент! Вот [[net/takoj]].\n\n[впишите: цена]"

    _, checked = await sent(page, "check", draft, form={**MINE, "body": body})

    found = {p["code"]: p["row"] for p in checked["problems"]}
    assert (found["KB060"], found["KB025"], found["KB029"]) == (3, 3, 5)
    assert [p["code"] for p in checked["problems"] if p["blocks"]] == ["KB029"]
    status, answer = await sent(page, "publish", draft, form={**MINE, "body": body})
    assert status == 409 and "впишите" in answer["error"]


async def test_the_preview_is_of_the_draft_in_both_skins(page: Page) -> None:
    """And of its twin in the other language."""
    state = await opened(page, "dostavka/sroki.md")

    _, checked = await sent(page, "check", state, form={**state["form"], "body": "Привозим **завтра**."})

    assert set(checked["skins"]) == {"ru", "en"}
    for skin in ("telegram", "vk", "max"):
        assert "Привозим завтра." in checked["skins"]["ru"][skin][0]["text"]
    assert "Привозим" not in checked["skins"]["en"]["vk"][0]["text"]


async def test_a_question_is_tried_on_the_text_that_is_not_saved(page: Page, knowledge: Knowledge) -> None:
    """The bot itself knows nothing of it."""
    draft = await written(page)
    form = {**MINE, "questions": ["летаете ли вы на дирижабле"]}

    _, tried = await sent(page, "try", draft, form=form, question="летаете ли вы на дирижабле?")

    assert tried["mine"] and tried["decision"] == "answer"
    assert said(knowledge, "летаете ли вы на дирижабле?") is None


@pytest.mark.parametrize(
    "place",
    [
        "../config.md",
        "_drafts/x.md",
        ".git/config.md",
        "tovary/x.yaml",
        "/etc/a.md",
        "a\0.md",
        f"{'я' * 200}.md",
    ],
)
async def test_nothing_outside_the_articles_is_reached(page: Page, place: str) -> None:
    """Neither read nor written."""
    answer = await page.client.get("/articles/edit", params={"file": place})
    status, _ = await sent(page, "save", {"file": place, "text": "---\ntitle: А\n---\nБ\n", "seen": {}})

    assert (answer.status, status) == (404, 400)


async def test_what_no_file_can_hold_is_replaced(page: Page, knowledge: Knowledge) -> None:
    """A zero byte, half a character: the article is kept, and every database can keep its version."""
    draft = await written(page, {**MINE, "body": "А\0Б\ud800."})

    status, done = await sent(page, "publish", draft)

    assert (status, done["form"]["body"]) == (200, "А\ufffdБ\ufffd.")


async def test_a_broken_head_is_mended_as_a_file(page: Page, knowledge: Knowledge) -> None:
    """The fields are closed, the file is open."""
    path = knowledge.folder / "tovary" / "sklad.md"
    path.write_text("---\ntitle: [\n---\nТекст\n", "utf-8")
    state = await opened(page, "tovary/sklad.md")
    assert state["form"] is None and state["text"].startswith("---\ntitle: [")

    status, done = await sent(page, "publish", {**state, "text": "---\ntitle: Цел\n---\nТекст\n"})

    assert (status, done["form"]["title"]) == (200, "Цел")


def test_who_may_write_articles() -> None:
    """Editors write and publish; only who leads may publish what breaks a question."""
    writers = {r for r in PageRole if may(r, "POST", "/articles/publish") and may(r, "GET", "/articles/new")}

    assert writers == {PageRole.OWNER, PageRole.SUPERVISOR, PageRole.EDITOR}
    assert {r for r in PageRole if may(r, "POST", "/articles/publish/anyway")} == {
        PageRole.OWNER,
        PageRole.SUPERVISOR,
    }


async def test_the_list_says_how_each_article_stands(page: Page, knowledge: Knowledge) -> None:
    """Drafts, changes that wait, files that cannot be read, and what was deleted lately."""
    draft = await written(page)
    state = await opened(page, PLACE)
    await sent(page, "save", state, form={**state["form"], "body": "Моё."})
    gone = await written(page, {**MINE, "title": "Лишнее"})
    await sent(page, "discard", gone)
    (knowledge.folder / "tovary" / "bad.md").write_text("---\ntitle: [\n---\nА\n", "utf-8")
    knowledge.reload()

    async def listed(name: str) -> set[str]:
        html = await (await page.client.get("/kb", params={"state": name, "lang": "ru"})).text()
        return set(re.findall(r"/articles/edit\?file=([\w./-]+)", html))

    assert (await listed("draft"), await listed("changed")) == ({draft["file"]}, {PLACE})
    assert "tovary/bad.md" in await listed("problems")
    html = await (await page.client.get("/kb", params={"lang": "ru"})).text()
    assert f"/articles/history?file={gone['file']}" in html
    assert ">tovary/bad.md:" in html, "the fault is named by its file"
    assert str(knowledge.folder) not in html and not re.search(r"\bKB0\d\d\b", html), (
        "no path of the machine, no code"
    )


async def test_a_twin_in_the_other_language_begins_beside_its_article(
    page: Page, knowledge: Knowledge
) -> None:
    """In its language, under its name; customers of that language get it."""
    place = "dostavka/punkty-vydachi.en.md"
    html = await (await page.client.get("/articles/edit", params={"file": PLACE})).text()
    assert f"/articles/edit?file={place}" in html
    twin = await opened(page, place)

    form = {**MINE, "title": "Pickup points", "section": "dostavka", "body": "We have many.", "buttons": []}
    status, _ = await sent(page, "publish", twin, form={**form, "questions": ["your pickup points"]})

    found = knowledge.article("dostavka/punkty-vydachi", "en")
    assert (
        status == 200 and isinstance(found, Article) and (found.lang, found.body) == ("en", "We have many.")
    )


async def _history(page: Page, place: str) -> list[str]:
    """The keys of the versions, the newest first, as the page lists them."""
    html = await (await page.client.get("/articles/history", params={"file": place})).text()
    return list(dict.fromkeys(re.findall(r"version=(s\d+|g[0-9a-f]{40})\">", html)))


async def test_every_version_is_kept_and_an_old_one_comes_back_as_a_new_one(
    page: Page, knowledge: Knowledge
) -> None:
    """Also what was there before the page first wrote it; nothing of the history goes."""
    path = knowledge.folder / PLACE
    before = path.read_text("utf-8")
    state = await opened(page, PLACE)
    await sent(page, "publish", state, form={**state["form"], "body": "Первое."})
    again = await opened(page, PLACE)
    await sent(page, "publish", again, form={**again["form"], "body": "Второе."})

    newest, _, found = await _history(page, PLACE)
    html = await (await page.client.get("/articles/edit", params={"file": PLACE, "version": found})).text()
    old = json.loads(unescape(html.partition('data-opened="')[2].partition('"')[0]))
    assert (old["text"], old["seen"]) == (before, (await opened(page, PLACE))["seen"])
    assert (await sent(page, "publish", old))[0] == 200

    assert path.read_text("utf-8") == before
    assert (await _history(page, PLACE))[1:] == [newest, _, found]


async def test_a_deleted_draft_is_found_in_its_history(page: Page, knowledge: Knowledge) -> None:
    """Long after the button to undo it is gone."""
    draft = await written(page)
    await sent(page, "discard", draft)

    gone, found = await _history(page, draft["file"])
    answer = await page.client.get("/articles/edit", params={"file": draft["file"], "version": found})

    assert "Гравировку делаем за два дня" in await answer.text() and gone != found


async def test_in_a_checkout_a_step_is_a_commit_of_that_file_alone(page: Page, knowledge: Knowledge) -> None:
    """By whoever pressed, with what others changed or staged left as it is; hooks are not run."""

    def git(*arguments: str) -> str:
        who = ("-c", "user.name=Ия", "-c", "user.email=i@example.org")
        return subprocess.run(
            ["git", *who, *arguments], cwd=knowledge.folder, check=True, capture_output=True, text=True
        ).stdout

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "Начало")
    hook = knowledge.folder / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\nexit 1\n", "utf-8")
    hook.chmod(0o755)
    (knowledge.folder / "tovary" / "uhod.md").write_text("---\ntitle: Уход\n---\nЧужая правка.\n", "utf-8")
    git("add", "tovary/uhod.md")
    state = await opened(page, PLACE)
    await sent(page, "publish", state, form={**state["form"], "body": "Первое."})

    assert git("show", "--name-only", "--format=%an %s").split("\n")[::2][0].startswith("owner dostavka/")
    assert git("show", "--name-only", "--format=").split() == [PLACE]
    assert git("status", "--porcelain", "tovary/uhod.md").startswith("M ")
    newest, first = await _history(page, PLACE)
    assert newest.startswith("g") and first.startswith("g")
    old = await page.client.get("/articles/edit", params={"file": PLACE, "version": first})
    assert "пвз рядом с домом" in await old.text()


PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(64)


async def _attach(page: Page, name: str, content: bytes) -> tuple[int, dict[str, Any]]:
    answer = await page.client.post(
        "/articles/attach",
        params={"file": PLACE, "name": name},
        data=io.BytesIO(content),
        headers={"X-CSRF-Token": page.token, "Content-Type": "image/png"},
    )
    return answer.status, await answer.json()


async def test_a_picture_that_no_messenger_shows_is_refused_in_clear_words(page: Page) -> None:
    """More than 10,000 pixels: Telegram would send it as a file."""
    wide = PICTURE[:16] + struct.pack(">II", 9000, 2000) + PICTURE[24:]
    status, told = await _attach(page, "plan.png", wide)
    assert status == 400 and "10" in str(told) and "точек" in str(told)


async def test_a_dropped_picture_is_kept_and_sent_with_the_answer(page: Page, knowledge: Knowledge) -> None:
    """Under a name that is safe; the same once more is kept once, another of that name beside it."""
    status, kept = await _attach(page, "../../Схема проезда.PNG", PICTURE)
    _, again = await _attach(page, "Схема проезда.png", PICTURE)
    _, other = await _attach(page, "Схема проезда.png", PICTURE + b"1")

    assert (status, kept["place"]) == (200, "images/shema-proezda.png") and again == kept
    assert kept["markdown"] == "![Схема проезда](../images/shema-proezda.png)"
    assert other["place"] != kept["place"]
    state = await opened(page, PLACE)
    body = f"Ответ.\n\n{kept['markdown']}"
    _, checked = await sent(page, "check", state, form={**state["form"], "body": body})
    shown = checked["skins"]["ru"]["telegram"]
    assert [a["name"] for m in shown for a in m["attachments"]] == ["shema-proezda.png"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", b"<svg onload=alert(1)>"),
        ("a.png", b""),
        ("a.exe", b"MZ\x90"),
        ("a.png", PICTURE + bytes(10**7 + 10**6)),
        ("a.png", PICTURE + bytes(21 * 2**20)),
    ],
    ids=["script", "empty", "program", "large", "huge"],
)
async def test_what_is_no_picture_is_refused(
    page: Page, knowledge: Knowledge, name: str, content: bytes
) -> None:
    """By what it holds, not by what it is called; nothing is written."""
    status, answer = await _attach(page, name, content)

    assert status == 400 and "айл" in answer["error"]
    assert not (knowledge.folder / "images").exists()


async def test_answers_that_customers_would_lose_hold_it_back(serve: Opened, tmp_path: Path) -> None:
    """Beyond the owner's limit it needs a reason; their questions are shown masked, likely harm first."""
    folder = write_shop(tmp_path / "shop", {"returns/thief.md": THIEF})
    shop = Knowledge.open(folder, settings=KnowledgeSettings(model="off"))
    limits = ReleaseLimits(max_lost_share=0.0)
    page = await serve(knowledge=shop, words=Texts.load(), release=limits)
    await ask(page, shop, "Сколько стоит доставка?", times=20)
    await ask(page, shop, "Можно ли вернуть товар?", times=2, helped=True)
    draft = await opened(page, "returns/thief.md")

    _, plan = await sent(page, "plan", draft)
    _, refused = await sent(page, "publish", draft)

    assert plan["held"] and plan["reasons"] and "refused" in refused
    assert plan["changes"][0]["question"] == "Можно ли вернуть товар?" and plan["changes"][0]["harm"]
    assert "status: draft" in (folder / "returns/thief.md").read_text("utf-8")
    status, done = await sent(page, "publish/anyway", draft, reason="так решили")
    assert (status, done["served"]) == (200, True)
