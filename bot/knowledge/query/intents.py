"""Reads what a customer does with the words before anything is searched: asks, wants a person, is upset,
greets, thanks, leaves.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bot.knowledge.query.intent_features import MAX_TEXT, TOKEN, IntentFeatures, features_of
from bot.knowledge.query.intent_model import Floats, bundled_model, hash_of, logits_of
from bot.knowledge.query.intent_words import CATEGORIES, IntentWords, bundled_words
from bot.knowledge.query.text_readings import CYRILLIC, readings_of
from bot.knowledge.query.words import fold
from bot.model import Intent

# from here a text, or one sentence of it, is a request for a person: better one too many than one lost
HUMAN_ALONE = 0.43
SENTENCE_DOUBT = 0.1  # a sentence torn from its text proves less
UPSET_ENOUGH = 0.4  # below, it is not anger but a text unlike any other
NAMED = 2  # so many words without any mark of feeling name a thing: «рассрочка», "opening hours"
NAMED_ENOUGH = 0.7  # how angry they must look to be anger all the same
ONE_WORD_ENOUGH = 0.85  # the same of a single word: «деньги»
ACTS = tuple(Intent)
_SENTENCE = re.compile(r"(?<=[.!?…\n])\s+|\n+|;\s")
_BARE = frozenset(CATEGORIES.index(c) for c in ("negation", "filler", "greeting", "thanks", "bye"))


@dataclass(frozen=True, slots=True)
class IntentEstimate:
    """What the customer does; `upset` 0..1 is how angry the words are whatever the act is; `why` explains
    both.
    """

    act: Intent
    upset: float = 0.0
    why: Mapping[str, object] = field(default_factory=dict)


def read_act(text: str, *, answered: bool = False, words: IntentWords | None = None) -> IntentEstimate:
    """The act of *text*, without search, network or memory; any text is read. *answered*: the bot has just
    given an answer, so «да» and «нет» say whether it helped.
    """
    best, understood = _read(text, answered, words or bundled_words()), text
    share = _known_share(text)
    for other in readings_of(text)[1:] if not CYRILLIC.search(text) else ():
        if (known := _known_share(other)) >= 0.5 and known > share:
            best, understood, share = _read(other, answered, words or bundled_words()), other, known
    return (
        best
        if understood == text
        else IntentEstimate(best.act, best.upset, {**best.why, "understood": understood})
    )


@functools.lru_cache(maxsize=64)  # several ask about the words of one turn
def _read(text: str, answered: bool, words: IntentWords) -> IntentEstimate:
    seen = features_of(text, words)
    logits = logits_of(seen)
    upset = _anger(float(logits[-1]), seen)
    chances = _chances(logits[:-1], answered, any(not _BARE & set(words.categories(t)) for t in seen.tokens))
    if not seen.look.shows_feeling and not any(map(str.isalpha, text)):
        chances = _of_no_words(chances)
    sentences = [part for part in _SENTENCE.split(text[:MAX_TEXT]) if part.strip()]
    parts = (
        [
            _chances(logits_of(features_of(part, words))[:-1], answered, True)
            for part in sentences[:4] + sentences[4:][-4:]
        ]
        if len(sentences) > 1
        else []
    )
    act = ACTS[int(np.argmax(chances))]
    human = max([float(chances[_HUMAN]), *(float(p[_HUMAN]) - SENTENCE_DOUBT for p in parts)])
    if human >= HUMAN_ALONE:
        act = Intent.HUMAN
    elif act is Intent.HUMAN or _asks_after_all(act, chances, upset, parts, named=_names(seen)):
        act = Intent.QUESTION
    why = {
        "act": act.value,
        "chances": {a.value: round(float(c), 3) for a, c in zip(ACTS, chances, strict=True) if c >= 0.005},
        "human": round(human, 3),
        "words": {
            category: count
            for category, count in seen.counts._asdict().items()
            if count and category not in ("filler", "asking")
        },
    }
    return IntentEstimate(act, upset, why)


def _asks_after_all(
    act: Intent, chances: Floats, upset: float, parts: Sequence[Floats], *, named: bool
) -> bool:
    """Whether what looks like something else is a question: a thing's name, no real anger, or a courtesy with
    a question beside it.
    """
    if named and chances[ACTS.index(act)] < _TAKEN_FOR.get(act, 0.0):
        return True
    if act is Intent.UPSET:
        return upset < UPSET_ENOUGH
    return act in _LIGHT and any(
        ACTS[int(np.argmax(p))] is Intent.QUESTION and p[_QUESTION] > 0.7 for p in parts
    )


_HUMAN, _QUESTION = ACTS.index(Intent.HUMAN), ACTS.index(Intent.QUESTION)
_LIGHT = (Intent.GREETING, Intent.THANKS, Intent.BYE, Intent.YES_HELPED)
_TAKEN_FOR = {
    Intent.UPSET: NAMED_ENOUGH,
    Intent.GREETING: 0.4,
    Intent.THANKS: 0.6,
    Intent.BYE: 0.6,
    Intent.YES_HELPED: 0.65,
    Intent.NOT_HELPED: 0.65,
}  # what the name of a thing must look like to be more
_CONTEXT = np.array([{Intent.YES_HELPED: 1.0, Intent.NOT_HELPED: 1.0}.get(a, 0.0) for a in ACTS], np.float32)
CLEAR_FAILURE = 0.8


def _chances(logits: Floats, answered: bool, clear: bool) -> Floats:
    """Probabilities of the acts. After an answer «да» and «нет» are likelier; without one only a clear «не
    помогло» counts: one that says more than «нет».
    """
    logits = logits + _CONTEXT if answered else logits
    chances = np.exp(logits - logits.max())
    chances /= chances.sum()
    if not answered:
        yes, no = ACTS.index(Intent.YES_HELPED), ACTS.index(Intent.NOT_HELPED)
        unasked = [yes] if clear and chances[no] >= CLEAR_FAILURE else [yes, no]
        chances[_QUESTION] += chances[unasked].sum()
        chances[unasked] = 0.0
    return np.asarray(chances, np.float32)


def _of_no_words(chances: Floats) -> Floats:
    """A number, a code or a mark without a word answers something: it calls nobody, greets nobody and is not
    angry.
    """
    answers = np.array([a in (Intent.YES_HELPED, Intent.NOT_HELPED) for a in ACTS])
    kept = np.where(answers, chances, np.float32(0))
    kept[_QUESTION] = 1 - kept.sum()
    return np.asarray(kept, np.float32)


def _names(seen: IntentFeatures) -> bool:
    """Whether a text is one or two words of no known kind, written calmly: the name of a thing."""
    return 0 < len(seen.tokens) <= NAMED and not any(seen.counts) and not seen.look.shows_feeling


CALM = 0.2


def _anger(logit: float, seen: IntentFeatures) -> float:
    """The learnt degree, raised by the owner's words of anger, which the model may never have seen; unknown
    words that name a thing are no anger.
    """
    learnt = 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))
    enough = ONE_WORD_ENOUGH if len(seen.tokens) == 1 else NAMED_ENOUGH
    if learnt < enough and _names(seen):
        learnt = min(learnt, CALM)
    counts = seen.counts
    listed = sum(min(count, 2) for count in (counts.profanity, counts.insult, counts.accusation))
    return round(max(learnt, min(0.9, 0.35 * listed)), 3)


def _known_share(text: str) -> float:
    """Which part of the words stands in the training lines."""
    known, found = bundled_model().known, TOKEN.findall(fold(text))
    return sum(hash_of(w) in known for w in found) / len(found) if found else 0.0
