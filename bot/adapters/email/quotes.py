"""What of a letter is its author's own: quoted letters, signatures and the marks of phones are cut off.

Russian and English, as Outlook, Gmail, Yandex, Mail.ru, Apple Mail and Thunderbird write them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LINES = 3_000  # that are looked at
LOOKED = 60  # lines before a colon that may announce a quote: more of them are a list
_ADDRESS = r"<?[^\s<>@]+@[^\s<>@]+>?"
_DAY = (
    r"(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}-\d{2}-\d{2}"
    r"|\d{1,2}\.? [^\W\d]{3,9}\.?,? \d{4}|[^\W\d]{3,9}\.? \d{1,2},? \d{4})"
)
# "On … wrote:", «… написал(а):», «Пятница, 5 июня 2026, 12:00 +03:00 от Анна <a@b.ru>:»
_WROTE = re.compile(
    rf"(?:^On\b.{{6,300}}\bwrote:$)"
    rf"|(?:{_DAY}.{{0,200}}\b(?:wrote|writes|написал|написала|написал\(а\)|писал|писала|писал\(а\)|пишет)\s?:$)"
    rf"|(?:{_DAY}.{{0,80}}\d{{1,2}}:\d{{2}}.{{0,200}}{_ADDRESS}\s?>?\s?:$)"
    rf"|(?:{_DAY}.{{0,80}}\d{{1,2}}:\d{{2}}.{{0,60}} (?:от|from) .{{1,200}}:$)",
    re.IGNORECASE,
)
_SAID = re.compile(r"\b(?:написал|написала|написал\(а\)|пишет|писал\(а\)|wrote)\s?:$", re.IGNORECASE)
_BEGINS = re.compile(rf"^On\b|{_DAY}", re.IGNORECASE)
_ORIGINAL = re.compile(
    r"^[-_=*\s]{2,}(?:original message|original appointment|исходное сообщение|исходное письмо"
    r"|первоначальное сообщение|оригинальное сообщение|reply message|ответ на сообщение)[-_=*\s]{2,}$",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"^[-_=*\s]{2,}(?:forwarded message|пересылаемое сообщение|пересланное сообщение|пересылаемое письмо)"
    r"[-_=*\s]{0,}$|^(?:begin forwarded message|начало переадресованного сообщения|начало пересылаемого"
    r" сообщения)\s?:$",
    re.IGNORECASE,
)
_FROM = re.compile(r"^\*?(?:from|от|от кого|отправитель)\*?\s?:\*?\s?(?P<who>.{1,300})$", re.IGNORECASE)
_MORE = re.compile(r"^\*?(?:sent|date|to|cc|subject|отправлено|дата|кому|копия|тема)\*?\s?:", re.IGNORECASE)
_RULER = re.compile(r"^[_\-=*]{8,}$")
_DASHES = re.compile(r"^(?:-- ?|—|--+)$")
_PHONE = re.compile(
    r"^(?:sent (?:from|via|with) (?:my |mail|yahoo|outlook|proton|samsung|the |an? )"
    r"|get outlook for |отправлено (?:с|из|через) |получите outlook для |послано с |с iphone$)",
    re.IGNORECASE,
)
_REGARDS = re.compile(
    r"^(?:с (?:наилучшими )?(?:уважением|пожеланиями)|с наилучшими|всего (?:доброго|хорошего)"
    r"|(?:best|kind|warm) (?:regards|wishes)|regards|sincerely|yours (?:sincerely|truly|faithfully)|cheers)"
    r"\b[\s,.!—-]*.{0,60}$",
    re.IGNORECASE,
)
_SIGNED_BY = 10  # lines of a signature at most


@dataclass(frozen=True, slots=True)
class WrittenWords:
    """*text* is what was written now; *forwarded* somebody else's words that were passed on, by *author*."""

    text: str
    forwarded: str = ""
    author: str = ""


def own_words(text: str, *, passed_on: bool = False) -> WrittenWords:
    """The part of a letter that its author wrote. *passed_on*: the subject says that it was forwarded.

    >>> own_words("Да\\n\\n5 июня 2026 г., 12:00, Клевер <help@shop.ru> написал(а):\\n> Подойдёт?").text
    'Да'
    """
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")][:LINES]
    kept: list[str] = []
    forwarded: list[str] = []
    author, at, quoted, looked = "", 0, False, 0
    while at < len(lines):
        line = _bare(lines[at])
        if not quoted and _FORWARDED.match(line.lstrip("> ")):  # HTML shows it as a quote
            author, forwarded = _passed_on(lines[at:])
            break
        if _is_quoted(lines[at]):
            quoted = True
            at += 1
        elif _FORWARDED.match(line) or (passed_on and _begins_letter(lines, at)):
            author, forwarded = _passed_on(lines[at:])
            break
        elif line and looked < LOOKED and (width := _announces_quote(lines, at)):
            if not _quoted_follows(lines, at + width):
                break  # whatever follows is the letter that is answered
            at += width
        elif _ORIGINAL.match(line) or _begins_letter(lines, at):
            break
        else:
            looked += any(_bare(near).endswith(":") for near in lines[at : at + 3])
            kept.append(lines[at])
            at += 1
    return WrittenWords(_without_signature(kept), "\n".join(forwarded).strip(), author)


def _bare(line: str) -> str:
    return line.replace("\xa0", " ").replace("\u200b", "").strip()


def _is_quoted(line: str) -> bool:
    return line.lstrip("\xa0 ").startswith((">", "|"))


def _announces_quote(lines: list[str], at: int) -> int:
    """How many lines "On … wrote:" takes from here; 0 where it is none. Programs break it in up to three.

    What only might be one («подруга написала:») is one where quoted lines follow.
    """
    said = ""
    for width in (1, 2, 3):
        part = _bare(lines[at + width - 1]) if at + width <= len(lines) else ""
        if not part or _is_quoted(part) or (width > 1 and not _BEGINS.search(said)):
            return 0
        said = f"{said} {part}".strip()
        if len(said) > 400:
            return 0
        if said.endswith(":") and (
            _WROTE.search(said) or (_SAID.search(said) and _quoted_follows(lines, at + width))
        ):
            return width
    return 0


def _quoted_follows(lines: list[str], at: int) -> bool:
    for line in lines[at : at + 3]:
        if _bare(line):
            return _is_quoted(line)
    return False


def _begins_letter(lines: list[str], at: int) -> bool:
    """Whether the headers of a letter stand here, as Outlook puts them above what is answered."""
    if _RULER.match(_bare(lines[at])) and at + 1 < len(lines):
        at += 1  # one alone: of many each would look at all the others
    if not _FROM.match(_bare(lines[at])):
        return False
    following = [_bare(line) for line in lines[at + 1 : at + 6]]
    return sum(bool(_MORE.match(line)) for line in following) >= 2


def _passed_on(lines: list[str]) -> tuple[str, list[str]]:
    """Who wrote what was forwarded, and the words below its headers."""
    author, body, headers = "", list[str](), True
    for line in lines:
        bare = _bare(line).lstrip("> ")
        if headers and (found := _FROM.match(bare)):
            author = found["who"].strip()
        elif headers and (not bare or _MORE.match(bare) or _FORWARDED.match(bare) or _RULER.match(bare)):
            continue
        elif not _FORWARDED.match(bare):
            headers = False
            body.append(bare)
    return author, body


def _without_signature(lines: list[str]) -> str:
    while lines and not _bare(lines[-1]):
        lines = lines[:-1]
    for at, line in enumerate(lines):
        if _DASHES.match(line.strip("\xa0\t\r") if line != "-- " else line) and 0 < len(lines) - at <= 15:
            if any("?" in below for below in lines[at:]):
                continue  # who asks something is not signing yet
            lines = lines[:at]
            break
    while lines and (not _bare(lines[-1]) or _PHONE.match(_bare(lines[-1]).lstrip("-—–_* "))):
        lines = lines[:-1]
    for at in range(max(1, len(lines) - _SIGNED_BY), len(lines)):
        if _REGARDS.match(_bare(lines[at])) and any(_bare(line) for line in lines[:at]):
            lines = lines[:at]
            break
    return "\n".join(lines).strip()
