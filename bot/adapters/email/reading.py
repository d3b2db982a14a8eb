"""A letter that came, read: who wrote it, their own words, its files. Whatever it is made of, it is read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any, Literal

from bot.adapters.email.authentication import is_doubtful
from bot.adapters.email.automatic_letters import Automatic, automatic, is_no_reply
from bot.adapters.email.html_text import LONGEST, MARK, html_text
from bot.adapters.email.parsing import IntricateLetterError, parsed
from bot.adapters.email.quotes import own_words
from bot.adapters.sanitize import clean_file_name, clean_text
from bot.model import Attachment, Media
from bot.text.graphemes import shorten

WORDS = 20_000  # characters of a letter that are handed on
FILES = 30  # of a letter that are handed on
HEAD = 100_000  # bytes of a letter's headers that are looked at
DEEPEST = 30  # parts within parts
ORIGINAL = "eml"  # in place of a part's number: the letter itself
_REPLIES = re.compile(r"^\s*(?:(?:re|ответ|отв|на|aw|sv|ha)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)
_PASSED_ON = re.compile(r"^\s*(?:fwd?|пересл|пер|wg|fw)\s*:\s*", re.IGNORECASE)
_ID = re.compile(r"<[^<>\s]{1,300}>")
_PICTURE = re.compile(f"{MARK}([^{MARK}]*){MARK}")
_BARE = re.compile(r"[^\s@<>\"',;:()\[\]\\]+@[^\s@<>\"',;:()\[\]\\]+")
_SUBJECT = 200
_NO_CHARSETS = frozenset(  # what nobody writes letters in; some of them take time without limit
    {"us-ascii", "ascii", "unknown-8bit", "idna", "punycode", "undefined"}
    | {"unicode_escape", "unicode-escape", "raw_unicode_escape", "raw-unicode-escape"}
)
_MEDIA = {"image": Media.PHOTO, "audio": Media.AUDIO, "video": Media.VIDEO}


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Whose mailbox is read: its address, and whose findings about senders are believed."""

    address: str
    trusted: str = ""


@dataclass(frozen=True, slots=True)
class Bounce:
    """A letter of ours that did not arrive: to whom, for good or for now, and what the server said.

    *letters* are all the Message-IDs that the report names.
    """

    recipients: tuple[str, ...]
    final: bool
    reason: str
    letters: str


@dataclass(frozen=True, slots=True)
class ReadLetter:
    """What is known of a letter. *problem*: it could not be read, and is handed on as it came."""

    key: str
    author: str = ""
    name: str = ""
    subject: str = ""
    at: datetime | None = None
    message_id: str = ""
    references: tuple[str, ...] = ()
    answers: str = ""  # every id that the letter names as answered
    text: str = ""
    forwarded: str = ""
    forwarded_by: str = ""
    files: tuple[Attachment, ...] = ()
    automatic: Automatic = ""
    doubtful: bool = False
    bounce: Bounce | None = None
    problem: Literal["", "unreadable", "too_big"] = ""
    begins: bool = True  # a thread of its own


@dataclass(slots=True)
class _Contents:
    plain: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    files: list[tuple[int, Message, str]] = field(default_factory=list)  # number, part, its Content-ID
    space: int = 2 * LONGEST  # for more characters of text


def read_letter(raw: bytes, box: Mailbox, *, whole: bool = True) -> ReadLetter:
    """Never raises. Not *whole*: only the beginning of a letter that is too big is there."""
    try:
        return _read(raw, box, whole=whole)
    except Exception:  # noqa: BLE001 - law: a letter is never lost, whatever it is made of
        return _unreadable(raw, box)


def part_of(raw: bytes, number: str) -> tuple[bytes, str, str]:
    """Content, name and type of a part, by the number that `read_letter` gave it; of the letter itself.

    Raises `LookupError` where there is none.
    """
    if number == ORIGINAL:
        return raw, "letter.eml", "message/rfc822"
    try:
        letter = parsed(raw)
    except IntricateLetterError:
        raise LookupError(number) from None
    for at, part in _leaves(letter):
        if str(at) == number:
            return _content(part), _file_name(part, at), part.get_content_type()
    raise LookupError(number)


def base_subject(subject: str) -> str:
    """A subject without the marks of answers.

    >>> base_subject("Re: Отв: RE[2]: Заказ 17")
    'Заказ 17'
    """
    return _REPLIES.sub("", subject).strip()


def _read(raw: bytes, box: Mailbox, *, whole: bool) -> ReadLetter:
    letter = parsed(raw)

    def header(name: str) -> str:
        return _header(letter, name)

    author, name = _author(letter, box)
    message_id = (_ID.findall(header("Message-ID")) or [""])[0]
    answered = f"{header('In-Reply-To')} {header('References')}"
    references = tuple(dict.fromkeys(_ID.findall(f"{header('References')} {header('In-Reply-To')}")))
    why = automatic(header, author=_first_address(letter, "From"), own=box.address)
    if why == "own" and author != box.address and not header("X-Loop"):
        why = ""  # a form of the business's own site, written for whom it names in Reply-To
    if why == "no_reply" and author and not is_no_reply(author):
        why = ""
    contents = _contents(letter)
    subject = one_line(header("Subject"))[:_SUBJECT]
    text, forwarded, by, shown = _words(contents, subject)
    begins = not references and not _REPLIES.match(subject)
    return ReadLetter(
        key_of(letter, raw),
        author,
        name,
        subject,
        _moment(header("Date")),
        message_id,
        references[-40:],
        answered,
        _with_subject(text, subject) if begins else text,
        forwarded,
        by,
        _files(contents, shown) if whole else (),
        why if author else "no_reply",
        is_doubtful(_raw_headers(letter, "Authentication-Results"), trusted=box.trusted, author=author)
        or author != _first_address(letter, "From"),
        _bounce(letter) if why == "bounce" else None,
        "" if whole else "too_big",
        begins,
    )


def _unreadable(raw: bytes, box: Mailbox) -> ReadLetter:
    """Of a letter whose body breaks its reader what its head tells; else from whom it seems to be."""
    key = hashlib.sha256(raw).hexdigest()[:32]
    head = _head(raw)
    try:
        found = _read(head + b"\r\n\r\n", box, whole=True)
        return replace(found, key=key, text="", files=(), problem="unreadable")
    except Exception:  # noqa: BLE001 - the same law, for heads
        named = re.search(rb"^from:(.{0,500})", head, re.IGNORECASE | re.MULTILINE)
        addresses = _BARE.findall(named[1].decode("ascii", "replace")) if named else []
        author = addresses[-1].lower() if addresses else ""
        why: Automatic = "no_reply" if not author or is_no_reply(author) else ""
        return ReadLetter(
            key,
            author,
            automatic="own" if author == box.address else why,
            doubtful=True,
            problem="unreadable",
        )


def _head(raw: bytes) -> bytes:
    """The headers, without whatever says how to take the body apart."""
    head = re.split(rb"\r?\n\r?\n", raw[:HEAD], maxsplit=1)[0]
    return re.sub(rb"(?im)^content-(type|transfer-encoding)(?=\s*:)", b"X-Was-\\1", head)


def key_of(letter: Message, raw: bytes) -> str:
    """The same letter has the same key, also in another folder or when it came by two ways."""
    _, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    named = "\n".join(str(letter.get(n, "")) for n in ("Message-ID", "From", "Date", "Subject"))
    return hashlib.sha256(named.encode("utf-8", "replace") + b"\n\n" + body).hexdigest()[:32]


# --- headers


def one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in clean_text(text)).split())


def _raw_headers(letter: Message, name: str) -> list[str]:
    return [str(value) for value in letter.get_all(name, [])]


def _header(letter: Message, name: str) -> str:
    """The decoded value; of several the first."""
    value = next(iter(letter.get_all(name, [])), "")
    return _decoded(value)


def _decoded(value: Any) -> str:
    try:
        parts = decode_header(value)
    except Exception:  # noqa: BLE001 - a header may be anything
        return clean_text(str(value))
    return clean_text("".join(p if isinstance(p, str) else _text(p, charset or "") for p, charset in parts))


def _first_address(letter: Message, name: str) -> str:
    return _addresses(letter, name)[0][1]


def _addresses(letter: Message, name: str) -> list[tuple[str, str]]:
    """Names and addresses of a header; one empty pair where there are none."""
    first = next(iter(letter.get_all(name, [])), "")
    value = (
        first if isinstance(first, str) else _decoded(first)
    )  # bytes of no encoding: of old forms, or RFC 6532
    found = []
    for person, address in getaddresses([value]):
        if _BARE.fullmatch(address.strip()):
            found.append((one_line(_decoded(person)), _domain_lower(address.strip())))
    if not found and (bare := _BARE.findall(_decoded(value))):
        found = [("", _domain_lower(bare[0]))]
    return found or [("", "")]


def _domain_lower(address: str) -> str:
    return clean_text(address).lower()


def _author(letter: Message, box: Mailbox) -> tuple[str, str]:
    """Who is answered: whoever wrote it; of a form of the site whom it names in Reply-To."""
    name, address = _addresses(letter, "From")[0]
    if address == box.address or is_no_reply(address):
        reply_name, reply = _addresses(letter, "Reply-To")[0]
        if reply and reply != box.address and not is_no_reply(reply):
            return reply, reply_name
    return address, name


def written_at(raw: bytes) -> datetime | None:
    """When a letter says that it was written. Never raises."""
    try:
        return _moment(_header(parsed(_head(raw)), "Date"))
    except Exception:  # noqa: BLE001 - a head may be anything
        return None


def _moment(date: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(date)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


# --- contents


def _leaves(letter: Message) -> Iterator[tuple[int, Message]]:
    """Every part that holds something, numbered; letters inside are one part each."""
    stack: list[tuple[Message, int]] = [(letter, 0)]
    number = 0
    while stack:
        part, depth = stack.pop()
        inside = part.get_payload() if part.get_content_maintype() == "multipart" else None
        if isinstance(inside, list) and depth < DEEPEST:
            stack.extend((p, depth + 1) for p in reversed(inside) if isinstance(p, Message))
            continue
        number += 1
        yield number, part


def _contents(letter: Message) -> _Contents:
    found = _Contents()
    for number, part in _leaves(letter):
        kind, cid = part.get_content_type(), str(part.get("Content-ID") or "").strip("<> \r\n")
        attached = part.get_content_disposition() == "attachment" or _own_name(part)
        if kind == "text/plain" and not attached:
            found.plain.append(_said(part, found.space))
            found.space -= len(found.plain[-1])
        elif kind == "text/html" and not attached:
            found.html.append(_said(part, found.space))
            found.space -= len(found.html[-1])
        elif kind not in ("message/delivery-status", "text/rfc822-headers", "application/pgp-encrypted"):
            found.files.append((number, part, cid))
    return found


def _said(part: Message, space: int) -> str:
    """The text of a part, as far as there is *space* for it."""
    return _text(_content(part), str(part.get_content_charset() or ""))[:space] if space else ""


def _content(part: Message) -> bytes:
    """The bytes of a part; of a letter inside the whole letter."""
    if part.get_content_maintype() in ("message", "multipart"):
        payload = part.get_payload()
        if isinstance(payload, list):
            return b"\n".join(p.as_bytes() if isinstance(p, Message) else b"" for p in payload)
    decoded = part.get_payload(decode=True)
    return decoded if isinstance(decoded, bytes) else b""


def _text(content: bytes, charset: str) -> str:
    """Bytes as the letter says they are written, else as they look."""
    for known in (charset.strip().lower().replace("cp-", "cp"), "utf-8"):
        try:
            if known and known not in _NO_CHARSETS:
                return content.decode(known)
        except (LookupError, ValueError):
            continue
    return _guessed(content)


def _guessed(content: bytes) -> str:
    """Russian letters in the encodings of old programs: the one in which most letters are small."""

    def likeness(encoding: str) -> int:
        text = content[:5000].decode(encoding, "replace")
        return sum("а" <= c <= "я" for c in text) - 2 * sum("А" <= c <= "Я" for c in text)

    best = max(("windows-1251", "koi8-r", "cp866"), key=likeness)
    return content.decode(best if likeness(best) > 0 else "utf-8", "replace")


def _words(contents: _Contents, subject: str) -> tuple[str, str, str, frozenset[str]]:
    """Own words, what was forwarded and by whom, and which pictures stand in the words."""
    passed_on = bool(_PASSED_ON.match(subject))
    seen = [own_words(html_text(html), passed_on=passed_on) for html in contents.html]
    shown = frozenset(cid for own in seen for cid in _PICTURE.findall(f"{own.text}\n{own.forwarded}"))
    plain = [own_words(text, passed_on=passed_on) for text in contents.plain]
    if not any(own.text or own.forwarded for own in plain):
        plain = seen
    text = "\n\n".join(own.text for own in plain if own.text)
    forwarded = "\n\n".join(own.forwarded for own in plain if own.forwarded)
    author = next((own.author for own in plain if own.author), "")
    return _shortened(text), _shortened(forwarded), one_line(author)[:200], shown


def _shortened(text: str) -> str:
    return shorten(clean_text(_PICTURE.sub("", text)).strip(), WORDS)


def _with_subject(text: str, subject: str) -> str:
    """A new letter's subject says what it is about, unless its words do already."""
    bare = _PASSED_ON.sub("", subject).strip()
    said = bare.casefold().rstrip(".!?… ")
    if not said or said in text.casefold() or said in _EMPTY:
        return text
    return f"{bare}\n{text}" if text else bare


_EMPTY = frozenset(
    (  # subjects that say nothing
        "вопрос",
        "обращение",
        "без темы",
        "(без темы)",
        "no subject",
        "(no subject)",
        "question",
        "hello",
        "hi",
        "help",
        "привет",
        "здравствуйте",
        "добрый день",
        "письмо",
        "сообщение",
        "message",
    )
)


def _files(contents: _Contents, shown: frozenset[str]) -> tuple[Attachment, ...]:
    """Files of the letter; a picture that only stood in a signature or a quote is none."""
    found = []
    for number, part, cid in contents.files[: FILES * 2]:
        inline = bool(cid) and part.get_content_maintype() == "image"
        if inline and contents.html and cid not in shown and part.get_content_disposition() != "attachment":
            continue
        size = len(_content(part))
        if not size:
            continue
        kind = part.get_content_type()
        media = _MEDIA.get(kind.partition("/")[0], Media.DOCUMENT)
        media = Media.DOCUMENT if kind in ("image/svg+xml", "image/tiff", "image/heic") else media
        found.append(Attachment(media, str(number), name=_file_name(part, number), mime=kind, size=size))
    return tuple(found[:FILES])


def _own_name(part: Message) -> str:
    try:
        name = part.get_filename()
    except Exception:  # noqa: BLE001 - broken parameters of a header
        return ""
    return _decoded(name) if name else ""


def _file_name(part: Message, number: int) -> str:
    if name := clean_file_name(one_line(_own_name(part))):
        return name
    kinds = {
        "message/rfc822": "letter.eml",
        "text/calendar": "invite.ics",
        "application/pkcs7-signature": "smime.p7s",
        "application/x-pkcs7-signature": "smime.p7s",
        "application/pkcs7-mime": "smime.p7m",
        "application/pgp-signature": "signature.asc",
        "image/png": f"picture-{number}.png",
        "image/jpeg": f"picture-{number}.jpg",
        "image/gif": f"picture-{number}.gif",
    }
    return kinds.get(part.get_content_type(), f"file-{number}.bin")


# --- letters that came back


def _bounce(letter: Message) -> Bounce:
    """Whom a letter of ours did not reach, as far as the report says."""
    said = "\n".join(_report_texts(letter))
    fields = {
        name: (re.search(rf"^{name}\s*:\s*(.+)$", said, re.IGNORECASE | re.MULTILINE) or [""])
        for name in ("Final-Recipient", "Original-Recipient", "Status", "Diagnostic-Code", "Action")
    }
    told = {name: (m[1] if isinstance(m, re.Match) else "").strip() for name, m in fields.items()}
    addresses = _BARE.findall(
        f"{told['Original-Recipient']} {told['Final-Recipient']} {_header(letter, 'X-Failed-Recipients')}"
    )
    status = told["Status"] or (re.search(r"\b[45]\.\d{1,3}\.\d{1,3}\b", told["Diagnostic-Code"]) or [""])[0]
    final = status.startswith("5") or (told["Action"].lower() == "failed" and not status.startswith("4"))
    reason = one_line(told["Diagnostic-Code"] or status)[:200]
    ids = " ".join(_ID.findall(said))
    addresses += [
        a for line in re.findall(r"^To\s*:(.{1,500})$", said, re.I | re.M) for a in _BARE.findall(line)
    ]
    return Bounce(tuple(dict.fromkeys(a.lower() for a in addresses[:20])), final, reason, ids)


def _report_texts(letter: Message) -> Sequence[str]:
    """What a report says, parts within parts included."""
    return [
        _text(part.as_bytes()[:50_000], "")
        for number, part in zip(range(10), letter.walk(), strict=False)
        if number and part.get_content_maintype() in ("message", "text")
    ]
