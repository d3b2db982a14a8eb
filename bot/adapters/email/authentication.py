"""Whether a letter is from whom it says: what the mailbox's own server wrote about it (RFC 8601)."""

from __future__ import annotations

import re
from collections.abc import Sequence

_COMMENT = re.compile(r"\([^()]*\)")
_RESULT = re.compile(
    r"^\s*(?P<method>[a-z]+)\s*(?:/\d+)?\s*=\s*(?P<verdict>[a-z]+)(?P<rest>.*)$", re.I | re.S
)
_DOMAIN = re.compile(
    r"\b(?:header\.d|header\.i|header\.from|smtp\.mailfrom|smtp\.helo)\s*=\s*\"?([^\s;\"]+)", re.I
)


def is_doubtful(results: Sequence[str], *, trusted: str, author: str) -> bool:
    """Whether the trusted server found that *author* did not send the letter.

    *results* are the letter's Authentication-Results, the topmost first: only the first of the trusted
    server counts, whoever sent the letter may have written the rest. What that server says nothing of is no
    doubt.
    """
    found = next((r for r in results if trusted and _is_of(r, trusted)), None)
    if found is None:
        return False
    verdicts = _verdicts(found)
    if any(method == "dmarc" and verdict == "pass" for method, verdict, _ in verdicts):
        return False
    if any(method == "dmarc" and verdict == "fail" for method, verdict, _ in verdicts):
        return True
    domain = author.rpartition("@")[2].lower()
    if any(v == "pass" and _aligned(d, domain) for m, v, d in verdicts if m in ("dkim", "spf")):
        return False
    return any(v in ("fail", "softfail", "permerror") for m, v, _ in verdicts if m in ("dkim", "spf"))


def _is_of(result: str, trusted: str) -> bool:
    server = _COMMENT.sub("", result).split(";", 1)[0].split()
    name = server[0].lower() if server else ""
    wanted = trusted.lower()
    return name == wanted or (wanted.startswith(".") and name.endswith(wanted))


def _verdicts(result: str) -> list[tuple[str, str, str]]:
    """Method, verdict and the domain that it is about."""
    found = []
    for part in _COMMENT.sub("", result).split(";")[1:]:
        if (told := _RESULT.match(part)) is not None:
            about = _DOMAIN.search(told["rest"])
            domain = about[1].rpartition("@")[2].lower() if about else ""
            found.append((told["method"].lower(), told["verdict"].lower(), domain))
    return found


def _aligned(proven: str, claimed: str) -> bool:
    """Whether a proof for *proven* holds for *claimed*: the same domain, or one above the other."""
    return bool(proven) and (
        proven == claimed or claimed.endswith(f".{proven}") or proven.endswith(f".{claimed}")
    )
