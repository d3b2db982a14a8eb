"""How often the check of the assistant's sentences is right: `python -m benchmarks.sentences [FILE]`.

Prints, for sentences written with their source, how many supported ones pass and how many unsupported ones
do, and each that it gets wrong. The second set was written after the check was settled on the first.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

from bot.dialogs.composed.sentence_check import is_supported

PAIRS = Path(__file__).with_name("sentence_pairs.yaml")


def pairs(file: Path = PAIRS, *, second: bool = False) -> Iterator[tuple[str, str, bool]]:
    """Sentence, source, and whether the source says it."""
    for row in yaml.safe_load(file.read_text("utf-8")):
        if row.get("second", False) is second:
            yield from ((said, row["source"], True) for said in row["good"])
            yield from ((said, row["source"], False) for said in row["bad"])


def main(file: Path = PAIRS) -> None:
    for name, second in (("first set", False), ("second set", True)):
        judged = [
            (said, right, is_supported(said, source)) for said, source, right in pairs(file, second=second)
        ]
        for kind, right in (("supported", True), ("unsupported", False)):
            of_kind = [found for _, is_right, found in judged if is_right is right]
            share = sum(of_kind) / len(of_kind)
            print(f"{name}, {kind}: {sum(of_kind)} of {len(of_kind)} pass ({share:.3f})")
        for said, right, found in judged:
            if right is not found:
                print(f"  {'refused' if right else 'PASSED'}: {said}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
