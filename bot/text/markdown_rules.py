"""What editors write beside plain Markdown, as rules of the parser: remarks, wiki links, callouts,
highlights, a few HTML tags.

Where plain Markdown would swallow words (sizes as 60*40*20, a number alone on its line), the words win.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, blockquote, reference
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline, emphasis, image, link, strikethrough
from markdown_it.token import Token
from mdit_py_plugins.tasklists import tasklists_plugin

REMARKS = {"%%": "%%", "<!--": "-->"}
TAGS = {
    "b": "strong",
    "strong": "strong",
    "i": "em",
    "em": "em",
    "s": "s",
    "del": "s",
    "strike": "s",
    "u": "u",
    "ins": "u",
    "mark": "mark",
    "code": "code",
    "kbd": "code",
}
_WIKI = re.compile(r"(!?)\[\[([^\[\]\n]*)\]\]")
_CALLOUT = re.compile(r"\[!\w+\][+-]?[ \t]*")
_BLOCK_ID = re.compile(r"\^(?=[\w-]*[A-Za-z])[A-Za-z0-9-]{4,}\Z")
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)\s*>")
_LABEL = re.compile(r"\[([^\]]+)\]:")


@cache
def parser() -> MarkdownIt:
    """CommonMark with tables, strikethrough, tasks and the rules of this file.

    Tokens of rules in this file have `meta["at"]`: where they begin and end in the content of their
    paragraph.
    """
    made = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).disable("html_block")
    interrupts = ["paragraph", "reference", "blockquote", "list"]
    made.block.ruler.before("table", "remark", _block_remark, {"alt": interrupts})
    made.block.ruler.at("blockquote", _blockquote, {"alt": interrupts})
    made.block.ruler.at("reference", _reference)
    for name, rule in (("remark", _remark), ("wiki", _wiki), ("mark", _mark), ("block_id", _block_id)):
        made.inline.ruler.before("strikethrough", name, rule)
    made.inline.ruler.at("strikethrough", _strikethrough)
    made.inline.ruler.at("emphasis", _emphasis)
    made.inline.ruler.at("link", _link)
    made.inline.ruler.at("image", _image)
    made.core.ruler.after("block", "callout", _callouts)
    made.core.ruler.after("inline", "tags", _tags)
    made.use(tasklists_plugin)
    for name, judge in (("normalizeLink", str), ("normalizeLinkText", str), ("validateLink", bool)):
        setattr(made, name, judge)  # URLs are kept as written, and judged where they are shown
    return made


# --- blocks
# ----------------------------------------------------------------------------------------------------------


def _row(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def _block_remark(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A remark that has its lines for itself."""
    if state.is_code_block(start):
        return False
    first = _row(state, start)
    opens = next((mark for mark in REMARKS if first.startswith(mark)), "")
    if not opens:
        return False
    rest, line = first[len(opens) :], start
    while (found := rest.find(REMARKS[opens])) < 0:
        line += 1
        if line >= end or (state.sCount[line] < state.blkIndent and not state.isEmpty(line)):
            return False
        rest = _row(state, line)
    if rest[found + len(REMARKS[opens]) :].strip():
        return False
    if not silent:
        state.line = line + 1
        state.push("remark", "", 0).map = [start, state.line]
    return True


def _blockquote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """«>5 кг» says «more than», it quotes nobody."""
    row = _row(state, start)
    return not (row[:1] == ">" and row[1:2].isdigit()) and blockquote(state, start, end, silent)


def _reference(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The address of a link that the text really uses; else it is somebody's words in brackets."""
    label = _LABEL.match(_row(state, start))
    if (
        not label
        or label[1].startswith("^")
        or len(re.findall(rf"\[{re.escape(label[1])}\](?!:)", state.src, re.IGNORECASE)) == 0
    ):
        return False
    found = reference(state, start, end, silent)
    if found and not silent:
        state.env.setdefault("definitions", []).append((start, state.line))
    return found


def _callouts(state: StateCore) -> None:
    """The sign of a callout, `[!note]`, leaves its quote; the words behind it are its title."""
    for quote, (paragraph, inline) in zip(state.tokens, pairwise(state.tokens[1:]), strict=False):
        if (
            quote.type != "blockquote_open"
            or paragraph.type != "paragraph_open"
            or not (sign := _CALLOUT.match(inline.content))
        ):
            continue
        title, _, rest = inline.content[sign.end() :].partition("\n")
        inline.content = f"{title}\n{rest}" if title and rest else title or rest
        quote.meta["title"] = bool(title)
        if not title and inline.map:
            inline.map = [inline.map[0] + 1, inline.map[1]]


# --- words
# -----------------------------------------------------------------------------------------------------------


def _around(state: StateInline, start: int, end: int) -> tuple[str, str]:
    return state.src[start - 1 : start] if start else "", state.src[end : end + 1]


def _remark(state: StateInline, silent: bool) -> bool:
    start = state.pos
    opens = next((mark for mark in REMARKS if state.src.startswith(mark, start)), "")
    before = state.src[start - 1] if start else ""
    if not opens or (
        opens == "%%" and (before.isalnum() or before == "%")
    ):  # «5%%» is a typing slip, no remark
        return False
    close = state.src.find(REMARKS[opens], start + len(opens))
    if close < 0 or close >= state.posMax:
        return False
    state.pos = close + len(REMARKS[opens])
    if not silent:
        state.push("remark", "", 0).meta["at"] = (start, state.pos)
    return True


def _wiki(state: StateInline, silent: bool) -> bool:
    """`[[page|words]]` is its words, `![[picture]]` a picture."""
    found = _WIKI.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    if not silent:
        page, _, words = found[2].partition("|")
        target, _, anchor = page.partition("#")
        name = target.strip().rstrip("/").split("/")[-1] or anchor.strip()
        token = state.push("wiki", "", 0)
        token.content = "" if found[1] else words.strip() or name
        token.meta |= {
            "at": found.span(),
            "target": target.strip(),
            "embed": bool(found[1]),
            "words": words.strip(),
        }
    state.pos = found.end()
    return True


def _mark(state: StateInline, silent: bool) -> bool:
    """`==words==` are highlighted."""
    start, end = state.pos, state.posMax
    found = re.compile(r"==(?=[^\s=])([^\n]*?[^\s=])==(?!=)").match(state.src, start, end)
    if not found:
        return False
    before, after = _around(state, start, found.end())
    if before.isalnum() or before == "=" or after.isalnum():
        return False
    if not silent:
        state.push("mark_open", "mark", 1).markup = "=="
        state.pos, state.posMax = found.start(1), found.end(1)
        state.md.inline.tokenize(state)
        state.push("mark_close", "mark", -1).markup = "=="
    state.pos, state.posMax = found.end(), end
    return True


def _block_id(state: StateInline, silent: bool) -> bool:
    """`^name` at the end of a paragraph is an address of Obsidian's."""
    start = state.pos
    if state.posMax != len(state.src) or (start and not state.src[start - 1].isspace()):
        return False
    if not (found := _BLOCK_ID.match(state.src, start)):
        return False
    if not silent:
        state.push("remark", "", 0).meta["at"] = found.span()
    state.pos = found.end()
    return True


def _emphasis(state: StateInline, silent: bool) -> bool:
    return _multiplied(state, silent, "*") or emphasis.tokenize(state, silent)


def _strikethrough(state: StateInline, silent: bool) -> bool:
    return _multiplied(state, silent, "~") or strikethrough.tokenize(state, silent)


def _multiplied(state: StateInline, silent: bool, sign: str) -> bool:
    """A sign between two characters of a word or two digits stands for itself: 60*40*20, 10~~15."""
    start = end = state.pos
    while end < state.posMax and state.src[end] == sign:
        end += 1
    if start == end or silent:
        return False
    before, after = _around(state, start, end)
    alone = end - start == 1 and before.isalnum() and after.isalnum()
    if not alone and not (before.isdigit() and after.isdigit()):
        return False
    state.pending += state.src[start:end]
    state.pos = end
    return True


def _link(state: StateInline, silent: bool) -> bool:
    start, known = state.pos, len(state.tokens)
    label = state.md.helpers.parseLinkLabel(state, start, True) if state.src[start] == "[" else -1
    found = link(state, silent)
    if found and not silent:
        opened = next(t for t in state.tokens[known:] if t.type == "link_open")
        opened.meta |= {"at": (start, state.pos), "label": label + 1}
    return found


def _image(state: StateInline, silent: bool) -> bool:
    start = state.pos
    found = image(state, silent)
    if found and not silent:
        state.tokens[-1].meta["at"] = (start, state.pos)
    return found


def _tags(state: StateCore) -> None:
    """`<b>`, `<i>` and their like are what they look like, where they are closed."""
    for inline in state.tokens:
        if inline.type != "inline" or not inline.children:
            continue
        opened: list[tuple[str, Token | None]] = []
        for token in inline.children:
            tag = _TAG.fullmatch(token.content) if token.type == "html_inline" else None
            if token.nesting > 0:
                opened.append(("", None))
            elif token.nesting < 0:
                while opened and opened.pop()[1] is not None:
                    pass
            elif tag and tag[2].lower() in TAGS and not tag[1]:
                opened.append((TAGS[tag[2].lower()], token))
            elif tag and opened and opened[-1][0] == TAGS.get(tag[2].lower()) and (first := opened.pop()[1]):
                kind = TAGS[tag[2].lower()]
                first.type, first.nesting = f"{kind}_open", 1
                token.type, token.nesting = f"{kind}_close", -1
