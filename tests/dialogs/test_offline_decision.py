"""Whoever is asked about words says what the live bot says: they go through the same dialogs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from typer.testing import CliRunner

from bot.app import Overrides, open_judge, open_knowledge
from bot.cli.root import app
from bot.config.loader import Config, read_config
from bot.dialogs.offline_decision import ASKING
from bot.storage.base import TurnRecord
from bot.testing.harness import TestBot, open_test_bot
from bot.web.server import build_app
from bot.web.services import WebServices

ROOT = Path(__file__).parents[2]
LINES = (
    "где вы находитесь",
    "вы где",
    "ult ds yf[jlbntcm",
    "ghbdtn",
    "привет",
    "hello",
    "кто вы",
    "ты бот",
    "are you human?",
    "нет",
    "да",
    "/start",
    "Начать",
    "позовите оператора",
    "позовите оператора пожалуйста, заказ 123, мой телефон +79161234567",
    "call an operator please, order 123",
    "оператор",
    "jgthfnjh",
    "спасибо",
    "спасибо, уже не нужно",
    "до свидания",
    "помощь",
    "у меня вопрос",
    "вы работаете?",
    "ваш телефон",
    "сколько стоит доставка?",
    "доставка",
    "как вернуть товар",
    "rfr dthyenm njdfh",
    "когда приедет курьер",
    "рецепт борща с пампушками",
    "как вернуть товар и сколько стоит доставка?",
    "это ужас, третий раз привозите битую посуду!!!",
    "how do I return an item?",
    "delivery",
    "?",
    "🙂",
    "рассрочка",
)


def demo() -> Config:
    config = read_config(ROOT / "config.yaml", environment={})
    embeddings = config.knowledge.embeddings.model_copy(update={"model": "off"})
    return config.model_copy(
        update={
            "knowledge": config.knowledge.model_copy(
                update={"embeddings": embeddings, "folder": str(ROOT / "kb_articles")}
            )
        }
    )


async def _last(testbot: TestBot) -> TurnRecord:
    """The turn that was decided last."""
    found: list[TurnRecord] = []
    while rows := await testbot.service.store.turns(after=found[-1].id if found else 0, limit=500):
        found += rows
    return found[-1]


async def live(testbot: TestBot, number: int, text: str) -> tuple[str, str, str]:
    """Who answered a new customer, why, and with which article: as it was kept."""
    customer = testbot.customer(chat=str(3000 + number))
    await customer.says(text)
    conversation = await testbot.service.store.conversation(customer.peer)
    assert conversation is not None
    events = [
        e
        for e in await testbot.service.store.events(
            kinds=("answered", "clarified", "unanswered", "ticket_opened")
        )
        if e.conversation == conversation.id
    ]
    article = next((str(e.data["article"]) for e in events if e.kind == "answered"), "")
    kinds = {e.kind for e in events}
    decision = (
        "answer"
        if article
        else (
            "handoff"
            if kinds & {"unanswered", "ticket_opened"}
            else "clarify"
            if "clarified" in kinds or (await _last(testbot)).reason in ASKING
            else "answer"
        )
    )
    return decision, article, "\n\n".join(customer.hears())


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    file = tmp_path / "config.yaml"
    text = (ROOT / "config.yaml").read_text("utf-8")
    file.write_text(
        text.replace(
            "{folder: kb_articles}",
            "{folder: " + (ROOT / "kb_articles").as_posix() + ", embeddings: {model: 'off'}}",
        ),
        "utf-8",
    )
    return file


async def test_everybody_who_is_asked_says_the_same(settings: Path, tmp_path: Path) -> None:
    """`bot ask`, `bot kb ask`, the preview of a reply, the page's box, and the live bot."""
    config = demo()
    knowledge = open_knowledge(config)
    judge = open_judge(config, knowledge)
    batch = tmp_path / "lines.jsonl"
    batch.write_text("".join(json.dumps({"id": n, "text": t}) + "\n" for n, t in enumerate(LINES)), "utf-8")
    run = CliRunner()
    asked = await asyncio.to_thread(
        run.invoke, app, ["ask", "--batch", str(batch), "--json", "--config", str(settings)]
    )
    rows = [json.loads(line) for line in asked.output.splitlines() if line.startswith("{")]
    assert len(rows) == len(LINES), asked.output[-500:]
    async with open_test_bot(
        ROOT / "kb_articles", config=config, given=Overrides(knowledge=knowledge), threads=False
    ) as testbot:
        services = WebServices(testbot.service.store, {}, testbot.clock, knowledge=knowledge, judge=judge)
        async with TestClient(TestServer(build_app(services))) as client:
            different = []
            for number, (text, row) in enumerate(zip(LINES, rows, strict=True)):
                decision, article, said = await live(testbot, number, text)
                page = await (
                    await client.post("/kb/ask", json={"text": text}, headers=await headers(client))
                ).json()
                told = (row["decision"], row["article"] or "")
                shown = bool(judge.reply(text).messages) or decision == "handoff"
                if (
                    told != (decision, article)
                    or (page["decision"], page["article"] or "") != told
                    or page["act"] != row["act"]
                    or not shown
                ):
                    different.append((text, told, (decision, article), said[:80]))
    assert not different, "\n".join(map(str, different))


@pytest.mark.parametrize("text", LINES[:6])
async def test_kb_ask_and_the_preview_of_a_reply_go_the_same_way(settings: Path, text: str) -> None:
    run = CliRunner()
    one = await asyncio.to_thread(run.invoke, app, ["ask", text, "--json", "--config", str(settings)])
    two = await asyncio.to_thread(run.invoke, app, ["kb", "ask", text, "--json", "--config", str(settings)])
    first, second = json.loads(one.output), json.loads(two.output)
    assert {k: first[k] for k in ("decision", "article", "act")} == {
        k: second[k] for k in ("decision", "article", "act")
    }
    words = await asyncio.to_thread(run.invoke, app, ["kb", "ask", text, "--config", str(settings)])
    if " " in text:
        shown = await asyncio.to_thread(run.invoke, app, ["kb", "preview", text, "--config", str(settings)])
        start = " ".join(str(first["why"]["reply"]).split())[:20]
        assert start in " ".join(shown.output.replace("│", " ").split()), shown.output
    assert (
        "raw" not in words.output
        and "repairs" not in words.output
        and "[]" not in words.output
        and "true" not in words.output
    )


async def headers(client: TestClient) -> dict[str, str]:  # type: ignore[type-arg]
    page = await (await client.get("/kb")).text()
    found = page.partition('name="csrf" content="')[2].partition('"')[0]
    return {"X-CSRF-Token": found} if found else {}
