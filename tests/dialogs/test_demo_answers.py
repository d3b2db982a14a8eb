"""The demo articles as the bot says them: short, whole, and nothing lost."""

from __future__ import annotations

from pathlib import Path

from bot.dialogs.article_rendering import portion
from bot.knowledge.articles.schema import read_articles
from bot.text.markdown import plain

FOLDER = Path(__file__).parents[2] / "kb_articles"


def test_every_demo_answer_fits_a_phone_and_loses_nothing() -> None:
    """Whatever part of whatever article fits best, about a screen is said, and the rest is all there for
    «Подробнее».
    """
    articles, _ = read_articles(FOLDER)
    assert len(articles) >= 40
    for one in articles:
        whole = sorted(
            plain(
                "\n\n".join(f"# {p.heading}\n\n{p.text}" if p.heading else p.text for p in one.passages)
            ).split()
        )
        for passage in range(len(one.passages)):
            part = portion(one, passage)
            assert len(part.text.text) <= 800, one.id
            assert sorted(part.text.text.split() + part.rest.text.split()) == whole, one.id
            assert "**" not in part.text.text and "[[" not in part.text.text and "|" not in part.text.text, (
                one.id
            )
