"""An article as one customer reads it: with their own facts in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.dialogs.protocols import ArticleText
from bot.i18n.texts import Texts
from bot.knowledge.articles.attached import AttachedFile
from bot.model import Button, Customer


@dataclass(frozen=True, slots=True)
class PersonalPassage:
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class PersonalArticle:
    """The same article with its facts filled in."""

    id: str
    title: str
    section: str
    topic: str
    lang: str
    questions: Sequence[str]
    lead: str
    passages: Sequence[PersonalPassage]
    buttons: Sequence[Button]
    attached: Sequence[AttachedFile]


def personal(
    article: ArticleText, texts: Texts, customer: Customer | None, now: datetime | None = None
) -> ArticleText:
    """The article for this customer; the same one where it has no facts to be filled in."""
    if not any("{" in p.text or "{" in p.heading for p in article.passages) and "{" not in article.lead:
        return article

    def filled(markdown: str) -> str:
        return texts.personal(markdown, customer, lang=article.lang, now=now)

    return PersonalArticle(
        article.id,
        article.title,
        article.section,
        article.topic,
        article.lang,
        article.questions,
        filled(article.lead),
        tuple(PersonalPassage(filled(p.heading), filled(p.text)) for p in article.passages),
        article.buttons,
        article.attached,
    )
