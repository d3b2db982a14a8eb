"""A letter of ours: plain text beside simple HTML, its files, and the headers by which programs know it."""

from __future__ import annotations

import html
import mimetypes
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from bot.adapters.base import File
from bot.adapters.html_rendering import Tags, is_safe_address, to_html
from bot.adapters.rich_text import degrade
from bot.adapters.sanitize import clean_file_name, clean_text
from bot.model import RichText, Span, Style

LOOP = "X-Loop"  # names our own mailbox: what carries it has been here already
LINE_END = "<br>\n"
SUBJECT = 200  # characters of a subject that are kept
_TAGS: dict[Style, Tags] = {
    Style.BOLD: ("<b>", "</b>"),
    Style.ITALIC: ("<i>", "</i>"),
    Style.UNDERLINE: ("<u>", "</u>"),
    Style.STRIKE: ("<s>", "</s>"),
    Style.CODE: ("<code>", "</code>"),
    Style.PRE: ("<code>", "</code>"),
    Style.QUOTE: ("<i>", "</i>"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is written to one person. *automatic*: nobody wrote it by hand, and no machine may answer it.

    The same *message_id* is the same letter, however often it is sent.
    """

    sender: str
    sender_name: str = ""
    to: str
    subject: str
    text: RichText
    signature: str = ""
    files: tuple[File, ...] = ()
    message_id: str
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    automatic: bool = True

    def message(self, at: datetime) -> EmailMessage:
        """The letter as it is sent. Raises `ValueError` for an address that is none."""
        made = EmailMessage(policy=SMTP)
        made["From"] = Address(one_line(self.sender_name), addr_spec=self.sender)
        person, _, domain = self.to.rpartition("@")
        made["To"] = Address(username=person, domain=domain.encode("idna").decode())
        made["Subject"] = one_line(self.subject)[:SUBJECT]
        made["Date"] = format_datetime(at)
        made["Message-ID"] = self.message_id
        if self.in_reply_to:
            made["In-Reply-To"] = self.in_reply_to
        if self.references:
            made["References"] = " ".join(self.references)
        if self.automatic:
            made["Auto-Submitted"] = "auto-replied" if self.in_reply_to else "auto-generated"
        made["X-Auto-Response-Suppress"] = "All" if self.automatic else "OOF, AutoReply"
        made[LOOP] = self.sender
        text = RichText(clean_text(self.text.text), self.text.spans)
        made.set_content(_plain(text, self.signature))
        made.add_alternative(_html(text, self.signature), subtype="html")
        for file in self.files:
            _attach(made, file)
        return made


def one_line(text: str) -> str:
    """*text* as a header can hold it.

    >>> one_line("Заказ\\r\\nBcc: all@example.org")
    'Заказ Bcc: all@example.org'
    """
    return " ".join("".join(c if c.isprintable() else " " for c in clean_text(text)).split())


def _plain(text: RichText, signature: str) -> str:
    words = degrade(text, frozenset()).text
    return f"{words}\n\n-- \n{signature}\n" if signature else f"{words}\n"


def _html(text: RichText, signature: str) -> str:
    signed = html.escape(signature).replace("\n", LINE_END)
    ending = f"<p style='color:#666'>-- <br>{signed}</p>" if signature else ""
    return (
        "<!doctype html><html><head><meta charset='utf-8'></head>"
        "<body style='font:15px/1.5 -apple-system,Segoe UI,Roboto,Arial,sans-serif;max-width:40em'>"
        f"<div>{to_html(text, _tags, line_end=LINE_END)}</div>{ending}</body></html>\n"
    )


def _tags(span: Span) -> Tags | None:
    if span.style is not Style.LINK:
        return _TAGS.get(span.style)
    return (f'<a href="{html.escape(span.url)}">', "</a>") if is_safe_address(span.url) else None


def _attach(made: EmailMessage, file: File) -> None:
    name = clean_file_name(file.name) or "file"
    kind = file.mime or mimetypes.guess_type(name)[0] or ""
    main, _, sub = kind.partition("/")
    if not sub or main in ("multipart", "message"):
        main, sub = "application", "octet-stream"
    made.add_attachment(file.content, maintype=main, subtype=sub, filename=name)
