"""How well the shipped reader tells the acts of lines it was never trained or tuned on:
`python -m training.aside`.

The lines stand in acts/aside_*.yaml; a section named question_SOMETHING holds questions that are easily
misread.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from bot.knowledge.query.intents import IntentEstimate, read_act
from bot.model import Intent

HERE = Path(__file__).parent / "acts"
AFTER_AN_ANSWER = (Intent.YES_HELPED, Intent.NOT_HELPED)


@dataclass(frozen=True, slots=True)
class AsideLine:
    """A text, the act it is, and the section of the file it stands in."""

    text: str
    act: Intent
    section: str


def read_aside(path: Path) -> list[AsideLine]:
    sections: dict[str, list[str]] = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)
    return [
        AsideLine(text, Intent.QUESTION if name.startswith("question") else Intent(name), name)
        for name, texts in sections.items()
        for text in texts
    ]


def report(lines: Sequence[AsideLine], *, show: bool) -> Iterator[str]:
    """Accuracy, precision and recall of each act, and the share of right ones in each section."""
    said: list[tuple[AsideLine, IntentEstimate]] = [
        (line, read_act(line.text, answered=line.act in AFTER_AN_ANSWER)) for line in lines
    ]
    right = Counter(line.section for line, one in said if one.act is line.act)
    yield f"{len(lines)} lines, accuracy {sum(right.values()) / len(lines):.3f}"
    for act in Intent:
        found = [line.act for line, one in said if one.act is act]
        wanted = [one.act for line, one in said if line.act is act]
        if found and wanted:
            precision, recall = found.count(act) / len(found), wanted.count(act) / len(wanted)
            yield f"  {act.value:11} precision {precision:.3f}  recall {recall:.3f}  of {len(wanted)}"
    for section, many in Counter(line.section for line in lines).items():
        yield f"  {section:18} {right[section]:3} of {many}"
    if show:
        for line, one in said:
            if one.act is not line.act:
                yield f"    {line.section} read as {one.act.value}: {line.text}   {one.why['chances']}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", action="store_true", help="print the mistakes")
    args = parser.parse_args()
    for path in sorted(HERE.glob("aside_*.yaml")):
        print(path.name, *report(read_aside(path), show=args.show), sep="\n")


if __name__ == "__main__":
    main()
