"""What the gate before publishing costs in CPU time: customers' questions asked of the demo articles and of a
draft.

    python -m benchmarks.gate FILE.jsonl … [--model light|auto] [--most 500]

The questions are those of `benchmarks.gaps`; the draft lacks every tenth article. The second comparison knows
what the base in use says.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.gaps import SEED, asked_in, demo_base, labelled
from bot.clock import Clock
from bot.dialogs.offline_decision import OfflineDecision
from bot.knowledge.quality.release import GateReport, ReleaseLimits
from bot.release_gate import GateTerms, ReleaseGate, draft_of
from bot.storage.sqlite.store import SqliteStore


async def compared(questions: Sequence[str], model: str) -> tuple[list[float], GateReport]:
    """Seconds of CPU of two comparisons, and what came of the last."""
    knowledge, store, clock = demo_base(model), SqliteStore.open(":memory:"), Clock()
    await asked_in(store, clock, questions)
    terms = GateTerms(ReleaseLimits(questions=len(questions)), None, clock)
    gate = ReleaseGate(store, knowledge, OfflineDecision(knowledge), terms)
    seconds = []
    for part in (0, 5):
        gone = [a.id for a in knowledge.articles()[part::10]]
        began = time.process_time()
        report = await gate.compare(draft_of(knowledge, removed=gone))
        seconds.append(time.process_time() - began)
    await store.close()
    return seconds, report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--model", default="light")
    parser.add_argument("--most", type=int, default=500)
    asked = parser.parse_args()
    known = sorted({text for file in asked.files for text, _ in labelled(file)})
    questions = random.Random(SEED).sample(known, min(asked.most, len(known)))
    (first, second), report = asyncio.run(compared(questions, asked.model))
    print(
        f"{report.questions} questions, {len(report.changes)} changes: first {first:.1f} s of CPU,"
        f" second {second:.1f} s ({1000 * first / max(1, report.questions):.1f} ms a question)"
    )


if __name__ == "__main__":
    main()
