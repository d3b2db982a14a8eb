"""Writes articles the way editors do: a new file with its head, or a question added to a head that stays as
it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.knowledge.articles.frontmatter import split_head
from bot.knowledge.query.words import fold
from bot.text.yaml_source import YamlError, read_yaml

_LETTERS = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        "a b v g d e e zh z i j k l m n o p r s t u f h c ch sh sch - y - e yu ya".replace("-", "").split(
            " "
        ),
        strict=True,
    )
)


def slug_of(title: str) -> str:
    """A file name for a title: "Как вернуть товар?" is kak-vernut-tovar."""
    latin = "".join(_LETTERS.get(c, c) for c in fold(title))
    return re.sub(r"[^a-z0-9]+", "-", latin).strip("-")[:60].strip("-") or "statya"


def quoted(text: str) -> str:
    """*text* as a YAML value on one line, in quotes only where it needs them."""
    plain = " ".join(text.split())
    try:
        read = read_yaml(f"- {plain}")
        same = read is not None and read.value == [plain] and "#" not in plain and plain == plain.strip("'\"")
    except YamlError:
        same = False
    return (
        plain
        if same and not re.search(r"[\[\]{},:&*!|>%@`]", plain)
        else json.dumps(plain, ensure_ascii=False)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleHead:
    """What stands above an article's text; *remarks* are for editors' eyes."""

    title: str
    aliases: Sequence[str] = ()
    lang: str = ""
    topic: str = ""
    tags: Sequence[str] = ()
    status: str = "published"
    remarks: Sequence[str] = ()


def article_text(head: ArticleHead, body: str) -> str:
    """The text of an article file."""
    rows = ["---", f"title: {quoted(head.title)}"]
    rows += ["aliases:", *(f"  - {quoted(a)}" for a in head.aliases)] if head.aliases else ["aliases: []"]
    rows += [f"lang: {head.lang}"] if head.lang else []
    rows += [f"topic: {quoted(head.topic)}"] if head.topic else []
    rows += [f"tags: [{', '.join(quoted(t) for t in head.tags)}]"] if head.tags else []
    rows += [f"status: {head.status}"] if head.status != "published" else []
    rows += [f"# {remark}" for remark in head.remarks]
    return "\n".join([*rows, "---", body.strip(), ""])


def with_question(text: str, question: str) -> str:
    """The article file with one more example question; every other character stays. A question that is there
    changes nothing.

    Raises `ValueError` where the head cannot be read.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    head, _, _ = split_head(text)
    if head is None:
        title_line = f"aliases:{newline}  - {quoted(question)}"
        return f"---{newline}{title_line}{newline}---{newline}{text}"
    try:
        node = read_yaml(head)
    except YamlError as error:
        raise ValueError("the head cannot be read") from error
    start = text.index("\n") + 1  # the head begins under the first ---
    pairs = node.pairs if node else {}
    found = next(
        (pair for name, pair in pairs.items() if name.lower() in ("aliases", "alias", "questions")), None
    )
    if found is None:
        end = start + len(head)
        return text[:end] + f"aliases:{newline}  - {quoted(question)}{newline}" + text[end:]
    key, value = found
    known = [i.text for i in value.items] if value.kind == "list" else [value.text]
    if " ".join(fold(question).split()) in (" ".join(fold(k).split()) for k in known):
        return text
    if value.kind == "list" and not value.flow:
        end = start + value.items[-1].end
        line_end = text.find("\n", end)
        line_end = start + len(head) if line_end < 0 else line_end + 1
        if not text[end:line_end].strip() or text[end:line_end].lstrip().startswith("#"):
            return (
                text[:line_end]
                + " " * (value.column - 1)
                + f"- {quoted(question)}{newline}"
                + text[line_end:]
            )
        return text[:end] + f"{newline}{' ' * (value.column - 1)}- {quoted(question)}" + text[end:]
    if value.kind == "list":
        close = start + value.end - 1  # the ]
        before = text[:close].rstrip()
        comma = "" if before.endswith(("[", ",")) else ","
        space = "" if before.endswith("[") else " "
        return before + f"{comma}{space}{quoted(question)}" + text[close:]
    items = [v for v in known if v]
    block = "".join(f"{newline}  - {quoted(i)}" for i in (*items, question))
    return text[: start + key.end] + ":" + block + text[start + value.end :]
