"""Our text as HTML: made of its characters and styles alone, so that nothing in anybody's words is markup."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from itertools import pairwise
from urllib.parse import urlsplit

from bot.model import RichText, Span, Style

_TAGS = {
    Style.QUOTE: "blockquote",
    Style.PRE: "pre",
    Style.LINK: "a",
    Style.BOLD: "b",
    Style.ITALIC: "i",
    Style.UNDERLINE: "u",
    Style.STRIKE: "s",
    Style.CODE: "code",
    Style.SPOILER: "span",
}
_ORDER = tuple(_TAGS)  # outermost first
_SCHEMES = ("http", "https", "mailto", "tel")
_WRITTEN = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]}»]")


def rich_html(rich: RichText) -> str:
    """*rich* as HTML of a few elements; its only attributes are addresses: of the web, letters and calls.

    >>> rich_html(RichText("<b> да", (Span(Style.BOLD, 4, 2),)))
    '&lt;b&gt; <b>да</b>'
    """
    spans = [s for s in (*rich.spans, *_links(rich)) if s.style in _TAGS and _is_safe(s)]
    borders = sorted({0, len(rich.text), *(min(max(b, 0), len(rich.text)) for s in spans for b in _ends(s))})
    out: list[str] = []
    open_spans: list[Span] = []
    for start, end in pairwise(borders):
        wanted = _around(spans, start, end)
        shared = next((n for n, (a, b) in enumerate(zip(open_spans, wanted, strict=False)) if a != b), None)
        shared = min(len(open_spans), len(wanted)) if shared is None else shared
        out += [f"</{_TAGS[s.style]}>" for s in reversed(open_spans[shared:])]
        out += [_opening(s) for s in wanted[shared:]]
        open_spans = wanted
        out.append(escape(rich.text[start:end]).replace("\n", "<br>"))
    out += [f"</{_TAGS[s.style]}>" for s in reversed(open_spans)]
    return "".join(out)


def is_safe_address(url: str) -> bool:
    """Whether a browser may be led there."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme.lower() in _SCHEMES and not re.search(r"[\x00-\x20]", url)


def _links(rich: RichText) -> Iterable[Span]:
    """Addresses that are written out, outside of what has an address already."""
    taken = [_ends(s) for s in rich.spans if s.style in (Style.LINK, Style.CODE, Style.PRE)]
    for found in _WRITTEN.finditer(rich.text):
        if not any(start < found.end() and found.start() < end for start, end in taken):
            yield Span(Style.LINK, found.start(), found.end() - found.start(), found[0])


def _around(spans: Iterable[Span], start: int, end: int) -> list[Span]:
    """The spans over this stretch, outermost first; one link at most."""
    over = [s for s in spans if s.offset <= start and end <= s.offset + s.length]
    over.sort(key=lambda s: (_ORDER.index(s.style), s.offset, -s.length))
    seen: set[Style] = set()
    return [s for s in over if not (s.style in seen or seen.add(s.style))]  # type: ignore[func-returns-value]


def _is_safe(span: Span) -> bool:
    return span.style is not Style.LINK or is_safe_address(span.url)


def _ends(span: Span) -> tuple[int, int]:
    return span.offset, span.offset + span.length


def _opening(span: Span) -> str:
    if span.style is Style.LINK:
        url = escape(span.url, quote=True)
        return f'<a href="{url}" target="_blank" rel="noopener noreferrer nofollow">'
    return '<span class="spoiler">' if span.style is Style.SPOILER else f"<{_TAGS[span.style]}>"
