"""Changes single keys of an article's head; every other character of the file stays."""

from __future__ import annotations

from collections.abc import Sequence

from bot.knowledge.articles.drafts import quoted
from bot.knowledge.articles.frontmatter import split_head
from bot.text.yaml_source import YamlError, YamlNode, read_yaml

Buttons = Sequence[tuple[str, str]]


def with_text(text: str, names: Sequence[str], value: str) -> str:
    """The file with a key whose value is *value*; "" takes the key away."""
    return _with_key(text, names, [f"{names[0]}: {quoted(value)}"] if value else [])


def with_list(text: str, names: Sequence[str], values: Sequence[str]) -> str:
    """The file with a key whose value is a list, one a line; an empty one takes the key away."""
    return _with_key(text, names, [f"{names[0]}:", *(f"  - {quoted(v)}" for v in values)] if values else [])


def with_row(text: str, names: Sequence[str], values: Sequence[str]) -> str:
    """The same on one line, in brackets."""
    row = f"{names[0]}: [{', '.join(quoted(v) for v in values)}]"
    return _with_key(text, names, [row] if values else [])


def with_buttons(text: str, buttons: Buttons) -> str:
    """The file with these buttons, each a label with its target."""
    rows = [f"  - {quoted(label)}: {quoted(target)}" for label, target in buttons]
    return _with_key(text, ("buttons",), ["buttons:", *rows] if rows else [])


def with_body(text: str, body: str) -> str:
    """The file with another text under its head."""
    _, old, _ = split_head(text)
    if body.strip() == old.strip():
        return text
    return text[: len(text) - len(old)] + body.strip("\n") + "\n"


def with_status(text: str, status: str) -> str:
    """The file with this status, whichever of the switches it was said with before; "published" needs no
    key.
    """
    for name in ("draft", "publish"):
        text = _with_key(text, (name,), [])
    head, _, _ = split_head(text)
    stands = any(name.lower() == "status" for name in _pairs(head or ""))
    return with_text(text, ("status",), status) if stands or status != "published" else text


def _with_key(text: str, names: Sequence[str], rows: Sequence[str]) -> str:
    """The file with these rows in place of the key of one of these names, or at the end of the head, a title
    at its begin.

    Raises `ValueError` where the head cannot be read.
    """
    head, _, _ = split_head(text)
    if head is None:
        return f"---\n{_joined(rows)}---\n{text}" if rows else text
    start = text.index("\n") + 1
    end = start + len(head)
    pairs = _pairs(head)
    for name, (key, value) in pairs.items():
        if name.lower() in names:
            first, last = _span(head, key, value)
            return text[: start + first] + _joined(rows) + text[start + last :]
    if not rows:
        return text
    if "title" in names:
        end = start
    before = text[:end] if text[:end].endswith("\n") else text[:end] + "\n"
    return before + _joined(rows) + text[end:]


def _pairs(head: str) -> dict[str, tuple[YamlNode, YamlNode]]:
    try:
        node = read_yaml(head)
    except YamlError as error:
        raise ValueError("the head cannot be read") from error
    if node is not None and node.kind != "map" and node.value is not None:
        raise ValueError("the head is no mapping")
    return node.pairs if node else {}


def _span(head: str, key: YamlNode, value: YamlNode) -> tuple[int, int]:
    """From the begin of the key's line to the end of the line in which its value ends."""
    first = head.rfind("\n", 0, key.start) + 1
    end = _end(value)
    while end > key.end and head[end - 1] in " \t\n":  # a text under | ends with blank lines
        end -= 1
    newline = head.find("\n", end)
    return first, len(head) if newline < 0 else newline + 1


def _end(node: YamlNode) -> int:
    """Where the last word of a value ends: a list without brackets claims the lines below it, too."""
    if node.kind == "text" or node.flow:
        return node.end
    inner = [*node.items, *(part for pair in node.pairs.values() for part in pair)]
    return max((_end(part) for part in inner), default=node.end)


def _joined(rows: Sequence[str]) -> str:
    return "".join(f"{row}\n" for row in rows)
