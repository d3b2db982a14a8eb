"""Trains our own encoder on the texts of this folder and prints its scores: `python -m training.encoder
--help`.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from bot.knowledge.encoder.navec import find_navec, read_navec
from bot.knowledge.encoder.rows import (
    Floats,
    RowVocabulary,
    TrainedRows,
    lay,
    learn_pieces,
    save_trained,
    vocabulary_of,
)
from bot.knowledge.encoder.text import lemma_of, pieces_of
from bot.knowledge.query.words import words_of
from training.rows import read_rows

HERE = Path(__file__).parent
SHIPPED = HERE.parent / "bot" / "knowledge" / "data" / "encoder.npz"
SHOPLIKE = frozenset(
    """clothes_shop electronics_shop marketplace furniture grocery b2b_wholesale pets post pharmacy
    food_delivery video_platform video_streaming hosting home_goods classifieds flowers blog_creators
    streaming_tv""".split()  # noqa: SIM905 - eighteen quoted words would read worse
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How it is trained. The temperature is `scale`; the learning rates fall to a tenth over `steps`."""

    dimensions: int = 200
    steps: int = 350
    intents: int = 256
    scale: float = 8.0
    rate_shift: float = 7e-3
    rate_projection: float = 1e-4
    decay: float = 0.01
    hide_share: float = (
        0.5  # pairs in which words of both sides are hidden, so that overlap cannot solve the task
    )
    hide: float = 0.7
    groups: float = 0.8  # pairs of synonyms next to pairs of texts
    seeds: int = 3


@dataclass(frozen=True, slots=True)
class Intent:
    domain: str
    name: str
    title: str
    texts: tuple[str, ...]


def read_corpus(folders: Sequence[Path]) -> list[Intent]:
    """The intents of every *.jsonl in *folders* that has texts, and of every *.txt: `## domain`, then
    `= name | title` and a customer's text a line.
    """
    rows = [row for f in folders for p in sorted(f.glob("*.jsonl")) for row in read_rows(p)]
    intents = [Intent(r["domain"], r["intent"], r["title"], tuple(r["texts"])) for r in rows if "texts" in r]
    for path in (p for f in folders for p in sorted(f.glob("*.txt")) if "groups" not in p.name):
        domain, head, texts = "", "", list[str]()
        for line in [*path.read_text("utf-8").splitlines(), "="]:
            if line.startswith(("=", "##")):
                if texts:
                    name, _, title = (part.strip() for part in head.partition("|"))
                    intents.append(Intent(domain, name, title, tuple(texts)))
                head, texts = line.lstrip("= "), []
                domain = line.removeprefix("##").strip() if line.startswith("##") else domain
            elif line.strip():
                texts.append(line.strip())
    return intents


def read_groups(folders: Sequence[Path]) -> list[tuple[str, ...]]:
    """Words and phrases that customers use for one another."""
    lines = [
        (p, line)
        for f in folders
        for p in sorted(f.glob("*groups*"))
        for line in p.read_text("utf-8").splitlines()
        if line
    ]
    return [
        tuple(json.loads(line)["g"]) if p.suffix == ".jsonl" else tuple(w.strip() for w in line.split("|"))
        for p, line in lines
    ]


class Reader:
    """Texts as numbers of the vocabulary's forms."""

    def __init__(self, vocabulary: RowVocabulary) -> None:
        self.vocabulary = vocabulary
        self._at = {w: i for i, w in enumerate(vocabulary.forms)}

    def numbers(self, text: str) -> list[int]:
        return [i for w in words_of(text) if (i := self._at.get(w, self._at.get(lemma_of(w), -1))) >= 0]

    def sets(self, families: Iterable[Sequence[str]]) -> list[list[list[int]]]:
        read = ([n for text in family if (n := self.numbers(text))] for family in families)
        return [family for family in read if len(family) > 1]


def first_projection(vocabulary: RowVocabulary, dimensions: int) -> Floats:
    """The principal directions of the rows without the first, which all words share."""
    rows = (vocabulary.base * vocabulary.rarity[vocabulary.lemma][:, None])[:20_000]
    directions = np.linalg.svd(rows, full_matrices=False)[2]
    return np.ascontiguousarray(directions[1 : dimensions + 1].T, np.float32)


def train(
    vocabulary: RowVocabulary,
    families: list[list[list[int]]],
    groups: list[list[list[int]]],
    recipe: Recipe,
    seed: int,
) -> TrainedRows:
    """One run: multiple negatives ranking both ways over pairs of texts of one intent."""
    rng = random.Random(seed)
    used = sorted({i for family in families + groups for text in family for i in text})
    place = {i: k for k, i in enumerate(used)}
    base, owner = torch.from_numpy(vocabulary.base[used]), vocabulary.lemma[used]
    lemmas, owners = np.unique(owner, return_inverse=True)
    lemma = torch.from_numpy(owners)
    rarity = torch.from_numpy(vocabulary.rarity[lemmas])
    start = torch.from_numpy(first_projection(vocabulary, recipe.dimensions))
    projection, shift = (
        start.clone().requires_grad_(),
        torch.zeros(len(lemmas), recipe.dimensions, requires_grad=True),
    )
    optimizer = torch.optim.AdamW([{"params": [projection]}, {"params": [shift]}], weight_decay=0.0)
    for step in range(recipe.steps):
        pace = min(1.0, (step + 1) / 20) * (1 - 0.9 * step / recipe.steps)
        for group, rate in zip(
            optimizer.param_groups, (recipe.rate_projection, recipe.rate_shift), strict=True
        ):
            group["lr"] = rate * pace
        left, right = draw(families, groups, vocabulary.lemma, recipe, rng)
        texts = left + right
        flat = torch.tensor([place[i] for text in texts for i in text])
        forms, inverse = torch.unique(flat, return_inverse=True)
        mine = lemma[forms]
        rows = (base[forms] @ projection + shift[mine]) * rarity[mine].unsqueeze(1)
        starts = torch.tensor(np.cumsum([0] + [len(t) for t in texts])[:-1])
        vectors = F.normalize(F.embedding_bag(inverse, rows, starts, mode="mean"), dim=1)
        scores = recipe.scale * vectors[: len(left)] @ vectors[len(left) :].T
        same = torch.arange(len(left))
        loss = 0.5 * (F.cross_entropy(scores, same) + F.cross_entropy(scores.T, same))
        loss = loss + recipe.decay * (
            (shift[mine] ** 2).sum(1).mean() + 10 * ((projection - start) ** 2).sum()
        )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    names = tuple(vocabulary.lemmas[i] for i in lemmas)
    return TrainedRows(
        projection.detach().numpy(), names, shift.detach().numpy(), np.zeros(len(names), np.float32), ""
    )


Texts = list[list[int]]


def draw(
    families: list[Texts], groups: list[Texts], lemma: np.ndarray, recipe: Recipe, rng: random.Random
) -> tuple[Texts, Texts]:
    """A batch: two texts of each drawn intent, in half of the cases with most of their common words hidden;
    then synonyms.
    """
    left, right = [], []
    for family in rng.sample(families, min(recipe.intents, len(families))):
        a, b = rng.sample(family, 2)
        if rng.random() < recipe.hide_share:
            common = {lemma[i] for i in a} & {lemma[i] for i in b}
            hidden = {i for i in sorted(common) if rng.random() < recipe.hide}
            shorter = [[i for i in text if lemma[i] not in hidden] for text in (a, b)]
            a, b = shorter if all(shorter) else (a, b)
        left.append(a)
        right.append(b)
    for group in rng.sample(groups, min(len(groups), int(recipe.intents * recipe.groups))):
        a, b = rng.sample(group, 2)
        left.append(a)
        right.append(b)
    return left, right


def train_all(
    vocabulary: RowVocabulary, intents: Sequence[Intent], groups: Sequence[Sequence[str]], recipe: Recipe
) -> TrainedRows:
    """Several runs and their mean: they start from one point, so the mean of what they learnt is better than
    each.
    """
    reader = Reader(vocabulary)
    families, sets = reader.sets((i.title, *i.texts) for i in intents), reader.sets(groups)
    runs = [train(vocabulary, families, sets, recipe, seed) for seed in range(recipe.seeds)]
    lemmas = tuple(sorted({lemma for run in runs for lemma in run.lemmas}))
    shift = np.zeros((len(lemmas), recipe.dimensions), np.float32)
    at = {lemma: i for i, lemma in enumerate(lemmas)}
    for run in runs:
        shift[[at[lemma] for lemma in run.lemmas]] += run.shift / len(runs)
    projection = np.mean([run.projection for run in runs], axis=0)
    return TrainedRows(projection, lemmas, shift, np.zeros(len(lemmas), np.float32), "")


# --- scores
# ----------------------------------------------------------------------------------------------------------


def encode(reader: Reader, rows: Floats, pieces: Floats | None, texts: Sequence[str]) -> Floats:
    """What the shipped module does, over rows in memory."""
    vectors = np.zeros((len(texts), rows.shape[1]), np.float32)
    at = {w: i for i, w in enumerate(reader.vocabulary.forms)}
    for n, text in enumerate(texts):
        for word in words_of(text):
            if (i := at.get(word, at.get(lemma_of(word), -1))) >= 0:
                vectors[n] += rows[i]
            elif pieces is not None and (found := pieces_of(word)):
                vectors[n] += 0.7 * pieces[found].mean(0)
    unit: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return unit


@dataclass(frozen=True, slots=True)
class Exam:
    """Articles with example questions, and customers' questions with the number of the right article."""

    articles: tuple[tuple[str, ...], ...]
    questions: tuple[tuple[str, int], ...]


def read_exam(folder: Path) -> Exam:
    """A judge's set: kb.jsonl {id, title, questions} and test.jsonl {query, label}.

    Only measured, never trained on.
    """
    kb = read_rows(folder / "kb.jsonl")
    number = {a["id"]: i for i, a in enumerate(kb)}
    test = read_rows(folder / "test.jsonl")
    asked = tuple((t["query"], number[t["label"]]) for t in test if t["label"])
    return Exam(tuple((a["title"], *a["questions"]) for a in kb), asked)


def exam_of(intents: Sequence[Intent]) -> Exam:
    """Intents as articles: every third text asks, the others are examples."""
    articles = tuple((i.title, *(t for k, t in enumerate(i.texts) if k % 3 != 2)) for i in intents)
    return Exam(articles, tuple((t, n) for n, i in enumerate(intents) for t in i.texts[2::3]))


def marks(reader: Reader, rows: Floats, pieces: Floats | None, exam: Exam) -> tuple[float, float, float]:
    """R@1, R@3 and MRR of the encoder alone: an article is as near as its best example and half the mean of
    its best two.
    """
    units = [u for article in exam.articles for u in article]
    owner = np.array([n for n, article in enumerate(exam.articles) for _ in article])
    near = (
        encode(reader, rows, pieces, [q for q, _ in exam.questions]) @ encode(reader, rows, pieces, units).T
    )
    score = np.stack(
        [
            (s := np.sort(near[:, owner == n], axis=1))[:, -1] + s[:, -2:].mean(1) / 2
            for n in range(len(exam.articles))
        ],
        1,
    )
    gold = np.array([n for _, n in exam.questions])
    rank = (score > score[np.arange(len(gold)), gold][:, None]).sum(1)
    return float((rank == 0).mean()), float((rank < 3).mean()), float((1 / (rank + 1)).mean())


def show(
    name: str, reader: Reader, trained: TrainedRows, exams: dict[str, list[Exam]], pieced: bool = True
) -> None:
    rows = lay(reader.vocabulary, trained)
    chosen = [i for i, w in enumerate(reader.vocabulary.forms) if len(w) > 3 and pieces_of(w)][:40_000]
    pieces = learn_pieces([reader.vocabulary.forms[i] for i in chosen], rows[chosen]) if pieced else None
    for exam_name, several in exams.items():
        mean = np.mean([marks(reader, rows, pieces, e) for e in several], axis=0)
        print(f"{name:34} {exam_name:20} R@1 {mean[0]:.3f}  R@3 {mean[1]:.3f}  MRR {mean[2]:.3f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--judge-data",
        type=Path,
        nargs="*",
        default=[],
        help="folders with kb.jsonl and test.jsonl to measure on",
    )
    parser.add_argument("--out", type=Path, default=SHIPPED, help="where the trained part is written")
    parser.add_argument("--quick", action="store_true", help="only train and write, no held-out runs")
    parser.add_argument("--measure", action="store_true", help="only the held-out runs, nothing is written")
    args = parser.parse_args()
    path = find_navec()
    if path is None:
        raise SystemExit("pip install --no-deps natasha==1.6.0")
    start, recipe = time.perf_counter(), Recipe()
    folders = [HERE / "support_ru", HERE / "phrases"]
    intents, groups = read_corpus(folders), read_groups(folders)
    texts = [t for i in intents for t in (i.title, *i.texts)] + [t for g in groups for t in g]
    vocabulary = vocabulary_of(read_navec(path), sorted({w for t in texts for w in words_of(t)}))
    reader = Reader(vocabulary)
    print(
        f"{len(intents)} intents, {len(texts)} texts, {len(vocabulary.forms)} forms; read in"
        f" {time.perf_counter() - start:.0f} s"
    )
    judged = {folder.name: [read_exam(folder)] for folder in args.judge_data}
    if not args.quick:
        kept = {
            "airline",
            "education",
            "fitness",
            "games",
            "insurance",
            "real_estate",
            "social_network",
            "utilities",
        }
        own = {"kept-aside domains": [exam_of([i for i in intents if i.domain == d]) for d in sorted(kept)]}
        zero = train_all(vocabulary, intents, groups, Recipe(steps=0, seeds=1))
        show("navec alone", reader, zero, judged | own, pieced=False)
        rest = train_all(vocabulary, [i for i in intents if i.domain not in kept], groups, recipe)
        show("without the kept-aside domains", reader, rest, own)
        if judged:
            far = train_all(vocabulary, [i for i in intents if i.domain not in SHOPLIKE], groups, recipe)
            show("without shops, video, hosting", reader, far, judged)
    if not args.measure:
        trained = train_all(vocabulary, intents, groups, recipe)
        save_trained(args.out, trained)
        show("whole corpus", reader, trained, judged)
        print(
            f"{args.out}: {args.out.stat().st_size / 1e6:.2f} MB, {len(trained.lemmas)} lemmas;"
            f" {time.perf_counter() - start:.0f} s"
        )


if __name__ == "__main__":
    main()
