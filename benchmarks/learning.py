"""What two weeks of use teach: `python -m benchmarks.learning [--domains taxi,bank] [--model off]`.

Each domain of `training/support_ru` becomes a base with one example question an article. Of the other texts
about half are traffic: customers ask them of the real service, press what they see, sometimes beside it, and
operators send the articles that are offered to them. The rest is held out. What use suggests is then accepted
in three ways: everything (nobody looks), what is marked beforehand, what an editor knows to be right.

Printed is how often the right article comes first (R@1) and among three for the held-out texts, the share
answered at once and how much of it is right: before, and after each way.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot.app import Overrides
from bot.feedback_loader import examples_from_use
from bot.knowledge.articles.drafts import ArticleHead, article_text
from bot.knowledge.articles.writer import add_questions
from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.quality.examples import SuggestedExample
from bot.knowledge.search import Knowledge
from bot.model import Decision
from bot.testing import open_test_bot
from bot.testing.harness import PlayedCustomer, TestBot
from training.priors.bases import Intent, read_support

CORPUS = Path(__file__).parent.parent / "training" / "support_ru"
DAYS = 14
TRAFFIC = 5  # texts of an article that are asked in these days; the others are held out
PICKS, SLIPS = 0.8, 0.1  # how often who sees the right option presses it, and who presses another
PLEASED, CROSS, KIND = 0.4, 0.6, 0.05  # who presses «помогло» or «не помогло»; who thanks for a wrong answer
SENDS = 0.7  # how often an operator sends the right article where it is offered
WAYS: dict[str, Callable[[SuggestedExample, str], bool]] = {
    "everything": lambda line, right: True,
    "marked": lambda line, right: line.chosen,
    "editor": lambda line, right: line.article == right,
}


@dataclass(frozen=True, slots=True)
class AskedText:
    """What a customer writes, and the article that answers it."""

    text: str
    article: str


@dataclass(frozen=True, slots=True)
class LearningFigures:
    """Shares of the held-out texts: right first, right among three, answered, and right of the answered."""

    first: float
    three: float
    answered: float
    precision: float


@dataclass(frozen=True, slots=True)
class LearningResult:
    """One base: what use suggested, how much of it is right, and the figures before and after each way."""

    suggested: int
    right: int
    before: LearningFigures
    after: dict[str, LearningFigures]
    added: dict[str, int]


def write_base(folder: Path, intents: Sequence[Intent], chance: random.Random) -> tuple[list[AskedText], ...]:
    """Articles with one example each; returns traffic and held-out texts."""
    traffic: list[AskedText] = []
    held: list[AskedText] = []
    for number, intent in enumerate(intents):
        texts = list(intent.texts)
        example = texts.pop(0)
        chance.shuffle(texts)
        name = f"article-{number:02}"
        head = ArticleHead(title=intent.title, aliases=[example])
        (folder / f"{name}.md").write_text(
            article_text(head, f"{intent.title}: откройте раздел в приложении и следуйте подсказкам."),
            "utf-8",
        )
        traffic += [AskedText(t, name) for t in texts[:TRAFFIC]]
        held += [AskedText(t, name) for t in texts[TRAFFIC:]]
    chance.shuffle(traffic)
    return traffic, held


def measured(knowledge: Knowledge, held: Sequence[AskedText]) -> LearningFigures:
    answers = [(h, knowledge.answer(h.text)) for h in held]
    places = [[c.article for c in a.candidates[:3]] for _, a in answers]
    told = [(h, a) for h, a in answers if a.decision is Decision.ANSWER]
    return LearningFigures(
        sum(p[:1] == [h.article] for (h, _), p in zip(answers, places, strict=True)) / len(held),
        sum(h.article in p for (h, _), p in zip(answers, places, strict=True)) / len(held),
        len(told) / len(held),
        sum(a.article == h.article for h, a in told) / max(1, len(told)),
    )


async def played(testbot: TestBot, traffic: Sequence[AskedText], chance: random.Random) -> None:
    """Two weeks: each text by a customer of its own, who presses what they see, rightly or not."""
    pause = DAYS * 24 * 3600 / len(traffic)
    for number, asked in enumerate(traffic):
        customer = testbot.customer("Анна", chat=str(10_000 + number))
        await customer.says(asked.text)
        testbot.clock.advance(seconds=5)
        await _presses(testbot, customer, asked, chance)
        testbot.clock.advance(seconds=pause)


async def _presses(
    testbot: TestBot, customer: PlayedCustomer, asked: AskedText, chance: random.Random
) -> None:
    shown = [
        (said, r, c, button.action, button.value.partition("#")[0])
        for said in customer.sees()
        for r, row in enumerate(said.outbound.buttons)
        for c, button in enumerate(row)
    ]
    helped = [b for b in shown if b[3] == "helped"]
    options = [b for b in shown if b[3] == "article"]
    if helped:
        if chance.random() < (PLEASED if helped[0][4] == asked.article else KIND):
            await customer.taps(*helped[0][:3])
        elif helped[0][4] != asked.article and chance.random() < CROSS:
            await customer.says("не помогло")
            await customer.says("позовите оператора")
            await _sends(testbot, customer, asked, chance)
        return
    right = [b for b in options if b[4] == asked.article]
    wrong = [b for b in options if b[4] != asked.article]
    if right and chance.random() < PICKS:
        await customer.taps(*right[0][:3])
    elif wrong and chance.random() < SLIPS:
        await customer.taps(*chance.choice(wrong)[:3])
    else:
        await customer.says("позовите оператора")
        await _sends(testbot, customer, asked, chance)


async def _sends(testbot: TestBot, customer: PlayedCustomer, asked: AskedText, chance: random.Random) -> None:
    """An operator sends the right article where it is among what the card offers."""
    conversation = await testbot.service.store.conversation(customer.peer)
    ticket = conversation.ticket if conversation else None
    found = testbot.service.knowledge.article(asked.article)
    if ticket is None or found is None or chance.random() >= SENDS:
        return
    operator = testbot.operator()
    try:
        await operator.presses(f"💡 {found.title[:20]}", ticket=ticket)
        await operator.presses("Отправить клиенту", ticket=ticket)
    except LookupError:
        return


async def learnt(intents: Sequence[Intent], folder: Path, *, model: str, seed: int = 0) -> LearningResult:
    """Play one base in *folder*, and measure it as it was and as each way makes it."""
    chance = random.Random(seed)
    articles = folder / "kb"
    articles.mkdir(parents=True)
    traffic, held = write_base(articles, intents, chance)
    knowledge = _opened(articles, model)
    before = measured(knowledge, held)
    async with open_test_bot(articles, given=Overrides(knowledge=knowledge), threads=False) as testbot:
        await played(testbot, traffic, chance)
        found = await examples_from_use(
            testbot.service.store, knowledge, testbot.clock() - timedelta(days=2 * DAYS), testbot.clock()
        )
    truth = {" ".join(t.text.split()): t.article for t in traffic}
    right = {line.id: next((truth[w] for w in line.words if w in truth), "") for line in found}
    after, added = {}, {}
    for way, accepts in WAYS.items():
        taken = [line for line in found if accepts(line, right[line.id])]
        copied = Path(shutil.copytree(articles, folder / way))
        changed = _opened(copied, "off")
        for line in taken:
            if (article := changed.article(line.article)) is not None:
                add_questions(article, [line.question])
        after[way], added[way] = measured(_opened(copied, model), held), len(taken)
    return LearningResult(
        len(found), sum(line.article == right[line.id] for line in found), before, after, added
    )


def _opened(folder: Path, model: str) -> Knowledge:
    knowledge = Knowledge.open(folder, settings=KnowledgeSettings(model=model))
    knowledge.load_embeddings()
    return knowledge


def _row(name: str, figures: Sequence[LearningFigures], added: str = "") -> str:
    n = len(figures)
    shares = [sum(getattr(f, k) for f in figures) / n for k in ("first", "three", "answered", "precision")]
    return f"{name:12} " + " ".join(f"{s:9.3f}" for s in shares) + f" {added:>9}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--domains", default="taxi,bank,clothes_shop,clinic,hosting,fitness,post,tickets")
    parser.add_argument("--model", default="off", help="our own encoder was taught by these very texts")
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="another folder of files like them")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    by: dict[str, list[Intent]] = {}
    for intent in read_support(options.corpus):
        by.setdefault(intent.domain, []).append(intent)
    names = list(by) if options.domains == "all" else options.domains.split(",")
    results = []
    for name in names:
        with tempfile.TemporaryDirectory() as place:
            result = asyncio.run(learnt(by[name], Path(place), model=options.model, seed=options.seed))
        results.append(result)
        print(
            f"{name}: suggested {result.suggested}, of these right {result.right};"
            f" R@1 {result.before.first:.3f} -> {result.after['editor'].first:.3f}",
            flush=True,
        )
    print(f"\n{'mean':12} " + " ".join(f"{c:>9}" for c in ("R@1", "R@3", "answered", "right", "accepted")))
    print(_row("before", [r.before for r in results]))
    for way in WAYS:
        accepted = f"{sum(r.added[way] for r in results) / len(results):.1f}"
        print(_row(way, [r.after[way] for r in results], accepted))


if __name__ == "__main__":
    main()
