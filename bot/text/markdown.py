"""Turns Markdown, the way editors write, into the one neutral form of text, the way chats show it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from markdown_it.tree import SyntaxTreeNode

from bot.model import RichText, Span, Style
from bot.text.markdown_rules import parser

INDENT = "\u00a0" * 4  # VK folds plain spaces, both platforms keep these
TABLE_LENGTH = 3000  # characters of a table that may be shown as one
LINKS = ("http://", "https://", "mailto:", "tel:")

_STYLES = {
    "strong": Style.BOLD,
    "em": Style.ITALIC,
    "s": Style.STRIKE,
    "u": Style.UNDERLINE,
    "mark": Style.BOLD,
    "code": Style.CODE,
}


@lru_cache(maxsize=2048)  # templates and passages come again and again; nobody gives it a customer's words
def to_rich(markdown: str) -> RichText:
    """What a chat shows for *markdown*: headings are bold lines, tables are readable lines, images and
    remarks are left out.

    Spans count Python characters. Never raises, whatever the text.
    """
    root = SyntaxTreeNode(parser().parse(markdown))
    if (
        len(root.children) == 1
        and root.children[0].type == "heading"
        and not root.children[0].children[0].content
    ):
        return RichText(root.children[0].markup)  # the sign alone is somebody's answer
    return _trim(_block(root))


def blocks(markdown: str) -> list[str]:
    """The paragraphs, lists, tables and fences of *markdown*, each as it is written."""
    rows = markdown.split("\n")
    return [
        "\n".join(rows[t.map[0] : t.map[1]]).rstrip()
        for t in parser().parse(markdown)
        if t.level == 0 and t.map and t.type != "remark"
    ]


def plain(markdown: str) -> str:
    """The words of *markdown* alone, as a chat shows them."""
    return to_rich(markdown).text


def styled(text: RichText | str, style: Style, url: str = "") -> RichText:
    """*text* with one more style over all of it; an empty text stays empty."""
    rich = RichText(text) if isinstance(text, str) else text
    if not rich.text:
        return rich
    return RichText(
        rich.text, (Span(style, 0, len(rich.text), url), *(s for s in rich.spans if s.style is not style))
    )


def join(parts: Iterable[RichText | str], separator: str = "") -> RichText:
    """The parts after one another, their styles moved along."""
    texts: list[str] = []
    spans: list[Span] = []
    length = 0
    for part in parts:
        rich = RichText(part) if isinstance(part, str) else part
        if texts:
            texts.append(separator)
            length += len(separator)
        texts.append(rich.text)
        spans += [Span(s.style, s.offset + length, s.length, s.url) for s in rich.spans]
        length += len(rich.text)
    return RichText("".join(texts), tuple(spans))


def is_web_link(url: str) -> bool:
    """Whether a text may link to *url*: web, mail and telephone only, so no words can point into an app."""
    return url.lower().startswith(LINKS) and not any(c.isspace() or ord(c) < 32 for c in url)


def _block(node: SyntaxTreeNode) -> RichText:
    match node.type:
        case "heading":
            return styled(_children(node), Style.BOLD)
        case "bullet_list" | "ordered_list":
            return _list(node)
        case "blockquote":
            return _quote(node)
        case "fence" | "code_block":
            return styled(node.content.rstrip("\n"), Style.PRE)
        case "table":
            return _table(node)
        case "hr":
            return RichText()
        case "inline":
            return _trim(join(_inline(child) for child in node.children))
        case "paragraph":
            return _children(node)
    return _children(node, "\n\n")


def _children(node: SyntaxTreeNode, separator: str = "\n") -> RichText:
    return join((part for part in map(_block, node.children) if part), separator)


def _inline(node: SyntaxTreeNode) -> RichText:
    match node.type:
        case "text" | "text_special":
            return RichText(node.content)
        case "softbreak" | "hardbreak":
            return RichText("\n")
        case "code_inline":
            return styled(node.content, Style.CODE)
        case "image":
            return _picture(node)
        case "remark":
            return RichText()
        case "wiki":
            return RichText(node.content)
        case "html_inline":
            return _tag(node.content)
    inner = join(_inline(child) for child in node.children)
    if node.type == "link":
        url = str(node.attrs.get("href", ""))
        # a placeholder of the wording is judged when it is filled
        linked = (is_web_link(url) or "\ue000" in url) and inner.text != url
        return styled(inner, Style.LINK, url) if linked else inner
    return styled(inner, _STYLES[node.type]) if node.type in _STYLES else inner


def _picture(node: SyntaxTreeNode) -> RichText:
    """A picture of the base is sent beside the words; one elsewhere is linked to."""
    url = str(node.attrs.get("src", ""))
    return styled(node.content or url, Style.LINK, url) if is_web_link(url) else RichText()


def _tag(html: str) -> RichText:
    if html.startswith('<input class="task-list-item-checkbox"'):
        return RichText("☑" if " checked=" in html else "☐")
    return RichText("\n" if re.fullmatch(r"<br\s*/?>", html, re.IGNORECASE) else html)


def _numbers(node: SyntaxTreeNode) -> list[str]:
    """The numbers as they are written; counted only where each item has the same one, as many people write
    lists.
    """
    written = [str(item.info) for item in node.children]
    if len(set(written)) == 1:
        written = [written[0], *(str(int(written[0]) + n) for n in range(1, len(written)))]
    return [f"{number}{item.markup}" for number, item in zip(written, node.children, strict=True)]


def _list(node: SyntaxTreeNode) -> RichText:
    items: list[RichText] = []
    ordered = node.type == "ordered_list"
    for number, item in zip(
        _numbers(node) if ordered else [str(i.markup) for i in node.children], node.children, strict=True
    ):
        blocks = [(child.type.endswith("_list"), _block(child)) for child in item.children]
        mark = f"{number} " if ordered else "• "
        lines = [
            _indented(block) if nested or i else block for i, (nested, block) in enumerate(blocks) if block
        ]
        if lines:
            items.append(join((mark, join(lines, "\n"))))
        else:
            items.append(RichText(number))  # a sign or a number alone on its line is somebody's words
    return join(items, "\n")


def _indented(block: RichText) -> RichText:
    rows = block.text.split("\n")
    starts = [0]
    for row in rows:
        starts.append(starts[-1] + len(row) + 1)

    def moved(offset: int) -> int:
        return offset + len(INDENT) * sum(1 for s in starts[: len(rows)] if s <= offset)

    spans: list[Span] = []
    for span in block.spans:
        start, end = moved(span.offset), moved(span.offset + span.length - 1) + 1
        spans.append(Span(span.style, start, end - start, span.url))
    return RichText("\n".join(INDENT + row for row in rows), tuple(spans))


def _quote(node: SyntaxTreeNode) -> RichText:
    inner = _children(node, "\n")
    if node.meta.get("title"):
        title = inner.text.partition("\n")[0]
        inner = RichText(inner.text, (Span(Style.BOLD, 0, len(title)), *inner.spans))
    return styled(inner, Style.QUOTE)


def table_cells(rich: RichText, span: Span) -> list[list[str]]:
    """The cells of the table that *span* is, its head first (a row of empty cells where it has none); empty
    where the lines are not, or not any more, those of the cells: cut, or filled in later.
    """
    try:
        rows = json.loads(span.url)
        lines = _table_lines([[RichText(cell) for cell in row] for row in rows]).text
    except (ValueError, TypeError, IndexError):
        return []
    return rows if lines == rich.text[span.offset : span.offset + span.length] else []


def _table(node: SyntaxTreeNode) -> RichText:
    rows = [[_block_cell(cell) for cell in row.children] for part in node.children for row in part.children]
    lines = _table_lines(rows)
    links = any(s.style is Style.LINK for s in lines.spans)
    if links or len(lines.text) > TABLE_LENGTH:  # cells are plain words, and a table is no book
        return lines
    return styled(lines, Style.TABLE, json.dumps([[c.text for c in row] for row in rows], ensure_ascii=False))


def _table_lines(rows: Sequence[Sequence[RichText]]) -> RichText:
    head, body = rows[0], rows[1:]
    named = any(head)
    lines: list[RichText] = []
    if named and (len(head) <= 2 or not body):
        lines.append(styled(join((c for c in head if c), " — "), Style.BOLD))
    for row in body:
        if not named or len(head) <= 2:
            lines.append(join((c for c in row if c), " — "))
        else:
            values = join(
                (_value(name, cell) for name, cell in zip(head[1:], row[1:], strict=False) if cell), ", "
            )
            lines.append(join((part for part in (styled(row[0], Style.BOLD), values) if part), " — "))
    return join((line for line in lines if line), "\n")


def _block_cell(cell: SyntaxTreeNode) -> RichText:
    return _children(cell, " ")


def _value(name: RichText, cell: RichText) -> RichText:
    label = name.text
    if len(label) > 1 and not label[1].isupper():
        label = label[0].lower() + label[1:]
    return join((f"{label}: ", cell)) if label else cell


def _trim(rich: RichText) -> RichText:
    start = len(rich.text) - len(rich.text.lstrip("\n "))
    return _cut(rich, start, max(start, len(rich.text.rstrip())))


def _cut(rich: RichText, start: int, end: int) -> RichText:
    spans: list[Span] = []
    for span in rich.spans:
        first, last = max(span.offset, start), min(span.offset + span.length, end)
        if last > first:
            spans.append(Span(span.style, first - start, last - first, span.url))
    return RichText(rich.text[start:end], tuple(spans))


def cut(rich: RichText, start: int, end: int) -> RichText:
    """The stretch of *rich* from *start* to *end*, in characters, with its styles."""
    return _cut(rich, max(0, start), min(end, len(rich.text)))


def fill(rich: RichText, facts: Sequence[RichText]) -> RichText:
    """Puts *facts* where `\\ue000N\\ue001` stands: their characters are never read as Markdown, their styles
    are kept.
    """
    found = list(re.finditer("\ue000(\\d+)\ue001", rich.text))
    shifts: list[tuple[int, int]] = []
    texts: list[str] = []
    inner: list[Span] = []
    at = grown = 0
    for match in found:
        fact = facts[int(match.group(1))]
        texts += [rich.text[at : match.start()], fact.text]
        inner += [Span(s.style, match.start() + grown + s.offset, s.length, s.url) for s in fact.spans]
        grown += len(fact.text) - len(match.group())
        shifts.append((match.end(), grown))
        at = match.end()
    texts.append(rich.text[at:])

    def moved(offset: int) -> int:
        return offset + next((grown for end, grown in reversed(shifts) if end <= offset), 0)

    outer: list[Span] = []
    for span in rich.spans:
        start, end = moved(span.offset), moved(span.offset + span.length)
        url = re.sub("\ue000(\\d+)\ue001", lambda m: facts[int(m.group(1))].text, span.url)
        if end > start and (span.style is not Style.LINK or is_web_link(url)):
            outer.append(Span(span.style, start, end - start, url))
    return _trim(
        RichText("".join(texts), tuple(sorted((*outer, *inner), key=lambda s: (s.offset, -s.length))))
    )
