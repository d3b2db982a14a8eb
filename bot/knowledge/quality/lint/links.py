"""Checks what articles point at: other articles, files and pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from bot.knowledge.articles.markup import find_inside
from bot.knowledge.articles.schema import Article, resolve
from bot.knowledge.quality.lint.fault import ArticleSources, LintFault
from bot.text.nearest import nearest_paths
from bot.text.problems import told


def dead_links(
    articles: Sequence[Article], everything: Sequence[Article], sources: ArticleSources
) -> Iterator[LintFault]:
    """Links and buttons to articles that are not there or not shown, files and pictures that are not
    there.
    """
    known = {a.id: a for a in everything}
    for article in articles:
        for link in article.links:
            column = sources.column(article, link.line, link.target)
            if link.kind == "article" or (
                link.kind == "file" and PurePosixPath(link.target).suffix.lower() in ("", ".md")
            ):
                yield from _to_article(article, link.target, link.line, column, known)
            elif link.kind == "image" and find_inside(link.target, article.path, sources.folder) is None:
                yield LintFault("KB026", article.path.as_posix(), link.line, column, {"target": link.target})
            elif link.kind == "file" and find_inside(link.target, article.path, sources.folder) is None:
                yield LintFault("KB028", article.path.as_posix(), link.line, column, {"target": link.target})
        for number, button in enumerate(article.buttons):
            if button.action == "article":
                line = article.places.get(f"buttons[{number}]", article.places.get("buttons", 1))
                yield from _to_article(
                    article, button.value, line, sources.column(article, line, button.value), known
                )
        for name in article.images:
            if (
                not (sources.folder / name).is_file()
                and find_inside(name, article.path, sources.folder) is None
            ):
                line = article.places.get("images", 1)
                yield LintFault(
                    "KB026",
                    article.path.as_posix(),
                    line,
                    sources.column(article, line, name),
                    {"target": name},
                )


def _to_article(
    article: Article, target: str, line: int, column: int, known: Mapping[str, Article]
) -> Iterator[LintFault]:
    found = resolve(article, target, known)
    file = article.path.as_posix()
    if found is None:
        near = nearest_paths(target, known)
        yield LintFault(
            "KB025",
            file,
            line,
            column,
            {"target": target, "near": told("lint.near", name=near[0]) if near else told("lint.no_near")},
        )
    elif found.internal and not article.internal:
        yield LintFault("KB039", file, line, column, {"target": target})
    elif found.status != "published" and article.status == "published":
        yield LintFault("KB027", file, line, column, {"target": target, "status": found.status})
