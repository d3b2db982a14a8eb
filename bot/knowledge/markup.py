"""Turns an editor's Markdown (Obsidian habits included) into the plain Markdown the bot shows, keeping the line of everything."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bot.errors import Problem

MAX_INCLUDES = 5
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".bmp"})
_COMMENT = re.compile(r"%%.*?%%|<!--.*?-->", re.DOTALL)
_FENCE = re.compile(r"^\s*(```|~~~)")
_INCLUDE = re.compile(r"^\s*\{\{-?\s*include\b[:\s(]*[\"']?([^\"'})]+?)[\"']?\)?\s*-?\}\}\s*$")
_EMBED = re.compile(r"!\[\[([^\]|#]+)(?:#[^\]|]*)?(?:\|([^\]]*))?\]\]")
_WIKI = re.compile(r"\[\[([^\]|#]*)(#[^\]|]*)?(?:\|([^\]]*))?\]\]")
_IMAGE = re.compile(r"!\[([^\]]*)\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_CALLOUT = re.compile(r"^(\s*>+\s*)\[!(\w+)\][+-]?\s*(.*)$")
_BLOCK_ID = re.compile(r"\s+\^[A-Za-z0-9-]+$")
_HIGHLIGHT = re.compile(r"==(?=\S)(.+?)(?<=\S)==")


@dataclass(frozen=True, slots=True)
class Link:
    """A link found in a body. `kind` is article ([[…]]), image, file (relative path) or url; `line` is a line of the file."""

    kind: str
    target: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Markup:
    """A cleaned body: `lines[i]` is the file line that body line *i* came from; local images are taken out and listed."""

    body: str
    lines: tuple[int, ...]
    links: tuple[Link, ...]
    images: tuple[str, ...]
    problems: tuple[Problem, ...]


def clean_body(text: str, first_line: int, path: Path, folder: Path, file: str) -> Markup:
    """Strips comments, resolves includes, turns wiki links, callouts and highlights into plain Markdown. Never raises."""
    problems: list[Problem] = []
    rows = _included(text, first_line, path, folder, file, problems, ())
    body: list[str] = []
    lines: list[int] = []
    links: list[Link] = []
    images: list[str] = []
    fenced = False
    for row, line in rows:
        if _FENCE.match(row):
            fenced = not fenced
        elif not fenced:
            row = _plain(row, line, path, folder, links, images)
        body.append(row.rstrip())
        lines.append(line)
    while body and not body[-1]:
        body.pop()
        lines.pop()
    start = next((i for i, row in enumerate(body) if row), 0)
    return Markup("\n".join(body[start:]), tuple(lines[start:]), tuple(links), tuple(images), tuple(problems))


def _blank_comments(text: str) -> str:
    return _COMMENT.sub(lambda m: "\n" * m.group().count("\n"), text)


def _included(
    text: str, first_line: int, path: Path, folder: Path, file: str, problems: list[Problem], seen: tuple[Path, ...]
) -> list[tuple[str, int]]:
    rows: list[tuple[str, int]] = []
    fenced = False
    for number, row in enumerate(_blank_comments(text).splitlines(), first_line):
        if _FENCE.match(row):
            fenced = not fenced
        found = None if fenced else _INCLUDE.match(row) or _note_embed(row)
        if not found:
            rows.append((row, number))
            continue
        line = number if not seen else first_line
        inner = _read_include(found.group(1).strip(), line, path, folder, file, problems, seen)
        if inner is not None:
            target, words = inner
            part = _included(words, 1, target, folder, file, problems, (*seen, target))
            rows += [(r, number) for r, _ in part]
    return rows


def _note_embed(row: str) -> re.Match[str] | None:
    found = _EMBED.fullmatch(row.strip())
    if found and PurePosixPath(found.group(1).strip()).suffix.lower() in PICTURES:
        return None
    return found


def _read_include(
    name: str, line: int, path: Path, folder: Path, file: str, problems: list[Problem], seen: tuple[Path, ...]
) -> tuple[Path, str] | None:
    target = find_inside(name, path, folder)
    if target is None:
        problems.append(Problem(f"вставка «{name}» не найдена в папке базы знаний", file, line, 1, "проверьте имя файла; выйти из папки нельзя", "KB009"))
        return None
    if target in seen or target == path.resolve() or len(seen) >= MAX_INCLUDES:
        problems.append(Problem(f"вставка «{name}» вставляет сама себя или лежит слишком глубоко", file, line, 1, "уберите круг вставок", "KB009"))
        return None
    try:
        words = target.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        problems.append(Problem(f"вставка «{name}» не читается", file, line, 1, "сохраните файл в UTF-8", "KB009"))
        return None
    if len(words) > 1_000_000:
        problems.append(Problem(f"вставка «{name}» больше 1 МБ", file, line, 1, "разделите файл", "KB009"))
        return None
    if words.startswith("---"):
        closed = re.search(r"^---[ \t]*$", words[3:], re.MULTILINE)
        words = words[3 + closed.end() :] if closed else words
    return target, words


def find_inside(name: str, path: Path, folder: Path) -> Path | None:
    """The file *name* seen from the article *path*, only if it really lies inside *folder* (symbolic links followed)."""
    root = folder.resolve()
    pure = PurePosixPath(name.replace("\\", "/"))
    if pure.is_absolute() or ":" in name or "\0" in name:
        return None
    for start in (path.parent, folder):
        for suffix in ("", ".md"):
            try:
                target = (start / f"{pure}{suffix}").resolve()
                if target.is_relative_to(root) and target.is_file():
                    return target
            except (OSError, ValueError):
                continue
    return None


def _plain(row: str, line: int, path: Path, folder: Path, links: list[Link], images: list[str]) -> str:
    def image(target: str, text: str) -> str:
        target = target.strip()
        if re.match(r"[a-z][a-z0-9+.-]*:", target, re.IGNORECASE):
            links.append(Link("url", target, text, line))
            return f"[{text or target}]({target})"
        links.append(Link("image", target, text, line))
        if found := find_inside(target, path, folder):
            images.append(found.relative_to(folder.resolve()).as_posix())
        return ""

    def wiki(m: re.Match[str]) -> str:
        target, anchor, text = m.group(1).strip(), (m.group(2) or "").lstrip("#"), (m.group(3) or "").strip()
        words = text or PurePosixPath(target).name or anchor
        if target:
            links.append(Link("article", target, words, line))
        return words

    def link(m: re.Match[str]) -> str:
        text, target = m.group(1), m.group(2)
        if re.match(r"[a-z][a-z0-9+.-]*:", target, re.IGNORECASE):
            links.append(Link("url", target, text, line))
            return m.group()
        if target.startswith("#"):
            return text
        links.append(Link("file", target, text, line))
        return text

    parts = re.split(r"(`[^`]*`)", row)
    done: list[str] = []
    for part in parts:
        if not part.startswith("`"):
            part = _EMBED.sub(lambda m: image(m.group(1), m.group(2) or ""), part)
            part = _IMAGE.sub(lambda m: image(m.group(2), m.group(1)), part)
            part = _LINK.sub(link, _WIKI.sub(wiki, part))
            part = _HIGHLIGHT.sub(r"**\1**", part)
        done.append(part)
    row = _BLOCK_ID.sub("", "".join(done))
    if called := _CALLOUT.match(row):
        title = called.group(3).strip()
        return f"{called.group(1)}**{title}**" if title else called.group(1).rstrip()
    return row


Reader = Callable[[Path], str]
