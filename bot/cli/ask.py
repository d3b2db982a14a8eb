"""`bot ask`, `bot kb ask`, `bot kb list`: what the bot knows, and why it decides so."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import typer

from bot.app import open_judge
from bot.cli import settings
from bot.cli.drawing import busy, table
from bot.cli.messages import EXIT_USAGE, fail, language, say, show_problems, words_in
from bot.config.loader import Config
from bot.errors import ConfigError
from bot.knowledge.decision.explanation import sentence_of
from bot.knowledge.search import Knowledge
from bot.model import Answer
from bot.text.problems import problem


def ask(text: str | None, path: Path | None, *, as_json: bool, batch: Path | None, language: str) -> None:
    """Print what the bot decides: one line for *text*, or one for each line of *batch* in its order."""
    if (text is None) == (batch is None):
        typer.secho(say("message.need_text"), fg="red", err=True)
        raise typer.Exit(EXIT_USAGE)
    config = settings.load(path)
    judge = open_judge(config, ready(config))
    if text is not None:
        answer = judge(text, language=language)
        typer.echo(json.dumps(as_row(answer), ensure_ascii=False) if as_json else in_words(answer))
        return
    for row in rows(batch):
        answer = judge(
            str(row["text"]),
            answered=row.get("context") == "answered",
            language=str(row.get("language", language)),
        )
        line = {"id": row["id"], **as_row(answer)}
        typer.echo(json.dumps(line, ensure_ascii=False) if as_json else f"{row['id']}: {in_words(answer)}")


def explain(text: str, path: Path | None, *, as_json: bool) -> None:
    """Print how the answer was found."""
    config = settings.load(path)
    answer = open_judge(config, ready(config))(text)
    if as_json:
        typer.echo(json.dumps(as_row(answer), ensure_ascii=False, indent=1))
        return
    typer.echo(in_words(answer))
    typer.echo("\n".join(f"  {line}" for line in behind(answer)))


def behind(answer: Answer) -> Iterator[str]:
    """How the words were understood and what was found, line by line, in words."""
    why = answer.why
    if (understood := str(why.get("understood", ""))) and understood != why.get("raw"):
        yield say("asked.understood", text=understood)
    repairs = why.get("repairs")
    for mended in repairs if isinstance(repairs, list) else ():
        yield say("asked.repaired", raw=mended["raw"], fixed=mended["fixed"])
    spoken, dialog = (
        say(f"asked.language.{why.get('language', 'ru')}"),
        say(f"asked.dialog.{why.get('dialog', 'faq')}"),
    )
    yield say("asked.read", act=say(f"asked.act.{answer.act}"), dialog=dialog, language=spoken)
    if reply := str(why.get("reply", "")):
        yield say("asked.reply", text=" ".join(reply.split())[:160])
    limits = why.get("thresholds")
    known = limits if isinstance(limits, Mapping) else {}
    facts = {"answer": float(known.get("answer", 0)), "handoff": float(known.get("handoff", 0))}
    yield say(
        "asked.sure",
        confidence=f"{answer.confidence:.0%}",
        scope=f"{answer.scope:.0%}",
        **{k: f"{v:.0%}" for k, v in facts.items()},
    )
    for n, c in enumerate(answer.candidates, 1):
        yield f"{n}. {c.score:.0%}  {c.article}  {c.title}"
    channels, named = why.get("channels"), words_in(language(), "asked.channels")
    for name, scores in channels.items() if isinstance(channels, Mapping) else ():
        best = sorted(scores.items(), key=lambda item: -float(item[1]))[:3]
        yield say(
            "asked.channel",
            name=named.get(name, name),
            found=", ".join(f"{a} {float(s):.2f}" for a, s in best),
        )


def list_articles(path: Path | None, *, as_json: bool) -> None:
    """Print the articles and what is wrong with them."""
    knowledge = opened(settings.load(path))
    articles = knowledge.articles()
    if as_json:
        for a in articles:
            row = {
                "article": a.id,
                "title": a.title,
                "lang": a.lang,
                "aliases": len(a.aliases),
                "status": a.status,
            }
            typer.echo(json.dumps(row, ensure_ascii=False))
    else:
        table(
            [(a.id, a.lang, str(len(a.aliases)), a.title) for a in articles],
            [say(f"column.{c}") for c in ("article", "lang", "aliases", "title")],
            [f"{a.id:40} {a.lang} {len(a.aliases):3}  {a.title}" for a in articles],
            words=(0, 1, 3),
        )
    show_problems(knowledge.problems)


def ready(config: Config) -> Knowledge:
    """The knowledge base with everything loaded, once."""
    with busy(say("progress.indexing")):
        knowledge = opened(config)
    load_embeddings(knowledge)
    return knowledge


def load_embeddings(knowledge: Knowledge) -> None:
    """All that search by meaning runs on; what has to be made ready once is told on standard error."""
    with busy(say("progress.embeddings")) as told:
        knowledge.load_embeddings(told)


def opened(config: Config) -> Knowledge:
    from bot.app import open_knowledge

    try:
        return open_knowledge(config, channels=list(config.channels))
    except ConfigError as error:
        raise fail(error) from None


def rows(batch: Path | None) -> Iterator[Mapping[str, object]]:
    """The lines of a batch; a line that cannot be read ends the command before anything is printed."""
    assert batch is not None
    try:
        lines = batch.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise fail(ConfigError([problem("stories.unreadable", str(batch))])) from None
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            row["id"], row["text"]  # a KeyError here is the check
        except (ValueError, KeyError, TypeError):
            typer.secho(say("message.bad_line", file=batch, line=number), fg="red", err=True)
            raise typer.Exit(EXIT_USAGE) from None
        found.append(row)
    yield from found


def as_row(answer: Answer) -> dict[str, object]:
    """The answer as other programs read it (a stable contract; fields may join)."""
    return {
        "decision": str(answer.decision),
        "article": answer.article,
        "confidence": round(answer.confidence, 4),
        "scope": round(answer.scope, 4),
        "act": str(answer.act),
        "candidates": [
            {"article": c.article, "score": round(c.score, 4), "title": c.title} for c in answer.candidates
        ],
        "why": answer.why,
    }


def in_words(answer: Answer) -> str:
    decision = say(f"message.decision.{answer.decision}")
    sentence = sentence_of(answer.why, language())
    return " · ".join(p for p in (decision, answer.article or "", sentence) if p)
