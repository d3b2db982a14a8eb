"""Checks the words of articles: placeholders nobody fills, texts too long to send, and the tone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from bot.i18n.texts import article_grammar
from bot.knowledge.articles.markup import code_rows
from bot.knowledge.articles.schema import Article
from bot.knowledge.quality.lint.fault import ArticleSources, LintFault
from bot.text.graphemes import shorten
from bot.text.tone import ToneCheck

START = 40  # characters that show where a message begins
_VARIABLE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{[a-z_][a-z_0-9.]*\}|\$\{\w+\}|%[a-z_]+%", re.IGNORECASE)


def placeholders(articles: Sequence[Article], sources: ArticleSources) -> Iterator[LintFault]:
    """Variables that nobody fills: of another program, or facts that there are not."""
    for article in articles:
        for row, line in _body(article):
            for found in _VARIABLE.finditer(re.sub(r"`[^`]*`", "", row)):
                if found[0].startswith("{%") or (
                    found[0].startswith("{{") and article_grammar().is_sound(found[0])
                ):
                    continue
                yield LintFault(
                    "KB030",
                    article.path.as_posix(),
                    line,
                    sources.column(article, line, found[0]),
                    {"found": found[0]},
                )
        for text in (article.title, *article.aliases, *(b.label for b in article.buttons)):
            if found_in := _VARIABLE.search(text):
                file, line, column = sources.question(article, text)
                yield LintFault("KB030", file, line, column, {"found": found_in[0]})


def personal_facts(articles: Sequence[Article], sources: ArticleSources) -> Iterator[LintFault]:
    """Conditions that cannot be read, or reach over a heading; facts without a word for whoever has none."""
    for article in articles:
        if "{{" not in article.body and "{%" not in article.body:
            continue
        file, grammar = article.path.as_posix(), article_grammar()
        if wrong := grammar.syntax_fault(article.body):
            yield LintFault("KB042", file, _line_of(article, wrong), 1, {})
        elif any(grammar.syntax_fault(p.text) for p in article.passages):
            first = next(n for n, row in enumerate(article.body.split("\n"), 1) if "{%" in row)
            yield LintFault("KB042", file, _line_of(article, first), 1, {})
        for row in dict.fromkeys(grammar.unsure(article.body)):
            yield LintFault("KB043", file, _line_of(article, row), 1, {})


def _line_of(article: Article, row: int) -> int:
    """The line in the file of a row of the body, counted from 1."""
    return article.lines[min(row, len(article.lines)) - 1] if article.lines else 1


def long_labels(articles: Sequence[Article], sources: ArticleSources, limit: int) -> Iterator[LintFault]:
    """Titles and buttons that do not fit a button."""
    for article in articles:
        for text in (article.title, *(b.label for b in article.buttons)):
            if len(text) > limit:
                file, line, column = sources.question(article, text)
                yield LintFault("KB032", file, line, column, {"text": text, "limit": limit})


def long_texts(
    articles: Sequence[Article], messages: Callable[[Article], Sequence[Sequence[str]]]
) -> Iterator[LintFault]:
    """Articles whose answer (or the rest of it) goes as several messages, with the places where it is
    split.
    """
    for article in articles:
        for portion in messages(article):
            if len(portion) > 1:
                split = "; ".join(f"{n}) «{_start(text)}» ({len(text)})" for n, text in enumerate(portion, 1))
                line = next((n for row, n in _body(article) if row.strip()), 1)
                yield LintFault(
                    "KB031", article.path.as_posix(), line, 1, {"count": len(portion), "split": split}
                )


def _start(text: str) -> str:
    return shorten(" ".join(text[: START * 2].split()), START + 1)


def _body(article: Article) -> Iterator[tuple[str, int]]:
    """Lines of the body outside code, with their lines in the file."""
    code = code_rows(article.body)
    for number, (row, line) in enumerate(zip(article.body.split("\n"), article.lines, strict=False)):
        if number not in code:
            yield row, line


CODES = {"address": "KB060", "refusal": "KB061", "official": "KB062", "own": "KB063"}


def unlike_us(articles: Sequence[Article], sources: ArticleSources, tone: ToneCheck) -> Iterator[LintFault]:
    """Words of mailings and offices, and refusals that leave the customer standing."""
    for article in articles:
        code = code_rows(article.body)
        rows = ["" if n in code else row for n, row in enumerate(article.body.split("\n"))]
        text = "\n".join(rows)
        for fault in tone.faults(text, article.lang, has_way_out=bool(article.buttons)):
            line = article.lines[text.count("\n", 0, fault.start)]
            column = sources.column(article, line, fault.found)
            facts = {"found": fault.found, "advice": fault.instead}
            yield LintFault(CODES[fault.kind], article.path.as_posix(), line, column, facts)
