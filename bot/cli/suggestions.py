"""`bot kb suggest` and `bot kb diff`: what customers asked in vain, and what a change of the articles does to
their questions.
"""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer

from bot.app import open_judge
from bot.cli import settings
from bot.cli.ask import opened, ready
from bot.cli.drawing import followed
from bot.cli.kb import wanted
from bot.cli.messages import EXIT_PROBLEM, fail, say
from bot.cli.turn_records import looked_in, open_records
from bot.config.loader import Config
from bot.dialogs.offline_decision import OfflineDecision
from bot.errors import BotError, ConfigError, Problem, StorageError
from bot.knowledge.articles.writer import (
    ArticleExists,
    OutsideFolder,
    ReadOnlyArticles,
    add_question,
    changed_at,
    encoder_of,
    write_draft,
)
from bot.knowledge.quality.gaps import (
    ASIDE,
    DraftEffect,
    Gap,
    dismissed,
    effect,
    group,
    is_closed,
    is_dismissed,
    missed,
)
from bot.knowledge.quality.golden import GOLDEN, GoldenQuestion, judge_golden, read_golden
from bot.knowledge.search import Knowledge
from bot.model import Answer, Intent
from bot.text.pii import mask

EXAMPLES = 4  # wordings shown of a gap
RECENT = 500  # real questions compared


@dataclass(frozen=True, slots=True)
class GapRemedy:
    """What to do about one gap: `add` its question to an article (group, article), or write a draft article
    of it into a section. Neither: the open gaps are shown.
    """

    add: tuple[str, str] | None
    draft_of: str
    section: str


def suggest(
    path: Path | None, remedy: GapRemedy, *, as_json: bool, everything: bool, db: Path | None
) -> None:
    """Print the open gaps, or mend one of them."""
    config = settings.load(path)
    knowledge = ready(config)
    try:
        with open_records(config, db) as records:
            found = missed(records.turns(), records.history) if records else ()
            marks = dismissed(records.events(*ASIDE)) if records else frozenset()
            source = records.source if records else None
    except StorageError as error:
        raise fail(error) from None
    gaps = [gap for gap in group(found, encoder_of(knowledge)) if not is_dismissed(gap, marks)]
    if remedy.add:
        _add(config, knowledge, _chosen(gaps, remedy.add[0]), remedy.add[1])
    elif remedy.draft_of:
        _draft(config, knowledge, _chosen(gaps, remedy.draft_of), remedy.section)
    else:
        _list(
            knowledge,
            open_judge(config, knowledge),
            gaps,
            as_json=as_json,
            everything=everything,
            source=source or looked_in(config),
        )


def _list(
    knowledge: Knowledge,
    judge: OfflineDecision,
    gaps: Sequence[Gap],
    *,
    as_json: bool,
    everything: bool,
    source: str | tuple[str, ...],
) -> None:
    now = {g.id: effect(g, judge) for g in gaps}
    open_ones = [
        g for g in gaps if everything or not is_closed(g, now[g.id], lambda a: changed_at(knowledge, a))
    ]
    if as_json:
        rows = [
            {
                "id": g.id,
                "count": g.count,
                "question": g.question,
                "questions": list(g.questions),
                "kinds": dict(g.kinds),
                "article": g.article,
                "title": g.title,
                "replies": list(g.replies),
                "last": g.last.isoformat(),
                "answered_now": now[g.id].answered,
                "of": now[g.id].total,
            }
            for g in open_ones
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    if isinstance(source, tuple):
        typer.echo(say("gaps.no_records", places=", ".join(source)))
        return
    for number, gap in enumerate(open_ones, 1):
        _show(number, gap, now[gap.id])
    closed = len(gaps) - len(open_ones)
    typer.echo(say("gaps.total", count=len(open_ones), closed=closed, source=source))
    if open_ones:
        typer.echo(say("gaps.hint", id=open_ones[0].id, article=open_ones[0].article or "razdel/statya"))


def _show(number: int, gap: Gap, now: DraftEffect) -> None:
    kinds = ", ".join(f"{say(f'gaps.kind.{kind}')} {count}" for kind, count in gap.kinds.items())
    typer.secho(f"{number}. [{gap.id}] «{gap.question}» × {gap.count}", bold=True)
    typer.echo(
        f"   {kinds}"
        + (f"; {say('gaps.now', answered=now.answered, total=now.total)}" if now.answered else "")
    )
    for question in [q for q in gap.questions if q != gap.question][:EXAMPLES]:
        typer.echo(f"   · {question}")
    if gap.article:
        typer.echo(f"   {say('gaps.rejected', article=gap.article, title=gap.title)}")
    for reply in gap.replies[:2]:
        typer.secho(f"   {say('gaps.reply', text=reply)}", fg="green")


def _chosen(gaps: Sequence[Gap], name: str) -> Gap:
    found = next((g for g in gaps if g.id == name), None)
    if found is None and name.isdecimal() and 0 < int(name) <= len(gaps):
        found = gaps[int(name) - 1]
    if found is None:
        raise fail(ConfigError([Problem(say("gaps.unknown", name=name), hint="bot kb suggest")]))
    return found


def _add(config: Config, knowledge: Knowledge, gap: Gap, name: str) -> None:
    article = wanted(knowledge, name)
    judge = open_judge(config, knowledge)
    before = effect(gap, judge)
    try:
        add_question(article, gap.question)
    except ValueError as error:
        raise fail(
            ConfigError([Problem(say("gaps.bad_head"), article.path.as_posix(), 1, hint=str(error))])
        ) from None
    except ReadOnlyArticles as error:
        raise fail(
            ConfigError([Problem(say("gaps.read_only", reason=str(error)), article.path.as_posix())])
        ) from None
    knowledge.reload()
    after = effect(gap, judge)
    typer.echo(
        say(
            "gaps.added",
            question=gap.question,
            article=article.id,
            before=before.answered,
            after=after.answered,
            total=after.total,
        )
    )


def _draft(config: Config, knowledge: Knowledge, gap: Gap, section: str) -> None:
    folder = config.path(config.knowledge.folder).resolve()
    try:
        target = write_draft(folder, section, gap, placeholder=say("kb.new_body"))
    except OutsideFolder:
        raise fail(
            ConfigError([Problem(say("kb.outside", path=section), hint=say("kb.outside_hint"))])
        ) from None
    except ArticleExists as taken:
        raise fail(
            ConfigError([Problem(say("kb.exists", path=f"{taken}.md"), hint=f"bot kb preview {taken}")])
        ) from None
    except ReadOnlyArticles as error:
        raise fail(
            ConfigError([Problem(say("gaps.read_only", reason=str(error)), folder.as_posix())])
        ) from None
    typer.echo(
        say(
            "gaps.drafted",
            path=target.relative_to(folder.parent).as_posix(),
            questions=len(gap.questions),
            replies=len(gap.replies),
        )
    )


# --- what a change does
# ----------------------------------------------------------------------------------------------


def diff(path: Path | None, *, base: str, as_json: bool, db: Path | None) -> None:
    """Print which golden and recent real questions go elsewhere than before; exit code 1 where a golden one
    got worse.
    """
    config = settings.load(path)
    try:
        goldens = _golden(config)
        with open_records(config, db) as records:
            real = _recent(records.turns()) if records else []
        with articles_at(config, base) as old:
            then, now = ready(with_folder(config, old)), ready(config)
            rows = list(_compared(config, goldens, real, then, now))
    except BotError as error:
        raise fail(error) from None
    if not goldens and not real:
        raise fail(ConfigError([Problem(say("diff.nothing"), hint=say("diff.nothing_hint"))]))
    worse = sum(row["verdict"] == "worse" for row in rows)
    if as_json:
        typer.echo(
            json.dumps({"asked": len(goldens) + len(real), "changed": rows}, ensure_ascii=False, indent=1)
        )
    else:
        for row in rows:
            colour = {"worse": "red", "better": "green"}.get(str(row["verdict"]), "yellow")
            typer.secho(f"{say('diff.' + str(row['verdict']))}: «{row['q']}»", fg=colour)
            typer.echo(f"    - {row['before']}\n    + {row['after']}")
        better = sum(row["verdict"] == "better" for row in rows)
        typer.echo(
            say(
                "diff.total",
                golden=len(goldens),
                real=len(real),
                changed=len(rows),
                better=better,
                worse=worse,
            )
        )
    if worse:
        raise typer.Exit(EXIT_PROBLEM)


def _golden(config: Config) -> Sequence[GoldenQuestion]:
    file = config.path(GOLDEN.as_posix())
    return read_golden(file) if file.is_file() else ()


def _recent(turns: Iterator[object]) -> list[str]:
    """The newest different questions that customers asked, masked."""
    asked: dict[str, None] = {}
    for turn in turns:
        text = str(getattr(turn, "text", "")).strip()
        why = getattr(turn, "why", {})
        if text and why.get("candidates") and len(text) <= 300:
            asked.pop(mask(text), None)
            asked[mask(text)] = None
    return list(asked)[-RECENT:]


def _compared(
    config: Config, goldens: Sequence[GoldenQuestion], real: Sequence[str], then: Knowledge, now: Knowledge
) -> Iterator[dict[str, object]]:
    twins = {a.id: a.twin_of for k in (then, now) for a in k.articles() if a.twin_of}
    known = {g.q for g in goldens}
    asked = [*goldens, *(GoldenQuestion(q) for q in real if q not in known)]

    judges = (open_judge(config, then), open_judge(config, now))

    def ask(judge: OfflineDecision, golden: GoldenQuestion) -> Answer:
        return judge(golden.q, answered=golden.answered, language=golden.language)

    for golden in followed(asked, say("progress.comparing"), len(asked)):
        before, after = ask(judges[0], golden), ask(judges[1], golden)
        if _outcome(before) == _outcome(after):
            continue
        verdict = "changed"
        if golden.expected:
            (old,), (new,) = (
                judge_golden([golden], lambda _, a=before: a, twins),  # type: ignore[misc]
                judge_golden([golden], lambda _, a=after: a, twins),  # type: ignore[misc]
            )
            verdict = "changed" if old.right == new.right else "better" if new.right else "worse"
        yield {
            "q": golden.q,
            "verdict": verdict,
            "before": _told(before),
            "after": _told(after),
            "file": golden.file,
            "line": golden.line,
        }


def _outcome(answer: Answer) -> tuple[str, str]:
    """What a customer would notice: what is done, and with which article first."""
    first = (
        answer.candidates[0].article
        if answer.candidates and answer.act is Intent.QUESTION and str(answer.decision) != "handoff"
        else ""
    )
    return str(answer.decision), first


def _told(answer: Answer) -> str:
    decision, first = _outcome(answer)
    return " · ".join(
        p for p in (say(f"message.decision.{decision}"), first, f"{answer.confidence:.2f}") if p
    )


def with_folder(config: Config, folder: Path) -> Config:
    """The same settings over other articles."""
    return config.model_copy(
        update={"knowledge": config.knowledge.model_copy(update={"folder": str(folder)})}
    )


@contextmanager
def articles_at(config: Config, base: str) -> Iterator[Path]:
    """The articles as they were: a folder, or those of a git revision, laid out for as long as they are
    needed.
    """
    if Path(base).is_dir():
        yield Path(base).resolve()
        return
    folder = config.path(config.knowledge.folder)
    if not folder.is_dir():
        opened(config)  # says what is wrong
    command = ["git", "-C", str(folder), "archive", "--format=tar", base, "."]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError([Problem(say("diff.no_git", base=base), hint=say("diff.no_git_hint"))]) from error
    if done.returncode:
        reason = (done.stderr.decode("utf-8", "replace").strip().splitlines() or [""])[0]
        raise ConfigError(
            [Problem(say("diff.no_revision", base=base, reason=reason), hint=say("diff.no_git_hint"))]
        )
    with tempfile.TemporaryDirectory() as place, tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(place, filter="data")
        yield Path(place)
