"""Letters that no person wrote to us: they are recorded, and never answered."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

Automatic = Literal["", "own", "bounce", "receipt", "list", "auto_reply", "no_reply"]
Header = Callable[[str], str]  # the value of a header, "" where there is none

_NO_REPLY = re.compile(
    r"^(?:no-?_?\.?reply|do-?_?\.?not-?_?\.?reply|mailer-daemon|postmaster|bounces?|news(?:letter)?"
    r"|notifications?|robot|automat)(?:[+._-].*)?@",
    re.IGNORECASE,
)
_DAEMON = re.compile(r"^(?:mailer-daemon|postmaster)(?:[+._-].*)?@", re.IGNORECASE)
_AUTO_SUBJECT = re.compile(
    r"^(?:auto(?:matic)?[- ]?(?:reply|response)|out of (?:the )?office|автоответ|автоматический ответ"
    r"|вне офиса|я в отпуске)\b",
    re.IGNORECASE,
)
_AUTO_HEADERS = (
    "X-Autoreply",
    "X-Autorespond",
    "X-Autoresponder",
    "X-AutoReply-From",
    "X-Mail-Autoreply",
    "X-Auto-Reply",
    "X-FC-MachineGenerated",
)


def is_no_reply(address: str) -> bool:
    """Whether nobody reads what is written to *address*.

    >>> is_no_reply("no-reply@shop.example"), is_no_reply("anna@shop.example")
    (True, False)
    """
    return bool(_NO_REPLY.match(address))


def automatic(header: Header, *, author: str, own: str) -> Automatic:
    """Why nobody waits for an answer to the letter of *author* to our mailbox *own*; "" = a person does."""
    kind = header("Content-Type").lower().replace(" ", "")
    returned = header("Return-Path").strip()
    if kind.startswith("multipart/report"):
        return "receipt" if "disposition-notification" in kind else "bounce"
    if _DAEMON.match(author) or header("X-Failed-Recipients"):
        return "bounce"
    if author == own or own in header("X-Loop").lower():
        return "own"
    if header("List-Id") or header("Mailing-List") or header("List-Unsubscribe"):
        return "list"
    precedence = header("Precedence").strip().lower()
    if precedence in ("list", "bulk", "junk"):
        return "list"
    submitted = header("Auto-Submitted").strip().lower().split(";")[0]
    if submitted not in ("", "no") or precedence in ("auto_reply", "auto-reply"):
        return "auto_reply"
    if any(header(name) for name in _AUTO_HEADERS) or _AUTO_SUBJECT.match(header("Subject").strip()):
        return "auto_reply"
    if returned == "<>":
        return "auto_reply"
    return "no_reply" if is_no_reply(author) else ""
