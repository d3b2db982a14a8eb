"""What options are called: by their titles, and where two have the same one, by what tells them apart."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.dialogs.protocols import ArticleText


def names_of(articles: Sequence[ArticleText]) -> dict[str, str]:
    """Article id -> its name among these. Of equal titles that nothing tells apart only the first has one."""
    groups: dict[str, list[ArticleText]] = {}
    for article in articles:
        groups.setdefault(" ".join(article.title.casefold().split()), []).append(article)
    named: dict[str, str] = {}
    for group in groups.values():
        for article, name in zip(group, _told_apart(group), strict=False):
            named[article.id] = name
    return {a.id: named[a.id] for a in articles if a.id in named}


def _told_apart(group: Sequence[ArticleText]) -> list[str]:
    """By section, else by the first example question; else one name only."""
    titles = [a.title for a in group]
    if len(group) == 1:
        return titles
    sections = [_spoken(a) for a in group]
    if _differ(sections):
        return [f"{title} ({section})" for title, section in zip(titles, sections, strict=True)]
    examples = [next(iter(a.questions[1:]), "") for a in group]
    if _differ(examples):
        return [f"{title}: {example}" for title, example in zip(titles, examples, strict=True)]
    return titles[:1]


def _differ(marks: Sequence[str]) -> bool:
    return all(marks) and len({m.casefold() for m in marks}) == len(marks)


def _spoken(article: ArticleText) -> str:
    """The section as a customer may read it; "" for the folder's name in letters that are not the title's."""
    section = article.section.rpartition("/")[2].replace("-", " ").replace("_", " ").strip()
    foreign = re.search("[а-яё]", article.title, re.IGNORECASE) and not re.search(
        "[а-яё]", section, re.IGNORECASE
    )
    return "" if foreign else section[:1].upper() + section[1:]
