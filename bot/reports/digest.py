"""The week in a few lines, for the operators' group."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.model import RichText, Span, Style
from bot.reports.canned_answers import MARK, mechanical
from bot.reports.report import Report
from bot.reports.texts import ReportTexts, row_name

LINES = ("conversations", "containment", "nst", "ntb", "afrt", "mttr", "csi", "service_level", "returns")
HOUR = time(9)


def digest(report: Report, saying: ReportTexts) -> RichText:
    """The figures of the period, each beside the one before, and the three most frequent reasons."""
    first, last = report.period.first, report.period.last
    title = str(saying.word("digest.title")).format(first=f"{first:%d.%m}", last=f"{last:%d.%m}")
    lines = [title, ""]
    for key in LINES:
        figure, before = report.figures[key], report.before[key]
        delta = (
            str(saying.word("digest.delta")).format(before=saying.value(key, before.value))
            if before.value is not None
            else ""
        )
        lines.append(
            str(saying.word("digest.line")).format(
                name=saying.name(key), value=saying.value(key, figure.value), delta=delta
            )
        )
    if reasons := report.tables["reasons"].rows[:3]:
        named = ", ".join(
            f"{row_name(report, 'reasons', r.key, r.name, saying)} —"
            f" {saying.value('nst', r.cells['tickets'])}"
            for r in reasons
        )
        lines += ["", f"{saying.word('tables.reasons.name')}: {named}"]
    if copied := mechanical(report.tables["ready"]):
        named = ", ".join(
            f"«{r.name.removeprefix(MARK)}» ({saying.value('sent', r.cells['sent'])})" for r in copied[:3]
        )
        lines += ["", str(saying.word("digest.mechanical")).format(named=named)]
    lines += ["", str(saying.word("digest.link"))]
    return RichText("\n".join(lines), (Span(Style.BOLD, 0, len(title)),))


def next_digest(now: datetime, zone: ZoneInfo) -> datetime:
    """The coming Monday morning, local time; the moment itself is not coming any more."""
    local = now.astimezone(zone)
    monday = local.date() - timedelta(days=local.weekday())
    at = datetime.combine(monday, HOUR, zone)
    return at if at > local else datetime.combine(monday + timedelta(days=7), HOUR, zone)
