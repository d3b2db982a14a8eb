"""Whether a sentence of the assistant is what a passage says: by its words, numbers, links and negations.

It errs to doubt: what is marked costs an operator a look, what is not marked may reach a customer.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from bot.knowledge.query.words import fold, lemma, words_of

ENOUGH = 0.75  # share of a sentence's words that a sentence of the passage must have
SHORT = 3  # letters of a word that says something
_FACT = re.compile(r"https?://\S+|[\w.+-]+@[\w-]+\.[\w.-]+|\d+(?:[.,:/]\d+)*%?")
_END = re.compile(r"(?<=[.!?…])\s+|\n+")
_SHORTENED = re.compile(r"n['’]t\b", re.IGNORECASE)


class SentenceSupport:
    """*courtesies* are whole sentences that claim nothing: a greeting, thanks. *denials* are the words that
    turn what is said into its opposite, or except something from it.
    """

    def __init__(self, courtesies: Collection[str], denials: Collection[str]) -> None:
        self._courtesies = frozenset(" ".join(words_of(c)) for c in courtesies)
        self._denials = frozenset(map(fold, denials))

    def __call__(self, sentence: str, passage: str) -> bool:
        """Whether *passage* says it."""
        if self.is_courtesy(sentence):
            return True
        if not facts_of(sentence) <= facts_of(passage):
            return False
        mine = self._telling(sentence)
        parts = [p for p in _END.split(passage) if p.strip()]
        near = [p for n, _ in enumerate(parts) for p in (parts[n], " ".join(parts[n : n + 2]))]
        return bool(mine) and any(self._says(sentence, mine, part) for part in near)

    def is_courtesy(self, sentence: str) -> bool:
        """Whether it claims nothing; a name after the greeting changes nothing."""
        said = words_of(sentence)
        return any(
            " ".join(said[:n]) in self._courtesies for n in range(max(1, len(said) - 1), len(said) + 1)
        )

    def _says(self, sentence: str, mine: Collection[str], part: str) -> bool:
        its = self._telling(part)
        share = sum(w in its for w in mine) / len(mine)
        same = facts_of(sentence) <= facts_of(part) and self._denied(sentence) == self._denied(part)
        return share >= ENOUGH and same

    def _telling(self, text: str) -> set[str]:
        return {lemma(w) for w in words_of(text) if len(w) >= SHORT and w not in self._denials}

    def _denied(self, text: str) -> bool:
        return bool(self._denials & set(words_of(text))) or _SHORTENED.search(text) is not None


def facts_of(text: str) -> set[str]:
    """Numbers, links and addresses in it."""
    return {found.rstrip(".,:/") for found in _FACT.findall(text)}
