"""Checks what articles point at: other articles, files and pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from bot.errors import Problem
from bot.knowledge.articles.attached import MAX_FILE, MAX_PICTURE, is_sendable, media_of
from bot.knowledge.articles.markup import find_inside, is_outside
from bot.knowledge.articles.picture_file import HEAD, is_too_large, pixels_of
from bot.knowledge.articles.schema import Article, resolve
from bot.knowledge.codes import worded
from bot.knowledge.quality.lint.fault import ArticleSources, LintFault
from bot.model import Media
from bot.text.nearest import nearest_paths
from bot.text.problems import told

FILE_CODES = frozenset({"KB026", "KB028", "KB044", "KB045", "KB046", "KB047", "KB048", "KB049"})
MEGABYTE = 1024 * 1024


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
            elif link.kind in ("image", "file"):
                missing = "KB026" if link.kind == "image" else "KB028"
                yield from _to_file(article, link.target, (link.line, column), missing, sources)
        for number, button in enumerate(article.buttons):
            if button.action == "article":
                line = article.places.get(f"buttons[{number}]", article.places.get("buttons", 1))
                yield from _to_article(
                    article, button.value, line, sources.column(article, line, button.value), known
                )
        for key, names, missing in (("images", article.images, "KB026"), ("files", article.files, "KB028")):
            for number, name in enumerate(names):
                line = article.places.get(f"{key}[{number}]", article.places.get(key, 1))
                at = line, sources.column(article, line, name)
                yield from _to_file(article, name, at, missing, sources)


def file_faults(articles: Sequence[Article], folder: Path) -> Iterator[Problem]:
    """What is wrong with the pictures and files of the articles, in the reader's language."""
    sources = ArticleSources(folder)
    for fault in dead_links(articles, articles, sources):
        if fault.code in FILE_CODES:
            yield worded(fault.code, fault.file, fault.line, fault.column, fault.facts)


def _to_file(
    article: Article, target: str, at: tuple[int, int], missing: str, sources: ArticleSources
) -> Iterator[LintFault]:
    """A file to be sent is there, inside the folder, of a kind and a size that channels take."""
    file, facts = article.path.as_posix(), {"target": target}
    found = find_inside(target, article.path, sources.folder)
    if found is None:
        outside = is_outside(target, article.path, sources.folder)
        yield LintFault("KB044" if outside else missing, file, *at, facts)
        return
    if not is_sendable(found.relative_to(sources.folder.resolve()).as_posix()):
        yield LintFault("KB045", file, *at, facts)
        return
    size = found.stat().st_size
    sizes = {**facts, "size": _megabytes(size), "most": MAX_FILE // MEGABYTE}
    if not size:
        yield LintFault("KB046", file, *at, facts)
    elif size > MAX_FILE:
        yield LintFault("KB047", file, *at, sizes)
    elif size > MAX_PICTURE and media_of(found.name) is Media.PHOTO:
        yield LintFault("KB048", file, *at, {**sizes, "most": MAX_PICTURE // MEGABYTE})
    elif media_of(found.name) is Media.PHOTO and is_too_large(shape := _pixels(found)):
        assert shape is not None
        yield LintFault("KB049", file, *at, {**facts, "width": shape[0], "height": shape[1]})


def _pixels(path: Path) -> tuple[int, int] | None:
    with path.open("rb") as file:
        return pixels_of(file.read(HEAD))


def _megabytes(size: int) -> int:
    return -(-size // MEGABYTE)


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
