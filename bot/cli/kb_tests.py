"""`bot test`: golden questions and dialog stories, asked and played, with what changed shown in colours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from bot.app import open_judge
from bot.cli import settings
from bot.cli.ask import ready
from bot.cli.drawing import followed
from bot.cli.messages import EXIT_PROBLEM, fail, say
from bot.config.loader import Config
from bot.dialogs.offline_decision import OfflineDecision
from bot.errors import BotError, ConfigError, Problem
from bot.knowledge.quality.golden import GoldenQuestion, GoldenVerdict, judge_golden, read_golden, rewritten
from bot.knowledge.search import Knowledge
from bot.model import Answer
from bot.observability import set_up_logging
from bot.testing import stories
from bot.testing.stories import DialogStory, PlayedStory, play, read_stories
from bot.text.yaml_source import YamlError, read_yaml_file

QUESTIONS, DIALOGS = "tests/questions.yaml", "tests/dialogs"


def run(what: Path | None, path: Path | None, *, update: bool, as_json: bool) -> None:
    """Ask every golden question and play every story; exit code 1 where one is wrong.

    *update* writes what came into the files.
    """
    config = settings.load(path)
    set_up_logging(level="error")
    try:
        files = list(_files(what, config))
        goldens = {f: read_golden(f) for f in files if not _is_story(f)}
        plays = {f: read_stories(f) for f in files if _is_story(f)}
        knowledge = ready(config)
        verdicts = {
            f: ask_golden(open_judge(config, knowledge), knowledge, asked) for f, asked in goldens.items()
        }
        performed = {f: asyncio.run(_played(told, knowledge, config)) for f, told in plays.items()}
    except BotError as error:
        raise fail(error) from None
    wrong = [v for vs in verdicts.values() for v in vs if not v.right]
    failed = [p for ps in performed.values() for p in ps if not p.right]
    if as_json:
        typer.echo(json.dumps(_as_json(verdicts, performed), ensure_ascii=False, indent=1))
    else:
        _show(verdicts, performed)
    if update and (wrong or failed):
        for file, given in verdicts.items():
            _write(file, rewritten(file.read_text("utf-8"), given), as_json)
        for file, acted in performed.items():
            _write(file, stories.rewritten(file.read_text("utf-8"), acted), as_json)
        return
    if wrong or failed:
        raise typer.Exit(EXIT_PROBLEM)


def _files(what: Path | None, config: Config) -> Iterator[Path]:
    if what is None:
        questions, dialogs = config.path(QUESTIONS), config.path(DIALOGS)
        found = ([questions] if questions.is_file() else []) + (
            sorted(dialogs.glob("*.yaml")) if dialogs.is_dir() else []
        )
        if not found:
            raise ConfigError([Problem(say("test.nothing"), hint=say("test.nothing_hint"))])
        yield from found
    elif what.is_dir():
        yield from sorted(p for p in what.rglob("*") if p.suffix in (".yaml", ".yml") and p.is_file())
    elif what.is_file():
        yield what
    else:
        raise ConfigError([Problem(say("test.no_file", path=what))])


def _is_story(file: Path) -> bool:
    """Whether a file holds stories rather than questions; what cannot be read is told by the reader of
    questions.
    """
    try:
        root = read_yaml_file(file)
    except YamlError:
        return False
    first = root.items[0] if root and root.items else root
    return first is not None and not {"steps", "test"}.isdisjoint(first.pairs)


def ask_golden(
    judge: OfflineDecision, knowledge: Knowledge, goldens: Sequence[GoldenQuestion]
) -> tuple[GoldenVerdict, ...]:
    """What comes of each question now, acts included."""

    def ask(golden: GoldenQuestion) -> Answer:
        return judge(golden.q, answered=golden.answered, language=golden.language)

    told = followed(goldens, say("progress.asking"), len(goldens))
    return judge_golden(told, ask, {a.id: a.twin_of for a in knowledge.articles() if a.twin_of})


async def _played(
    told: Sequence[DialogStory], knowledge: Knowledge, config: Config
) -> tuple[PlayedStory, ...]:
    shown = followed(told, say("progress.playing"), len(told))
    return tuple([await play(story, knowledge, config) for story in shown])


def _show(
    verdicts: dict[Path, tuple[GoldenVerdict, ...]], performed: dict[Path, tuple[PlayedStory, ...]]
) -> None:
    for given in verdicts.values():
        for verdict in given:
            if not verdict.right:
                golden = verdict.golden
                typer.echo(f"{_here(golden.file)}:{golden.line}: «{golden.q}»")
                typer.secho(f"  - {golden.expected}", fg="red")
                typer.secho(
                    f"  + {verdict.got or say('test.no_article')}  ({verdict.confidence:.2f})", fg="green"
                )
    for acted in performed.values():
        for performance in acted:
            _show_story(performance)
    asked = [v for vs in verdicts.values() for v in vs]
    played = [p for ps in performed.values() for p in ps]
    good = all(v.right for v in asked) and all(p.right for p in played)
    total = say(
        "test.total",
        right=sum(v.right for v in asked),
        asked=len(asked),
        good=sum(p.right for p in played),
        played=len(played),
    )
    typer.secho(total, fg="green" if good else "red")


def _show_story(performance: PlayedStory) -> None:
    story = performance.story
    if performance.right:
        return
    typer.echo(f"{_here(story.file)}:{story.line}: {story.name}")
    for done in performance.played:
        if done.right:
            typer.secho(f"    {done.step.doing}: {done.step.text}", dim=True)
            continue
        typer.secho(
            f"  - {done.step.doing}: {done.step.text}  ({_here(story.file)}:{done.step.line})", fg="red"
        )
        for text in done.got or (say("test.silence"),):
            typer.secho(f"  + {stories.quote(text)}", fg="green")


def _here(file: str) -> str:
    path = Path(file)
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else file


def _as_json(
    verdicts: dict[Path, tuple[GoldenVerdict, ...]], performed: dict[Path, tuple[PlayedStory, ...]]
) -> dict[str, object]:
    return {
        "questions": [
            {
                "file": _here(v.golden.file),
                "line": v.golden.line,
                "q": v.golden.q,
                "right": v.right,
                "expected": {"article": v.golden.article, "decision": v.golden.decision},
                "got": {"article": v.article, "decision": v.decision, "confidence": round(v.confidence, 4)},
            }
            for vs in verdicts.values()
            for v in vs
        ],
        "stories": [
            {
                "file": _here(p.story.file),
                "line": p.story.line,
                "test": p.story.name,
                "right": p.right,
                "wrong": [
                    {"line": d.step.line, d.step.doing: d.step.text, "got": list(d.got)}
                    for d in p.played
                    if not d.right
                ],
            }
            for ps in performed.values()
            for p in ps
        ],
    }


def _write(file: Path, text: str, quiet: bool) -> None:
    if text != file.read_text("utf-8"):
        file.write_text(text, encoding="utf-8")
        if not quiet:
            typer.echo(say("test.updated", path=_here(str(file))))
