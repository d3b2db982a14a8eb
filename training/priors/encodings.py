"""Encoders for fitting: each base is read by one that has not seen it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from bot.knowledge.encoder.e5 import E5Encoder
from bot.knowledge.encoder.navec import find_navec, read_navec
from bot.knowledge.encoder.rows import lay, learn_pieces, vocabulary_of
from bot.knowledge.encoder.sentence_space import SentenceSpace
from bot.knowledge.encoder.static import UNKNOWN
from bot.knowledge.encoder.text import BUCKETS, ENGLISH, marked_words, pieces_of
from bot.knowledge.query.words import words_of
from bot.knowledge.retrieval.lexical import Floats
from training.priors import bases as simulated
from training.priors import space
from training.priors.bases import Base
from training.priors.gathering import Encode, Encoding

ROOT = Path(__file__).parent.parent.parent
OWN_WIDTH = 200  # columns of our own encoder
FOLDS = 2  # halves of the Russian domains


def half_encoders() -> list[Encode]:
    """Our own encoder trained twice, each time without one half of the domains: number *n* has not seen fold
    *n*.
    """
    from training import encoder as own

    path = find_navec()
    if path is None:
        raise SystemExit("pip install --no-deps natasha==1.6.0")
    folders = [own.HERE / "support_ru", own.HERE / "phrases"]
    intents, groups = own.read_corpus(folders), own.read_groups(folders)
    texts = [t for i in intents for t in (i.title, *i.texts)] + [t for g in groups for t in g]
    vocabulary = vocabulary_of(read_navec(path), sorted({w for t in texts for w in words_of(t)}))
    reader = own.Reader(vocabulary)
    found: list[Encode] = []
    for fold in (0, 1):
        trained = own.train_all(
            vocabulary,
            [i for i in intents if simulated.fold_of(i.domain) != fold],
            groups,
            own.Recipe(seeds=1),
        )
        rows = lay(vocabulary, trained)
        chosen = [i for i, w in enumerate(vocabulary.forms) if len(w) > 3 and pieces_of(w)][:40_000]
        pieces = learn_pieces([vocabulary.forms[i] for i in chosen], rows[chosen])
        found.append(lambda t, query, rows=rows, pieces=pieces: own.encode(reader, rows, pieces, t))  # type: ignore[misc]
    return found


def english_encoders(folder: Path, data: Path, kept: Path | None) -> list[Encode]:
    """The English rows taught three times: without banking77, without clinc150, with both; number *n* goes
    with the bases of fold *n*.
    """
    from training import english

    teacher = english.Teacher(folder, kept)
    made = english.made_sentences(ROOT / "training" / "english")
    every = made + english.free_sentences(data)
    words = english.vocabulary_of(teacher, every)
    marked = [ENGLISH + w for w in words]
    long = [i for i, w in enumerate(words) if len(w) > 3]
    found: list[Encode] = []
    for without in (["banking77"], ["clinc150"], []):
        rows = english.train(words, teacher, made + english.free_sentences(data, without))
        pieces = learn_pieces([marked[i] for i in long], rows[long])
        table = dict(zip(marked, rows, strict=True))

        def encode(
            texts: Sequence[str], query: bool, table: dict[str, Floats] = table, pieces: Floats = pieces
        ) -> Floats:
            done = np.zeros((len(texts), pieces.shape[1]), np.float32)
            for n, text in enumerate(texts):
                for word in marked_words(text):
                    if (row := table.get(word)) is not None:
                        done[n] += row
                    elif buckets := pieces_of(word):
                        done[n] += UNKNOWN * pieces[[b % BUCKETS for b in buckets]].mean(0)
            unit: Floats = done / np.maximum(np.linalg.norm(done, axis=1, keepdims=True), 1e-9)
            return unit

        found.append(encode)
    return found


def beside(ours: Encode, e5: Encode) -> Encode:
    """Our own encoder and e5 side by side."""

    def encode(texts: Sequence[str], query: bool) -> Floats:
        return np.concatenate((ours(texts, query), e5(texts, query)), 1)

    return encode


def e5_encoder(folder: Path, kept: Path) -> Encode:
    """The converted model in *folder*; vectors stay in *kept*: encoding takes longer than all the rest."""
    model = E5Encoder(folder, "training")
    names = kept / "e5.texts.json", kept / "e5.npy"
    known: dict[str, Floats] = {}
    if all(n.exists() for n in names):
        known = dict(zip(json.loads(names[0].read_text("utf-8")), np.load(names[1]), strict=True))

    def encode(texts: Sequence[str], query: bool) -> Floats:
        prefix = "q" if query else "p"
        missing = [t for t in dict.fromkeys(texts) if prefix + t not in known]
        for i in range(0, len(missing), 256):
            part = missing[i : i + 256]
            known.update(zip((prefix + t for t in part), model.encode(part, query=query), strict=True))
        if len(missing) > 1000:
            names[0].write_text(json.dumps(list(known)), "utf-8")
            np.save(names[1], np.stack(list(known.values())))
        if not texts:
            return np.zeros((0, model.dimensions), np.float32)
        return np.stack([known[prefix + t] for t in texts]).astype(np.float32)

    return encode


@dataclass
class Encoders:
    """What a kind of coefficients is fitted with; made when it is first asked for.

    *data* is the folder of the free sets, *teacher* that of all-MiniLM-L6-v2, *e5* that of the converted
    model; vectors stay in *keep*. *background* are texts that no business answers, by language.
    """

    bases: Sequence[Base]
    data: Path | None
    teacher: Path | None
    e5: Path | None
    keep: Path
    background: dict[str, list[str]] = field(default_factory=dict)

    def of(self, kind: str, without: str = "") -> tuple[list[Base], list[Encoding | None]]:
        """The bases of *kind* and the encodings of their folds; `without` names a source (see `family_of`)
        that the matrix of the sentence encoder must not have seen at all.
        """
        russian = [b for b in self.bases if b.language == "ru"]
        english = [b for b in self.bases if b.language == "en"]
        if kind == "words":
            return list(self.bases), [None]
        if kind == "own":
            return russian, [Encoding(h) for h in self.halves]
        if kind == "english":
            return english, [Encoding(r) for r in self.rows]
        if kind == "paired":
            spaces = [self.space(fold, without) for fold in range(FOLDS)]
            return russian, [
                Encoding(beside(h, placed(self.multilingual, s)), split=OWN_WIDTH, background=s.background)
                for h, s in zip(self.halves, spaces, strict=True)
            ]
        if kind == "paired_en":
            where = self.english_space
            return english, [
                Encoding(
                    beside(r, placed(self.sentences, where)), split=OWN_WIDTH, background=where.background
                )
                for r in self.rows
            ]
        if kind == "sentence":  # any model that an owner names: both we have, as they are
            plain = [Encoding(self.multilingual, center=True), Encoding(self.sentences, center=True)]
            mixed = [
                Base(b.name, b.articles, b.questions, int(b.language == "en"), b.language) for b in self.bases
            ]
            return mixed[::2], list(plain)
        raise SystemExit(f"there is no kind {kind!r} of coefficients")

    @cached_property
    def halves(self) -> list[Encode]:
        return half_encoders()

    @cached_property
    def rows(self) -> list[Encode]:
        assert self.teacher and self.data
        return english_encoders(self.teacher, self.data, self.keep / "minilm.npz")

    @cached_property
    def multilingual(self) -> Encode:
        """e5, with all texts of all Russian bases encoded at once."""
        assert self.e5
        encode = e5_encoder(self.e5, self.keep)
        asked, units = space.texts_of(self.bases)
        encode(units, False)
        encode(asked, True)
        return encode

    @cached_property
    def sentences(self) -> Encode:
        """all-MiniLM-L6-v2."""
        from training.english import Teacher

        assert self.teacher
        teacher = Teacher(self.teacher, self.keep / "minilm.npz")
        asked, units = space.texts_of([b for b in self.bases if b.language == "en"])
        teacher.encode([*asked, *units, *self.background["en"]])

        def encode(texts: Sequence[str], query: bool) -> Floats:
            return teacher.encode(texts) if len(texts) else np.zeros((0, 384), np.float32)

        return encode

    @cached_property
    def center(self) -> Floats:
        return space.center_of_texts(self.bases, self.multilingual)

    def space(self, fold: int | None, without: str = "") -> SentenceSpace:
        """Of e5, fitted without the Russian bases of *fold* and without the source *without*."""
        seen = [
            b for b in self.bases if family_of(b.name) != without and (b.language != "ru" or b.fold != fold)
        ]
        matrix = space.fit_map(seen, self.multilingual, self.center)
        return space.space_of(self.center, matrix, self.background["ru"], self.multilingual)

    @cached_property
    def english_space(self) -> SentenceSpace:
        """Of all-MiniLM-L6-v2: a matrix of its own gave nothing, so that only the common part goes."""
        mine = [b for b in self.bases if b.language == "en"]
        center = space.center_of_texts(mine, self.sentences)
        identity = np.eye(len(center), dtype=np.float32)
        return space.space_of(center, identity, self.background["en"], self.sentences)


def family_of(name: str) -> str:
    """The source that a base of this *name* comes from."""
    return "".join(c for c in name.split("-")[0] if not c.isdigit())


def placed(encode: Encode, where: SentenceSpace) -> Encode:
    return lambda texts, query: where.place(encode(texts, query))
