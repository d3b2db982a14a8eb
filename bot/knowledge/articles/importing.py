"""Brings articles in from tables, web pages and Word files; what comes from outside is read with suspicion
and never overwrites.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from bot.errors import BotError, ConfigError
from bot.knowledge.articles.drafts import ArticleHead, article_text, slug_of
from bot.knowledge.articles.encodings import read_any
from bot.knowledge.tables import table_names
from bot.knowledge.word_files import as_shown
from bot.knowledge.word_numbers import MARK
from bot.text.problems import problem, told

MAX_FILE = 50_000_000  # bytes
MAX_UNPACKED = 200_000_000  # bytes of all members of an archive
MAX_MEMBERS = 5000
MAX_RATIO = 200  # unpacked to packed, over the whole archive
MAX_ROWS = 20_000
MAX_SPAN = 200  # rows or columns of a merged cell
MAX_TITLE = 200  # characters
ALIASES = 30
MAX_PICTURE = 10_000_000  # bytes: what a messenger takes as a photo
PICTURES = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
}  # what messengers show
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_DECLARED = tuple(
    mark.encode(code) for mark in ("<!DOCTYPE", "<!ENTITY") for code in ("utf-8", "utf-16-le", "utf-16-be")
)


class ImportUnavailable(BotError):
    """A file of this kind needs a library that is not installed."""

    hint = "pip install 'otklik[import]'"

    def __init__(self, form: str, library: str) -> None:
        super().__init__(told("articles.library", form=form, library=library))


@dataclass(frozen=True, slots=True)
class ImportedArticle:
    """An article as it came; `source` is where from. `status` "" leaves it to the one who imports.

    `pictures` are the contents of the files that the body shows, by their path from the article.
    """

    title: str
    body: str
    aliases: tuple[str, ...] = ()
    id: str = ""
    section: str = ""
    topic: str = ""
    tags: tuple[str, ...] = ()
    lang: str = ""
    status: str = ""
    source: str = ""
    pictures: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did: files written, and articles passed over because their file was there."""

    written: tuple[Path, ...]
    skipped: tuple[Path, ...]


def read_import(path: Path) -> tuple[ImportedArticle, ...]:
    """The articles of a CSV, XLSX, JSONL, HTML or DOCX file, or of all such files in a folder (its folders
    become sections).

    Raises ConfigError with what is wrong and where, ImportUnavailable where a library is missing.
    """
    if path.is_dir():
        files = sorted(
            p
            for p in path.rglob("*")
            if p.suffix.lower() in _READERS and p.is_file() and not p.name.startswith(("~", "."))
        )
        if not files:
            raise ConfigError(
                [problem("articles.import.nothing", path.as_posix(), known=", ".join(_READERS))]
            )
        found = []
        for file in files:
            section = file.parent.relative_to(path).as_posix()
            found += [
                replace(a, section=a.section or ("" if section == "." else section)) for a in _read(file)
            ]
        return merged(found)
    return merged(_read(path))


def _read(path: Path) -> list[ImportedArticle]:
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ConfigError(
            [problem("articles.import.form", path.as_posix(), form=path.suffix, known=", ".join(_READERS))]
        )
    try:
        if path.stat().st_size > MAX_FILE:
            raise ConfigError([problem("articles.import.large", path.as_posix(), most=MAX_FILE // 1_000_000)])
        return [replace(a, source=path.as_posix()) for a in reader(path)]
    except OSError:
        raise ConfigError([problem("articles.import.unreadable", path.as_posix())]) from None


# --- tables
# ----------------------------------------------------------------------------------------------------------


def _csv(path: Path) -> Iterator[ImportedArticle]:
    text = _decoded(path)
    named = re.match(r"\s*\"?sep=(.)\"?[ \t]*\r?\n", text, re.IGNORECASE)  # what Excel writes above a table
    blank = re.match(r"[\s,;]*\n", text[named.end() :] if named else text)
    start = (named.end() if named else 0) + (blank.end() if blank else 0)
    sample = text[start : start + 5000].split("\n")[0]
    rows = csv.reader(
        io.StringIO(text[start:], newline=""), delimiter=named[1] if named else max(",;\t", key=sample.count)
    )
    try:
        yield from _table(rows, path, first=text.count("\n", 0, start) + 1)
    except csv.Error:
        raise ConfigError([problem("articles.import.table", path.as_posix(), rows.line_num)]) from None


def _decoded(path: Path) -> str:
    """The text of a file in any encoding that can be told.

    Raises ConfigError with the line of the first doubtful byte.
    """
    try:
        return read_any(path.read_bytes())
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError([problem("articles.import.encoding", path.as_posix(), line)]) from None


def _xlsx(path: Path) -> Iterator[ImportedArticle]:
    check_archive(path)
    try:
        import openpyxl
    except ImportError:
        raise ImportUnavailable(path.suffix, "openpyxl") from None
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception:  # noqa: BLE001 - the library raises whatever its parsers raise
        raise ConfigError([problem("articles.import.xlsx", path.as_posix())]) from None
    try:
        for sheet in book.worksheets:
            rows = (
                ["" if c is None else str(c) for c in row]
                for row in sheet.iter_rows(max_row=MAX_ROWS + 1, max_col=50, values_only=True)
            )
            yield from _table(rows, path, may_be_other=len(book.worksheets) > 1)
    finally:
        book.close()


def _table(
    rows: Iterable[Sequence[str]], path: Path, *, may_be_other: bool = False, first: int = 1
) -> Iterator[ImportedArticle]:
    numbered = ((n, row) for n, row in enumerate(rows, first) if any(str(c).strip() for c in row))
    line, head = next(numbered, (first, ()))
    columns = [table_names().columns.get(" ".join(str(c).lower().split()), "") for c in head]
    if "title" not in columns or "body" not in columns:
        if may_be_other:
            return
        raise ConfigError([problem("articles.import.columns", path.as_posix(), line, 1)])
    for number, row in numbered:
        if number > MAX_ROWS:
            raise ConfigError([problem("articles.import.rows", path.as_posix(), number, most=MAX_ROWS)])
        values = {name: _cell(value) for name, value in zip(columns, row, strict=False) if name}
        if values.get("title", "").strip():
            yield _of_values(values)


def _cell(value: str) -> str:
    """A cell as it was before a spreadsheet was kept from reading it as a formula."""
    value = value.replace("\r\n", "\n").strip()
    return value[1:] if value[:1] == "'" and value[1:2] in _FORMULA else value


def _of_values(values: Mapping[str, str]) -> ImportedArticle:
    def many(key: str, separators: str) -> tuple[str, ...]:
        text = values.get(key, "")
        return tuple(
            dict.fromkeys(
                " ".join(p.split())
                for p in re.split(r"\n" if "\n" in text else separators, text)
                if p.strip()
            )
        )

    return ImportedArticle(
        title=" ".join(values["title"].split())[:MAX_TITLE],
        body=values.get("body", ""),
        aliases=many("aliases", r"[;|]"),
        id=values.get("id", ""),
        section=values.get("section", ""),
        topic=values.get("topic", ""),
        tags=many("tags", r"[,;]"),
        lang=values.get("lang", "").lower() if values.get("lang", "").lower() in ("ru", "en") else "",
        status=(
            values.get("status", "") if values.get("status", "") in ("published", "draft", "archived") else ""
        ),
    )


def _jsonl(path: Path) -> Iterator[ImportedArticle]:
    for number, line in enumerate(_decoded(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            values = {
                table_names().columns.get(k.lower(), ""): (
                    "".join(f"{i}\n" for i in v) if isinstance(v, list) else "" if v is None else str(v)
                )
                for k, v in row.items()
            }
            _ = values["title"]
        except (ValueError, KeyError, AttributeError):
            raise ConfigError([problem("articles.import.json", path.as_posix(), number)]) from None
        yield _of_values(values)


# --- pages
# -----------------------------------------------------------------------------------------------------------


def _html(path: Path) -> Iterator[ImportedArticle]:
    _html_tools()
    yield from articles_of_html(_decoded(path), path.stem)


def _docx(path: Path) -> Iterator[ImportedArticle]:
    check_archive(path)
    try:
        import mammoth
    except ImportError:
        raise ImportUnavailable(path.suffix, "mammoth") from None
    pictures: dict[str, bytes] = {}

    def keep(image: Any) -> dict[str, str]:
        with image.open() as file:
            content = file.read(MAX_PICTURE + 1)
        if image.content_type not in PICTURES or len(content) > MAX_PICTURE:
            return {}
        place = f"images/{hashlib.sha256(content).hexdigest()[:12]}{PICTURES[image.content_type]}"
        pictures[place] = content
        return {"src": place}

    try:
        with as_shown(path) as file:
            html = str(mammoth.convert_to_html(file, convert_image=mammoth.images.img_element(keep)).value)
    except Exception:  # noqa: BLE001 - the library raises whatever its parsers raise
        raise ConfigError([problem("articles.import.docx", path.as_posix())]) from None
    for article in articles_of_html(html, path.stem, whole=True, pictures=pictures):
        yield replace(article, pictures=pictures)


def articles_of_html(
    html: str, name: str, *, whole: bool = False, pictures: Collection[str] = ()
) -> Iterator[ImportedArticle]:
    """The articles of a page: one for each heading of a page of questions, else (or with *whole*) the page as
    one.

    Scripts, styles, menus and all but the named *pictures* are left out; links stay.
    """
    soup_of, converter = _html_tools()
    soup = soup_of(html, "html.parser")
    for table in soup("table"):
        _fill_merged(soup, table)
    _number_steps(soup)
    titled = soup.title.get_text(" ", strip=True) if soup.title else ""
    for tag in soup(
        ["script", "style", "nav", "footer", "noscript", "template", "iframe", "form", "svg", "img", "head"]
    ):
        if tag.name != "img" or tag.get("src") not in pictures:
            tag.decompose()
    for tag in soup("summary"):
        tag.name = "h2"
    text = converter(heading_style="ATX", bullets="-", strong_em_symbol="*").convert_soup(soup)
    text = re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", text)).strip()
    first = re.search(r"^# +(.+)$", text, re.MULTILINE)
    title = (
        _bare(first[1]) if first else titled or name.replace("-", " ").replace("_", " ").strip().capitalize()
    )
    if first:
        text = text[: first.start()] + text[first.end() :]
    level = next((n for n in (2, 3, 4) if len(re.findall(rf"^{'#' * n} ", text, re.MULTILINE)) >= 2), 0)
    if whole or not level:
        yield ImportedArticle(title[:MAX_TITLE], text.strip())
        return
    parts = re.split(rf"^{'#' * level} +(.+)$", text, flags=re.MULTILINE)
    if parts[0].strip():
        yield ImportedArticle(title[:MAX_TITLE], parts[0].strip())
    for heading, body in zip(parts[1::2], parts[2::2], strict=True):
        if body.strip():
            yield ImportedArticle(_bare(heading)[:MAX_TITLE], body.strip(), section="")


def _html_tools() -> tuple[Any, Any]:
    """The parser and the converter. Raises ImportUnavailable."""
    try:
        from bs4 import BeautifulSoup
        from markdownify import MarkdownConverter
    except ImportError:
        raise ImportUnavailable("HTML, .docx", "markdownify") from None
    return BeautifulSoup, MarkdownConverter


def _fill_merged(soup: Any, table: Any) -> None:
    """Each row says what a merged cell of a row above says of it, so that every value stays under its
    heading.
    """
    above: dict[int, tuple[int, str]] = {}  # column -> rows still covered, words
    for row in table("tr"):
        if row.find_parent("table") is not table:
            continue
        column, covered = 0, above
        above = {}
        for cell in [*row(["td", "th"], recursive=False), None]:
            while column in covered:
                left, words = covered[column]
                added = soup.new_tag("td")
                added.string = words
                row.append(added) if cell is None else cell.insert_before(added)
                above |= {column: (left - 1, words)} if left > 1 else {}
                column += 1
            if cell is None:
                break
            down = _span(cell.attrs.pop("rowspan", ""))
            above |= {
                column + n: (down - 1, cell.get_text(" ", strip=True))
                for n in range(_span(cell.get("colspan", "")))
                if down > 1
            }
            column += _span(cell.get("colspan", ""))


def _span(given: object) -> int:
    return min(int(text), MAX_SPAN) if (text := str(given)).isdecimal() and int(text) > 0 else 1


def _number_steps(soup: Any) -> None:
    """A list ends where a step has another number than the next one, so that each step keeps its own."""
    for mark in soup("a", id=re.compile(f"^{MARK}\\d+$")):
        step = mark.find_parent("li")
        if step is not None and step.parent.name == "ol" and not step.get("value"):
            step["value"] = mark["id"].removeprefix(MARK)
        mark.decompose()
    for steps in soup("ol"):
        due = int(given) if (given := str(steps.get("start", ""))).isdecimal() else 1
        for step in steps("li", recursive=False):
            number = int(given) if (given := str(step.get("value", ""))).isdecimal() else due
            if number != due:
                more = soup.new_tag("ol", start=str(number))
                steps.insert_after(more)
                more.extend([step, *step.find_next_siblings()])
                steps = more
            due = number + 1


def _bare(heading: str) -> str:
    return " ".join(re.sub(r"\[([^\]]*)\]\([^)]*\)|[*_`]", lambda m: m[1] or "", heading).split())


def check_archive(path: Path) -> None:
    """Refuse an archive that would unpack to more than any article needs, or whose XML declares entities.

    Raises ConfigError.
    """
    fault = ""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            unpacked, packed = (
                sum(m.file_size for m in members),
                max(1, sum(m.compress_size for m in members)),
            )
            if len(members) > MAX_MEMBERS:
                fault = "members"
            elif unpacked > MAX_UNPACKED or (unpacked > 10_000_000 and unpacked / packed > MAX_RATIO):
                fault = "unpacked"
            else:
                fault = _declaring(archive, members)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
        fault = "not_it"
    if fault:
        facts = {"form": path.suffix, "most": MAX_MEMBERS}
        raise ConfigError([problem(f"articles.import.{fault}", path.as_posix(), 0, 0, "", None, **facts)])


def _declaring(archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo]) -> str:
    read = 0
    for member in members:
        if not member.filename.lower().endswith((".xml", ".rels")):
            continue
        with archive.open(member) as file:
            content = file.read(MAX_UNPACKED - read + 1)  # what a member really holds, not what it says
        read += len(content)
        if read > MAX_UNPACKED:
            return "unpacked"
        if any(mark in content for mark in _DECLARED):
            return "entities"
    return ""


_READERS = {
    ".csv": _csv,
    ".tsv": _csv,
    ".xlsx": _xlsx,
    ".jsonl": _jsonl,
    ".html": _html,
    ".htm": _html,
    ".docx": _docx,
}


# --- writing
# ---------------------------------------------------------------------------------------------------------


def merged(found: Iterable[ImportedArticle]) -> tuple[ImportedArticle, ...]:
    """Questions with the same answer in the same section become one article: the first names it, the others
    are its examples.
    """
    by_answer: dict[tuple[str, str], ImportedArticle] = {}
    for n, article in enumerate(found):
        answer = " ".join(article.body.split())
        key = (article.section, answer if answer and not article.id else f"\0{n}")
        if (known := by_answer.get(key)) is None:
            by_answer[key] = article
            continue
        more = tuple(dict.fromkeys((*known.aliases, article.title, *article.aliases)))
        by_answer[key] = replace(known, aliases=tuple(a for a in more if a != known.title)[:ALIASES])
    return tuple(by_answer.values())


def write_import(
    found: Iterable[ImportedArticle], folder: Path, *, section: str = "", status: str = "draft"
) -> ImportResult:
    """Write each article to a file of its own in *folder*; a file that is there stays as it is.

    Nothing leaves the folder.
    """
    written: list[Path] = []
    skipped: list[Path] = []
    root = folder.resolve()
    taken: set[Path] = set()
    for article in found:
        place = _place(article, section)
        target = (root / place).resolve()
        number = 2
        while target in taken:  # two articles of this import with one title
            target = (root / f"{place.removesuffix('.md')}-{number}.md").resolve()
            number += 1
        if not target.is_relative_to(root):
            raise ConfigError([problem("articles.import.outside", article.source, place=place)])
        taken.add(target)
        if target.exists():
            skipped.append(target)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        head = ArticleHead(
            title=article.title,
            aliases=article.aliases[:ALIASES],
            lang=article.lang,
            topic=article.topic,
            tags=article.tags,
            status=article.status or status,
        )
        text = article_text(head, article.body)
        target.write_text(text, encoding="utf-8")
        for name, content in article.pictures.items():
            (target.parent / name).parent.mkdir(exist_ok=True)
            (target.parent / name).write_bytes(content)
        written.append(target)
    return ImportResult(tuple(written), tuple(skipped))


def _place(article: ImportedArticle, section: str) -> str:
    if article.id:
        parts = [_safe(p) for p in PurePosixPath(article.id.replace("\\", "/")).parts]
        name = "/".join(p for p in parts if p)
        if name:
            return f"{name}.md"
    parts = [
        slug_of(p)
        for p in PurePosixPath((section or article.section).replace("\\", "/")).parts
        if p.strip("./ ")
    ]
    suffix = ".en" if article.lang == "en" else ""
    return "/".join((*parts, f"{slug_of(article.title)}{suffix}.md"))


def _safe(part: str) -> str:
    return re.sub(r"[^\w.-]+", "-", part).strip(".-_")
