"""The report for other programs: JSON, a spreadsheet, and CSV that a Russian Excel opens at once."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

import xlsxwriter

from bot.reports.metrics import COUNTS
from bot.reports.report import Report
from bot.reports.slices import BEFORE
from bot.reports.tables import Cell
from bot.reports.texts import UNITS, ReportTexts, row_name

_BOM = "\ufeff"
_RISKY = ("=", "+", "-", "@", "\t", "\r")  # a cell beginning so is a formula to a spreadsheet


def to_json(report: Report) -> dict[str, object]:
    """Everything by its names; numbers as they are, times in seconds. A stable contract: fields may join."""
    saying = ReportTexts("en")
    return {
        "from": report.period.first.isoformat(),
        "to": report.period.last.isoformat(),
        "zone": str(report.period.zone),
        "made": report.made.isoformat(),
        "demo": report.demo,
        "figures": {
            key: {
                "value": f.value,
                "before": report.before[key].value,
                "n": f.n,
                "unit": UNITS[key],
                "parts": dict(f.parts),
                "means": saying.definition(key, report),
            }
            for key, f in report.figures.items()
        },
        "tables": {
            t.key: [{"key": r.key, "name": r.name, **r.cells} for r in t.rows] for t in report.tables.values()
        },
        "tables_mean": {t.key: saying.word(f"tables.{t.key}.text") for t in report.tables.values()},
    }


def to_csv(report: Report, saying: ReportTexts) -> bytes:
    """All figures and tables below one another, separated by `;`, with a byte-order mark."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    for title, rows in _sheets(report, saying):
        writer.writerow([title])
        for row in rows:
            writer.writerow([_csv_cell(c, saying) for c in row])
        writer.writerow([])
    return (_BOM + out.getvalue()).encode("utf-8")


def table_csv(rows: Sequence[Sequence[Cell]], saying: ReportTexts) -> bytes:
    """One table, its titles in the first row, as `to_csv` writes it."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerows([_csv_cell(c, saying) for c in row] for row in rows)
    return (_BOM + out.getvalue()).encode("utf-8")


def to_xlsx(report: Report, saying: ReportTexts) -> bytes:
    """A workbook with a sheet of figures and one for each table; numbers stay numbers."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    bold, wrapped = (
        book.add_format({"bold": True, "bottom": 1}),
        book.add_format({"text_wrap": True, "valign": "top"}),
    )
    for title, rows in _sheets(report, saying):
        sheet = book.add_worksheet(title[:31])
        width = 14
        for y, row in enumerate(rows):
            for x, cell in enumerate(row):
                if cell is not None:
                    sheet.write(y, x, cell, bold if y == 0 else wrapped)
            width = max(width, min(46, len(str(row[0] or "")) + 2))
        sheet.set_column(0, 0, width)
        sheet.set_column(1, 12, 14)
        sheet.freeze_panes(1, 1)
    book.close()
    return out.getvalue()


def _sheets(report: Report, saying: ReportTexts) -> Iterator[tuple[str, list[list[Cell]]]]:
    head: list[Cell] = [str(saying.word(k)) for k in ("figure", "value", "before")]
    rows: list[list[Cell]] = [[*head, "n", str(saying.word("meaning"))]]
    for key in (c.__name__ for c in COUNTS):
        figure = report.figures[key]
        name = f"{saying.short(key)} · {saying.name(key)}"
        rows.append(
            [
                name,
                _rounded(figure.value),
                _rounded(report.before[key].value),
                float(figure.n),
                saying.definition(key, report),
            ]
        )
        rows += [
            [f"    {saying.word(f'parts.{part}')}", _rounded(value), None, None, None]
            for part, value in figure.parts.items()
        ]
    first, last = report.period.first, report.period.last
    yield f"{saying.word('report')} {first:%d.%m}-{last:%d.%m.%Y}", rows
    for table in report.tables.values():
        words = f"tables.{table.key}"
        done: list[list[Cell]] = [
            [
                str(saying.word(f"{words}.first")),
                *(str(saying.word(f"{words}.columns.{c}")) for c in table.columns),
                *(
                    f"{saying.word(f'{words}.columns.{c}')} ({saying.word('earlier')})"
                    for c in table.compared
                ),
            ]
        ]
        done += [
            [
                row_name(report, table.key, r.key, r.name, saying),
                *(_rounded(r.cells[c]) for c in table.columns),
                *(_rounded(r.cells[f"{BEFORE}{c}"]) for c in table.compared),
            ]
            for r in table.rows
        ]
        done += [[None], [str(saying.word(f"{words}.text"))]]
        yield str(saying.word(f"{words}.name")), done


def _rounded(value: Cell) -> Cell:
    return round(value, 4) if isinstance(value, float) else value


def _csv_cell(cell: Cell, saying: ReportTexts) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(_RISKY) else cell
    text = f"{cell:.4f}".rstrip("0").rstrip(".") if isinstance(cell, float) else str(cell)
    return text.replace(".", ",") if saying.lang == "ru" else text
