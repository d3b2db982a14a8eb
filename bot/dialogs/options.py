"""What options are called: by their titles, and where two have the same one, by what tells them apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from bot.dialogs.protocols import ArticleText
from bot.text.graphemes import shorten
from bot.text.markdown import plain

SEEN = 36  # characters of a title that the narrowest button shows
HEAD = 14  # of them for the common beginning of titles that differ only further on
SAID = 60  # characters of what tells two articles of one title apart


def names_of(articles: Sequence[ArticleText]) -> dict[str, str]:
    """Article id -> its name among these. Of equal titles that nothing tells apart only the first has one."""
    groups: dict[str, list[ArticleText]] = {}
    for article in articles:
        groups.setdefault(_alike(article.title), []).append(article)
    named: dict[str, str] = {}
    for group in groups.values():
        for article, name in zip(group, _told_apart(group), strict=False):
            named[article.id] = name
    return {a.id: named[a.id] for a in articles if a.id in named}


def labels_of(names: Sequence[str]) -> list[str]:
    """What stands on the buttons of *names*: where a button would show the same of two, the part in which
    they differ is drawn near.
    """
    seen = [_alike(shorten(name, SEEN)) for name in names]
    return [
        _drawn_near(name, [other for k, other in enumerate(names) if k != n and seen[k] == seen[n]])
        for n, name in enumerate(names)
    ]


def _drawn_near(name: str, others: Sequence[str]) -> str:
    if not others:
        return name
    words = name.split()
    same = min(sum(1 for _ in takewhile(_is_one, zip(words, o.split(), strict=False))) for o in others)
    rest = " ".join(words[same:])
    if not rest:  # the shorter of two, of which one goes on: its end tells it
        rest = " ".join(words[-2:])
    head = shorten(name, HEAD).rstrip("…").rstrip(" ,:;—-")
    return f"{head}… {rest}"


def _is_one(pair: tuple[str, str]) -> bool:
    return pair[0].casefold() == pair[1].casefold()


def _told_apart(group: Sequence[ArticleText]) -> list[str]:
    """By section, topic, the first example question or the first words of the text that differ; else one name
    only.
    """
    titles = [a.title for a in group]
    if len(group) == 1:
        return titles
    for marks in ([_spoken(a) for a in group], [a.topic.strip() for a in group]):
        if _differ(marks):
            return [f"{title} ({mark})" for title, mark in zip(titles, marks, strict=True)]
    for marks in (
        [next((q for q in a.questions if _alike(q) != _alike(a.title)), "") for a in group],
        _where_texts_differ([plain(a.lead) for a in group]),
    ):
        if _differ(marks):
            return [f"{title}: {mark}" for title, mark in zip(titles, marks, strict=True)]
    return titles[:1]


def _where_texts_differ(texts: Sequence[str]) -> list[str]:
    """The first words of each text, from the first that is not the same in all."""
    rows = [text.split() for text in texts]
    same = sum(1 for _ in takewhile(lambda words: len(set(words)) == 1, zip(*rows, strict=False)))
    return [("… " if same and row[same:] else "") + shorten(" ".join(row[same:]), SAID) for row in rows]


def _alike(text: str) -> str:
    return " ".join(text.casefold().split())


def _differ(marks: Sequence[str]) -> bool:
    return all(marks) and len({m.casefold() for m in marks}) == len(marks)


def _spoken(article: ArticleText) -> str:
    """The section as a customer may read it; "" for the folder's name in letters that are not the title's."""
    section = article.section.rpartition("/")[2].replace("-", " ").replace("_", " ").strip()
    foreign = re.search("[а-яё]", article.title, re.IGNORECASE) and not re.search(
        "[а-яё]", section, re.IGNORECASE
    )
    return "" if foreign else section[:1].upper() + section[1:]
