"""What the words of a comment are: a question, praise, an insult, an advertisement."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.i18n.texts import Texts
from bot.text.graphemes import shorten

_LINK = re.compile(r"https?://|\b[\w-]+\.(?:me|ly|cc|ru|com|net|org|shop|site)\b")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")


class CommentWords:
    """Listens for the words of the owner's language files (`comments.*`)."""

    def __init__(self, texts: Texts) -> None:
        self._asks = _pattern(texts.options("comments.asks"), whole=True)
        self._praise = _pattern(texts.options("comments.praise"))
        self._insult = _pattern(texts.options("comments.insult"))
        self._spam = _pattern(texts.options("comments.spam"))

    def asks(self, text: str) -> bool:
        return "?" in text or self._asks.search(_folded(text)) is not None

    def is_praise(self, text: str) -> bool:
        return self._praise.search(_folded(text)) is not None

    def is_insult(self, text: str) -> bool:
        return self._insult.search(_folded(text)) is not None

    def is_spam(self, text: str) -> bool:
        """Advertisements: two words of theirs, or one beside a link."""
        found = {m[0] for m in self._spam.finditer(_folded(text))}
        return len(found) >= 2 or (bool(found) and _LINK.search(text.lower()) is not None)


def shortened(text: str, length: int) -> str:
    """The first sentences of *text* that fit into *length* characters; of a long first one its beginning.

    >>> shortened("Да, доставляем. По городу — бесплатно. За город — 300 ₽.", 40)
    'Да, доставляем. По городу — бесплатно.'
    """
    done = ""
    for sentence in filter(None, _SENTENCE.split(text.strip())):
        longer = f"{done} {sentence.strip()}".strip()
        if len(longer) > length:
            break
        done = longer
    return done or shorten(" ".join(text.split()), length)


def _pattern(words: Sequence[str], *, whole: bool = False) -> re.Pattern[str]:
    """Words that begin like one of *words*, or are just it."""
    stems = "|".join(sorted((re.escape(_folded(w)) for w in words), key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{stems})" + (r"(?!\w)" if whole else ""))


def _folded(text: str) -> str:
    return text.casefold().replace("ё", "е")
