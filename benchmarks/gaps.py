"""How well missed questions are gathered by meaning, and how long it takes: on labelled questions.

    python -m benchmarks.gaps FILE.jsonl … [--model off|light] [--most 500]

Each file is one business. A line is {"query", "label"}, or {"intent", "texts"}. *Together* is the share of
all questions that are in a group with others; *purity* is how many of these have the label that most of their
group have; *pairs* is how many of the pairs that were put together have one label.

    python -m benchmarks.gaps FILE.jsonl --page [--model auto]

asks the questions of a bot over the demo articles that knows none of them, and opens the page «Без ответа».
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from math import comb
from pathlib import Path

from aiohttp.test_utils import TestClient, TestServer

from bot.app import cache_folder
from bot.clock import Clock
from bot.config.loader import Config
from bot.inbox import Inbox
from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.encoder.loader import load
from bot.knowledge.quality.gaps import Encode, Gap, MissedQuestion, group
from bot.knowledge.search import Knowledge
from bot.model import Inbound, Outcome, Peer, Result, Sender
from bot.storage.sqlite.store import SqliteStore
from bot.web.server import build_app
from bot.web.services import WebServices

ARTICLES = Path(__file__).parents[1] / "kb_articles"
START = datetime(2026, 11, 20, tzinfo=UTC)
SEED = 7


def labelled(file: Path) -> Iterator[tuple[str, str]]:
    """Questions with their labels."""
    for line in file.read_text("utf-8").splitlines():
        row = json.loads(line)
        if "texts" in row:
            yield from ((text, str(row["intent"])) for text in row["texts"])
        elif row.get("label"):
            yield str(row["query"]), str(row["label"])


def as_missed(questions: Sequence[str]) -> list[MissedQuestion]:
    """One conversation each, none with an article that was rejected."""
    moments = [START + timedelta(minutes=n) for n in range(len(questions))]
    return [MissedQuestion(q, "unanswered", moments[n], n) for n, q in enumerate(questions)]


def measured(gaps: Sequence[Gap], labels: dict[str, str]) -> tuple[float, float, float]:
    """Purity, together, pairs."""
    groups = [[labels[m.question] for m in gap.missed] for gap in gaps if len(gap.missed) > 1]
    grouped = sum(map(len, groups))
    pure = sum(Counter(g).most_common(1)[0][1] for g in groups)
    joined = sum(comb(len(g), 2) for g in groups)
    right = sum(comb(n, 2) for g in groups for n in Counter(g).values())
    every = sum(len(gap.missed) for gap in gaps)
    return pure / max(1, grouped), grouped / max(1, every), right / max(1, joined)


def encoder_of(model: str) -> Encode | None:
    if model == "off":
        return None
    encoder = load(model, None)
    return lambda texts: encoder.encode(list(texts), query=True)


def demo_base(model: str) -> Knowledge:
    """The demo articles with everything loaded."""
    knowledge = Knowledge.open(
        ARTICLES, settings=KnowledgeSettings(model=model), cache=cache_folder(Config())
    )
    knowledge.load_embeddings()
    return knowledge


async def asked_in(store: SqliteStore, clock: Clock, questions: Sequence[str]) -> None:
    """Each question of a customer of its own, and no answer."""
    inbox = Inbox(store, clock, settle=timedelta())
    for n, question in enumerate(questions):
        sender = Sender(str(n), f"Customer {n}")
        message = Inbound(f"k{n}", Peer("chat", str(n)), sender, clock(), text=question, private=True)
        await inbox.accept("chat", [message])
        turn = await store.take_turn(clock() + timedelta(seconds=1))
        assert turn is not None
        why = {"decision": "handoff", "candidates": [{"article": "", "title": ""}]}
        missing = Outcome("faq", Result.CLARIFIED, "out_of_scope", explanation=why)
        await store.finish_turn(turn, missing, clock())


async def opened(questions: Sequence[str], model: str) -> list[float]:
    """Seconds of the first and of the second look at the page."""
    knowledge, store, clock = demo_base(model), SqliteStore.open(":memory:"), Clock()
    await asked_in(store, clock, questions)
    client = TestClient(TestServer(build_app(WebServices(store, {}, clock, knowledge=knowledge))))
    await client.start_server()
    seconds = []
    for _ in range(2):
        began = time.perf_counter()
        answer = await client.get("/gaps", headers={"Accept": "text/html"})
        assert answer.status == 200, await answer.text()
        seconds.append(time.perf_counter() - began)
    await client.close()
    await store.close()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--model", default="light")
    parser.add_argument("--most", type=int, default=500, help="questions of one file")
    parser.add_argument("--page", action="store_true", help="open the page with them")
    asked = parser.parse_args()
    if asked.page:
        known = sorted({text for file in asked.files for text, _ in labelled(file)})
        questions = random.Random(SEED).sample(known, min(asked.most, len(known)))
        first, second = asyncio.run(opened(questions, asked.model))
        print(f"{len(questions)} missed questions: first look {first:.2f} s, second {second:.2f} s")
        return
    encode = encoder_of(asked.model)
    totals: list[tuple[float, float, float, float, int]] = []
    for file in asked.files:
        labels = dict(labelled(file))
        questions = random.Random(SEED).sample(sorted(labels), min(asked.most, len(labels)))
        began = time.perf_counter()
        gaps = group(as_missed(questions), encode)
        names = [gap.question for gap in gaps]
        seconds = time.perf_counter() - began
        totals.append((*measured(gaps, labels), seconds, len(questions)))
        purity, together, pairs = totals[-1][:3]
        print(
            f"{file.parent.name}/{file.stem:22} {len(questions):5} questions {len(names):5} groups  purity"
            f" {purity:.3f}  together {together:.3f}  pairs {pairs:.3f}  {seconds:6.2f} s"
        )
    n = len(totals)
    means = [sum(row[i] for row in totals) / n for i in range(3)]
    print(
        f"mean of {n}: purity {means[0]:.3f}  together {means[1]:.3f}  pairs {means[2]:.3f};"
        f" {sum(row[3] for row in totals):.2f} s in all"
    )


if __name__ == "__main__":
    main()
