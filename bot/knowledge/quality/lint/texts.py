"""Checks the words of articles: placeholders nobody fills, texts too long to send, and the tone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import cast

from bot.knowledge.articles.markup import code_rows
from bot.knowledge.articles.schema import Article
from bot.knowledge.quality.lint.fault import ArticleSources, LintFault, read_tone
from bot.text.graphemes import shorten

START = 40  # characters that show where a message begins
NEAR = 2  # paragraphs around a refusal in which a way out counts
_VARIABLE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{[a-z_][a-z_0-9.]*\}|\$\{\w+\}|%[a-z_]+%", re.IGNORECASE)
Pattern = re.Pattern[str]


def placeholders(articles: Sequence[Article], sources: ArticleSources) -> Iterator[LintFault]:
    """Variables of some template: an article is not one, so customers would see them."""
    for article in articles:
        for row, line in _body(article):
            for found in _VARIABLE.finditer(re.sub(r"`[^`]*`", "", row)):
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


# --- tone
# ------------------------------------------------------------------------------------------------------------


@cache
def _tone(language: str) -> tuple[Mapping[Pattern, tuple[str, str]], Pattern, Pattern]:
    words = read_tone()[language]
    advice = {
        _word(expression): (code, str(say))
        for code, kind in (("KB060", "address"), ("KB062", "official"))
        for expression, say in words[kind].items()  # type: ignore[attr-defined]
    }
    return (
        advice,
        _word("|".join(cast(Sequence[str], words["refusals"]))),
        _word("|".join(cast(Sequence[str], words["ways_out"]))),
    )


def _word(expression: str) -> Pattern:
    end = r"(?!\w)" if not expression.endswith(" ") else ""
    return re.compile(rf"(?<!\w)(?:{expression}){end}", re.IGNORECASE)


def official(articles: Sequence[Article], sources: ArticleSources) -> Iterator[LintFault]:
    """Words of broadcasts and offices, and refusals that leave the customer standing."""
    for article in articles:
        file = article.path.as_posix()
        advice, refusals, ways_out = _tone("en" if article.lang == "en" else "ru")
        rows = list(_body(article))
        for place, (row, line) in enumerate(rows):
            for pattern, (code, say) in advice.items():
                if found := pattern.search(row):
                    yield LintFault(
                        code,
                        file,
                        line,
                        sources.column(article, line, found[0]),
                        {"found": found[0], "advice": say},
                    )
            if (refused := refusals.search(row)) and not article.buttons:
                near = " ".join(r for r, _ in _paragraphs_around(rows, place))
                if not ways_out.search(near.replace(refused[0], "")) and not _links_near(
                    article, rows, place
                ):
                    yield LintFault(
                        "KB061", file, line, sources.column(article, line, refused[0]), {"found": refused[0]}
                    )


def _paragraphs_around(rows: Sequence[tuple[str, int]], place: int) -> Sequence[tuple[str, int]]:
    first = last = place
    for _ in range(NEAR):
        while first > 0 and rows[first - 1][0].strip():
            first -= 1
        while first > 0 and not rows[first - 1][0].strip():
            first -= 1
    for _ in range(NEAR):
        while last + 1 < len(rows) and rows[last + 1][0].strip():
            last += 1
        while last + 1 < len(rows) and not rows[last + 1][0].strip():
            last += 1
    return rows[first : last + 1]


def _links_near(article: Article, rows: Sequence[tuple[str, int]], place: int) -> bool:
    near = {line for _, line in _paragraphs_around(rows, place)}
    return any(link.line in near and link.kind != "image" for link in article.links)
