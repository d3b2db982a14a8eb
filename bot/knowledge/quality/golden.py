"""Golden questions: what customers ask, and what must come of it; read, asked, compared, and written back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.errors import ConfigError, Problem
from bot.knowledge.articles.drafts import quoted
from bot.model import Answer
from bot.text.problems import problem
from bot.text.yaml_source import YamlError, read_yaml_file

GOLDEN = Path("tests/questions.yaml")  # beside the settings
DECISIONS = ("answer", "clarify", "handoff")
KEYS = ("q", "article", "decision", "language", "answered")


@dataclass(frozen=True, slots=True)
class GoldenQuestion:
    """A question with what must come of it: `article` the first candidate, `decision` what the bot does;
    either may be "".
    """

    q: str
    article: str = ""
    decision: str = ""
    language: str = ""
    answered: bool = False
    file: str = ""
    line: int = 0

    @property
    def expected(self) -> str:
        return " · ".join(p for p in (self.decision, self.article) if p)


@dataclass(frozen=True, slots=True)
class GoldenVerdict:
    """What came of a golden question: the first candidate and the decision, and whether that is right."""

    golden: GoldenQuestion
    article: str
    decision: str
    confidence: float
    right: bool

    @property
    def got(self) -> str:
        return (
            " · ".join(
                p
                for p in (
                    self.decision if self.golden.decision else "",
                    self.article if self.golden.article else "",
                )
                if p
            )
            or self.decision
        )


def read_golden(path: Path) -> tuple[GoldenQuestion, ...]:
    """The questions of a file. Raises ConfigError with every fault and its line."""
    file = path.as_posix()
    try:
        root = read_yaml_file(path)
    except YamlError as error:
        raise ConfigError([error.problem(file)]) from None
    if root is None or root.value is None:
        return ()
    if root.kind != "list":
        raise ConfigError([problem("articles.golden.not_a_list", file, 1, 1)])
    problems: list[Problem] = []
    done: list[GoldenQuestion] = []
    for node in root.items:
        line, row = node.line, node.value
        if not isinstance(row, dict) or not str(row.get("q") or "").strip():
            problems.append(problem("articles.golden.no_question", file, line, 1))
            continue
        if strange := [k for k in row if k not in KEYS]:
            problems.append(
                problem("articles.golden.key", file, line, 1, key=strange[0], known=", ".join(KEYS))
            )
        decision = str(row.get("decision") or "")
        if decision and decision not in DECISIONS:
            problems.append(
                problem("articles.golden.decision", file, line, 1, value=decision, known=", ".join(DECISIONS))
            )
        if not decision and not row.get("article"):
            problems.append(problem("articles.golden.nothing_wanted", file, line, 1))
        answered = str(row.get("answered")).casefold() in ("true", "yes")
        done.append(
            GoldenQuestion(
                str(row["q"]),
                str(row.get("article") or ""),
                decision,
                str(row.get("language") or ""),
                answered,
                file,
                line,
            )
        )
    if problems:
        raise ConfigError(problems)
    return tuple(done)


def judge_golden(
    goldens: Iterable[GoldenQuestion],
    ask: Callable[[GoldenQuestion], Answer],
    twins: Mapping[str, str] | None = None,
) -> tuple[GoldenVerdict, ...]:
    """What comes of each now.

    *twins* maps an article to the one it is the twin of: either language is right.
    """
    done = []
    family = twins or {}
    for golden in goldens:
        answer = ask(golden)
        first = answer.candidates[0].article if answer.candidates else ""
        right = (
            not golden.article
            or first == golden.article
            or family.get(first, first) == family.get(golden.article, golden.article)
        ) and (not golden.decision or str(answer.decision) == golden.decision)
        done.append(GoldenVerdict(golden, first, str(answer.decision), answer.confidence, right))
    return tuple(done)


def rewritten(text: str, verdicts: Sequence[GoldenVerdict]) -> str:
    """The file with the expectations of wrong verdicts replaced by what came; lines, order and comments
    stay.
    """
    rows = text.split("\n")
    for verdict in verdicts:
        golden = verdict.golden
        if verdict.right or not 0 < golden.line <= len(rows):
            continue
        last = golden.line  # a question may be written over several lines
        while last < len(rows) and rows[last][:1].isspace():
            last += 1
        for place in range(golden.line - 1, last):
            if golden.article and verdict.article:
                rows[place] = _with_value(rows[place], "article", golden.article, verdict.article)
            if golden.decision:
                rows[place] = _with_value(rows[place], "decision", golden.decision, verdict.decision)
    return "\n".join(rows)


def _with_value(row: str, key: str, old: str, new: str) -> str:
    return re.sub(
        rf"(\b{key}:\s*)([\"']?){re.escape(old)}\2(?=\s*(?:[,}}#]|$))", lambda m: m[1] + quoted(new), row
    )
