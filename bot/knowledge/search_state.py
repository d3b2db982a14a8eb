"""What a base is for search: its articles, index and vectors, and what it found when it examined itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from bot.knowledge.articles.catalog import ArticleCatalog
from bot.knowledge.articles.schema import Article
from bot.knowledge.base import Retriever
from bot.knowledge.decision.ranking import RankingModel, SelfCheck, check_of
from bot.knowledge.decision.self_check import Encode, examine, threshold_of
from bot.knowledge.decision.threshold import AnswerThreshold
from bot.knowledge.quality.feedback import NO_SHIFT, ConfidenceShift
from bot.knowledge.query.analyzer import TextAnalyzer
from bot.knowledge.query.correction import Lexicon
from bot.knowledge.retrieval.features import Contrast, Vectors
from bot.knowledge.retrieval.index import Index
from bot.knowledge.retrieval.lexical import Floats
from bot.knowledge.retrieval.semantic import TextEncoder, VectorStore, center_of, centred


@dataclass(frozen=True, slots=True)
class SearchState:
    """Everything a question needs, swapped whole by a reload.

    `center` is the common part of the vectors of a foreign encoder, `contrasts` belong to a sentence encoder
    beside our own, by kind.
    """

    catalog: ArticleCatalog
    index: Index
    lexicon: Lexicon
    vectors: Vectors | None = None
    store: VectorStore | None = None
    center: np.ndarray | None = None
    contrasts: Mapping[str, Contrast] = field(default_factory=dict)
    checks: Mapping[str, SelfCheck] = field(default_factory=dict)
    thresholds: Mapping[str, AnswerThreshold] = field(default_factory=dict)
    external_retrievers: Mapping[str, Retriever] = field(default_factory=dict)
    shift: ConfidenceShift = NO_SHIFT


def kind_of(store: VectorStore | None, *, english: bool) -> str:
    """Which coefficients go with the encoder that is loaded and with the language."""
    if store is not None and store.encoder.split:
        if not english:
            return "paired"
        return "paired_en" if "en" in store.encoder.languages else "english"
    if store is None or not _is_own(store.encoder):
        return "sentence"
    return "english" if english else "own"


def is_light(store: VectorStore | None) -> bool:
    """Whether the vector of a question costs next to nothing."""
    return store is None or _is_own(store.encoder)


def _is_own(encoder: TextEncoder) -> bool:
    return encoder.id.startswith("encoder-")


def lexicon_of(index: Index, reader: TextAnalyzer) -> Lexicon:
    """The words that slips are put right towards."""
    return Lexicon(
        index.questions.forms | index.passages.forms,
        (w for phrase in reader.speech.same for w in phrase),
    )


def with_articles(
    state: SearchState,
    articles: Sequence[Article],
    reader: TextAnalyzer,
    store: VectorStore | None,
    retrievers: Mapping[str, Retriever],
) -> SearchState:
    """*state* over other articles, or with another encoder; what it knew of itself stays until it examines
    itself anew.
    """
    catalog = ArticleCatalog(articles)
    index = Index(catalog.published, reader)
    state = replace(
        state,
        catalog=catalog,
        index=index,
        lexicon=lexicon_of(index, reader),
        external_retrievers=retrievers,
    )
    if store is None:
        return replace(state, vectors=None, store=None, center=None, contrasts={})
    encoder = store.encoder
    spoken = [a.lang for a in index.articles]
    languages = [[spoken[i] for i in side.owners] for side in (index.questions, index.passages)]
    questions, passages = (
        store.encode(side.texts, said)
        for side, said in zip((index.questions, index.passages), languages, strict=True)
    )
    every = np.concatenate((questions, passages)) if len(passages) else questions
    center = None if _is_own(encoder) or encoder.split else center_of(every)
    vectors = Vectors(
        centred(questions, center, encoder.split),
        centred(passages, center, encoder.split),
        encoder.id,
        encoder.split,
    )
    english = np.array([s == "en" for said in languages for s in said], np.bool_)
    contrasts = _contrasts(store, every, english)
    return replace(state, vectors=vectors, store=store, center=center, contrasts=contrasts)


def _contrasts(store: VectorStore, vectors: Floats, english: np.ndarray) -> Mapping[str, Contrast]:
    """By kind of coefficients; none where no sentence encoder stands beside our own."""
    encoder = store.encoder
    if not encoder.backgrounds:
        return {}
    return {
        kind_of(store, english=spoken == "en"): Contrast.of(
            vectors[english == (spoken == "en"), encoder.split :],
            encoder.backgrounds.get(spoken, encoder.backgrounds[""]),
        )
        for spoken in ("", "en")
    }


def examined(
    state: SearchState, reader: TextAnalyzer, models: Mapping[str, RankingModel]
) -> tuple[Mapping[str, SelfCheck], Mapping[str, AnswerThreshold]]:
    """What a base finds when it asks itself its own examples, and from which confidence it may answer, by
    kind of coefficients. A second or so.
    """
    state.lexicon.warm()
    if state.index.kernel is not None:
        state.index.kernel.warm()
    kinds: list[tuple[str, Encode | None, Sequence[Article]]] = [("words", None, state.catalog.published)]
    if state.store is not None and state.vectors is not None:
        store, center, split = state.store, state.center, state.vectors.split
        parts: dict[str, list[Article]] = {}
        for article in state.catalog.published:
            parts.setdefault(kind_of(store, english=article.lang == "en"), []).append(article)

        def vectors_of(articles: Sequence[Article], texts: Sequence[str]) -> Floats:
            return centred(store.encode(texts, articles[0].lang), center, split)

        kinds += [(kind, partial(vectors_of, articles), articles) for kind, articles in parts.items()]
    checks: dict[str, SelfCheck] = {}
    thresholds: dict[str, AnswerThreshold] = {}
    for kind, encode, articles in kinds:
        split = state.vectors.split if state.vectors is not None and kind != "words" else 0
        found = examine(articles, reader, encode, split=split, contrast=state.contrasts.get(kind))
        checks[kind] = check_of(found.index, found.cases, models[kind], found.barred)
        thresholds[kind] = threshold_of(found, models[kind], checks[kind])
    return checks, thresholds
