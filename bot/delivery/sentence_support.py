"""Whether a sentence of the assistant is what a passage says, by the check that answers to customers pass.

It errs to doubt: what is marked costs an operator a look, what is not marked may reach a customer.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from bot.dialogs.composed.article_sentences import split_sentences
from bot.dialogs.composed.sentence_check import is_supported
from bot.knowledge.query.words import words_of

_FACT = re.compile(r"https?://\S+|[\w.+-]+@[\w-]+\.[\w.-]+|\d+(?:[.,:/]\d+)*%?")


class SentenceSupport:
    """*courtesies* are whole sentences that claim nothing: a greeting, thanks."""

    def __init__(self, courtesies: Collection[str] = ()) -> None:
        self._courtesies = frozenset(" ".join(words_of(c)) for c in courtesies)

    def __call__(self, sentence: str, passage: str) -> bool:
        """Whether *passage* says it: all of it, where it is more than one."""
        sources = split_sentences(passage)
        parts = [p for p in split_sentences(sentence) if p.strip()]
        return bool(parts) and all(
            self.is_courtesy(part) or any(is_supported(part, source) for source in sources) for part in parts
        )

    def is_courtesy(self, sentence: str) -> bool:
        """Whether it claims nothing; a name after the greeting changes nothing."""
        said = words_of(sentence)
        whole = range(max(1, len(said) - 1), len(said) + 1)
        return any(" ".join(said[:n]) in self._courtesies for n in whole)


def facts_of(text: str) -> set[str]:
    """Numbers, links and addresses in it."""
    return {found.rstrip(".,:/") for found in _FACT.findall(text)}
