"""`bot kb lint | preview | new | stats`: the editor's everyday tools."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

import typer

from bot.app import (
    open_canned,
    open_hours,
    open_judge,
    open_playbooks,
    open_scenarios,
    open_texts,
    open_tone,
    sequence_faults,
)
from bot.article_preview import SKINS, STYLES, messages, preview
from bot.cli import settings, tone
from bot.cli.ask import load_embeddings, opened, ready
from bot.cli.chat_view import beside, draw
from bot.cli.clock import command_clock
from bot.cli.drawing import busy
from bot.cli.messages import EXIT_PROBLEM, EXIT_USAGE, fail, language, say, show_problems
from bot.cli.turn_records import open_records
from bot.config.loader import Config
from bot.errors import BotError, ConfigError, Problem, StorageError
from bot.i18n.texts import Texts
from bot.knowledge.articles.drafts import ArticleHead, article_text, slug_of
from bot.knowledge.articles.schema import Article
from bot.knowledge.quality.golden import GOLDEN, read_golden
from bot.knowledge.quality.lint.checks import folded, lint
from bot.knowledge.quality.lint.dates import SOON
from bot.knowledge.search import Knowledge
from bot.model import Outbound
from bot.text.nearest import nearest_paths

SHOWN = 3  # warnings of one kind shown without --all
NARROW, WIDE = 40, 60  # columns of a skin
BESIDE = ("telegram", "vk")  # the skins that are shown where none is named


def check(
    path: Path | None, *, strict: bool, as_json: bool, form: str, everything: bool, quick: bool
) -> None:
    """Print every fault of the base; exit code 1 where there are errors (*strict*: or warnings).

    *quick* asks the example questions by words alone, which spares loading the encoder.
    """
    if form not in ("text", "github"):
        typer.secho(say("kb.bad_format", form=form), fg="red", err=True)
        raise typer.Exit(EXIT_USAGE)
    config = settings.load(path)
    knowledge = opened(config) if quick else ready(config)
    with busy(say("progress.linting")):
        problems = list(
            lint(
                knowledge,
                today=today_of(config),
                problems=knowledge.problems,
                messages=messages,
                language=language(),
                tone=open_tone(config),
            )
        )
    problems = [*map(_nearby, problems), *of_words(config)]
    errors = sum(p.severity == "error" for p in problems)
    if as_json:
        rows = [
            {
                "code": p.code,
                "severity": p.severity,
                "file": p.file,
                "line": p.line,
                "column": p.column,
                "text": p.text,
                "hint": p.hint,
            }
            for p in problems
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    elif form == "github":
        for p in problems:
            place = f"file={_escaped(p.file, True)},line={p.line},col={p.column},title={p.code}"
            typer.echo(f"::{p.severity} {place}::{_escaped(f'{p.text} → {p.hint}')}")
    else:
        for problem, hidden in folded(problems, len(problems) if everything else SHOWN):
            typer.secho(str(problem), fg="red" if problem.severity == "error" else "yellow")
            if hidden:
                typer.echo(say("kb.and_more", code=problem.code, count=hidden))
        typer.echo(
            say(
                "kb.linted",
                articles=len(knowledge.staff.articles()),
                errors=errors,
                warnings=len(problems) - errors,
            )
        )
    if errors or (strict and problems):
        raise typer.Exit(EXIT_PROBLEM)


def check_settings(path: Path | None) -> None:
    """The settings and the words they name; ends the command where one of them is wrong."""
    problems = of_words(settings.load(path))
    show_problems(problems)
    if any(p.severity == "error" for p in problems):
        raise typer.Exit(EXIT_PROBLEM)


def today_of(config: Config) -> date:
    """The day where the business is."""
    return command_clock()().astimezone(ZoneInfo(config.hours.timezone)).date()


def of_words(config: Config) -> Sequence[Problem]:
    """What is wrong with the owner's own texts and ready answers (unknown variables, missing twins, single
    braces), and how they sound; and with their playbooks and scenarios.
    """
    hours = open_hours(config)
    try:
        words = open_texts(config, hours)
        problems = (*words.problems, *tone.of_own_texts(config, words))
    except ConfigError as error:
        words, problems = Texts.load(), error.problems
    try:
        ready_answers = open_canned(config, words, hours)
        problems = (*problems, *tone.of_ready_answers(config, ready_answers))
    except ConfigError as error:
        problems = (*problems, *error.problems)
    problems = (*problems, *sequence_faults(config), *tone.of_sequences(config))
    for read in (open_playbooks, open_scenarios):
        try:
            read(config)
        except ConfigError as error:
            problems = (*problems, *error.problems)
    return [_nearby(p) for p in problems]


def _nearby(problem: Problem) -> Problem:
    """The same with its file as seen from here."""
    try:
        file = Path(problem.file).relative_to(Path.cwd()).as_posix() if problem.file else ""
    except ValueError:
        return problem
    return Problem(
        problem.text, file, problem.line, problem.column, problem.hint, problem.code, problem.severity
    )


def _escaped(text: str, attribute: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if attribute else text


def show(article: str, path: Path | None, *, skin: str | None) -> None:
    """Print an article as customers would see it, in one skin or in both side by side."""
    if skin is not None and skin not in SKINS:
        typer.secho(say("kb.bad_skin", skin=skin, known=", ".join(SKINS)), fg="red", err=True)
        raise typer.Exit(EXIT_USAGE)
    config = settings.load(path)
    knowledge = opened(config)
    if _is_words(knowledge, article):
        _show_reply(config, knowledge, article, skin or "telegram")
        return
    found = wanted(knowledge.staff, article)
    if found.internal:
        typer.secho(say("kb.internal"), fg="yellow", err=True)
    columns = shutil.get_terminal_size((100, 40)).columns
    one = skin is not None or columns < 2 * NARROW
    width = min(WIDE, max(NARROW, columns - 2 if one else (columns - 2) // 2))
    drawn = {name: _drawn(config, knowledge, found, name, width) for name in ([skin] if skin else BESIDE)}
    if found.status != "published":
        typer.secho(say("kb.not_published", status=found.status), fg="yellow", err=True)
    if len(drawn) == 2 and not one:
        typer.echo("\n".join(beside(drawn["telegram"], drawn["vk"], width)))
    else:
        typer.echo("\n\n".join("\n".join(lines) for lines in drawn.values()))


def _is_words(knowledge: Knowledge, name: str) -> bool:
    """Whether it is a question rather than the name or title of an article."""
    return " " in name.strip() and all(a.title.casefold() != name.casefold() for a in knowledge.articles())


def _show_reply(config: Config, knowledge: Knowledge, text: str, skin: str) -> None:
    """What the live bot would say to somebody new."""
    load_embeddings(knowledge)
    said = open_judge(config, knowledge).reply(text, channel="").messages
    styles = STYLES[skin]
    lines = draw(
        said,
        width=min(WIDE, shutil.get_terminal_size((100, 40)).columns - 2),
        styles=styles,
        label=SKINS[skin].label,
    )
    typer.echo("\n".join([say("kb.reply", text=text), *(lines or [say("message.decision.handoff")])]))


def _drawn(config: Config, knowledge: Knowledge, article: Article, skin: str, width: int) -> list[str]:
    made = preview(
        open_texts(config, open_hours(config)), knowledge.staff, article.id, skin=skin, now=command_clock()()
    )
    assert made is not None
    styles = STYLES[skin]

    def part(told: Sequence[Outbound]) -> list[str]:
        return draw(told, width=width, styles=styles, label=SKINS[skin].label)

    lines = [say(f"kb.skin.{skin}"), *part(made.answer)]
    return [*lines, "", say("kb.more"), *part(made.more)] if made.more else lines


def wanted(knowledge: Knowledge, name: str) -> Article:
    """The article by id, path or title; ends the command with the nearest names where there is none."""
    name = re.sub(r"\.(?:md|markdown)$", "", name.replace("\\", "/")).strip("/")
    articles = knowledge.articles()
    root = knowledge.folder.name
    for article in articles:
        if article.id in (name, name.removeprefix(f"{root}/")) or article.title.casefold() == name.casefold():
            return article
    ends = [a for a in articles if a.id.rsplit("/", 1)[-1] == name]
    if len(ends) == 1:
        return ends[0]
    near = nearest_paths(name, [a.id for a in articles], limit=3)
    raise fail(
        ConfigError(
            [
                Problem(
                    say("kb.no_article", name=name),
                    hint=say("kb.perhaps", names=", ".join(near)) if near else "bot kb list",
                )
            ]
        )
    )


def create(title: str, path: Path | None, *, section: str) -> None:
    """Write a new draft with its head ready; never over a file that is there."""
    config = settings.load(path, anywhere=True)
    folder = config.path(config.knowledge.folder)
    named = re.fullmatch(r"[a-z0-9_\-]+(?:/[a-z0-9_\-]+)+(?:\.md)?|[a-z0-9]+(?:-[a-z0-9]+)+(?:\.md)?", title)
    place = PurePosixPath(title.removesuffix(".md") if named else slug_of(title))
    target = (folder / section / f"{place}.md").resolve()
    if not target.is_relative_to(folder.resolve()):
        raise fail(ConfigError([Problem(say("kb.outside", path=section), hint=say("kb.outside_hint"))]))
    if target.exists():
        name = target.relative_to(folder.resolve()).with_suffix("").as_posix()
        raise fail(
            ConfigError([Problem(say("kb.exists", path=_short(target)), hint=f"bot kb preview {name}")])
        )
    words = place.name.replace("-", " ").capitalize() if named else title
    topic = PurePosixPath(section or place.parent).name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(
        article_text(ArticleHead(title=words, status="draft", topic=topic), say("kb.new_body")),
        encoding="utf-8",
    )
    typer.echo(say("kb.created", path=_short(target)))


def _short(path: Path) -> str:
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else path.as_posix()


def count(path: Path | None, *, as_json: bool, db: Path | None) -> None:
    """Print the base in figures: articles, questions, what the golden questions cover, what nobody was
    shown.
    """
    config = settings.load(path)
    knowledge = opened(config)
    articles = knowledge.articles()
    shown = [a for a in articles if a.status == "published"]
    today = today_of(config)
    aliases = [len(a.aliases) for a in articles]
    figures: dict[str, object] = {
        "articles": len(articles),
        "by_status": dict(Counter(a.status for a in articles)),
        "by_language": dict(Counter(a.lang for a in articles)),
        "by_section": dict(Counter(a.section or "-" for a in articles)),
        "twins": sum(bool(a.twin_of) for a in articles),
        "questions": sum(aliases),
        "questions_each": round(sum(aliases) / len(aliases), 1) if aliases else 0.0,
        "without_questions": [a.id for a in articles if not a.aliases],
        "expired": [a.id for a in shown if a.valid_until and a.valid_until < today],
        "expire_soon": [a.id for a in shown if a.valid_until and 0 <= (a.valid_until - today).days <= SOON],
        "without_owner": sum(not a.owner for a in shown),
        "problems": len(knowledge.problems),
    }
    golden = config.path(GOLDEN.as_posix())
    if golden.is_file():
        try:
            asked = {g.article for g in read_golden(golden) if g.article}
        except BotError as error:
            raise fail(error) from None
        figures["golden_covered"] = sum(a.id in asked for a in shown if not a.twin_of)
        figures["golden_missing"] = [a.id for a in shown if not a.twin_of and a.id not in asked]
    try:
        with open_records(config, db) as records:
            if records is not None:
                told = Counter(str(e.data.get("article", "")) for e in records.events("answered"))
                figures["answers"] = sum(told.values())
                figures["most_shown"] = dict(told.most_common(5))
                figures["never_shown"] = [a.id for a in shown if a.id not in told]
    except StorageError as error:
        raise fail(error) from None
    if as_json:
        typer.echo(json.dumps(figures, ensure_ascii=False, indent=1))
        return
    for name, value in figures.items():
        typer.echo(f"{say(f'kb.figure.{name}'):46} {_figure(value)}")


def _figure(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items()) or "0"
    if isinstance(value, list):
        return f"{len(value)}" + (
            f": {', '.join(map(str, value[:6]))}{'…' if len(value) > 6 else ''}" if value else ""
        )
    return str(value)
