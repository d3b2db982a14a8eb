"""The words of an HTML letter: nothing of it is run or fetched, and what it quotes is marked as quoted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from html import unescape

LONGEST = 1_000_000  # characters of HTML that are read
_SILENT = frozenset({"script", "style", "head", "title", "noscript", "template", "svg", "object", "iframe"})
_BLOCKS = frozenset(
    {"p", "div", "tr", "table", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "section", "article"}
    | {"header", "footer", "center", "dl", "dt", "dd", "form", "hr", "blockquote", "li"}
)
_VOID = frozenset(
    {"br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "wbr"}
)
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(px)?\b"
)
_QUOTES = re.compile(r"\b(gmail_quote|gmail_quote_container|yahoo_quoted|moz-forward-container)\b")
_CITED = re.compile(r"divRplyFwdMsg|appendonsend|mail-editor-reference-message-container|reply-intro")
_SIGNED = re.compile(
    r"\b(gmail_signature|moz-signature|ms-outlook-mobile-signature)\b|^signature$", re.IGNORECASE
)
_TOKEN = re.compile(r"<!--|<[^<>]*>|<|[^<]+")
_TAG = re.compile(r"<(/?)([a-zA-Z][\w:-]{0,30})(?=[\s/>])")
_ATTRIBUTE = re.compile(r"([a-zA-Z][\w:-]{0,40})(?:\s{0,5}=\s{0,5}(\"[^\"]*\"|'[^']*'|[^\s\"'>]+))?")
_CLOSING = {name: re.compile(f"</{name}", re.IGNORECASE) for name in ("script", "style")}
DEEPEST = 500  # elements within elements
ATTRIBUTES = 2_000  # characters of a tag that are looked at
MARK = "\ue000"  # around what stands for a picture of the letter itself
CITED = "-----Original Message-----"


def html_text(html: str) -> str:
    """The text as a person sees it. Lines of quotes begin with ">", pictures of the letter are
    `MARK cid MARK`.

    >>> html_text("<p>Да<br>нет</p><blockquote>было</blockquote>")
    'Да\\nнет\\n> было'
    """
    reader = _TextReader()
    reader.feed(html[:LONGEST])
    return reader.text()


def _attributes(said: str) -> dict[str, str]:
    return {name.lower(): unescape(value.strip("\"'")) for name, value in _ATTRIBUTE.findall(said)}


class _TextReader:
    """Collects lines; an element inside a silent one says nothing.

    Law: each character is looked at a limited number of times, whatever the letter is made of. (The parser of
    the standard library needs minutes for some kilobytes of opened and never closed tags.)
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._open: list[tuple[str, str]] = []  # elements that are open, and what they do to what is inside
        self._counts: Counter[str] = Counter()  # how often each of them is open
        self._silent = self._quoted = self._pre = 0
        self._link, self._link_at = "", 0  # where it leads, and where in the line its words begin

    def feed(self, html: str) -> None:
        """The whole letter."""
        at = 0
        while (token := _TOKEN.match(html, at)) is not None:
            at = token.end()
            said = token[0]
            if said.startswith("<!--"):
                end = html.find("-->", at - 1)
                at = len(html) if end < 0 else end + 3
            elif (tag := _TAG.match(said)) is None:
                if not said.startswith(("<!", "<?")) or not said.endswith(">"):
                    self.handle_data(unescape(said))
            elif tag[1]:
                self.handle_endtag(tag[2].lower())
            else:
                name = tag[2].lower()
                self.handle_starttag(name, _attributes(said[tag.end() : tag.end() + ATTRIBUTES]))
                if name in ("script", "style"):
                    closing = _CLOSING[name].search(html, at)
                    at = closing.start() if closing else len(html)

    def handle_starttag(self, tag: str, told: Mapping[str, str]) -> None:
        if tag in _BLOCKS or tag == "br":
            self._end_line(keep=tag == "br")
        if tag == "img":
            self._picture(told)
        if tag == "li" and not self._silent:
            self._line.append("- ")
        if tag in _VOID or len(self._open) >= DEEPEST:
            return
        does = self._meaning(tag, told)
        self._open.append((tag, does))
        self._counts[tag] += 1
        self._silent += does == "silent"
        self._quoted += does == "quoted"
        self._pre += tag == "pre"
        if tag == "a":
            self._link, self._link_at = told.get("href", ""), len(self._line)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID or not self._counts[tag]:
            return
        if tag == "a" and not self._silent:
            self._end_link()
        if tag in _BLOCKS:
            self._end_line()
        elif tag in ("td", "th") and not self._silent:
            self._line.append(" ")
        while self._open:
            name, does = self._open.pop()
            self._counts[name] -= 1
            self._silent -= does == "silent"
            self._quoted -= does == "quoted"
            self._pre -= name == "pre"
            if name == tag:
                break

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        if self._pre:
            first, *rest = data.split("\n")
            self._line.append(first)
            for line in rest:
                self._end_line(keep=True)
                self._line.append(line)
        else:
            self._line.append(re.sub(r"[ \t\r\n\f]+", " ", data.replace(MARK, "")))

    def text(self) -> str:
        """All lines, of empty ones no two together."""
        self._end_line()
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self._lines)).strip("\n")

    def _meaning(self, tag: str, told: Mapping[str, str]) -> str:
        named = f"{told.get('class', '')} {told.get('id', '')}".strip()
        if tag in _SILENT or "hidden" in told or _HIDDEN.search(told.get("style", "").lower()):
            return "silent"
        if _SIGNED.search(named) or "data-signature-widget" in told:
            return "silent"
        if _CITED.search(named) and not self._silent:
            self._end_line()
            self._lines.append(("> " * self._quoted) + CITED)
        return "quoted" if tag == "blockquote" or _QUOTES.search(named) else ""

    def _picture(self, told: Mapping[str, str]) -> None:
        source = told.get("src", "")
        if not self._silent and source.lower().startswith("cid:"):
            self._line.append(f"{MARK}{source[4:].strip('<> ')[:200]}{MARK}")

    def _end_link(self) -> None:
        """The address behind a link, where the words are another."""
        address = self._link.split("?utm_")[0]
        said = "".join(self._line[self._link_at :])
        if address.lower().startswith(("http://", "https://")) and said.strip():
            bare = address.removeprefix("https://").removeprefix("http://").rstrip("/")
            if bare not in said and len(address) <= 300 and not self._quoted:
                self._line.append(f" ({address})")
        self._link = ""

    def _end_line(self, *, keep: bool = False) -> None:
        said = "".join(self._line)
        said = said if self._pre else re.sub(r" {2,}", " ", said.replace("\xa0", " ")).strip()
        self._line = []
        if said or (keep and self._lines):
            self._lines.append(("> " * self._quoted) + said)
