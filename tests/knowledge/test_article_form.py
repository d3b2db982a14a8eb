"""The fields of an article and its file say the same; what no field changes stays as it is written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.knowledge.articles.article_form import ArticleForm, form_of, new_text, with_form
from bot.knowledge.articles.head_keys import with_status
from bot.knowledge.articles.schema import read_text
from tests.knowledge.test_article_writer import HEADS

FILES = sorted((Path(__file__).parents[2] / "kb_articles").rglob("*.md"))
OTHER = ArticleForm(
    title="Как: так? #1",
    section="uslugi",
    questions=("что: это?", "да", "- тире"),
    audience="staff",
    buttons=(("Цены: все", "https://example.org/?a=1#b"), ("Уход", "tovary/uhod")),
    topic="услуги",
    tags=("одна", "две, три"),
    owner="Ольга",
    valid_until="2030-01-02",
    body="Первое.\n\n- второе",
)
UNIX = [name for name in HEADS if name != "windows"]


@pytest.mark.parametrize("name", UNIX)
def test_what_the_fields_say_is_what_the_file_says(name: str) -> None:
    """Whatever form the head has; and the same fields change nothing."""
    before = HEADS[name]

    after = with_form(before, OTHER, "a.md")

    assert form_of(after, "a.md") == OTHER
    assert with_form(after, OTHER, "a.md") == after
    assert with_form(before, form_of(before, "a.md"), "a.md") == before


def test_no_article_of_the_demo_changes_by_being_opened() -> None:
    """Opened and saved as it is, each file stays byte for byte."""
    changed = [f for f in FILES if with_form(t := f.read_text("utf-8"), form_of(t, f.name), f.name) != t]

    assert FILES and changed == []


def test_one_field_changes_one_key() -> None:
    """Remarks, unknown keys and the order of the others stay."""
    before = (
        "---\n# моё\ncssclass: wide\naliases: [а, б] # эти\nzed: |\n  раз\n\n  два\n\nowner: Ия\n---\nТекст\n"
    )

    after = with_form(before, replace(form_of(before, "a.md"), owner="Ольга"), "a.md")

    assert after == before.replace("Ия", "Ольга")
    questions = with_form(before, replace(form_of(before, "a.md"), questions=("в",)), "a.md")
    assert questions == before.replace("aliases: [а, б] # эти", "aliases:\n  - в")


@pytest.mark.parametrize(
    "head",
    ["draft: true", "publish: false", "status: draft", "status: archived", "publish: no\nstatus: draft"],
)
def test_whatever_hid_it_is_taken_away_by_publishing(head: str) -> None:
    """And a draft is one again, however it was said before."""
    text = f"---\ntitle: А\n{head}\n---\nТекст\n"

    states = [with_status(text, "published"), with_status(with_status(text, "published"), "draft")]

    found = [read_text(state, Path("/kb/a.md"), Path("/kb"))[0] for state in states]
    assert [article.status for article in found if article] == ["published", "draft"]


def test_a_heading_that_was_the_title_goes_with_it() -> None:
    """Customers would read the old one above the answer."""
    text = "# Старое\n\nТекст\n"

    assert with_form(text, replace(form_of(text, "a.md"), title="Новое"), "a.md") == (
        "---\ntitle: Новое\n---\nТекст\n"
    )


def test_a_new_article_is_a_draft_of_its_fields() -> None:
    """In the language of whoever writes it."""
    article, problems = read_text(new_text(OTHER, "ru", "uslugi/a.md"), Path("/kb/uslugi/a.md"), Path("/kb"))

    assert article is not None and problems == ()
    assert (article.status, article.title, article.section) == ("draft", OTHER.title, "uslugi")
