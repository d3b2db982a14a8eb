"""Articles as editors write them: a folder of Markdown becomes values, every fault with its file, line and
remedy.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from dataclasses import fields as dataclass_fields
from functools import lru_cache
from itertools import pairwise
from pathlib import Path, PurePosixPath

from bot.errors import Problem
from bot.knowledge.articles.attached import AttachedFile, in_order, is_sendable
from bot.knowledge.articles.blanks import UNFILLED, blank_rows
from bot.knowledge.articles.encodings import decoded, named_encoding
from bot.knowledge.articles.fields import ArticleFields, read_fields
from bot.knowledge.articles.frontmatter import lost_head, read_head, split_head
from bot.knowledge.articles.markup import Link, Markup, clean_body, code_rows, find_inside, named_links
from bot.knowledge.articles.strays import stray_files
from bot.knowledge.codes import found
from bot.text.markdown import blocks, plain
from bot.text.markdown_rules import parser
from bot.text.problems import problem, told, warning
from bot.text.yaml_source import MAX_BYTES

LANGUAGES = ("ru", "en")
PASSAGE = 900  # characters: a longer stretch without headings is split at a paragraph
LEAD = 420


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of an article under one heading ("" above the first); `text` is Markdown without the heading."""

    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Article(ArticleFields):
    """One answer of the business. `id` is the path without suffix, posix; `twin_of` the same article in the
    base language.

    `lead` is the first paragraph or list, short. `attached` are the files inside the folder that are sent
    with the words: those that the head names as `images` and `files`, and those of the body.
    `lines[i]` is the file line of body line *i*, `places` the line of each key ("title", "aliases[2]").
    `segment` limits the article to customers whose field has one of the values (() = any true value).
    """

    lang: str = "ru"
    body: str = ""
    passages: tuple[Passage, ...] = ()
    lead: str = ""
    path: Path = Path()
    links: tuple[Link, ...] = ()
    lines: tuple[int, ...] = ()
    places: Mapping[str, int] = field(default_factory=dict)
    attached: tuple[AttachedFile, ...] = ()

    @property
    def questions(self) -> tuple[str, ...]:
        """What customers may ask it by: the title first, then the example questions, without repeats."""
        return _without_repeats((self.title, *self.aliases))


@lru_cache(maxsize=16_384)
def _without_repeats(texts: tuple[str, ...]) -> tuple[str, ...]:
    seen: dict[str, str] = {}
    for text in texts:
        seen.setdefault(" ".join(text.lower().split()), text)
    return tuple(seen.values())


@dataclass(frozen=True, slots=True)
class ExtraQuestions:
    """A `.yaml` of further example questions: article id -> questions."""

    path: Path
    questions: Mapping[str, tuple[str, ...]]
    places: Mapping[str, int]


def read_articles(
    folder: Path, *, known_channels: Sequence[str] = ()
) -> tuple[tuple[Article, ...], tuple[Problem, ...]]:
    """Every article of *folder*, sorted by id, and every problem found.

    A file with an error gives no article; never raises.
    """
    articles: list[Article] = []
    extras: list[ExtraQuestions] = []
    problems: list[Problem] = []
    if not folder.is_dir():
        return (), (problem("articles.no_folder", str(folder), code="KB001"),)
    for path in article_files(folder):
        found, faults = read_file(path, folder, known_channels=known_channels)
        problems += faults
        if isinstance(found, Article):
            articles.append(found)
        elif found is not None:
            extras.append(found)
    joined, faults = join_articles(articles, extras, folder)
    return joined, (*problems, *stray_files(folder), *faults)


def article_files(folder: Path) -> Iterator[Path]:
    """Files that may hold articles or extra questions, in order of path; hidden ones and those beginning with
    `_` are not.
    """
    for parts in sorted(_files_below(str(folder), ())):
        yield folder.joinpath(*parts)


def _files_below(folder: str, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Paths in parts; links to files are followed, links to folders are not, a folder that cannot be read is
    passed by.
    """
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.name[0] in "._":
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files_below(entry.path, (*above, entry.name))
        elif entry.name.lower().endswith((".md", ".markdown", ".yaml", ".yml")) and entry.is_file():
            yield (*above, entry.name)


def read_file(
    path: Path, folder: Path, *, known_channels: Sequence[str] = ()
) -> tuple[Article | ExtraQuestions | None, tuple[Problem, ...]]:
    """One file of the folder.

    None with problems where it is broken, None without where it is not meant to be an article.
    """
    file = path.as_posix()
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            return None, (problem("articles.outside", file, code="KB016"),)
        if path.stat().st_size > MAX_BYTES:
            return None, (problem("articles.large", file, code="KB005"),)
        text = decoded(path.read_bytes())
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return None, (problem("articles.not_utf8", file, line, 1, "KB001", alike=_alike(error.object)),)
    except OSError:
        return None, (problem("articles.unreadable", file, code="KB001"),)
    if path.suffix.lower() in (".yaml", ".yml"):
        return _read_extra(text, path, file)
    return read_text(text, path, folder, known_channels=known_channels)


def read_text(
    text: str, path: Path, folder: Path, *, known_channels: Sequence[str] = ()
) -> tuple[Article | None, tuple[Problem, ...]]:
    """The article that *text* would be as the file *path* of the folder; whether that is there is not
    asked.
    """
    file = path.as_posix()
    if "\r" in text:
        return None, (found("KB015", file, text.count("\n", 0, text.index("\r")) + 1),)
    if lost := lost_head(text):
        return None, (found("KB019", file, lost[0], 1, lost[1]),)
    return _read_article(text, path, folder, file, known_channels)


def _read_article(
    text: str, path: Path, folder: Path, file: str, known_channels: Sequence[str]
) -> tuple[Article | None, tuple[Problem, ...]]:
    try:
        head_text, body_text, first_line = split_head(text)
    except ValueError:
        return None, (problem("articles.unclosed", file, 1, 1, "KB002"),)
    if head_text is None and path.name.lower() in ("readme.md", "index.md"):
        return None, ()
    head, problems = read_head(head_text or "", file, first_line=2)
    if head is None:
        return None, problems
    fields, faults = read_fields(head, file, known_channels)
    markup = clean_body(body_text, first_line, path, folder, file, internal=fields.internal)
    problems = (*problems, *faults, *markup.problems)
    if any(p.severity == "error" for p in problems):
        return None, problems
    relative = PurePosixPath(path.relative_to(folder).as_posix())
    title, body, lines = _title_of(fields, markup.body, markup.lines, relative)
    if not body.strip() and not fields.aliases and not fields.title:
        return None, (
            *problems,
            problem("articles.empty", file, 1, 1, "KB008"),
        )
    attached = _attached(fields, markup, body, lines, (path, folder), head.places)
    if not body.strip() and not attached:
        problems = (
            *problems,
            warning("articles.no_body", file, first_line, 1, "KB008"),
        )
    unfilled = [found(UNFILLED, file, line, 1, blank) for line, blank in blank_rows(body, lines)]
    marked = _marked_language(relative)
    completed = replace(
        fields,
        status="draft" if unfilled and fields.status == "published" else fields.status,
        id=fields.id or relative.with_suffix("").as_posix(),
        title=title,
        lang=fields.lang or marked or guess_language(" ".join((title, *fields.aliases, body[:2000]))),
        twin_of=fields.twin_of or (_base_id(relative) if marked else ""),
        section=fields.section or (relative.parent.as_posix() if relative.parent.as_posix() != "." else ""),
    )
    article = Article(
        **{key.name: getattr(completed, key.name) for key in dataclass_fields(ArticleFields)},
        body=body,
        passages=split_passages(body),
        lead=lead_of(body),
        path=path,
        links=markup.links,
        lines=lines,
        places=head.places,
        attached=attached,
    )
    return article, (*problems, *unfilled)


def _attached(
    fields: ArticleFields,
    markup: Markup,
    body: str,
    lines: tuple[int, ...],
    where: tuple[Path, Path],
    places: Mapping[str, int],
) -> tuple[AttachedFile, ...]:
    """The files of the head, which go with the first words, then those of the body, each with its passage."""
    path, folder = where
    done: list[AttachedFile] = []
    for key, names in (("images", fields.images), ("files", fields.files)):
        for n, name in enumerate(names):
            place = find_inside(name, path, folder)
            inside = place.relative_to(folder.resolve()).as_posix() if place else ""
            if inside and is_sendable(inside):
                line = places.get(f"{key}[{n}]", places.get(key, 1))
                done.append(AttachedFile(inside, passage=-1, line=line))
    rows = body.split("\n")
    for file in markup.files:
        before = "\n".join(rows[: sum(1 for line in lines if line < file.line)])
        done.append(replace(file, passage=max(0, len(split_passages(before)) - 1)))
    return in_order(done)


def _title_of(
    fields: ArticleFields, body: str, lines: tuple[int, ...], relative: PurePosixPath
) -> tuple[str, str, tuple[int, ...]]:
    """The title (of the head, of the first heading, of the file name), and the body without a heading that
    repeats it.
    """
    first, inline = (*parser().parse(body), None, None)[:2]
    if (
        first
        and inline
        and first.type == "heading_open"
        and first.tag == "h1"
        and first.map
        and first.map[0] == 0
    ):
        title, rows = plain(inline.content), body.split("\n")
        if title and (
            not fields.title or fields.title.casefold() in (title.casefold(), inline.content.casefold())
        ):
            skip = next((i for i, row in enumerate(rows) if i >= first.map[1] and row.strip()), len(rows))
            return fields.title or title, "\n".join(rows[skip:]), lines[skip:]
    name = relative.name.split(".")[0].replace("-", " ").replace("_", " ").strip()
    return fields.title or name[:1].upper() + name[1:], body, lines


def _marked_language(relative: PurePosixPath) -> str:
    """The language a path names: `foo.en.md` or a folder `en/`; "" where it names none."""
    suffixes = [s.lstrip(".").lower() for s in PurePosixPath(relative.name).suffixes[:-1]]
    return next((m for m in (*suffixes, *(p.lower() for p in relative.parts[:-1])) if m in LANGUAGES), "")


def _base_id(relative: PurePosixPath) -> str:
    parts = [p for p in relative.parts[:-1] if p.lower() not in LANGUAGES]
    name = re.sub(r"\.(?:ru|en)$", "", relative.with_suffix("").name, flags=re.IGNORECASE)
    return PurePosixPath(*parts, name).as_posix()


def guess_language(text: str) -> str:
    """ru or en, by whose letters are more."""
    cyrillic = len(re.findall(r"[а-яё]", text, re.IGNORECASE))
    latin = len(re.findall(r"[a-z]", text, re.IGNORECASE))
    return "en" if latin > cyrillic else "ru"


def _alike(content: bytes) -> str:
    encoding = named_encoding(content)
    return told("articles.alike", encoding=encoding) if encoding else ""


def _read_extra(text: str, path: Path, file: str) -> tuple[ExtraQuestions | None, tuple[Problem, ...]]:
    head, problems = read_head(text, file)
    if head is None:
        return None, problems
    questions: dict[str, tuple[str, ...]] = {}
    faults: list[Problem] = [*problems, *(found("KB017", file, c.line, c.column, c.words) for c in head.cuts)]
    for key, value in head.values.items():
        items = [value] if isinstance(value, str) else value
        if isinstance(items, list) and all(isinstance(i, str) for i in items):
            questions[key] = tuple(i.strip() for i in items if i.strip())
        else:
            faults.append(
                problem("articles.not_questions", file, head.places.get(key, 0), 1, "KB007", key=key)
            )
    if any(p.severity == "error" for p in faults):
        return None, tuple(faults)
    return ExtraQuestions(path, questions, head.places), tuple(faults)


def join_articles(
    articles: Iterable[Article], extras: Iterable[ExtraQuestions], folder: Path
) -> tuple[tuple[Article, ...], tuple[Problem, ...]]:
    """Adds the extra questions, ties twins together and refuses a second article with the same id."""
    problems: list[Problem] = []
    by_id: dict[str, Article] = {}
    for article in articles:
        if article.id in by_id:
            facts = {"name": article.id, "other": by_id[article.id].path.as_posix()}
            problems.append(
                problem("articles.same_id", article.path.as_posix(), 1, 1, "KB014", None, **facts)
            )
            continue
        by_id[article.id] = article
    for extra in extras:
        for name, questions in extra.questions.items():
            key = (
                name
                if name in by_id
                else (PurePosixPath(extra.path.relative_to(folder).as_posix()).parent / name).as_posix()
            )
            if key not in by_id:
                line = extra.places.get(name, 0)
                problems.append(
                    warning("articles.no_article", extra.path.as_posix(), line, 1, "KB012", name=name)
                )
                continue
            known = by_id[key]
            by_id[key] = replace(known, aliases=tuple(dict.fromkeys((*known.aliases, *questions))))
    for name, article in list(by_id.items()):
        base = article.twin_of
        if not base:
            continue
        found = next((b for b in (base, *_sister_ids(article, base)) if b in by_id and b != name), "")
        if found and by_id[found].lang == article.lang:
            found = ""
        by_id[name] = replace(article, twin_of=found)
    for name, article in list(by_id.items()):  # a circle of two twins keeps one direction: en points to ru
        if article.twin_of and by_id[article.twin_of].twin_of == name and article.lang == "ru":
            by_id[name] = replace(article, twin_of="")
    titles = _Titles(by_id)
    return tuple(titles.told(by_id[k]) for k in sorted(by_id)), tuple(problems)


class _Titles:
    """What a link to an article is called in a text: by its title."""

    def __init__(self, by_id: Mapping[str, Article]) -> None:
        self._by_id = by_id

    def told(self, article: Article) -> Article:
        """The article with its links `[[name]]` in words."""
        if "[[" not in article.body:
            return article
        named = {
            link.target: linked
            for link in article.links
            if link.kind == "article"
            and (linked := resolve(article, link.target, self._by_id))
            and (article.internal or not linked.internal)  # its title is for operators, too
        }
        body = named_links(article.body, {target: linked.title for target, linked in named.items()})
        return (
            replace(article, body=body, passages=split_passages(body), lead=lead_of(body))
            if body != article.body
            else article
        )


def resolve(article: Article, target: str, known: Mapping[str, Article]) -> Article | None:
    """The article that a link names: by id, by path beside it, or by the file name alone, as Obsidian
    does.
    """
    name = re.sub(r"\.(?:md|markdown)$", "", target.strip().split("#")[0], flags=re.IGNORECASE)
    beside = PurePosixPath(article.id).parent / name
    parts: list[str] = []
    for part in beside.parts:
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    for wanted in (name.strip("/"), "/".join(parts)):
        if wanted in known:
            return known[wanted]
    if "/" not in name:
        return next((a for a in known.values() if a.id.rsplit("/", 1)[-1] == name or a.title == name), None)
    return None


def _sister_ids(article: Article, base: str) -> Iterator[str]:
    for lang in LANGUAGES:
        if lang != article.lang:
            yield f"{base}.{lang}"
            yield f"{lang}/{base}"
            parts = article.id.split("/")
            yield "/".join(lang if p.lower() == article.lang else p for p in parts)


def split_passages(body: str) -> tuple[Passage, ...]:
    """The body by headings; a long stretch without headings is split at a paragraph.

    Fenced code is never cut.
    """
    rows, at = body.split("\n"), 0
    tokens = parser().parse(body)
    parts: list[tuple[str, list[str]]] = [("", [])]
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map:
            parts[-1][1].extend(rows[at : token.map[0]])
            parts.append((inline.content, []))
            at = token.map[1]
    parts[-1][1].extend(rows[at:])
    passages: list[Passage] = []
    for title, part in parts:
        text = "\n".join(part).strip("\n").rstrip()
        if text.strip():
            passages += [Passage(title, piece) for piece in _pieces(text)]
        elif title:
            passages.append(Passage(title, ""))
    return tuple(passages)


def _pieces(text: str) -> Iterator[str]:
    if len(text) <= PASSAGE or code_rows(text):
        yield text
        return
    piece = ""
    for paragraph in re.split(r"\n\s*\n", text):
        if piece and len(piece) + len(paragraph) > PASSAGE:
            yield piece
            piece = ""
        piece = f"{piece}\n\n{paragraph}" if piece else paragraph
    if piece:
        yield piece


def lead_of(body: str) -> str:
    """The first paragraph, with the list that it announces; cut at a sentence where it is long."""
    parts = [part for part in blocks(body) if plain(part) and not _is_heading(part)]
    if not parts:
        return ""
    lead = parts[0]
    if lead.endswith(":") and len(parts) > 1:
        lead = f"{lead}\n\n{parts[1]}"
    if len(lead) <= LEAD or "\n" in lead:
        return lead
    cut = [m.end() for m in re.finditer(r"[.!?…](?=\s)", lead[:LEAD])]
    return lead[: cut[-1]] if cut else lead


def _is_heading(markdown: str) -> bool:
    return parser().parse(markdown)[0].type == "heading_open"
