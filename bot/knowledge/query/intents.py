"""Reads what a customer does with the words before anything is searched: asks, wants a person, is upset,
greets, thanks, leaves.
"""

from __future__ import annotations

import functools
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bot.errors import ConfigError, Problem
from bot.knowledge.query.words import fold
from bot.model import Intent
from bot.text.problems import problem
from bot.text.yaml_source import YamlError, read_own, read_yaml_file

Floats = npt.NDArray[np.float32]

BUCKETS = 1 << 14
ACTS = tuple(Intent)
MAX_TEXT = 1_500
# the first half and the last half of a longer text are read: a request for a person stands at the edges
MAX_WORDS = 120
_TOKEN = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_SENTENCE = re.compile(r"(?<=[.!?…\n])\s+|\n+|;\s")
_MASKED = re.compile(r"(?<![\w*])[^\W\d_]+[*#@$%]+[^\W\d_]+|(?<![\w*])[^\W\d_]\*{2,}|\*{3,}[^\W\d_]+")
_ANGRY = re.compile("[😠😡🤬👎💩😤🖕🤮😾]")
_WARM = re.compile("[❤♥🙏👍😊🙂🌹💐😘🥰👌✅💖💕🤝]")
_WAVE = re.compile("[👋🖐✋]")


class WordCounts(NamedTuple):
    """How many words and phrases of each category a text holds, in the order the weights were trained in."""

    person: int = 0
    call: int = 0
    bot: int = 0
    greeting: int = 0
    thanks: int = 0
    bye: int = 0
    filler: int = 0
    asking: int = 0
    negation: int = 0
    helped: int = 0
    profanity: int = 0
    insult: int = 0
    accusation: int = 0
    threat: int = 0
    outrage: int = 0
    again: int = 0

    @property
    def angry(self) -> int:
        """Words of any kind of anger."""
        return self.profanity + self.insult + self.accusation + self.threat + self.outrage


CATEGORIES = WordCounts._fields
_PERSON, _CALL, _ASKING = (CATEGORIES.index(c) for c in ("person", "call", "asking"))
_COURTESY = frozenset(CATEGORIES.index(c) for c in ("greeting", "thanks", "bye", "filler"))
_SERVICE = frozenset(
    CATEGORIES.index(c) for c in ("person", "call", "bot", "greeting", "thanks", "bye", "filler", "negation")
)
_BARE = frozenset(CATEGORIES.index(c) for c in ("negation", "filler", "greeting", "thanks", "bye"))


# --- words
# -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class IntentWords:
    """The words of each category: whole words, beginnings of words, and phrases of several words."""

    exact: Mapping[str, tuple[int, ...]]
    beginnings: tuple[tuple[int, tuple[str, ...]], ...]
    phrases: tuple[tuple[int, re.Pattern[str]], ...]

    def categories(self, word: str) -> tuple[int, ...]:
        """The categories one folded *word* belongs to."""
        return _categories(self, word)


@functools.lru_cache(maxsize=50_000)
def _categories(words: IntentWords, word: str) -> tuple[int, ...]:
    return (*words.exact.get(word, ()), *(c for c, starts in words.beginnings if word.startswith(starts)))


def read_words(extra: Sequence[Path] = ()) -> IntentWords:
    """The bundled words and those of the owner's files.

    Raises ConfigError with every problem of the files.
    """
    table: dict[str, list[str]] = read_own(Path(__file__).parents[1] / "data" / "acts_words.yaml")
    problems: list[Problem] = []
    for path in extra:
        try:
            root = read_yaml_file(path)
            own = (root.value if root else None) or {}
        except YamlError as error:
            problems.append(error.problem(str(path)))
            continue
        for category, words in own.items() if isinstance(own, dict) else [("", None)]:
            if category not in CATEGORIES or not isinstance(words, list):
                problems.append(
                    problem(
                        "articles.words.category", str(path), category=category, known=", ".join(CATEGORIES)
                    )
                )
                continue
            table.setdefault(category, []).extend(words)
    if problems:
        raise ConfigError(problems)
    return _words_of(table)


def _words_of(table: Mapping[str, Sequence[str]]) -> IntentWords:
    exact: dict[str, tuple[int, ...]] = {}
    beginnings: dict[int, list[str]] = {}
    phrases: dict[int, list[str]] = {}
    for number, category in enumerate(CATEGORIES):
        for entry in map(fold, table.get(category, ())):
            if " " in entry:
                phrases.setdefault(number, []).append(
                    re.escape(entry).replace(r"\*", r"\w*").replace(r"\ ", r"\W+")
                )
            elif entry.endswith("*"):
                beginnings.setdefault(number, []).append(entry[:-1])
            else:
                exact[entry] = (*exact.get(entry, ()), number)
    return IntentWords(
        exact,
        tuple((c, tuple(b)) for c, b in beginnings.items()),
        tuple((c, re.compile(rf"(?<!\w)(?:{'|'.join(p)})(?!\w)")) for c, p in phrases.items()),
    )


@functools.cache
def bundled_words() -> IntentWords:
    return read_words()


# --- features: one function for training and for reading
# -------------------------------------------------------------


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
    tokens = _TOKEN.findall(folded)
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


# --- model
# -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class IntentModel:
    """Logistic weights: (BUCKETS, acts + 1) for pieces of words, (RULES, acts + 1) for rules; the last column
    is anger.

    `words` (n, acts + 1) are weights of whole words by their meaning, found by the sorted hashes `keys`: they
    know words that no training line had. `known` are hashes of the words it was trained on: only they may
    come out of a wrong layout or transliteration.
    """

    pieces: Floats
    rules: Floats
    keys: npt.NDArray[np.uint32]
    words: npt.NDArray[np.int8]
    scale: Floats
    known: frozenset[int]

    def meaning(self, word: str) -> Floats | None:
        key = np.uint32(hash_of(word))
        at = int(self.keys.searchsorted(key))
        return self.words[at] * self.scale if at < len(self.keys) and self.keys[at] == key else None


def hash_of(word: str) -> int:
    return zlib.crc32(word.encode())


@functools.cache
def bundled_model() -> IntentModel:
    with (files("bot.knowledge") / "data" / "acts.npz").open("rb") as file, np.load(file) as data:
        pieces = data["pieces"].astype(np.float32) * data["scale"]
        return IntentModel(
            pieces,
            data["rules"],
            data["keys"],
            data["words"],
            data["words_scale"],
            frozenset(data["known"].tolist()),
        )


@functools.lru_cache(maxsize=20_000)
def weights_of_word(word: str) -> Floats:
    grams = grams_of(word)
    model = bundled_model()
    weights: Floats = model.pieces[list(grams)].sum(0) / np.float32(math.sqrt(len(grams)))
    meaning = model.meaning(word)
    return weights if meaning is None else weights + meaning


def _logits(seen: IntentFeatures) -> Floats:
    model = bundled_model()
    total = np.asarray(seen.rules, np.float32) @ model.rules
    if seen.tokens:
        bounded = ("<", *seen.tokens, ">")
        pairs = [pair_of(a, b) for a, b in pairwise(bounded)]
        sums = np.array([weights_of_word(t) for t in seen.tokens]).sum(0) + model.pieces[pairs].sum(0)
        total = total + sums / np.float32(math.sqrt(len(seen.tokens)))
    return np.asarray(total, np.float32)


# --- reading
# ---------------------------------------------------------------------------------------------------------


# from here a text, or one sentence of it, is a request for a person: better one too many than one lost
HUMAN_ALONE = 0.35
SENTENCE_DOUBT = 0.1  # a sentence torn from its text proves less
UPSET_ENOUGH = 0.4  # below, it is not anger but a text unlike any other
NAMED = 2  # so many words without any mark of feeling name a thing: «рассрочка», "opening hours"
NAMED_ENOUGH = 0.7  # how angry they must look to be anger all the same
_CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
_LAYOUT = str.maketrans(
    "qwertyuiop[]asdfghjkl;'zxcvbnm,.`QWERTYUIOP{}ASDFGHJKL:\"ZXCVBNM<>~",
    "йцукенгшщзхъфывапролджэячсмитьбюёйцукенгшщзхъфывапролджэячсмитьбюё",
)
_BACK = str.maketrans({v: chr(k) for k, v in _LAYOUT.items()})  # Russian letters where English was meant
_SOUNDS = (
    ("shch", "щ"),
    ("sch", "щ"),
    ("yo", "ё"),
    ("jo", "ё"),
    ("zh", "ж"),
    ("kh", "х"),
    ("ts", "ц"),
    ("ch", "ч"),
    ("sh", "ш"),
    ("yu", "ю"),
    ("ju", "ю"),
    ("ya", "я"),
    ("ja", "я"),
    ("ye", "е"),
    ("ij", "ий"),
    ("yy", "ый"),
    ("iy", "ий"),
    ("a", "а"),
    ("b", "б"),
    ("v", "в"),
    ("g", "г"),
    ("d", "д"),
    ("e", "е"),
    ("z", "з"),
    ("i", "и"),
    ("y", "й"),
    ("j", "й"),
    ("k", "к"),
    ("l", "л"),
    ("m", "м"),
    ("n", "н"),
    ("o", "о"),
    ("p", "п"),
    ("r", "р"),
    ("s", "с"),
    ("t", "т"),
    ("u", "у"),
    ("f", "ф"),
    ("h", "х"),
    ("c", "ц"),
    ("w", "в"),
    ("x", "кс"),
    ("q", "к"),
    ("4", "ч"),
    ("6", "ш"),
    ("'", "ь"),
)


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
    for other in readings_of(text)[1:] if not _CYRILLIC.search(text) else ():
        if (known := _known_share(other)) >= 0.5 and known > share:
            best, understood, share = _read(other, answered, words or bundled_words()), other, known
    return (
        best
        if understood == text
        else IntentEstimate(best.act, best.upset, {**best.why, "understood": understood})
    )


def readings_of(text: str) -> tuple[str, ...]:
    """*text* as it is written, then what it may be in the other keyboard layout and out of a
    transliteration.
    """
    if not any(c.isalpha() for c in text):
        return (text,)
    if _CYRILLIC.search(text):
        return (text, text.translate(_BACK))
    latin = _from_translit(text)
    return (text, text.translate(_LAYOUT), latin, latin.replace("й", "ы"))


@functools.lru_cache(maxsize=64)  # several ask about the words of one turn
def _read(text: str, answered: bool, words: IntentWords) -> IntentEstimate:
    seen = features_of(text, words)
    logits = _logits(seen)
    upset = _anger(float(logits[-1]), seen)
    chances = _chances(logits[:-1], answered, any(not _BARE & set(words.categories(t)) for t in seen.tokens))
    sentences = [part for part in _SENTENCE.split(text[:MAX_TEXT]) if part.strip()]
    parts = (
        [
            _chances(_logits(features_of(part, words))[:-1], answered, True)
            for part in sentences[:4] + sentences[4:][-4:]
        ]
        if len(sentences) > 1
        else []
    )
    act = ACTS[int(np.argmax(chances))]
    human = max([float(chances[_HUMAN]), *(float(p[_HUMAN]) - SENTENCE_DOUBT for p in parts)])
    if human >= HUMAN_ALONE:
        act = Intent.HUMAN
    elif _asks_after_all(act, chances, upset, parts, named=not answered and _names(seen)):
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
    Intent.THANKS: 0.4,
    Intent.BYE: 0.4,
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


def _names(seen: IntentFeatures) -> bool:
    """Whether a text is one or two words of no known kind, written calmly: the name of a thing."""
    return 0 < len(seen.tokens) <= NAMED and not any(seen.counts) and not seen.look.shows_feeling


CALM = 0.2


def _anger(logit: float, seen: IntentFeatures) -> float:
    """The learnt degree, raised by the owner's words of anger, which the model may never have seen; unknown
    words that name a thing are no anger.
    """
    learnt = 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))
    if learnt < NAMED_ENOUGH and _names(seen):
        learnt = min(learnt, CALM)
    counts = seen.counts
    listed = sum(min(count, 2) for count in (counts.profanity, counts.insult, counts.accusation))
    return round(max(learnt, min(0.9, 0.35 * listed)), 3)


def _from_translit(text: str) -> str:
    lower = text.lower()
    for latin, cyrillic in _SOUNDS:
        lower = lower.replace(latin, cyrillic)
    return lower


def _known_share(text: str) -> float:
    """Which part of the words stands in the training lines."""
    known, found = bundled_model().known, _TOKEN.findall(fold(text))
    return sum(hash_of(w) in known for w in found) / len(found) if found else 0.0
