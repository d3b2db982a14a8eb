"""Our text as HTML: nothing in anybody's words is markup, and tags are closed in order, whatever meets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from html import escape
from itertools import pairwise, takewhile
from urllib.parse import urlsplit

from bot.adapters.rich_text import tidy
from bot.model import RichText, Span, Style

Tags = tuple[str, str]  # what opens a stretch, and what closes it
_BLOCKS = (Style.QUOTE, Style.PRE)  # around everything else
_SCHEMES = ("http", "https", "mailto", "tel")


def to_html(rich: RichText, tags: Callable[[Span], Tags | None], *, line_end: str = "\n") -> str:
    """*rich* with the *tags* of its spans (None: not shown), and *line_end* for the end of a line.

    >>> def tags(span):
    ...     return ("<b>", "</b>") if span.style is Style.BOLD else ("<i>", "</i>")
    >>> to_html(RichText("a<b", (Span(Style.BOLD, 0, 2), Span(Style.ITALIC, 1, 2))), tags)
    '<b>a<i>&lt;</i></b><i>b</i>'
    >>> to_html(RichText("abc", (Span(Style.BOLD, 0, 1), Span(Style.QUOTE, 0, 3), Span(Style.BOLD, 2, 1))),
    ...         lambda span: ("<q>", "</q>") if span.style is Style.QUOTE else ("<b>", "</b>"))
    '<q><b>a</b>b<b>c</b></q>'
    """
    tidied = tidy(rich)
    shown = {s: t for s in tidied.spans if (t := tags(s)) is not None}
    cuts = {0, len(tidied.text), *(s.offset for s in shown), *(s.offset + s.length for s in shown)}
    made, open_now = list[str](), list[Span]()
    for start, stop in pairwise(sorted(cuts)):
        active = _around(shown, start, stop)
        pairs = zip(open_now, active, strict=False)
        kept = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        made += [shown[s][1] for s in reversed(open_now[kept:])]
        made += [shown[s][0] for s in active[kept:]]
        made.append(escape(tidied.text[start:stop], quote=False).replace("\n", line_end))
        open_now = active
    made += [shown[s][1] for s in reversed(open_now)]
    return "".join(made)


def is_safe_address(url: str) -> bool:
    """Whether a browser may be led there."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme.lower() in _SCHEMES and not re.search(r"[\x00-\x20]", url)


def _around(spans: Iterable[Span], start: int, stop: int) -> list[Span]:
    """The spans over this stretch, outermost first; of one style one at most."""
    over = [s for s in spans if s.offset <= start and stop <= s.offset + s.length]
    over.sort(key=lambda s: _BLOCKS.index(s.style) if s.style in _BLOCKS else len(_BLOCKS))
    outermost: dict[Style, Span] = {}
    for span in over:
        outermost.setdefault(span.style, span)
    return list(outermost.values())
