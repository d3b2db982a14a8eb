"""The way from a question to an `Answer`: what was understood, which articles fit, and how sure that is."""

from __future__ import annotations

import asyncio
import copy
import re
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import watchfiles

from bot.errors import BotError, Problem
from bot.knowledge.articles.catalog import ArticleCatalog, is_russian
from bot.knowledge.articles.repository import ArticleRepository
from bot.knowledge.articles.schema import Article
from bot.knowledge.articles.sections import SectionNames, read_sections
from bot.knowledge.base import KnowledgeSettings, KnowledgeStatus, QuestionContext, ReloadResult, Retriever
from bot.knowledge.decision.explanation import AskedQuestion, explain
from bot.knowledge.decision.finding import SearchReading
from bot.knowledge.decision.offering import DecisionThresholds, decide, is_familiar, offer_threshold, offered
from bot.knowledge.decision.ranking import (
    RankingModel,
    SelfCheck,
    chances,
    confidence,
    is_bare,
    rank,
    read_models,
)
from bot.knowledge.decision.threshold import AnswerThreshold
from bot.knowledge.quality.feedback import FEWEST, NEWEST, NO_SHIFT, ConfidenceShift, Feedback, shift_of
from bot.knowledge.query.analyzer import TextAnalyzer
from bot.knowledge.query.correction import CorrectedQuestion, Lexicon, repair
from bot.knowledge.query.follow_ups import follows, joined
from bot.knowledge.query.synonyms import read_speech
from bot.knowledge.query.words import words_of
from bot.knowledge.retrieval import index_cache
from bot.knowledge.retrieval.channels import ChannelRetriever, retriever_names
from bot.knowledge.retrieval.external import find_factories, hear, invite
from bot.knowledge.retrieval.features import AnalyzedQuery, gather
from bot.knowledge.retrieval.index import Index
from bot.knowledge.retrieval.semantic import TextEncoder, VectorStore, centred
from bot.knowledge.search_state import SearchState, examined, is_light, kind_of, lexicon_of, with_articles
from bot.model import Answer, Candidate, Decision
from bot.text.problems import told

MAX_QUESTION = 3000  # characters that are read of a question
WORTH_SAVING = 0.4  # seconds of building from which the index is kept for the next start
LOOK = 30.0  # seconds between looks at the files of a folder that may tell of no changes
EXAMINED_AT_ONCE = 3000  # example questions: a larger base examines itself in the background
OWN_WORDS = 0.97  # how sure a question is that stands word for word in one article and in no other
RAW_WINS = 0.05  # how much better covered the raw question must be to win over the repaired one
SHORT = 300  # characters of a question, and
FEW = 3000  # articles, up to which a question is answered in the loop: a hop costs more than it frees
Read = tuple[tuple[Article, ...], tuple[Problem, ...]]  # what a folder holds now
_ENGLISH = ("english", "paired_en")  # coefficients for English questions in a base that has English articles
_KINDS = ("paired", "own", "sentence", "paired_en", "english", "words")  # whose threshold speaks for the base
_NOTHING: Mapping[str, object] = {}


CODE = 5  # digits in a row that an article may name: a code of an error, a number of a form
_LONG_NUMBER = re.compile(r"\+?\d(?:[\s().-]{0,2}\d){6,}")  # a phone, a card, an order


def _without_numbers(text: str, index: Index) -> str:
    """*text* without long numbers that no article of *index* names, where words are left: they would only
    look like words that the base does not know.
    """

    def kept(found: re.Match[str]) -> str:
        codes = [w for w in words_of(found.group()) if len(w) >= CODE]
        return found.group() if codes and index.says(codes) else " "

    shorter = _LONG_NUMBER.sub(kept, text)
    return shorter if any(c.isalpha() for c in shorter) else text


class Knowledge:
    """A folder of articles that can be asked.

    Every public method may be called from any thread; a reload swaps all at once.
    law: internal articles (`audience: staff`) are in nothing that customers' words are compared with; only
    `staff` knows them.
    """

    def __init__(self, folder: Path, settings: KnowledgeSettings, cache: Path | None) -> None:
        self.folder, self.settings, self.cache = folder, settings, cache
        self.problems: tuple[Problem, ...] = ()
        self.sections: SectionNames = {}  # what customers call them, in the order of the menu
        self._library = ArticleRepository(folder, settings.channels)
        self._reader = TextAnalyzer(read_speech(settings.synonyms))
        self._factories = find_factories(settings.retrievers)
        self._models: Mapping[str, RankingModel] = read_models()
        self.today: Callable[[], date] = lambda: datetime.now(
            UTC
        ).date()  # the business's day, set where its hours are known
        self._reloading = threading.Lock()
        self._store: VectorStore | None = None
        self._feedback: tuple[Feedback, ...] = ()
        reason = told("articles.model.off" if settings.model == "off" else "articles.model.not_yet")
        self.status = KnowledgeStatus(reason=reason)
        self._state = SearchState(ArticleCatalog(()), Index((), self._reader), Lexicon(()))
        self._internal: tuple[Article, ...] = ()
        self._staff: Knowledge | None = None

    @classmethod
    def open(
        cls, folder: Path, *, settings: KnowledgeSettings | None = None, cache: Path | None = None
    ) -> Knowledge:
        """Reads and indexes *folder*; words answer at once, meaning after `load_embeddings`.

        Broken articles do not stop it: they are in `problems`. A broken synonyms file and an unknown
        retriever raise `ConfigError`.
        """
        knowledge = cls(folder, settings or KnowledgeSettings(), cache)
        seconds = knowledge._take(knowledge._restore() or knowledge._library.read()).seconds
        if seconds > WORTH_SAVING:
            knowledge._save()
        if len(knowledge._state.index.questions.texts) <= EXAMINED_AT_ONCE:
            knowledge.examine()
        return knowledge

    # --- the articles
    # ------------------------------------------------------------------------------------------------

    def reload(self) -> ReloadResult:
        """Reads what changed.

        Answers go on from the old articles until the new ones are ready; a repeat changes nothing.
        """
        return self._take(None)

    def _take(self, read: Read | None) -> ReloadResult:
        start = time.perf_counter()
        with self._reloading:
            articles, problems = read or self._library.read()
            self.sections, faults = read_sections(self.folder)
            problems = (*problems, *faults)
            old = {a.id: a for a in self.staff.articles()}
            now = {a.id: a for a in articles}
            own = [a for a in articles if not a.internal]
            self._internal = tuple(a for a in articles if a.internal)
            if {a.id: a for a in own} != self._state.catalog.articles:
                self._state = self._built(own)
            self._open_to_staff()
            _ = self._state.catalog.version  # made here, not while a customer waits
            self.problems = problems
            self._reader.forget_all_but([t for read in self._state.index.read for t in read])
            broken = len({p.file for p in problems if p.severity == "error"})
            seconds = time.perf_counter() - start
            self.status = replace(self.status, articles=len(now), broken=broken, seconds=seconds)
        return ReloadResult(
            changed=tuple(i for i, a in now.items() if i in old and old[i] != a),
            added=tuple(i for i in now if i not in old),
            removed=tuple(i for i in old if i not in now),
            problems=problems,
            seconds=seconds,
        )

    async def watch(
        self, on_reload: Callable[[ReloadResult], Awaitable[None]], *, every: float = LOOK
    ) -> None:
        """Reloads when files change, until cancelled; *on_reload* hears of each change and of each new
        problem.

        What another machine writes into a shared folder, or a folder that was put in place of the old one,
        tells nobody here: so the files are looked at *every* so many seconds, too.
        """
        known = self.problems
        looks = watchfiles.awatch(
            self.folder, debounce=200, step=50, rust_timeout=round(1000 * every), yield_on_timeout=True
        )
        async for events in looks:
            if not events and not await asyncio.to_thread(self._library.is_changed):
                continue
            done = await asyncio.to_thread(self.reload)
            if done or done.problems != known:
                known = done.problems
                await on_reload(done)
            if done:
                await asyncio.to_thread(self.examine)

    def examine(self) -> None:
        """The base asks itself its own examples, so that confidence knows how hard this base is; a second or
        so, answers go on.
        """
        checks, thresholds = examined(self._state, self._reader, self._models)
        with self._reloading:
            self._state = replace(self._state, checks=checks, thresholds=thresholds)
            if (staff := self._staff) is not None:
                staff._state = replace(staff._state, checks=checks, thresholds=thresholds)
        self._refine()

    def learn(self, feedback: Sequence[Feedback]) -> ConfidenceShift:
        """Takes people's verdicts (oldest first, all that count) and refines confidence by them; a repeat
        replaces what was learnt.

        Each question is asked again, so some hundreds take a second or two: to be run in a thread, answers go
        on.
        """
        self._feedback = tuple(feedback[-NEWEST:])
        return self._refine()

    def _refine(self) -> ConfidenceShift:
        state = self._state
        shift = (
            shift_of([c for f in self._feedback if (c := self._case(state, f)) is not None])
            if len(self._feedback) >= FEWEST
            else NO_SHIFT
        )
        with self._reloading:
            self._state = replace(self._state, shift=shift)
        return shift

    def _case(self, state: SearchState, label: Feedback) -> tuple[float, bool] | None:
        """The confidence in what comes first now, and whether that is right; None where the verdict does not
        say.
        """
        if state.catalog.owner(label.question) is not None:
            return None  # the editor's own words are sure without labels
        found, spoken, allowed = self._understood(state, label.question, label.language)
        judged = state.catalog.article(label.article, spoken)
        place = state.index.place.get(judged.id) if judged is not None else None
        if judged is None or place is None or not allowed[place] or not len(found.scores):
            return None
        first = state.index.articles[found.evidence.articles[int(np.argmax(found.scores))]]
        same = (first.twin_of or first.id) == (judged.twin_of or judged.id)
        return (found.plain, label.right) if same else (found.plain, False) if label.right else None

    def trial(self, articles: Sequence[Article]) -> Knowledge:
        """The same search over other articles, to ask what a change would do; nothing of it is kept."""
        other = copy.copy(self)
        other._reloading = threading.Lock()
        other._internal, other._staff = (), None
        other._state = self._built(articles)
        return other

    @property
    def staff(self) -> Knowledge:
        """What operators may know: the same search over internal articles, too. Nothing of it may reach a
        customer.
        """
        return self._staff or self

    def _open_to_staff(self) -> None:
        """Builds the operators' search anew, where there is anything for them alone."""
        if not self._internal:
            self._staff = None
            return
        every = sorted((*self._state.catalog.articles.values(), *self._internal), key=lambda a: a.id)
        staff = self.trial(every)
        staff.today = lambda: self.today()
        self._staff = staff

    def load_embeddings(self, say: Callable[[str], object] = lambda _: None) -> None:
        """Loads the encoder and encodes the articles: slow, to be run in a thread; until it ends words alone
        answer.

        Where there is no encoder, or not the best one, `status.reason` says why and what to do; nothing is
        raised. A repeat tries again. What has to be made ready first is told to `status.reason` and *say*.
        """
        if self.settings.model == "off":
            return
        self.status = replace(self.status, loading=True)
        start = time.perf_counter()
        try:
            from bot.knowledge.encoder.loader import stages

            def progress(text: str) -> None:
                self.status = replace(self.status, reason=text)
                say(text)

            for encoder, reason in stages(self.settings.model, self.cache, progress):
                self.use(encoder)
                took = time.perf_counter() - start
                lacks = encoder.split and self._state.catalog.has_english and "en" not in encoder.languages
                reason = reason or (told("articles.model.no_english") if lacks else "")
                self.status = replace(self.status, reason=reason, seconds=took)
        except BotError as error:
            self.status = replace(self.status, embeddings="", reason=str(error))
        finally:
            self.status = replace(self.status, loading=False)

    def use(self, encoder: TextEncoder) -> None:
        """Searches by the vectors of *encoder* from now on; the articles are encoded here and now."""
        store = VectorStore(encoder, self.cache)
        with self._reloading:
            self._store = store
            self._state = self._built(tuple(self._state.catalog.articles.values()))
            self._open_to_staff()
        self.examine()
        self.status = replace(self.status, embeddings=encoder.id)

    def article(self, id: str, language: str = "") -> Article | None:
        """The article, or its twin in *language* where there is one; an internal one only of `staff`."""
        return self._state.catalog.article(id, language)

    def article_for(
        self, id: str, *, language: str = "", channel: str = "", segment: Mapping[str, object] = _NOTHING
    ) -> Article | None:
        """The article as one customer may see it; None where it is not for them: a draft, out of date, of
        another channel or segment.
        """
        return self._state.catalog.article_for(id, language, channel, segment, self.today())

    def articles(self) -> tuple[Article, ...]:
        """All articles, drafts included, by id; internal ones only of `staff`."""
        return tuple(self._state.catalog.articles.values())

    def internal_articles(self) -> tuple[Article, ...]:
        """Those for operators alone, drafts included."""
        return self._internal

    def shown_to(
        self, *, language: str = "", channel: str = "", segment: Mapping[str, object] = _NOTHING
    ) -> tuple[Article, ...]:
        """The articles that this customer may be shown, by id: published, in date, of their channel and
        segment, and of twins the one in their language.
        """
        catalog = self._state.catalog
        allowed = catalog.allowed(language, channel, segment, self.today())
        return tuple(a for a, shown in zip(catalog.published, allowed, strict=True) if shown)

    @property
    def articles_version(self) -> str:
        """Twelve hex digits that tell the published articles from others; computed when they are read."""
        return self._state.catalog.version

    @property
    def index(self) -> Index:
        """What is searched now; a reload makes another one."""
        return self._state.index

    @property
    def retrievers(self) -> Mapping[str, Retriever]:
        """Each search channel by its name, over the articles as they are now."""
        state = self._state
        names = retriever_names(with_vectors=state.vectors is not None)
        ours = {
            name: ChannelRetriever(
                name, state.index, lambda text: self._asked(state, text, "")[0], state.vectors
            )
            for name in names
        }
        return {**ours, **state.external_retrievers}

    def _restore(self) -> Read | None:
        """Takes over the index of the last start, if there is one that fits; what is read of the folder now
        is returned.
        """
        if self.cache is None:
            return None
        key = index_cache.key_of(self.settings.synonyms, self.settings.channels)
        kept = index_cache.load(
            index_cache.place_of(self.cache, self.folder), key, self._library, self._reader.speech
        )
        if kept is None:
            return None
        self._reader = kept.index.reader
        self._state = SearchState(
            kept.catalog,
            kept.index,
            lexicon_of(kept.index, self._reader),
            external_retrievers=invite(self._factories, kept.catalog.published),
        )
        return self._library.read()

    def _save(self) -> None:
        if self.cache is not None:
            key = index_cache.key_of(self.settings.synonyms, self.settings.channels)
            index_cache.save(
                index_cache.place_of(self.cache, self.folder), key, self._library, self._state.index
            )

    def _built(self, articles: Sequence[Article]) -> SearchState:
        retrievers = invite(self._factories, [a for a in articles if a.status == "published"])
        return with_articles(self._state, articles, self._reader, self._store, retrievers)

    @property
    def threshold(self) -> AnswerThreshold:
        """The confidence from which most questions are answered at once."""
        kinds = {"words", *self._state.thresholds}
        return self._threshold(self._state, next(k for k in _KINDS if k in kinds))

    def _threshold(self, state: SearchState, kind: str) -> AnswerThreshold:
        if self.settings.answer is not None:
            return AnswerThreshold(self.settings.answer)
        return state.thresholds.get(kind, AnswerThreshold())

    # --- the question
    # ------------------------------------------------------------------------------------------------

    def owns(self, question: str) -> bool:
        """Whether *question* stands word for word in exactly one article: then it is a question, whatever it
        sounds like.
        """
        return self._state.catalog.owner(question) is not None

    async def ask(
        self,
        question: str,
        *,
        language: str = "",
        channel: str = "",
        segment: Mapping[str, object] = _NOTHING,
        context: QuestionContext | None = None,
        today: date | None = None,
    ) -> Answer:
        """`answer`; in a thread where it takes longer than a hop to another thread costs the others."""
        if len(question) <= SHORT and self._is_light():
            return self.answer(
                question, language=language, channel=channel, segment=segment, context=context, today=today
            )
        return await asyncio.to_thread(
            self.answer,
            question,
            language=language,
            channel=channel,
            segment=segment,
            context=context,
            today=today,
        )

    def _is_light(self) -> bool:
        """Whether a short question takes a few milliseconds: no foreign encoder, no retriever of others, not
        too many articles.
        """
        state = self._state
        return is_light(state.store) and not state.external_retrievers and len(state.index.articles) <= FEW

    def answer(
        self,
        question: str,
        *,
        language: str = "",
        channel: str = "",
        segment: Mapping[str, object] = _NOTHING,
        context: QuestionContext | None = None,
        today: date | None = None,
    ) -> Answer:
        """What the articles have to say to *question*. Never raises, whatever the text.

        *language* is the customer's, used where the question itself does not show one; *segment* holds the
        customer's fields.
        """
        start = time.perf_counter()
        state = self._state
        found, spoken, allowed = self._understood(state, question, language, channel, segment, today)
        followed = False
        last = state.catalog.article(context.article, spoken) if context and context.article else None
        if (
            last is not None
            and found.confidence < self._threshold(state, found.kind).value
            and follows(found.asked.reading.words, found.scope, found.evidence.known)
        ):
            wider = self._find(
                state, CorrectedQuestion(joined(last.title, found.text), found.repairs), spoken, allowed
            )
            if wider.confidence > found.confidence or wider.scope > found.scope:
                found, followed = wider, True
        return self._decide(state, question, found, spoken, followed, start)

    def _understood(
        self,
        state: SearchState,
        question: str,
        language: str,
        channel: str = "",
        segment: Mapping[str, object] = _NOTHING,
        today: date | None = None,
    ) -> tuple[SearchReading, str, np.ndarray]:
        """The better reading of a question, raw or repaired, with its language and the articles that may
        answer it.
        """
        text = _without_numbers(question[:MAX_QUESTION].replace("\0", " "), state.index)
        repaired = repair(text, state.lexicon)
        spoken = state.catalog.language_of(repaired.text, language)
        allowed = state.catalog.allowed(spoken, channel, segment, today or self.today())
        found = self._find(state, repaired, spoken, allowed)
        if repaired.repairs and found.scope < 1 - 2 * RAW_WINS:
            raw = self._find(state, CorrectedQuestion(text), spoken, allowed, like=found.asked)
            if raw.scope > found.scope + RAW_WINS:
                found = raw
        return found, spoken, allowed

    def _find(
        self,
        state: SearchState,
        repaired: CorrectedQuestion,
        language: str,
        allowed: np.ndarray,
        like: AnalyzedQuery | None = None,
    ) -> SearchReading:
        asked, kind = self._asked(state, repaired.text, language, like)
        votes = hear(state.external_retrievers, repaired.text, state.index.place)
        evidence = gather(
            state.index,
            asked,
            vectors=state.vectors if kind != "words" else None,
            allowed=allowed,
            also=votes.articles,
        )
        model = self._models[kind]
        scores = rank(state.index, evidence, model) + votes.over(evidence.articles)
        right, covered = confidence(state.index, evidence, scores, model, state.checks.get(kind, SelfCheck()))
        plain, right = right, state.shift(right)
        if not asked.reading.words:
            right = covered = 0.0
        elif len(scores) and (own := state.catalog.owner(repaired.text)):
            first = state.index.articles[evidence.articles[int(np.argmax(scores))]]
            if own == (
                first.twin_of or first.id
            ):  # the editor's own words for one article: nothing is left to guess
                right, covered = max(right, OWN_WORDS), max(covered, OWN_WORDS)
        return SearchReading(
            repaired.text, asked, evidence, scores, right, covered, kind, repaired.repairs, votes, plain
        )

    def _asked(
        self, state: SearchState, text: str, language: str, like: AnalyzedQuery | None = None
    ) -> tuple[AnalyzedQuery, str]:
        """The question as numbers, and which coefficients fit: words, own (our encoder, Russian), sentence
        (any other).

        *like* is another reading of the same question: a sentence encoder, slow beside everything else and
        used to slips of the finger, is asked once for both.
        """
        reading = state.index.reader.ask(state.index.reader.canonical(text))
        if state.store is None or state.vectors is None or not reading.words:
            return AnalyzedQuery(text, reading), "words"
        kind = kind_of(state.store, english=not is_russian(text))
        if kind in _ENGLISH and not state.catalog.has_english and state.vectors.split:
            kind = "paired"  # its sentence encoder reads every language
        elif kind == "english" and not (
            state.catalog.has_english and (state.catalog.titled or not is_bare(state.index))
        ):
            return AnalyzedQuery(text, reading), "words"  # running text alone is found better by its words
        split = state.vectors.split
        if (
            like is not None
            and like.vector is not None
            and is_russian(like.text) == is_russian(text)
            and (own := state.store.ask_own(text)) is not None
        ):
            vector = np.concatenate((own, like.vector[split:]))
            return AnalyzedQuery(text, reading, vector, like.contrast), kind
        spoken = "en" if kind in _ENGLISH else "ru"
        vector = centred(state.store.ask(text, spoken)[None], state.center, split)[0]
        contrast = state.contrasts.get(kind)
        against = contrast(vector[split:]) if contrast else (0.0, 0.0)
        return AnalyzedQuery(text, reading, vector, against), kind

    def _decide(
        self,
        state: SearchState,
        question: str,
        found: SearchReading,
        language: str,
        followed: bool,
        start: float,
    ) -> Answer:
        settings, evidence = self.settings, found.evidence
        threshold = self._threshold(state, found.kind)
        share = chances(found.scores)
        order = np.argsort(-found.scores, kind="stable")[: max(5, settings.candidates)]
        top = float(share[order[0]]) if len(order) else 1.0
        candidates = tuple(
            Candidate(
                a.id, a.title, round(float(share[i]) / top * found.confidence, 6), int(evidence.passages[i])
            )
            for i in order
            for a in (state.index.articles[evidence.articles[i]],)
        )
        familiar = is_familiar(state.index, found.asked.reading.words)
        thresholds = DecisionThresholds(threshold.value, settings.handoff)
        least = offer_threshold(
            thresholds,
            familiar=familiar,
            by_words=found.asked.vector is None,
            by_sentences=bool(state.contrasts),
        )
        decision = (
            decide(thresholds, found.confidence, found.scope, least) if candidates else Decision.HANDOFF
        )
        answer = Answer(
            decision,
            candidates,
            confidence=found.confidence,
            scope=found.scope,
            article=candidates[0].article if decision is Decision.ANSWER else None,
            lead=decision is Decision.CLARIFY and found.confidence >= settings.lead,
            options=offered(share[order].tolist(), found.confidence, settings.options),
        )
        spent = 1000 * (time.perf_counter() - start)
        asked = AskedQuestion(question, language, followed, least, spent)
        why = explain(asked, found, answer, state.index, settings, threshold)
        if state.shift.labels:
            why = {
                **why,
                "feedback": {
                    "labels": state.shift.labels,
                    "before": round(found.plain, 4),
                    "shift": round(state.shift(found.plain) - found.plain, 4),
                },
            }
        return replace(answer, why=why)
