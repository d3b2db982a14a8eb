"""The demo shop's articles are whole: readable, linked, with titles that fit buttons; the golden questions
name real articles.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from bot.knowledge.articles.schema import Article, read_articles

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "kb_articles"
LABEL = 40  # characters a VK button holds; titles become buttons


@pytest.fixture(scope="module")
def articles() -> dict[str, Article]:
    found, problems = read_articles(FOLDER)
    assert not problems, "\n".join(map(str, problems))
    return {a.id: a for a in found}


def test_there_is_enough_to_show(articles: dict[str, Article]) -> None:
    """At least thirty Russian articles, and ten English twins that point to a Russian one."""
    russian = [a for a in articles.values() if a.lang == "ru"]
    english = [a for a in articles.values() if a.lang == "en"]

    assert len(russian) >= 30
    assert len(english) >= 10
    assert all(articles[a.twin_of].lang == "ru" for a in english)


def test_every_article_can_be_asked_and_fits_a_button(articles: dict[str, Article]) -> None:
    """Each has example questions, a short lead, and a title that fits a button."""
    for article in articles.values():
        assert len(article.aliases) >= 6, article.id
        assert 0 < len(article.lead) <= 240, article.id
        assert len(article.title) <= LABEL, article.id
        assert all(len(b.label) <= LABEL for b in article.buttons), article.id


def test_links_buttons_and_pictures_lead_somewhere(articles: dict[str, Article]) -> None:
    """Wiki links and buttons name articles that exist; pictures are there and small."""
    links = [link.target for a in articles.values() for link in a.links if link.kind == "article"]
    buttons = [button for a in articles.values() for button in a.buttons]
    images = [FOLDER / file.path for a in articles.values() for file in a.attached]

    assert links and buttons and images
    assert set(links) <= set(articles)
    assert [b.label for b in buttons if not b.url and b.value not in articles] == []
    assert [str(image) for image in images if image.stat().st_size > 40_000] == []


def test_no_question_belongs_to_two_articles(articles: dict[str, Article]) -> None:
    """The same example question in two articles would make the bot guess."""
    owners: dict[str, set[str]] = defaultdict(set)
    for article in articles.values():
        for question in article.questions:
            owners[question.casefold().strip(" ?!.")].add(article.id)

    assert {q: o for q, o in owners.items() if len(o) > 1} == {}


def test_golden_questions_name_real_articles_in_words_of_their_own(articles: dict[str, Article]) -> None:
    """Each golden question expects an existing article or a decision, every Russian article has one, none
    repeats an alias.
    """
    golden = yaml.safe_load((ROOT / "tests" / "questions.yaml").read_text("utf-8"))
    asked = {q.casefold().strip(" ?!.") for a in articles.values() for q in a.questions}

    assert len(golden) >= 60
    for row in golden:
        assert row.get("article") in {None, *articles}, row
        assert row.get("decision") in (None, "answer", "clarify", "handoff"), row
        assert "article" in row or "decision" in row, row
        assert row["q"].casefold().strip(" ?!.") not in asked, row
    assert {a.id for a in articles.values() if a.lang == "ru"} <= {row.get("article") for row in golden}
