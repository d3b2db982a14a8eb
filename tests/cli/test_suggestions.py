"""An editor's hour: what was asked in vain is gathered, joins an article or begins a draft, and the effect is
shown.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path

from bot.cli.settings import load
from bot.knowledge.articles.schema import read_articles
from bot.testing import open_test_bot
from tests.cli.conftest import Run

STRANGE = (
    "выращиваете ли вы кактусы на балконе",
    "вы кактусы выращиваете?",
    "а кактусы вы на балконе выращиваете, мой номер +7 912 345-67-89",
)


def talk(shop: Path) -> None:
    """Three customers ask what nobody wrote; one asks what is there and is not helped; an operator answers
    two.
    """

    async def said() -> None:
        async with open_test_bot(
            shop / "kb_articles", config=load(None), storage=str(shop / "data" / "bot.db")
        ) as testbot:
            for number, question in enumerate(STRANGE):
                customer = testbot.customer("Анна", chat=str(1001 + number))
                await customer.says(question)
                await customer.says("оператора")
                if number:
                    operator = testbot.operator()
                    await operator.says(
                        "Кактусы растут у нас в теплице, приезжайте посмотреть.", ticket=number + 1
                    )
                    await testbot.later(seconds=5)
            lost = testbot.customer("Олег", chat="2001")
            await lost.says("Хочу вернуть товар")
            await lost.says("не помогло")
            happy = testbot.customer("Павел", chat="3001")
            await happy.says("Не могу войти в аккаунт")
            await happy.presses("Да, помогло")

    (shop / "data").mkdir(exist_ok=True)
    asyncio.run(said())
    for file in (shop / "kb_articles").rglob("*.md"):
        os.utime(file, (0, 0))  # written before the questions came


def test_what_was_asked_in_vain_is_gathered(run: Run, shop: Path) -> None:
    """One group of three, masked, with the operator's words; the answered question is none, the unhelped one
    is.
    """
    nothing = run("kb", "suggest").stdout
    assert "Вопросов клиентов пока нет" in nothing and "bot.db" in nothing and "--db" in nothing
    talk(shop)

    gaps = json.loads(run("kb", "suggest", "--json").stdout)
    told = run("kb", "suggest").stdout

    cactus = gaps[0]
    assert (cactus["count"], cactus["replies"]) == (
        3,
        ["Кактусы растут у нас в теплице, приезжайте посмотреть."],
    )
    assert not any("345-67" in q for q in cactus["questions"]) and any(
        "••-67-89" in q for q in cactus["questions"]
    )
    assert [(g["question"], g["kinds"], g["article"]) for g in gaps if "not_helped" in g["kinds"]] == [
        ("Хочу вернуть товар", {"not_helped": 1}, "returns/goods")
    ]
    assert not any("войти" in g["question"] for g in gaps)
    assert "× 3" in told and f"[{cactus['id']}]" in told and "оператор: Кактусы" in told


def test_a_question_joins_an_article_and_the_bot_answers(run: Run, shop: Path) -> None:
    """The article keeps its form, the effect is told in numbers, and a closed gap is shown no more."""
    talk(shop)
    gap = json.loads(run("kb", "suggest", "--json").stdout)[0]
    (shop / "kb_articles" / "cactus.md").write_text(
        "---\ntitle: Кактусы  # наши\naliases: [кактусы на балконе]\n---\nРастут в теплице.\n",
        encoding="utf-8",
    )

    told = run("kb", "suggest", "--add", gap["id"], "cactus").output

    text = (shop / "kb_articles" / "cactus.md").read_text("utf-8")
    assert (
        text.startswith("---\ntitle: Кактусы  # наши\naliases: [кактусы на балконе, ")
        and gap["question"].strip("?") in text
    )
    assert "из 3 вопросов группы" in told
    run("kb", "suggest", "--add", "nosuch", "cactus", code=1)
    run("kb", "suggest", "--add", gap["id"], "nosuch", code=1)


def test_a_gap_becomes_a_draft_that_nobody_sees_yet(run: Run, shop: Path) -> None:
    """Questions of customers, words of the operator, never over another file, and lint and preview work on
    it.
    """
    talk(shop)

    run("kb", "suggest", "--draft", "1", "--section", "garden")
    run("kb", "suggest", "--draft", "1", "--section", "garden", code=1)
    run("kb", "suggest", "--draft", "1", "--section", "../..", code=1)

    articles, problems = read_articles(shop / "kb_articles")
    (draft,) = (a for a in articles if a.section == "garden")
    assert not problems
    assert (draft.status, draft.body) == ("draft", "Кактусы растут у нас в теплице, приезжайте посмотреть.")
    assert draft.aliases and not any("•" in q for q in draft.aliases)
    assert "Кактусы растут" in run("kb", "preview", draft.id).stdout


def test_diff_names_what_goes_elsewhere(run: Run, shop: Path) -> None:
    """Against a git revision and against a folder; exit code 1 only where a golden question got worse."""
    (shop / "tests").mkdir()
    (shop / "tests" / "questions.yaml").write_text(
        '- {q: "Забыл пароль", article: account/password}\n- {q: "кактусы", article: cactus}\n',
        encoding="utf-8",
    )
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "x"],
    ):
        subprocess.run(["git", *command], cwd=shop, check=True)
    assert "Изменилось: 0" in run("kb", "diff").stdout
    (shop / "kb_articles" / "cactus.md").write_text(
        "---\ntitle: Кактусы\naliases: [продаёте кактусы]\n---\nДа.\n", encoding="utf-8"
    )

    better = run("kb", "diff", "--base", "HEAD").stdout
    (shop / "kb_articles" / "account" / "password.md").unlink()
    worse = run("kb", "diff", "--json", code=1).stdout

    assert "лучше: «кактусы»" in better and "Изменилось: 1 (лучше 1, хуже 0)" in better
    assert {r["q"]: r["verdict"] for r in json.loads(worse)["changed"]} == {
        "Забыл пароль": "worse",
        "кактусы": "better",
    }
    assert "Изменилось: 0" in run("kb", "diff", "--base", "kb_articles").stdout
    assert "nosuch" in run("kb", "diff", "--base", "nosuch", code=1).output


def test_diff_asks_what_customers_really_asked(run: Run, shop: Path) -> None:
    """Questions of the database count too; without any question there is nothing to compare."""
    run("kb", "diff", "--base", "kb_articles", code=1)
    talk(shop)
    old = shop / "old"
    (shop / "kb_articles").rename(old)
    (shop / "kb_articles").mkdir()
    for file in old.rglob("*.md"):
        if "returns" not in file.as_posix():
            target = shop / "kb_articles" / file.relative_to(old)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())

    told = run("kb", "diff", "--base", "old").stdout

    assert "иначе: «Хочу вернуть товар»" in told and "returns/goods" in told


def test_the_records_of_a_running_bot_can_be_read(run: Run, shop: Path) -> None:
    """The editor looks while the bot works: nothing waits for its lock, nothing is written; stats count what
    was shown.
    """
    talk(shop)

    async def beside() -> None:
        async with open_test_bot(
            shop / "kb_articles", config=load(None), storage=str(shop / "data" / "bot.db")
        ):
            figures = json.loads((await asyncio.to_thread(run, "kb", "stats", "--json")).stdout)
            assert (
                figures["answers"] >= 2
                and "promo/codes" in figures["never_shown"]
                and "account/password" not in figures["never_shown"]
            )

    asyncio.run(beside())
    (shop / "wrong.db").write_text("не база", encoding="utf-8")
    run("kb", "suggest", "--db", "wrong.db", code=1)
