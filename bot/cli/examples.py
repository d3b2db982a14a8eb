"""`bot kb examples`: questions that use says belong to an article; they become examples when an editor says
yes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import typer

from bot.app import open_judge
from bot.cli import settings
from bot.cli.ask import ready
from bot.cli.clock import command_clock
from bot.cli.drawing import busy
from bot.cli.kb import wanted
from bot.cli.messages import EXIT_PROBLEM, fail, say
from bot.cli.store_reader import with_store
from bot.cli.turn_records import looked_in, open_records
from bot.config.loader import Config
from bot.errors import BotError, ConfigError, Problem, StorageError
from bot.feedback_loader import DECIDED, JUDGED
from bot.knowledge.articles.writer import ReadOnlyArticles, add_questions, encoder_of
from bot.knowledge.quality.example_effect import ExampleEffect, NewExample, effect_of, with_examples
from bot.knowledge.quality.examples import (
    REJECTED,
    SuggestedExample,
    by_article,
    owner_of,
    settled,
    suggest_examples,
)
from bot.knowledge.quality.feedback import EVENTS, judged
from bot.knowledge.quality.golden import GOLDEN, GoldenQuestion, read_golden
from bot.knowledge.search import Knowledge
from bot.model import Event
from bot.storage.base import Store

BY = "command line"


@dataclass(frozen=True, slots=True)
class ExampleDecision:
    """What to do: the suggestions to `accept` or to `reject`, by id, or by article for all that is marked.

    `to` is another article to take them; *anyway* writes also where a golden question comes right no more.
    Neither: they are shown.
    """

    accept: Sequence[str] = ()
    reject: Sequence[str] = ()
    to: str = ""
    anyway: bool = False


def suggest(path: Path | None, choice: ExampleDecision, *, as_json: bool, db: Path | None) -> None:
    """Print what use suggests, or accept or reject some of it."""
    config = settings.load(path)
    knowledge = ready(config)
    try:
        found, source = _found(config, knowledge, db)
    except StorageError as error:
        raise fail(error) from None
    if choice.accept:
        _accept(config, knowledge, found, choice)
    elif choice.reject:
        _reject(path, _named(found, choice.reject))
    elif as_json:
        rows = [{**asdict(s), "chosen": s.chosen, "last": s.last and s.last.isoformat()} for s in found]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    elif source is None:
        typer.echo(say("gaps.no_records", places=", ".join(looked_in(config))))
    else:
        _show(found, source)


def _found(
    config: Config, knowledge: Knowledge, db: Path | None
) -> tuple[tuple[SuggestedExample, ...], str | None]:
    with open_records(config, db) as records, busy(say("progress.gathering")):
        if records is None:
            return (), None
        verdicts = judged(records.turns(), records.events(*EVENTS), newest=JUDGED)
        found = suggest_examples(
            verdicts,
            knowledge.articles(),
            knowledge.today(),
            done=settled(records.events(*DECIDED)),
            names=records.names,
            encode=encoder_of(knowledge),
        )
        return found, records.source


def _show(found: Sequence[SuggestedExample], source: str) -> None:
    for article, lines in by_article(found).items():
        typer.secho(f"{article} («{lines[0].title}»)", bold=True)
        for line in lines:
            typer.echo(f"  {'✓' if line.chosen else ' '} [{line.id}] «{line.question}»")
            typer.secho(
                f"      {evidence_of(line)}", fg="yellow" if line.contested or line.hindrance else None
            )
    typer.echo(say("examples.total", count=len(found), source=source))
    if found:
        typer.echo(say("examples.hint", id=found[0].id, article=found[0].article))


def evidence_of(line: SuggestedExample) -> str:
    """Where a suggestion comes from and what speaks against it, in words."""
    counts = {"picked": line.picked, "sent": line.sent, "helped": line.helped, "against": line.against}
    parts = [say(f"examples.{name}", n=n) for name, n in counts.items() if n]
    parts += [say("examples.elsewhere", article=article, n=n) for article, n in line.elsewhere]
    parts += [say(f"examples.hindrance.{line.hindrance}", owner=line.owner)] if line.hindrance else []
    return "; ".join(parts)


def _named(found: Sequence[SuggestedExample], names: Sequence[str]) -> list[SuggestedExample]:
    """The suggestions by id, or those of an article that are marked."""
    chosen: list[SuggestedExample] = []
    for name in names:
        mine = [s for s in found if s.id == name] or [s for s in found if s.article == name and s.chosen]
        if not mine:
            raise fail(ConfigError([Problem(say("examples.unknown", name=name), hint="bot kb examples")]))
        chosen += [s for s in mine if s not in chosen]
    return chosen


def _accept(
    config: Config, knowledge: Knowledge, found: Sequence[SuggestedExample], choice: ExampleDecision
) -> None:
    lines = _named(found, choice.accept)
    if choice.to:
        target = wanted(knowledge, choice.to)
        lines = [replace(s, article=target.id) for s in lines]
    articles = knowledge.articles()
    for line in lines:
        wanted(knowledge, line.article)
        if owner := owner_of(line.question, articles, line.article):
            raise _refused("examples.owned", question=line.question, owner=owner)
    new = [NewExample(s.article, s.question) for s in lines]
    effect = _effect(config, knowledge, found, new)
    if effect.worse and not choice.anyway:
        for question in effect.worse:
            typer.secho(f"  «{question}»", fg="red", err=True)
        raise _refused("examples.worse", n=len(effect.worse))
    for article in dict.fromkeys(e.article for e in new):
        _write(knowledge, article, [e.question for e in new if e.article == article])
    typer.echo(say("examples.effect", **{k: v for k, v in asdict(effect).items() if k != "worse"}))


def _refused(key: str, **facts: object) -> typer.Exit:
    return fail(ConfigError([Problem(say(key, **facts), hint=say(f"{key}_hint"))]))


def _write(knowledge: Knowledge, article: str, questions: Sequence[str]) -> None:
    target = wanted(knowledge, article)
    try:
        added = add_questions(target, questions)
    except ValueError as error:
        raise fail(
            ConfigError([Problem(say("gaps.bad_head"), target.path.as_posix(), 1, hint=str(error))])
        ) from None
    except ReadOnlyArticles as error:
        raise fail(
            ConfigError([Problem(say("examples.unwritable", reason=str(error)), target.path.as_posix())])
        ) from None
    for question in questions:
        typer.echo(say("examples.added" if added else "examples.there", question=question, article=article))


def _effect(
    config: Config, knowledge: Knowledge, found: Sequence[SuggestedExample], new: Sequence[NewExample]
) -> ExampleEffect:
    """What the bot would make of the golden questions, and of all from use that belong to these articles."""
    mine = {e.article for e in new}
    asked = [NewExample(s.article, s.question) for s in found if s.article in mine] or list(new)
    articles = knowledge.articles()
    judge = open_judge(config, knowledge)
    try:
        return effect_of(
            asked,
            golden_of(config),
            judge,
            judge.over(knowledge.trial(with_examples(articles, new))),
            {a.id: a.twin_of for a in articles if a.twin_of},
        )
    except BotError as error:
        raise fail(error) from None


def golden_of(config: Config) -> Sequence[GoldenQuestion]:
    """The golden questions of a config, none where there is no file of them."""
    file = config.path(GOLDEN.as_posix())
    return read_golden(file) if file.is_file() else ()


def _reject(path: Path | None, lines: Sequence[SuggestedExample]) -> None:
    async def done(store: Store) -> None:
        now = command_clock()()
        event = Event(REJECTED, now, actor=BY, data={"examples": [s.id for s in lines]})
        await store.enqueue([], now, events=[event])
        typer.echo(say("examples.rejected", n=len(lines)))

    with_store(path, done, busy=say("examples.busy"))


__all__ = ["EXIT_PROBLEM", "ExampleDecision", "evidence_of", "golden_of", "suggest"]
