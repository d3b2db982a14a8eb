"""Whether the decision knows when it does not know: `python -m benchmarks.trades [--model light|auto|off|…]`.

Each `.txt` beside this file is an invented business of a trade that nothing was trained on, with questions of
its customers, written before the first run and not mended after it. It becomes a folder of articles that
search opens as the bot does; the questions are asked of search alone, without a conversation around them.
Prints a row a trade and every question that did not end as it should. It only measures: the exit code is 0.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import platformdirs

from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.search import Knowledge
from bot.model import Answer, Candidate, Decision
from training.priors.bases import Business, WrittenArticle, read_businesses

FOLDER = Path(__file__).parent
MOST_WRONG = 0  # answers with another article than the one that answers
LEAST_ANSWERED = 18  # of 22 questions of customers, at once
LEAST_HANDED_OVER = 7  # of 8 foreign ones


class Outcome(StrEnum):
    """How a question ended; the value stands above its column."""

    RIGHT = "right"
    WRONG = "wrong"
    AMONG = "among"
    ASIDE = "aside"
    MISSED = "missed"
    FOREIGN_ANSWERED = "answered"
    FOREIGN_CLARIFIED = "clarified"
    FOREIGN_HANDED_OVER = "handed over"


OWN = tuple(Outcome)[:5]
FOREIGN = tuple(Outcome)[5:]
AS_IT_SHOULD = {Outcome.RIGHT, Outcome.FOREIGN_HANDED_OVER}
LEGEND = (
    "right, wrong: answered at once with the article that answers, with another one; among, aside: clarified"
    " with the right one\namong the options, without it; missed: handed over though an article answers."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the title of the article that answers it ("" where none does), and what came out."""

    text: str
    wanted: str
    outcome: Outcome
    answer: Answer

    def __str__(self) -> str:
        answer = self.answer
        shown = "; ".join(c.title for c in options(answer)) if answer.decision is not Decision.HANDOFF else ""
        return (
            f"  {self.outcome.value:<11} confidence {answer.confidence:.2f} scope {answer.scope:.2f}"
            f"  «{self.text}»\n{'':14}wanted: {self.wanted or 'a person'}"
            f" | came: {answer.decision.value}{': ' if shown else ''}{shown}"
        )


def write_article(path: Path, article: WrittenArticle) -> None:
    """One article as an editor's file: its title and example questions as front matter, then its text."""
    aliases = "".join(f"  - {json.dumps(e, ensure_ascii=False)}\n" for e in article.examples)
    head = f"title: {json.dumps(article.title, ensure_ascii=False)}\n" + (aliases and f"aliases:\n{aliases}")
    path.write_text(f"---\n{head}---\n{article.body}\n", encoding="utf-8")


def options(answer: Answer) -> Sequence[Candidate]:
    """What a customer is shown: the article of an answer, or the options of a clarification."""
    shown = 1 if answer.decision is Decision.ANSWER else int(str(answer.why["options"]))
    return answer.candidates[:shown]


def outcome_of(answer: Answer, wanted: str) -> Outcome:
    """How *answer* is to be counted; *wanted* is the id of the article that answers, "" for none."""
    match answer.decision:
        case Decision.ANSWER if not wanted:
            return Outcome.FOREIGN_ANSWERED
        case Decision.ANSWER:
            return Outcome.RIGHT if answer.article == wanted else Outcome.WRONG
        case Decision.CLARIFY if not wanted:
            return Outcome.FOREIGN_CLARIFIED
        case Decision.CLARIFY:
            return Outcome.AMONG if wanted in {c.article for c in options(answer)} else Outcome.ASIDE
        case Decision.HANDOFF:
            return Outcome.MISSED if wanted else Outcome.FOREIGN_HANDED_OVER


def ask_all(business: Business, knowledge: Knowledge) -> Iterator[Asked]:
    """Every question of *business*, in the order of its file; its articles are named by their place there."""
    for place, article in enumerate(business.articles):
        for text in article.questions:
            answer = knowledge.answer(text)
            yield Asked(text, article.title, outcome_of(answer, name_of(place)), answer)
    for text in (*business.near, *business.far):
        answer = knowledge.answer(text)
        yield Asked(text, "", outcome_of(answer, ""), answer)


def name_of(place: int) -> str:
    return f"article{place + 1:02}"


def open_business(business: Business, folder: Path, model: str, cache: Path) -> Knowledge:
    """Search over the articles of *business*, written into *folder*, with its encoder loaded."""
    for place, article in enumerate(business.articles):
        write_article(folder / f"{name_of(place)}.md", article)
    knowledge = Knowledge.open(folder, settings=KnowledgeSettings(model=model), cache=cache)
    knowledge.load_embeddings()
    return knowledge


def missed_bars(asked: Sequence[Asked]) -> str:
    """Which bars a trade falls short of, "" where it holds them all."""
    count = Counter(a.outcome for a in asked)
    bars = {
        f"more than {MOST_WRONG} wrong": count[Outcome.WRONG] <= MOST_WRONG,
        f"fewer than {LEAST_ANSWERED} answered": count[Outcome.RIGHT] >= LEAST_ANSWERED,
        f"fewer than {LEAST_HANDED_OVER} handed over": count[Outcome.FOREIGN_HANDED_OVER]
        >= LEAST_HANDED_OVER,
    }
    return ", ".join(text for text, holds in bars.items() if not holds)


def print_table(found: dict[str, list[Asked]]) -> None:
    """A row a trade, the columns of what its articles answer first, then those of what none of them does."""
    columns = [*OWN, *FOREIGN]
    print(f"{'':20}{'answered by an article':<38}foreign")
    print(f"{'trade':<20}" + "".join(f"{c.value:<{width(c)}}" for c in columns) + "bars")
    for name, asked in found.items():
        count = Counter(a.outcome for a in asked)
        cells = "".join(f"{count[c]:<{width(c)}}" for c in columns)
        print(f"{name:<20}{cells}{missed_bars(asked) or 'held'}")
    print(LEGEND)


def width(column: Outcome) -> int:
    return max(7, len(column.value) + 2) + (3 if column is OWN[-1] else 0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="auto", help="light, auto, off, a folder or a hub id")
    parser.add_argument(
        "--cache",
        type=Path,
        default=platformdirs.user_cache_path("otklik"),
        help="where the encoder is kept between starts; the bot's own by default",
    )
    args = parser.parse_args()
    found: dict[str, list[Asked]] = {}
    for business in read_businesses(FOLDER):
        with tempfile.TemporaryDirectory() as folder:
            knowledge = open_business(business, Path(folder), args.model, args.cache)
            for fault in knowledge.problems:
                print(fault)
            found[business.name] = list(ask_all(business, knowledge))
        runs_on = f"model {args.model}, embeddings {knowledge.status.embeddings or 'none'}"
        print(f"{business.name}: {runs_on}. {knowledge.status.reason}")
    print_table(found)
    for name, asked in found.items():
        print(f"\n{name}")
        print("\n".join(str(a) for a in asked if a.outcome not in AS_IT_SHOULD))


if __name__ == "__main__":
    main()
