"""How well missed questions are gathered by meaning, and how long it takes: on labelled questions.

    python -m benchmarks.gaps FILE.jsonl … [--model off|light] [--most 500]

Each file is one business. A line is {"query", "label"}, or {"intent", "texts"}. *Purity* is the share of
questions that stand in a group with the most of their label, of those that are in a group with others;
*together* is the share of all questions that are in a group with others; *pairs* is how many of the pairs that
were put together have one label.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from math import comb
from pathlib import Path

from bot.knowledge.encoder.loader import load
from bot.knowledge.quality.gaps import Encode, Gap, MissedQuestion, group

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--model", default="light")
    parser.add_argument("--most", type=int, default=500, help="questions of one file")
    asked = parser.parse_args()
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
