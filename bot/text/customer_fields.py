"""What other systems tell of a customer: names and values that may be kept, one form for a phone and an
e-mail, and a table read.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.errors import ConfigError, Problem
from bot.text.phones import phone
from bot.text.pii import EMAIL
from bot.text.problems import problem, told

MOST = 50  # attributes of one customer
LONGEST = 500  # characters of a value
CONTACTS = ("phone", "email")
NEWS, OFF = "news", "off"  # own mark: they do not want to be written to first
CONSENT, CONSENT_AT, CONSENT_CHANNEL = "_consent", "_consent_at", "_consent_channel"  # own marks: a yes
NAME = r"[a-zа-яё][a-zа-яё0-9_-]{0,39}"
OWN = r"[a-zа-яё0-9_-]+_(asked|scored)|news|_.*"
PHONE = r"\+?[0-9]([ ().\-–]*[0-9]){10,14}"  # one that is surely taken; others are, too
_NAME, _OWN = (
    re.compile(NAME),
    re.compile(OWN),
)  # marks of the bot itself among a customer's fields: surveys, and whether they want broadcasts
_PHONE_LIKE = re.compile(r"\+?\d(?:[\s().\-–]*\d){9,14}")
_ADDRESS = ("channel", "id")


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One line of a table: who (`channel` and `chat`, or contacts among the values) and what is told of them;
    "" takes a value away.
    """

    line: int
    values: Mapping[str, str]
    channel: str = ""
    chat: str = ""
    contacts: Mapping[str, str] = field(default_factory=dict)


def shown(fields: Mapping[str, object]) -> dict[str, object]:
    """The attributes among a customer's fields that people look at: no contacts, none of the bot's own marks,
    nothing empty.
    """
    return {
        k: v
        for k, v in fields.items()
        if not is_own(k) and k not in (*CONTACTS, "order") and v not in ("", None)
    }


def consent_of(fields: Mapping[str, object]) -> tuple[str, str, str] | None:
    """To which version they agreed that their contacts are kept, when (ISO), and on which channel; None where
    they did not, or took it back.
    """
    version = str(fields.get(CONSENT) or "")
    if not version:
        return None
    return version, str(fields.get(CONSENT_AT) or ""), str(fields.get(CONSENT_CHANNEL) or "")


def is_own(name: str) -> bool:
    """Whether the bot itself keeps something under this name."""
    return _OWN.fullmatch(name) is not None


def fault(name: str, value: object) -> str:
    """What is wrong with an attribute, in a few words; "" = nothing."""
    if not _NAME.fullmatch(name):
        return told("customers.name")
    if is_own(name):
        return told("customers.own")
    if value is not None and not isinstance(value, (str, int, float, bool)):
        return told("customers.kind")
    if isinstance(value, float) and not math.isfinite(value):
        return told("customers.finite")
    if isinstance(value, str) and len(value) > LONGEST:
        return told("customers.long", most=LONGEST)
    if value and name in CONTACTS and normal(name, str(value)) is None:
        return told(f"customers.no_{name}")
    return ""


def normal(name: str, value: str) -> str | None:
    """The value as it is compared and kept: phones and e-mails have one form. None where it is none."""
    text = value.strip()
    if name == "phone":
        return phone(text)
    if name == "email":
        found = EMAIL.fullmatch(text)
        return found[0].lower() if found else None
    return text


def written(text: str) -> dict[str, set[str]]:
    """Every phone and e-mail that may stand in words, in the form in which they are compared."""
    phones = (phone(found[0]) for found in _PHONE_LIKE.finditer(text))
    emails = (normal("email", found[0]) for found in EMAIL.finditer(text))
    return {"phone": {p for p in phones if p}, "email": {e for e in emails if e}}


def read_table(content: bytes, file: str) -> tuple[CustomerRow, ...]:
    """The rows of a CSV file: a header of `channel`, `id`, `phone`, `email` and attributes, then a customer a
    line.

    Commas, semicolons and tabs part the columns; UTF-8 and Windows-1251 are read. Raises `ConfigError` with
    every fault, each with its line.
    """
    reader = csv.reader(io.StringIO(_text(content), newline=""), delimiter=_delimiter(content), strict=True)
    problems: list[Problem] = []
    rows: list[CustomerRow] = []
    header: Sequence[str] = ()
    try:
        header = [cell.strip().casefold() for cell in next(reader, [])]
        problems += _faults_of_header(header, file)
        if not problems:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    row, wrong = _row(header, [c.strip() for c in cells], reader.line_num)
                    rows.append(row)
                    problems += [replace(p, file=file, line=reader.line_num) for p in wrong]
    except csv.Error:
        problems.append(problem("customers.table", file, reader.line_num))
    if problems:
        raise ConfigError(problems)
    return tuple(rows)


def _faults_of_header(header: Sequence[str], file: str) -> Iterator[Problem]:
    if not any(header):
        yield problem("customers.empty", file, 1)
        return
    for name in sorted({n for n in header if header.count(n) > 1}):
        yield problem("customers.twice", file, 1, name=name)
    for name in header:
        if name not in _ADDRESS and (wrong := fault(name, None)):
            yield problem("customers.column", file, 1, name=name, why=wrong)
    if not ({"channel", "id"} <= set(header) or set(CONTACTS) & set(header)):
        yield problem("customers.nobody", file, 1)
    if not set(header) - {*_ADDRESS}:
        yield problem("customers.nothing", file, 1)


def _row(header: Sequence[str], cells: Sequence[str], line: int) -> tuple[CustomerRow, list[Problem]]:
    if len(cells) != len(header):
        return CustomerRow(line, {}), [problem("customers.cells", given=len(cells), wanted=len(header))]
    given = dict(zip(header, cells, strict=True))
    channel, chat = given.pop("channel", ""), given.pop("id", "")
    wrong = [
        problem("customers.value", name=name, why=why)
        for name, value in given.items()
        if (why := fault(name, value))
    ]
    if wrong:
        return CustomerRow(line, {}), wrong
    contacts = {name: found for name in CONTACTS if (found := normal(name, given.get(name, "")))}
    values = {**{name: value for name, value in given.items() if name not in CONTACTS}, **contacts}
    if bool(channel) != bool(chat):
        wrong.append(problem("customers.half"))
    elif not channel and not contacts:
        wrong.append(problem("customers.row_of_nobody"))
    return CustomerRow(line, values, channel, chat, contacts), wrong


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1251", errors="replace")


def _delimiter(content: bytes) -> str:
    first = content.partition(b"\n")[0]
    return max(",;\t", key=lambda sign: first.count(sign.encode()))
