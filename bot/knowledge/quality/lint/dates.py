"""Checks what time and languages leave behind: articles past their day, and twins that are missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from bot.knowledge.articles.schema import LANGUAGES, Article
from bot.knowledge.quality.lint.fault import LintFault

SOON = 14  # days


def expiring(articles: Sequence[Article], today: date) -> Iterator[LintFault]:
    """Articles past their last day, or near it."""
    for article in articles:
        if article.valid_until is None or article.status != "published":
            continue
        left = (article.valid_until - today).days
        line = article.places.get("valid_until", 1)
        facts = {"day": article.valid_until.isoformat(), "days": left}
        if left < 0:
            yield LintFault("KB040", article.path.as_posix(), line, 1, facts)
        elif left <= SOON:
            yield LintFault("KB041", article.path.as_posix(), line, 1, facts)


def lonely(articles: Sequence[Article]) -> Iterator[LintFault]:
    """Articles without a twin, in a base that has twins."""
    paired = {a.twin_of for a in articles if a.twin_of} | {a.id for a in articles if a.twin_of}
    if not paired:
        return
    for article in articles:
        if article.id not in paired:
            other = next(lang for lang in LANGUAGES if lang != article.lang)
            facts = {"language": other, "file": f"{article.path.stem.split('.')[0]}.{other}.md"}
            yield LintFault("KB050", article.path.as_posix(), 1, 1, facts)
