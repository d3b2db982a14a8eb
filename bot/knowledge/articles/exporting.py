"""Writes the whole base as one table, in a form that `importing` reads back."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path

from bot.errors import ConfigError
from bot.knowledge.articles.frontmatter import split_head
from bot.knowledge.articles.importing import ImportUnavailable
from bot.knowledge.articles.schema import Article
from bot.text.problems import problem

COLUMNS = (
    "id",
    "title",
    "aliases",
    "body",
    "section",
    "topic",
    "tags",
    "lang",
    "status",
    "owner",
    "valid_until",
    "twin_of",
)
FORMATS = (".csv", ".xlsx", ".jsonl")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LONGEST = 32_767  # characters of a cell


def rows_of(articles: Sequence[Article]) -> list[dict[str, object]]:
    """One row for each article; the body as it is written in the file."""
    return [
        {
            "id": a.id,
            "title": a.title,
            "aliases": list(a.aliases),
            "body": _body(a),
            "section": a.section,
            "topic": a.topic,
            "tags": list(a.tags),
            "lang": a.lang,
            "status": a.status,
            "owner": a.owner,
            "valid_until": a.valid_until.isoformat() if a.valid_until else "",
            "twin_of": a.twin_of,
        }
        for a in articles
    ]


def _body(article: Article) -> str:
    try:
        return split_head(article.path.read_text("utf-8-sig").replace("\r\n", "\n"))[1].strip()
    except (OSError, ValueError, UnicodeDecodeError):
        return article.body


def export(articles: Sequence[Article], path: Path) -> int:
    """Write them to *path* (.csv, .xlsx or .jsonl) and return how many.

    Raises ConfigError, ImportUnavailable.
    """
    rows = rows_of(articles)
    path.parent.mkdir(parents=True, exist_ok=True)
    match path.suffix.lower():
        case ".jsonl":
            path.write_text(
                "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8"
            )
        case ".csv":
            out = io.StringIO(newline="")
            writer = csv.writer(out)
            writer.writerow(COLUMNS)
            writer.writerows([_harmless(_flat(row[c])) for c in COLUMNS] for row in rows)
            path.write_text(out.getvalue(), encoding="utf-8-sig", newline="")
        case ".xlsx":
            _write_xlsx(rows, path)
        case _:
            raise ConfigError(
                [problem("articles.form", path.as_posix(), form=path.suffix, known=", ".join(FORMATS))]
            )
    return len(rows)


def _flat(value: object) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet reads as a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _write_xlsx(rows: Sequence[dict[str, object]], path: Path) -> None:
    try:
        from openpyxl import Workbook
        from openpyxl.cell import WriteOnlyCell
    except ImportError:
        raise ImportUnavailable(".xlsx", "openpyxl") from None
    book = Workbook(write_only=True)
    sheet = book.create_sheet("articles")
    sheet.freeze_panes = "A2"
    for column, width in (("A", 30), ("B", 34), ("C", 44), ("D", 80)):
        sheet.column_dimensions[column].width = width
    sheet.append(list(COLUMNS))
    for row in rows:
        cells = []
        for column in COLUMNS:
            cell = WriteOnlyCell(sheet, value=_FORBIDDEN.sub("", _flat(row[column]))[:_LONGEST])
            cell.data_type = "s"  # never a formula
            cells.append(cell)
        sheet.append(cells)
    book.save(path)
