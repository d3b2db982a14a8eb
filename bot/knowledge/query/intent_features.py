"""What a text looks like to the model that reads intents; the same when it is trained and when it reads."""

from __future__ import annotations

import functools
import math
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bot.knowledge.query.intent_words import CATEGORIES, IntentWords, WordCounts
from bot.knowledge.query.words import fold

BUCKETS = 1 << 14
MAX_TEXT = 1_500
# the first half and the last half of a longer text are read: a request for a person stands at the edges
MAX_WORDS = 120
_MASKED = re.compile(r"(?<![\w*])[^\W\d_]+[*#@$%]+[^\W\d_]+|(?<![\w*])[^\W\d_]\*{2,}|\*{3,}[^\W\d_]+")
_ANGRY = re.compile("[😠😡🤬👎💩😤🖕🤮😾]")
_WARM = re.compile("[❤♥🙏👍😊🙂🌹💐😘🥰👌✅💖💕🤝]")
_WAVE = re.compile("[👋🖐✋]")
TOKEN = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_PERSON, _CALL, _ASKING = (CATEGORIES.index(c) for c in ("person", "call", "asking"))
_COURTESY = frozenset(CATEGORIES.index(c) for c in ("greeting", "thanks", "bye", "filler"))
_SERVICE = frozenset(
    CATEGORIES.index(c) for c in ("person", "call", "bot", "greeting", "thanks", "bye", "filler", "negation")
)


@functools.lru_cache(maxsize=50_000)
def grams_of(word: str) -> tuple[int, ...]:
    """Buckets of the 2- to 4-character pieces of a word and of the word itself."""
    marked = f"<{word[:24]}>"
    pieces = {marked[i : i + n] for n in (2, 3, 4) for i in range(len(marked) - n + 1)}
    return tuple(zlib.crc32(p.encode()) % BUCKETS for p in sorted(pieces | {f"={word}"}))


@functools.lru_cache(maxsize=50_000)
def pair_of(left: str, right: str) -> int:
    return zlib.crc32(f"{left} {right}".encode()) % BUCKETS


RULES = 64  # rows of the trained weights for what is read off a text as a whole; those not used yet are zero


class TextShape(NamedTuple):
    """What a text looks like as a whole; the order is the one the weights were trained in.

    "Content" are words that are no courtesy, "other" words that do not even ask for a person.
    """

    bias: float
    length: float
    one_word: float
    few_words: float
    many_words: float
    very_many_words: float
    question_mark: float
    ends_with_question_mark: float
    begins_asking: float
    exclamation_marks: float
    exclaims_twice: float
    asks_twice: float
    capitals: float
    digits: float
    masked_letters: float
    angry_signs: float
    warm_signs: float
    waving: float
    wordless: float
    content: float
    only_courtesy: float
    other: float
    only_service: float
    call_near_person: float
    call_near_person_alone: float
    only_person: float
    bot_refused: float
    bot_refused_briefly: float
    only_greeting: float
    only_thanks: float
    only_bye: float
    helped_not: float
    helped_alone: float
    angry: float
    very_angry: float
    angry_without_asking: float

    @property
    def shows_feeling(self) -> bool:
        """Whether marks, capitals or signs tell of a feeling, whatever the words say."""
        return any(
            (
                self.exclamation_marks,
                self.capitals,
                self.masked_letters,
                self.angry_signs,
                self.warm_signs,
                self.waving,
            )
        )


@dataclass(frozen=True, slots=True)
class IntentFeatures:
    """What one text looks like: its tokens (with borders), how it looks as a whole, and words by category."""

    tokens: tuple[str, ...]
    look: TextShape
    counts: WordCounts

    @property
    def rules(self) -> tuple[float, ...]:
        """The RULES numbers that the weights for whole texts are multiplied by."""
        values = (*self.look, *(min(c, 3) / 2 for c in self.counts))
        return values + (0.0,) * (RULES - len(values))


def features_of(text: str, words: IntentWords) -> IntentFeatures:
    """Everything the model sees of *text*; the same when it is trained and when it reads."""
    text = text[:MAX_TEXT] if len(text) <= MAX_TEXT else text[: MAX_TEXT // 2] + " " + text[-MAX_TEXT // 2 :]
    folded = fold(text)
    tokens = TOKEN.findall(folded)
    if len(tokens) > MAX_WORDS:
        tokens = tokens[: MAX_WORDS // 2] + tokens[-MAX_WORDS // 2 :]
    belongs = [words.categories(t) for t in tokens]
    counts = [0] * len(CATEGORIES)
    for found in belongs:
        for category in found:
            counts[category] += 1
    for category, phrase in words.phrases:
        counts[category] += len(phrase.findall(folded))
    words_by_category = WordCounts(*counts)
    return IntentFeatures(tuple(tokens), _look(text, tokens, belongs, words_by_category), words_by_category)


def _look(
    text: str, tokens: Sequence[str], belongs: Sequence[Sequence[int]], counts: WordCounts
) -> TextShape:
    n = len(tokens)
    letters = [c for c in text if c.isalpha()]
    capitals = sum(c.isupper() for c in letters) / len(letters) if len(letters) > 4 else 0.0
    content = sum(not (_COURTESY & set(b)) for b in belongs)
    other = sum(not (_SERVICE & set(b)) for b in belongs)
    calls = [i for i, b in enumerate(belongs) if _CALL in b]
    persons = [i for i, b in enumerate(belongs) if _PERSON in b]
    close = any(abs(i - j) <= 3 for i in calls for j in persons)
    bot_refused = counts.bot > 0 and (counts.negation > 0 or counts.insult > 0)
    return TextShape(
        bias=1.0,
        length=math.log1p(n),
        one_word=float(n == 1),
        few_words=float(2 <= n <= 3),
        many_words=float(n > 8),
        very_many_words=float(n > 20),
        question_mark=float("?" in text),
        ends_with_question_mark=float(text.rstrip().endswith("?")),
        begins_asking=float(bool(tokens) and _ASKING in belongs[0]),
        exclamation_marks=min(text.count("!"), 6) / 3,
        exclaims_twice=float("!!" in text),
        asks_twice=float("??" in text or "?!" in text or "!?" in text),
        capitals=float(capitals > 0.6),
        digits=float(any(c.isdigit() for c in text)),
        masked_letters=float(bool(_MASKED.search(text))),
        angry_signs=min(len(_ANGRY.findall(text)), 3) / 2,
        warm_signs=min(len(_WARM.findall(text)), 3) / 2,
        waving=float(bool(_WAVE.search(text))),
        wordless=float(n == 0),
        content=math.log1p(content),
        only_courtesy=float(content == 0 and n > 0),
        other=math.log1p(other),
        only_service=float(other == 0 and n > 0),
        call_near_person=float(close),
        call_near_person_alone=float(close and other <= 2),
        only_person=float(bool(persons) and other == 0),
        bot_refused=float(bot_refused),
        bot_refused_briefly=float(bot_refused and other <= 3),
        only_greeting=float(counts.greeting > 0 and content == 0),
        only_thanks=float(counts.thanks > 0 and content == 0),
        only_bye=float(counts.bye > 0 and content == 0),
        helped_not=float(counts.helped > 0 and counts.negation > 0),
        helped_alone=float(counts.helped > 0 and counts.negation == 0 and content <= 2),
        angry=float(counts.angry > 0),
        very_angry=float(counts.angry > 1),
        angry_without_asking=float(counts.angry > 0 and counts.asking == 0),
    )
