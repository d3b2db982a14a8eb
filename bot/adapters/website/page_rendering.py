"""Our text as the chat's page shows it: a few elements, whose only attributes are addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from bot.adapters.html_rendering import Tags, is_safe_address, to_html
from bot.model import RichText, Span, Style

_TAGS: dict[Style, Tags] = {
    Style.QUOTE: ("<blockquote>", "</blockquote>"),
    Style.PRE: ("<pre>", "</pre>"),
    Style.BOLD: ("<b>", "</b>"),
    Style.ITALIC: ("<i>", "</i>"),
    Style.UNDERLINE: ("<u>", "</u>"),
    Style.STRIKE: ("<s>", "</s>"),
    Style.CODE: ("<code>", "</code>"),
    Style.SPOILER: ('<span class="spoiler">', "</span>"),
}
_WRITTEN = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]}»]")


def page_html(rich: RichText) -> str:
    """*rich* as HTML; addresses that are written out are links as well.

    >>> page_html(RichText("<b> да", (Span(Style.BOLD, 4, 2),)))
    '&lt;b&gt; <b>да</b>'
    """
    return to_html(RichText(rich.text, (*rich.spans, *_links(rich))), _tags, line_end="<br>")


def _tags(span: Span) -> Tags | None:
    if span.style is not Style.LINK:
        return _TAGS.get(span.style)
    if not is_safe_address(span.url):
        return None
    return f'<a href="{escape(span.url)}" target="_blank" rel="noopener noreferrer nofollow">', "</a>"


def _links(rich: RichText) -> Iterable[Span]:
    """Addresses that are written out, outside of what has an address already."""
    fixed = [s for s in rich.spans if s.style in (Style.LINK, Style.CODE, Style.PRE)]
    taken = [(s.offset, s.offset + s.length) for s in fixed]
    for found in _WRITTEN.finditer(rich.text):
        if not any(start < found.end() and found.start() < end for start, end in taken):
            yield Span(Style.LINK, found.start(), found.end() - found.start(), found[0])
