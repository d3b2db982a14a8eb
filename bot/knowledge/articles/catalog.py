"""Which articles may answer whom: status, last day, channel, customer's segment, and the twin in the
customer's language.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date
from functools import cached_property, lru_cache

import numpy as np

from bot.knowledge.articles.fields import ArticleFields
from bot.knowledge.articles.schema import Article, guess_language
from bot.knowledge.query.words import words_of
from bot.knowledge.tables import table_names
from bot.model import Button

_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_LATIN_WORD = re.compile(r"[a-z]{2,}", re.IGNORECASE)
_SAID = (
    *(f.name for f in fields(ArticleFields) if f.name not in ("owner", "status", "audience")),
    "body",
)  # to customers
VERSION_DIGITS = 12


class ArticleCatalog:
    """Articles by id, and masks over the published ones."""

    def __init__(self, articles: Sequence[Article]) -> None:
        self.articles: Mapping[str, Article] = {a.id: a for a in articles}
        self.published = tuple(a for a in articles if a.status == "published")
        self._owners: dict[str, str] = {}
        for article in self.published:
            first = article.twin_of or article.id
            for question in article.questions:
                if self._owners.setdefault(_key(question), first) != first:
                    self._owners[_key(question)] = ""  # more than one
        self._twins: dict[str, dict[str, str]] = {}
        for article in articles:
            if article.status == "published":
                self._twins.setdefault(article.twin_of or article.id, {}).setdefault(article.lang, article.id)
        self._last = np.array(
            [a.valid_until.toordinal() if a.valid_until else 2**40 for a in self.published], np.int64
        )
        self._limited = tuple(i for i, a in enumerate(self.published) if a.segment)
        self._channelled = tuple(i for i, a in enumerate(self.published) if a.channels)

    def article(self, id: str, language: str = "") -> Article | None:
        """The article, or its published twin in *language* where there is one."""
        found = self.articles.get(id)
        if found is None or not language or found.lang == language:
            return found
        return self.articles.get(self._twins.get(found.twin_of or found.id, {}).get(language, ""), found)

    def article_for(
        self, id: str, language: str, channel: str, segment: Mapping[str, object], today: date
    ) -> Article | None:
        """The same for one customer: what they may not be shown is not there for them, whatever named it; its
        twin is, where they may see that.
        """
        found = self.article(id, language)
        if found is None:
            return None
        twins = self._twins.get(found.twin_of or found.id, {}).values()
        family = dict.fromkeys((found.id, *twins))
        return next(
            (a for i in family if _is_open(a := self.articles[i], channel, segment, today)),
            None,
        )

    def owner(self, question: str) -> str | None:
        """The one article (the first of its twins) among whose questions this one stands, whatever the order
        of its words.
        """
        return self._owners.get(_key(question)) or None

    def allowed(self, language: str, channel: str, segment: Mapping[str, object], today: date) -> np.ndarray:
        """Which published articles may be shown: in date, for this channel and customer, and not a twin in
        the wrong language.
        """
        mask = np.asarray(
            (self._last >= today.toordinal()) & ~self._foreign.get(language, self._nobody), bool
        )
        for i in self._channelled:
            mask[i] &= _reaches(self.published[i], channel)
        for i in self._limited:
            mask[i] &= _belongs(self.published[i].segment, segment)
        return mask

    def language_of(self, text: str, language: str) -> str:
        """The language of a question: what it is written in; the customer's where it shows none (a number,
        one brand name).
        """
        if is_russian(text):
            return "ru"
        words = _LATIN_WORD.findall(text)
        if len(words) >= 3 or (words and not language):
            return "en"
        return language or (guess_language(text) if words else "")

    @cached_property
    def version(self) -> str:
        """Tells one set of published articles from another: the same on every machine, wherever the folder is
        and however old its files are. Of files the names count.
        """
        digest = hashlib.sha256()
        for article in sorted(self.published, key=lambda a: a.id):
            files = [(f.path, f.caption, f.link) for f in article.attached]
            said = [*(getattr(article, name) for name in _SAID), files]
            digest.update(json.dumps(said, sort_keys=True, default=_as_json).encode())
        return digest.hexdigest()[:VERSION_DIGITS]

    @cached_property
    def has_english(self) -> bool:
        return any(a.lang == "en" for a in self.published)

    @cached_property
    def titled(self) -> bool:
        """Whether titles tell the articles apart, and are not those of books that they are pages of."""
        return len({a.title for a in self.published}) > 0.5 * len(self.published)

    @cached_property
    def _nobody(self) -> np.ndarray:
        return np.zeros(len(self.published), bool)

    @cached_property
    def _foreign(self) -> dict[str, np.ndarray]:
        """By language: articles that have a twin in it and are not in it."""
        return {
            lang: np.array(
                [a.lang != lang and lang in self._twins.get(a.twin_of or a.id, {}) for a in self.published],
                bool,
            )
            for lang in ("ru", "en")
        }


def is_russian(text: str) -> bool:
    """Whether *text* has a Cyrillic letter: then our encoder reads it as Russian."""
    return bool(_CYRILLIC.search(text))


def _as_json(value: object) -> object:
    """The fields of an article that JSON does not know: buttons, the last day, a segment."""
    if isinstance(value, Button):
        return (value.label, value.action, value.url)
    return dict(value) if isinstance(value, Mapping) else str(value)


def _is_open(article: Article, channel: str, segment: Mapping[str, object], today: date) -> bool:
    """Whether the article is shown today, on this channel, to a customer of these fields."""
    return (
        article.status == "published"
        and (article.valid_until is None or article.valid_until >= today)
        and _reaches(article, channel)
        and _belongs(article.segment, segment)
    )


def _reaches(article: Article, channel: str) -> bool:
    kinds = article.channels
    return not kinds or not channel or channel in kinds or channel.split("-")[0] in kinds


def _belongs(wanted: Mapping[str, tuple[str, ...]], fields: Mapping[str, object]) -> bool:
    for key, values in wanted.items():
        have = fields.get(key)
        items = have if isinstance(have, list | tuple | set) else [have]
        if values and not any(str(i).strip().casefold() in values for i in items if i is not None):
            return False
        if not values and (not have or str(have).strip().casefold() in table_names().no):
            return False
    return True


@lru_cache(maxsize=65_536)
def _key(question: str) -> str:
    return " ".join(sorted(words_of(question)))
