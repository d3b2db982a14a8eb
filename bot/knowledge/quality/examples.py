"""Example questions learnt from use: what customers picked, what helped them and what operators sent, by
article, for an editor to accept or reject.

Everything here is a function over records; nothing becomes an example before somebody says yes.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

import numpy as np
from rapidfuzz import fuzz

from bot.knowledge.articles.schema import Article
from bot.knowledge.quality.feedback import Feedback
from bot.knowledge.quality.gaps import Encode
from bot.knowledge.quality.lint.questions import gist
from bot.knowledge.query.words import fold
from bot.model import Event
from bot.text.customer_words import as_example, masked

Hindrance = Literal["", "gone", "draft", "archived", "expired", "owned"]
CUSTOMERS = 2  # who said so before a line is marked for acceptance; one operator's article is enough
NEARLY = 92  # of 100: how like each other the words of two questions are that teach the same
SAME = 0.97  # cosine of meanings from which they do
WORDS = 2  # fewer say nothing of their own
ACCEPTED, REJECTED, RESTORED = "example_accepted", "example_rejected", "example_restored"
Names = Callable[[int], Collection[str]]


@dataclass(frozen=True, slots=True)
class SuggestedExample:
    """A question that use says belongs to an article.

    `id` stays the same for the same words and article. `question` is what would become the example, `words`
    how it was really asked, masked. `picked`, `sent` and `helped` count who said so, `against` for whom the
    article did not help, `elsewhere` for which other articles the same was said. `hindrance` says why it
    cannot be taken as it is; `owner` is the article that has it word for word.
    """

    id: str
    article: str
    title: str
    question: str
    words: tuple[str, ...]
    picked: int = 0
    sent: int = 0
    helped: int = 0
    against: int = 0
    customers: int = 0
    last: datetime | None = None
    elsewhere: tuple[tuple[str, int], ...] = ()
    hindrance: Hindrance = ""
    owner: str = ""

    @property
    def contested(self) -> bool:
        """Whether use contradicts itself."""
        return bool(self.elsewhere or self.against)

    @property
    def chosen(self) -> bool:
        """Whether enough speaks for it, and nothing against it, to mark it for acceptance at once."""
        return not self.contested and not self.hindrance and (self.customers >= CUSTOMERS or self.sent > 0)


def settled(events: Iterable[Event]) -> frozenset[str]:
    """The ids of what was accepted or rejected; *events* are of the kinds above, in order."""
    found: set[str] = set()
    for event in events:
        ids = event.data.get("examples")
        named = {str(i) for i in ids} if isinstance(ids, list | tuple) else set()
        found = found - named if event.kind == RESTORED else found | named
    return frozenset(found)


def example_id(article: str, question: str) -> str:
    """The same for questions of the same words, whatever their order and endings: no words are kept in it."""
    return "e" + hashlib.sha256(f"{article}\n{' '.join(gist(question))}".encode()).hexdigest()[:8]


def suggest_examples(
    verdicts: Sequence[Feedback],
    articles: Sequence[Article],
    today: date,
    *,
    done: Collection[str] = (),
    names: Names = lambda _: (),
    encode: Encode | None = None,
) -> tuple[SuggestedExample, ...]:
    """What could become an example, the best supported first within its article; *done* are ids of what was
    decided before.

    Left out is what an article has already or nearly, and what would say nothing of its own.
    """
    known = {a.id: a for a in articles}
    family = {a.id: a.twin_of or a.id for a in articles}
    owners = _owners(articles)
    asked: dict[tuple[str, tuple[str, ...]], list[tuple[Feedback, str]]] = {}
    for verdict in verdicts:
        question = "" if verdict.mixed else as_example(verdict.question, names(verdict.conversation))
        if len(question.split()) >= WORDS:
            asked.setdefault((verdict.article, gist(question)), []).append((verdict, question))
    told = _by_question(asked, family)
    found = []
    for (article, key), said in asked.items():
        owner = owners.get(key, "")
        if not any(v.right for v, _ in said) or _is_of(owner, article, family):
            continue
        made = _suggestion(article, said, known.get(article), names)
        if made.id not in done:
            found.append(_hindered(made, known, family, owner, told[key], today))
    return _apart(found, known, encode)


def _is_of(owner: str, article: str, family: Mapping[str, str]) -> bool:
    return bool(owner) and family.get(owner, owner) == family.get(article, article)


def _suggestion(
    article: str, said: Sequence[tuple[Feedback, str]], found: Article | None, names: Names
) -> SuggestedExample:
    right = [(v, q) for v, q in said if v.right]
    wordings = Counter(q for _, q in right)
    question = min(wordings, key=lambda q: (-wordings[q], len(q), q))
    source = Counter(v.source for v, _ in right)
    return SuggestedExample(
        example_id(article, question),
        article,
        found.title if found else article,
        question,
        tuple(dict.fromkeys(" ".join(masked(v.question, names(v.conversation)).split()) for v, _ in right)),
        source["picked"],
        source["sent"],
        source["helped"],
        len({v.conversation for v, _ in said if not v.right}),
        len({v.conversation for v, _ in right}),
        max((v.at for v, _ in right if v.at is not None), default=None),
    )


def _hindered(
    made: SuggestedExample,
    known: Mapping[str, Article],
    family: Mapping[str, str],
    owner: str,
    told: Mapping[str, int],
    today: date,
) -> SuggestedExample:
    """With what speaks against it."""
    own = family.get(made.article, made.article)
    elsewhere = tuple((a, n) for a, n in sorted(told.items(), key=lambda x: (-x[1], x[0])) if a != own)
    return replace(
        made,
        elsewhere=elsewhere,
        hindrance=hindrance_of(known.get(made.article), today) or ("owned" if owner else ""),
        owner=owner,
    )


def hindrance_of(article: Article | None, today: date) -> Hindrance:
    """Why examples of an article reach no customer now; "" where they do."""
    if article is None:
        return "gone"
    if article.status != "published":
        return "draft" if article.status == "draft" else "archived"
    return "expired" if article.valid_until and article.valid_until < today else ""


def owner_of(question: str, articles: Sequence[Article], article: str) -> str:
    """The other article that has this question word for word, "" where none has."""
    family = {a.id: a.twin_of or a.id for a in articles}
    owner = _owners(articles).get(gist(question), "")
    return owner if owner and family[owner] != family.get(article, article) else ""


def _owners(articles: Sequence[Article]) -> dict[tuple[str, ...], str]:
    """Which published article has a question, whatever the order and endings of its words."""
    owners: dict[tuple[str, ...], str] = {}
    for article in articles:
        if article.status == "published":
            for question in article.questions:
                owners.setdefault(gist(question), article.id)
    return owners


def _by_question(
    asked: Mapping[tuple[str, tuple[str, ...]], Sequence[tuple[Feedback, str]]], family: Mapping[str, str]
) -> dict[tuple[str, ...], dict[str, int]]:
    """For each question, by article, how many said that it belongs there."""
    told: dict[tuple[str, ...], dict[str, set[int]]] = {}
    for (article, key), said in asked.items():
        for_it = {v.conversation for v, _ in said if v.right}
        if for_it:
            told.setdefault(key, {}).setdefault(family.get(article, article), set()).update(for_it)
    return {key: {a: len(c) for a, c in by.items()} for key, by in told.items()} | {
        key: {} for _, key in asked if key not in told
    }


def _apart(
    found: Sequence[SuggestedExample], known: Mapping[str, Article], encode: Encode | None
) -> tuple[SuggestedExample, ...]:
    """By article, the best supported first, without what teaches the same as another or as what is there."""
    ordered = sorted(
        found, key=lambda s: (-s.sent - s.customers, -(s.last.timestamp() if s.last else 0), s.id)
    )
    texts = list(dict.fromkeys([s.question for s in ordered]))
    there = {a: known[a].questions for a in {s.article for s in ordered} if a in known}
    texts += [
        q for q in dict.fromkeys(q for questions in there.values() for q in questions) if q not in texts
    ]
    vectors = dict(zip(texts, encode(texts), strict=True)) if encode is not None and texts else {}
    taught: dict[str, list[str]] = {a: list(q) for a, q in there.items()}
    kept = []
    for one in ordered:
        near = taught.setdefault(one.article, [])
        if not any(_is_same(one.question, other, vectors) for other in near):
            near.append(one.question)
            kept.append(one)
    return tuple(kept)


def _is_same(one: str, other: str, vectors: Mapping[str, np.ndarray]) -> bool:
    """Whether two questions teach the same: numbers apart, their words or their meanings are one."""
    mine, theirs = (" ".join(gist(q)) for q in (one, other))
    if {w for w in mine.split() if w.isdigit()} != {w for w in theirs.split() if w.isdigit()}:
        return False
    if mine == theirs or fuzz.ratio(mine, theirs) >= NEARLY or fold(one) == fold(other):
        return True
    return bool(vectors) and float(vectors[one] @ vectors[other]) >= SAME


def by_article(found: Sequence[SuggestedExample]) -> dict[str, list[SuggestedExample]]:
    """Grouped, the article with most support first."""
    groups: dict[str, list[SuggestedExample]] = {}
    for one in found:
        groups.setdefault(one.article, []).append(one)
    return dict(sorted(groups.items(), key=lambda g: -sum(s.customers for s in g[1])))
