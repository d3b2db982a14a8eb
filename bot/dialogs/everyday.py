"""Recognises everyday words about the bot and the business: who are you, are you open, how long a reply
takes, call a person, never mind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from rapidfuzz.distance import OSA

from bot.i18n.texts import Texts
from bot.knowledge.query.text_readings import readings_of
from bot.knowledge.query.words import fold

TOPICS = (
    "start",
    "menu",
    "person",
    "not_needed",
    "bot",
    "who",
    "can",
    "ask",
    "languages",
    "wait",
    "hours",
    "phone",
    "email",
    "site",
    "where",
)
EXTRA = {
    "person": "data",
    "not_needed": "not_needed_filler",
}  # what may stand beside these words and says no more
LONGEST = 16  # words; whoever writes more tells something else, too
FUZZY = 5  # letters from which one slip is forgiven
_WORD = re.compile(r"/?[^\W_]+(?:['’][^\W\d_]+)?")

Slot = tuple[str, ...]


class EverydayPhrases:
    """The lines listed under `everyday.heard` in the words: a closed vocabulary, so that a word nobody listed
    makes it another question.
    """

    def __init__(self, texts: Texts) -> None:
        self._patterns = [
            (topic, _slots(line)) for topic in TOPICS for line in texts.options(f"everyday.heard.{topic}")
        ]
        filler = frozenset(map(fold, texts.options("everyday.heard.filler")))
        extra = {
            topic: frozenset(map(fold, texts.options(f"everyday.heard.{key}")))
            for topic, key in EXTRA.items()
        }
        self._filler, self._extra = (
            filler,
            {t: frozenset(w for w in found if not w.endswith("*")) for t, found in extra.items()},
        )
        self._starts = {
            topic: tuple(w[:-1] for w in found if w.endswith("*")) for topic, found in extra.items()
        }
        self.topic = lru_cache(maxsize=256)(self._topic)  # several dialogs ask about the words of one turn

    def _topic(self, text: str) -> str:
        """Which of TOPICS *text* is about and about nothing else; "" where it says more, or something
        else.
        """
        if len(text) > 200:
            return ""
        text = re.sub(r"^(/\w+)@\w+$", r"\1", text.strip())  # a command as Telegram writes it in groups
        return next((found for reading in readings_of(text) if (found := self._read(reading))), "")

    def _read(self, text: str) -> str:
        said = [word.replace("’", "'") for word in _WORD.findall(fold(text))]
        if not 0 < len(said) <= LONGEST:
            return ""
        strange = [word for word in said if word not in self._filler]
        foreign = {
            t: sum(not self._is_beside(t, w) for w in strange) if t in EXTRA else len(strange) for t in TOPICS
        }  # these need a slot each
        matches = (
            (len(slots), topic)
            for topic, slots in self._patterns
            if foreign[topic] <= len(slots) and self._fits(topic, slots, said)
        )
        most = max(matches, key=lambda m: (m[0], -TOPICS.index(m[1])), default=(0, ""))
        return most[1]

    def _fits(self, topic: str, slots: Sequence[Slot], said: Sequence[str]) -> bool:
        """Whether each slot has a word of its own and every other word is one of those that may stand
        beside.
        """
        if len(said) < len(slots):
            return False
        left = list(said)
        for slot in sorted(slots, key=len):
            taken = next((word for word in left if _is_one_of(word, slot)), None)
            if taken is None:
                return False
            left.remove(taken)
        return all(self._is_beside(topic, word) for word in left)

    def _is_beside(self, topic: str, word: str) -> bool:
        if word in self._filler or (topic == "person" and any(c.isdigit() for c in word)):
            return True
        return word in self._extra.get(topic, ()) or word.startswith(self._starts.get(topic, ()))


@lru_cache(maxsize=8)
def everyday_of(texts: Texts) -> EverydayPhrases:
    """The phrases of *texts*, the same for all who ask: each reading of a text is then made once."""
    return EverydayPhrases(texts)


def _slots(line: str) -> tuple[Slot, ...]:
    slots = line.split(" ")
    return tuple((part,) if part.startswith("/") else tuple(map(fold, part.split("/"))) for part in slots)


@lru_cache(maxsize=50_000)
def _is_one_of(word: str, slot: Slot) -> bool:
    return any(_is(word, wanted) for wanted in slot)


def _is(word: str, wanted: str) -> bool:
    """Whether *word* is *wanted* (or begins so, where it ends in a star), give or take a letter of a longer
    one.
    """
    bare = wanted.removesuffix("*")
    if word == bare or (wanted != bare and word.startswith(bare)):
        return True
    if len(bare) < FUZZY or len(word) < FUZZY - 1:
        return False
    starts = (word,) if wanted == bare else _beginnings(word, len(bare))
    return any(OSA.distance(start, bare, score_cutoff=1) <= 1 for start in starts)


def _beginnings(word: str, length: int) -> Iterable[str]:
    return {word[: length + more] for more in (-1, 0, 1)}
