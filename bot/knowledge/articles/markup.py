"""Reads an editor's Markdown (Obsidian habits included): what is not for customers is taken out, what they
would see raw is a fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from markdown_it.rules_block.table import escapedSplit
from markdown_it.token import Token

from bot.errors import Problem
from bot.knowledge.articles.attached import AttachedFile, is_sendable
from bot.knowledge.articles.frontmatter import hides_from_customers, split_head
from bot.knowledge.codes import found
from bot.text.markdown_rules import parser
from bot.text.problems import problem

MAX_INCLUDES = 5
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".bmp"})
HTML = frozenset(
    {
        "a",
        "abbr",
        "address",
        "article",
        "aside",
        "audio",
        "b",
        "blockquote",
        "body",
        "button",
        "center",
        "cite",
        "code",
        "dd",
        "del",
        "details",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "embed",
        "font",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "head",
        "header",
        "hr",
        "html",
        "i",
        "iframe",
        "img",
        "input",
        "ins",
        "kbd",
        "label",
        "li",
        "link",
        "main",
        "map",
        "mark",
        "meta",
        "nav",
        "object",
        "ol",
        "option",
        "p",
        "param",
        "picture",
        "pre",
        "q",
        "s",
        "samp",
        "script",
        "section",
        "select",
        "small",
        "source",
        "span",
        "strike",
        "strong",
        "style",
        "sub",
        "summary",
        "sup",
        "svg",
        "table",
        "tbody",
        "td",
        "template",
        "textarea",
        "tfoot",
        "th",
        "thead",
        "title",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
        "video",
        "wbr",
    }
)
_INCLUDE = re.compile(r"^\s*\{\{-?\s*include\b[:\s(]*[\"']?([^\"'})]+?)[\"']?\)?\s*-?\}\}\s*$")
_EMBED = re.compile(r"\s*!\[\[([^\]|#]+)(?:#[^\]|]*)?(?:\|([^\]]*))?\]\]\s*")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_WEB = re.compile(r"https?://\S+\Z", re.IGNORECASE)
_ELEMENT = re.compile(r"</?([a-z][a-z0-9]*)", re.IGNORECASE)
_RAW = (  # what stands in the words after everything has been read that can be read
    ("KB033", re.compile(r"(?<![\w%])%%|<!--")),
    ("KB035", re.compile(r"\[\^[^\]\s]+\]")),
    ("KB036", re.compile(r"!?\[[^\[\]\n]*\]\([^\n]*\)|\[\[[^\n]*\]\]")),
)
_SIGNS = re.compile(r"([\\`*_{}\[\]<>#|~=^%])")
Cut = tuple[int, int, int, int, str]  # from row and column, to row and column, what comes instead


@dataclass(frozen=True, slots=True)
class Link:
    """A link found in a body.

    `kind` is article ([[…]]), image, file (relative path) or url; `line` is a line of the file.
    """

    kind: str
    target: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Markup:
    """A cleaned body: `lines[i]` is the file line that body line *i* came from; local pictures are taken out,
    `files` are they and what the links lead to.
    """

    body: str
    lines: tuple[int, ...]
    links: tuple[Link, ...]
    files: tuple[AttachedFile, ...]
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class _Scan:
    """What the parser finds in the rows of a body."""

    rows: Sequence[str]
    lines: Sequence[int]
    path: Path
    folder: Path
    file: str
    links: list[Link] = field(default_factory=list)
    files: list[AttachedFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)

    def fault(self, code: str, row: int, words: str) -> None:
        column = self.rows[row].find(words.split("\n")[0]) + 1 if row < len(self.rows) else 1
        line = self.lines[row] if row < len(self.lines) else 1
        self.problems.append(found(code, self.file, line, max(1, column), words.split("\n")[0][:40]))


def clean_body(
    text: str, first_line: int, path: Path, folder: Path, file: str, *, internal: bool = False
) -> Markup:
    """Takes out remarks, pictures and addresses, puts includes in, and names every mark that customers would
    see raw. Never raises.

    Only an *internal* article may include one that is for operators alone.
    """
    problems: list[Problem] = []
    put = _Includes(folder, file, problems, internal).rows(text, first_line, path)
    rows, lines = [row for row, _ in put], [line for _, line in put]
    scan = _Scan(rows, lines, path, folder, file, problems=problems)
    env: dict[str, list[tuple[int, int]]] = {}
    tokens = parser().parse("\n".join(rows), env)
    for token in tokens:
        _look(token, scan)
    _count_cells(tokens, scan)
    for start, end in env.get("definitions", ()):
        scan.cuts += [(n, 0, n, len(rows[n]), "") for n in range(start, end)]
    body = [row.rstrip() for row in _cut(rows, scan.cuts)]
    while body and not body[-1]:
        body.pop()
    start = next((i for i, row in enumerate(body) if row), 0)
    return Markup(
        "\n".join(body[start:]),
        tuple(lines[start : len(body)]),
        tuple(scan.links),
        tuple(scan.files),
        tuple(problems),
    )


def named_links(body: str, titles: Mapping[str, str]) -> str:
    """The body with `[[name]]` as the title of the article of that name; other names stay the words they
    are.
    """
    if "[[" not in body:
        return body
    rows = body.split("\n")
    cuts: list[Cut] = []
    for inline in parser().parse(body):
        for token, at in _placed(inline, rows, ("wiki",)):
            cuts.append((*at, escaped(titles.get(str(token.meta["target"])) or token.content)))
    return "\n".join(_cut(rows, cuts))


def escaped(words: str) -> str:
    """Words that Markdown reads as nothing but words."""
    return _SIGNS.sub(r"\\\1", words)


def code_rows(body: str) -> frozenset[int]:
    """The rows of a body that are code, fences included."""
    tokens = (t for t in parser().parse(body) if t.type in ("fence", "code_block") and t.map)
    return frozenset(n for t in tokens if t.map for n in range(*t.map))


# --- reading
# ---------------------------------------------------------------------------------------------------------


def _look(token: Token, scan: _Scan) -> None:
    if token.type == "remark" and token.map:
        scan.cuts += [(n, 0, n, len(scan.rows[n]), "") for n in range(*token.map)]
    if token.type != "inline" or token.map is None:
        return
    for child, at in _placed(token, scan.rows, ("remark", "wiki", "image", "link_open")):
        _take(child, at, scan)
    row, words = token.map[0], ""
    for child in token.children or ():
        if child.type in ("softbreak", "hardbreak"):
            words += "\n"
        elif child.type == "text":
            words += child.content
        elif (
            child.type == "html_inline" and (tag := _ELEMENT.match(child.content)) and tag[1].lower() in HTML
        ):
            if not child.content.startswith('<input class="task-list-item'):
                scan.fault("KB034", row + _breaks(token, child), child.content)
        else:
            words += "\0"
    for code, pattern in _RAW:
        for raw in pattern.finditer(words):
            scan.fault(code, row + words.count("\n", 0, raw.start()), raw[0])


def _breaks(inline: Token, child: Token) -> int:
    count = 0
    for one in inline.children or ():
        if one is child:
            break
        count += one.type in ("softbreak", "hardbreak")
    return count


def _take(token: Token, at: tuple[int, int, int, int], scan: _Scan) -> None:
    line = scan.lines[at[0]]
    match token.type:
        case "remark":
            scan.cuts.append((*at, ""))
        case "wiki" if token.meta["embed"]:
            words = str(token.meta["words"])
            size = re.fullmatch(r"\d+(?:x\d+)?", words)  # Obsidian's way to say how wide a picture is shown
            _take_image(str(token.meta["target"]), "" if size else words, at, scan)
        case "wiki":
            target, words = str(token.meta["target"]), str(token.meta["words"])
            if target:
                scan.links.append(Link("article", target, words or token.content, line))
            if words or not target:
                scan.cuts.append((*at, escaped(token.content)))
        case "image":
            _take_image(
                str(token.attrs.get("src", "")), token.content, at, scan, str(token.attrs.get("title", ""))
            )
        case "link_open":
            _take_link(token, at, scan)


def _take_image(target: str, text: str, at: tuple[int, int, int, int], scan: _Scan, title: str = "") -> None:
    line = scan.lines[at[0]]
    if _SCHEME.match(target):
        scan.links.append(Link("url", target, text, line))
        return
    scan.links.append(Link("image", target, text, line))
    scan.cuts.append((*at, ""))
    _attach(target, text, line, scan, title)


def _attach(target: str, caption: str, line: int, scan: _Scan, title: str = "") -> None:
    """A file of the folder is sent with the words around it; *title* may be an address that shows it, too."""
    place = find_inside(target, scan.path, scan.folder)
    path = place.relative_to(scan.folder.resolve()).as_posix() if place else ""
    if path and is_sendable(path):
        link = title.strip() if _WEB.match(title.strip()) else ""
        # law: no customer reads the braces of a fact that nobody fills in here
        said = "" if "{{" in caption else " ".join(caption.split())
        scan.files.append(AttachedFile(path, said, link, line=line))


def _take_link(token: Token, at: tuple[int, int, int, int], scan: _Scan) -> None:
    target = str(token.attrs.get("href", ""))
    written = scan.rows[at[0]][at[1] : at[3]] if at[0] == at[2] else ""
    if _SCHEME.match(target):
        scan.links.append(Link("url", target, written, scan.lines[at[0]]))
    elif not target.startswith("#"):
        scan.links.append(Link("file", target, written, scan.lines[at[0]]))
        _attach(target, "", scan.lines[at[0]], scan, str(token.attrs.get("title", "")))
    if written.endswith(
        "]"
    ):  # its address stands elsewhere, and a part of the article may be shown without that place
        label = int(token.meta["label"]) - int(token.meta["at"][0])
        scan.cuts.append((at[0], at[1] + label, at[2], at[3], f"(<{target}>)"))


def _count_cells(tokens: Sequence[Token], scan: _Scan) -> None:
    """A row with more cells than the head of its table has would lose the last ones."""
    columns = 0
    for token in tokens:
        if token.type == "table_open":
            columns = 0
        elif token.type == "th_open":
            columns += 1
        elif token.type == "tr_open" and token.map and columns:
            cells = [
                cell.strip()
                for cell in escapedSplit(scan.rows[token.map[0]].strip().removeprefix("|").removesuffix("|"))
            ]
            if lost := [cell for cell in cells[columns:] if cell]:
                scan.fault("KB037", token.map[0], lost[0])


def _placed(
    inline: Token, rows: Sequence[str], kinds: Sequence[str]
) -> Iterator[tuple[Token, tuple[int, int, int, int]]]:
    """The children of these kinds, with the row and column where each begins and ends."""
    if inline.type != "inline" or inline.map is None:
        return
    for child in inline.children or ():
        if child.type in kinds and "at" in child.meta:
            start, end = child.meta["at"]
            first, last = _place(inline, rows, start), _place(inline, rows, end)
            if first and last:
                yield child, (*first, *last)


def _place(inline: Token, rows: Sequence[str], offset: int) -> tuple[int, int] | None:
    """The row and column of a character of a paragraph, whose rows lack only what stands before them: indents
    and quote marks.
    """
    before = inline.content[:offset]
    number = before.count("\n")
    row = (inline.map or [0])[0] + number
    words = inline.content.split("\n")[number].rstrip()
    written = rows[row].rstrip() if row < len(rows) else ""
    column = len(written) - len(words) if written.endswith(words) else written.find(words)
    return (row, column + offset - (before.rfind("\n") + 1)) if column >= 0 else None


def _cut(rows: Sequence[str], cuts: Sequence[Cut]) -> list[str]:
    done = list(rows)
    for first, start, last, end, words in sorted(cuts, reverse=True):
        if first == last:
            done[first] = done[first][:start] + words + done[first][end:]
            continue
        done[last] = done[last][end:]
        done[first + 1 : last] = [""] * (last - first - 1)
        done[first] = done[first][:start] + words
    return done


# --- includes
# --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Includes:
    """Puts the files that an article of *folder* names in their places; faults are told of its *file*."""

    folder: Path
    file: str
    problems: list[Problem]
    internal: bool

    def rows(
        self, text: str, first_line: int, path: Path, seen: tuple[Path, ...] = ()
    ) -> list[tuple[str, int]]:
        """The rows of *text*, a part of *path*, with what they include, and the line each stands on."""
        rows: list[tuple[str, int]] = []
        quiet = _quiet_rows(text) if "{{" in text or "![[" in text else frozenset()
        for number, row in enumerate(text.split("\n"), first_line):
            named = None if number - first_line in quiet else _INCLUDE.match(row) or _note_embed(row)
            if not named:
                rows.append((row, number))
                continue
            line = number if not seen else first_line
            inner = self._read(named.group(1).strip(), line, path, seen)
            if inner is not None:
                target, words = inner
                part = self.rows(words, 1, target, (*seen, target))
                rows += [(r, number) for r, _ in part]
        return rows

    def _read(self, name: str, line: int, path: Path, seen: tuple[Path, ...]) -> tuple[Path, str] | None:
        target = find_inside(name, path, self.folder)
        if target is None:
            self.problems.append(problem("articles.include.missing", self.file, line, 1, "KB009", name=name))
            return None
        if target in seen or target == path.resolve() or len(seen) >= MAX_INCLUDES:
            self.problems.append(problem("articles.include.circle", self.file, line, 1, "KB009", name=name))
            return None
        try:
            words = target.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            self.problems.append(
                problem("articles.include.unreadable", self.file, line, 1, "KB009", name=name)
            )
            return None
        if len(words) > 1_000_000:
            self.problems.append(problem("articles.include.large", self.file, line, 1, "KB009", name=name))
            return None
        try:
            head, words, _ = split_head(words)
        except ValueError:
            self.problems.append(found("KB002", target.as_posix(), 1))
            return None
        if not self.internal and hides_from_customers(head or ""):
            self.problems.append(problem("articles.include.internal", self.file, line, 1, "KB039", name=name))
            return None
        return target, words


def _quiet_rows(text: str) -> frozenset[int]:
    """Rows of code and of remarks: nothing is put in there."""
    tokens = (t for t in parser().parse(text) if t.type in ("fence", "code_block", "remark") and t.map)
    return frozenset(n for t in tokens if t.map for n in range(*t.map))


def _note_embed(row: str) -> re.Match[str] | None:
    named = _EMBED.fullmatch(row)
    if named and PurePosixPath(named.group(1).strip()).suffix.lower() in PICTURES:
        return None
    return named


def find_inside(name: str, path: Path, folder: Path) -> Path | None:
    """The file *name* seen from the article *path*, only if it really lies inside *folder* (symbolic links
    followed).
    """
    root = folder.resolve()
    return next((t for t in _places(name, path, folder) if t.is_relative_to(root)), None)


def is_outside(name: str, path: Path, folder: Path) -> bool:
    """Whether *name* leads to a file that there is, but outside of *folder*."""
    return find_inside(name, path, folder) is None and next(_places(name, path, folder), None) is not None


def _places(name: str, path: Path, folder: Path) -> Iterator[Path]:
    """The files that *name* may mean, seen from the article and from the folder, links followed."""
    for written in dict.fromkeys((name, unquote(name))):
        pure = PurePosixPath(written.replace("\\", "/"))
        if pure.is_absolute() or ":" in written or "\0" in written:
            continue
        for start in (path.parent, folder):
            for suffix in ("", ".md"):
                try:
                    target = (start / f"{pure}{suffix}").resolve()
                    if target.is_file():
                        yield target
                except (OSError, ValueError):
                    continue
