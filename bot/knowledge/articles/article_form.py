"""An article as fields that somebody fills who knows nothing of its head; keys that have no field stay."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from bot.knowledge.articles.fields import AUDIENCES, read_fields
from bot.knowledge.articles.frontmatter import read_head, split_head
from bot.knowledge.articles.head_keys import (
    with_body,
    with_buttons,
    with_list,
    with_row,
    with_status,
    with_text,
)
from bot.text.markdown import plain

QUESTIONS = ("aliases", "alias", "questions")
_HEADING = re.compile(r"#[ \t]+(.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleForm:
    """What the fields hold: `section` is the folder, or the key of that name; each button is a label with the
    name of an article or an address; `valid_until` is as written.
    """

    title: str = ""
    section: str = ""
    questions: tuple[str, ...] = ()
    audience: str = "customers"
    buttons: tuple[tuple[str, str], ...] = ()
    topic: str = ""
    tags: tuple[str, ...] = ()
    owner: str = ""
    valid_until: str = ""
    body: str = ""


def form_of(text: str, place: str) -> ArticleForm:
    """The fields of the article file at *place*. Raises `ValueError` where its head cannot be read."""
    written, body, _ = split_head(text)
    head, _ = read_head(written or "", place)
    if head is None:
        raise ValueError("the head cannot be read")
    fields, _ = read_fields(head, place)
    day = next((str(v) for k, v in head.values.items() if k.lower() == "valid_until" and v), "")
    return ArticleForm(
        title=fields.title or _heading(body),
        section=fields.section or folder_of(place),
        questions=fields.aliases,
        audience=fields.audience if fields.audience in AUDIENCES else "staff",
        buttons=tuple((b.label, b.url or b.value) for b in fields.buttons),
        topic=fields.topic,
        tags=fields.tags,
        owner=fields.owner,
        valid_until=day,
        body=body.strip("\n"),
    )


def with_form(text: str, form: ArticleForm, place: str) -> str:
    """The file with what differs in the fields; the rest of it stays as it is written.

    Raises `ValueError` where its head cannot be read.
    """
    old = form_of(text, place)
    if form.body.strip() != old.body.strip():
        text = with_body(text, form.body)
    if form.title != old.title:
        text = _without_heading(with_text(text, ("title",), form.title), old.title)
    if form.section != old.section:
        text = with_text(text, ("section",), "" if form.section == folder_of(place) else form.section)
    if form.questions != old.questions:
        text = with_list(text, QUESTIONS, form.questions)
    if form.buttons != old.buttons:
        text = with_buttons(text, form.buttons)
    if form.audience != old.audience:
        text = with_text(text, ("audience",), "" if form.audience == "customers" else form.audience)
    if form.tags != old.tags:
        text = with_row(text, ("tags", "tag"), form.tags)
    for name, names in (
        ("topic", ("topic", "category")),
        ("owner", ("owner",)),
        ("valid_until", ("valid_until",)),
    ):
        if getattr(form, name) != getattr(old, name):
            text = with_text(text, names, getattr(form, name))
    return text


def new_text(form: ArticleForm, language: str, place: str) -> str:
    """The file of a new article, a draft."""
    return with_form(with_status(f"---\nlang: {language}\n---\n", "draft"), form, place)


def form_from(data: Mapping[str, object]) -> ArticleForm:
    """The fields as a page sends them. Raises `ValueError` where they are none."""
    buttons = data.get("buttons", [])
    if not isinstance(buttons, list) or not all(isinstance(b, list) and len(b) == 2 for b in buttons):
        raise ValueError("buttons: pairs expected")
    pairs = tuple((_line(label), _line(target)) for label, target in buttons)
    audience = _line(data.get("audience", "customers"))
    if audience not in AUDIENCES:
        raise ValueError("audience")
    return ArticleForm(
        title=_line(data.get("title", "")),
        section=_line(data.get("section", "")).strip("/"),
        questions=_lines(data.get("questions", [])),
        audience=audience,
        buttons=tuple(pair for pair in pairs if any(pair)),
        topic=_line(data.get("topic", "")),
        tags=_lines(data.get("tags", [])),
        owner=_line(data.get("owner", "")),
        valid_until=_line(data.get("valid_until", "")),
        body=re.sub(r"\r\n?", "\n", str(data.get("body", ""))),
    )


def folder_of(place: str) -> str:
    """The section that a place names: its folder.

    >>> folder_of("dostavka/sroki.md"), folder_of("sroki.md")
    ('dostavka', '')
    """
    parent = PurePosixPath(place).parent.as_posix()
    return "" if parent == "." else parent


def _line(value: object) -> str:
    return " ".join(str(value).split())


def _lines(values: object) -> tuple[str, ...]:
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise ValueError("a list expected")
    return tuple(dict.fromkeys(line for value in values if (line := _line(value))))


def _heading(body: str) -> str:
    found = _HEADING.match(body.lstrip("\n"))
    return plain(found[1]) if found else ""


def _without_heading(text: str, title: str) -> str:
    """Without the heading that said the old title: the head says the new one."""
    _, body, _ = split_head(text)
    if not title or _heading(body) != title:
        return text
    return with_body(text, body.lstrip("\n").partition("\n")[2])
