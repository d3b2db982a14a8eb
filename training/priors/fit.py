"""Fits the coefficients that ship with search: `python -m training.priors.fit --english DATA` (about ten
minutes on two cores).

DATA holds banking77, clinc150, hint3_sofmattress (training splits are read) and xquad_ru, xquad_en (every
fourth document is).
"""

from __future__ import annotations

import argparse
import json
import pickle
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from bot.knowledge.articles.schema import read_articles
from bot.knowledge.decision.ranking import (
    COEFFICIENTS,
    PARTS,
    RankingModel,
    RankingNetwork,
    check_of,
    confidence_inputs,
    is_bare,
    rank,
    read_models,
)
from bot.knowledge.encoder.e5 import E5Encoder
from bot.knowledge.encoder.navec import find_navec, read_navec
from bot.knowledge.encoder.rows import lay, learn_pieces, vocabulary_of
from bot.knowledge.encoder.static import UNKNOWN
from bot.knowledge.encoder.text import BUCKETS, ENGLISH, marked_words, pieces_of
from bot.knowledge.query.words import words_of
from bot.knowledge.retrieval.features import SHORTLIST
from bot.knowledge.retrieval.lexical import Floats
from training.priors import bases as simulated
from training.priors.gathering import Encode, Exam, gather_all, rank_rows
from training.rows import read_rows

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
WEIGHTS = {
    "support": 1.0,
    "banking": 0.8,
    "clinc": 0.8,
    "sof": 0.8,
    "xquad_ru": 1.0,
    "xquad_en": 1.0,
    "demo_ru": 1.0,
    "demo_en": 0.6,
    "written_en": 1.0,
}
# weight of questions out of scope in bases of texts alone: nearly a quarter of theirs, more than most
# customers ask
LONE_OUTSIDE = 0.75
SEEDS = 3
SHAPE = 5  # the last inputs of confidence: what kind of base it is
OWN_WIDTH = 200  # columns of our own encoder
FEWEST_STEPS = 700  # a small set is gone through oftener


def all_bases(data: Path | None, scale: float) -> list[simulated.Base]:
    """Every base to learn from; without *data* only what this project wrote."""
    support = simulated.read_support(ROOT / "training" / "support_ru")
    off_topic = (HERE / "off_topic_ru.txt").read_text("utf-8").splitlines()
    articles, _ = read_articles(ROOT / "kb_articles")
    found = list(simulated.support_bases(support, int(110 * scale), 1, off_topic))
    found += simulated.article_bases([a for a in articles if a.lang == "ru"], int(24 * scale), 6)
    found += simulated.article_bases([a for a in articles if a.lang == "en"], int(10 * scale), 7, fold=2)
    found += simulated.written_bases(
        ROOT / "training" / "english" / "articles.txt", int(24 * scale), 8, fold=2
    )
    found += simulated.written_bases(
        ROOT / "training" / "english" / "articles.txt", int(16 * scale), 9, fold=2, lone=True
    )
    if data:
        outside = [row["query"] for row in read_rows(data / "clinc150" / "oos_train.jsonl")]
        outside += [
            row["query"] for row in read_rows(data / "clinc150" / "val.jsonl") if row["label"] is None
        ]
        for fold, (name, number, seed) in enumerate((("banking", 36, 2), ("clinc", 36, 3), ("sof", 10, 4))):
            folder = {"banking": "banking77", "clinc": "clinc150", "sof": "hint3_sofmattress"}[name]
            intents = simulated.read_labelled(data / folder / "train.jsonl", name)
            found += simulated.labelled_bases(intents, outside, int(number * scale), seed, fold)
        for language in ("ru", "en"):
            folder = f"xquad_{language}"
            found += simulated.passage_bases(
                data / folder / "kb.jsonl", data / folder / "test.jsonl", int(10 * scale), 5, language
            )
    return found


# --- networks
# --------------------------------------------------------------------------------------------------------


class Layers(nn.Module):
    """The same shape as `bot.knowledge.decision.ranking.Network`, to be trained."""

    def __init__(self, width: int, hidden: int, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.linear = nn.Linear(width, 1)
        self.hidden = nn.Linear(width, max(1, hidden))
        self.out = nn.Parameter(torch.zeros(max(1, hidden)))
        if not hidden:
            self.out.requires_grad_(False)
        nn.init.zeros_(self.linear.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.linear(x)[..., 0] + torch.tanh(self.hidden(x)) @ self.out
        return found


def fit(
    x: Floats,
    loss_of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    hidden: int,
    epochs: int,
    decay: float,
    rows: Floats,
    *,
    rate: float = 3e-3,
    seeds: int = SEEDS,
    fewest: int = 0,
) -> RankingNetwork:
    """Several networks over standardised inputs; *rows* are the inputs that mean and spread are taken
    from.
    """
    mean, spread = rows.mean(0), rows.std(0) + 1e-3
    inputs = torch.tensor(np.clip((x - mean) / spread, -5, 5), dtype=torch.float32)
    found = []
    for seed in range(seeds):
        layers = Layers(x.shape[-1], hidden, seed)
        optimizer = torch.optim.AdamW(layers.parameters(), lr=rate, weight_decay=decay)
        batch, size = 512, len(inputs)
        epochs = max(epochs, fewest // (size // batch + 1))
        pace = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, rate, total_steps=epochs * (size // batch + 1) + 1
        )
        for _ in range(epochs):
            for chosen in torch.split(torch.randperm(size), batch):
                loss = loss_of(layers(inputs[chosen]), chosen)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                pace.step()
        found.append(
            [
                p.detach().numpy()
                for p in (
                    layers.linear.weight[0],
                    layers.linear.bias[0],
                    layers.hidden.weight.T,
                    layers.hidden.bias,
                    layers.out,
                )
            ]
        )
    linear, bias, deep, deep_bias, out = (
        np.stack([f[i] for f in found]).astype(np.float32) for i in range(5)
    )
    return RankingNetwork(
        mean.astype(np.float32), spread.astype(np.float32), linear, bias, deep, deep_bias, out
    )


def weight_of(exams: Sequence[Exam], numbers: np.ndarray) -> np.ndarray:
    return np.array([WEIGHTS.get(exams[n].family, 1.0) for n in numbers], np.float32)


def fit_ranker(exams: Sequence[Exam], *, bare: bool, paired: bool = False) -> RankingNetwork:
    rows, mask, gold, numbers = rank_rows(exams, bare=bare, paired=paired)
    kept = gold >= 0
    rows, mask = rows[kept], mask[kept]
    seen, right = torch.tensor(mask), torch.tensor(gold[kept])
    weight = torch.tensor(weight_of(exams, numbers[kept]))

    def loss(scores: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        each = functional.cross_entropy(
            scores.masked_fill(~seen[chosen], -1e9), right[chosen], reduction="none"
        )
        return (each * weight[chosen]).mean()

    hidden, epochs, decay = (8, 40, 1e-3) if bare else (24, 20, 1e-2)
    return fit(rows, loss, hidden, epochs, decay, rows[mask], fewest=0 if bare else FEWEST_STEPS)


def fit_confidence(
    exams: Sequence[Exam], model: RankingModel, *, covered: bool, bare: bool
) -> RankingNetwork:
    inputs, labels, weights = [], [], []
    for exam in exams:
        if is_bare(exam.index) != bare:
            continue
        check = check_of(exam.own_index or exam.index, exam.own, model)
        for case in exam.cases:
            scores = rank(exam.index, case.evidence, model)
            if len(scores):
                inputs.append(
                    confidence_inputs(exam.index, case.evidence, scores, check, paired=model.paired)
                )
                labels.append(case.gold != -1 if covered else int(scores.argmax()) == case.gold)
                weights.append(
                    WEIGHTS.get(exam.family, 1.0) * (LONE_OUTSIDE if bare and case.gold == -1 else 1.0)
                )
    rows, label, weight = (
        np.array(inputs),
        torch.tensor(labels, dtype=torch.float32),
        torch.tensor(weights, dtype=torch.float32),
    )

    def loss(logits: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        each = functional.binary_cross_entropy_with_logits(logits, label[chosen], reduction="none")
        return (each * weight[chosen]).mean()

    if (
        bare
    ):  # law: what size a base of texts has is confounded here with how hard it is, and theirs go far beyond
        rows[:, -SHAPE:] = 0
    found = fit(rows, loss, 12, 25, 0.1, rows, fewest=FEWEST_STEPS)
    if bare:
        found.linear[:, -SHAPE:] = 0
        found.hidden[:, -SHAPE:] = 0
    return found


def fit_model(exams: Sequence[Exam], *, paired: bool = False) -> RankingModel:
    ranker, bare = (fit_ranker(exams, bare=lone, paired=paired) for lone in (False, True))
    model = RankingModel(ranker, bare, *[ranker] * 4)
    parts = [
        fit_confidence(exams, model, covered=covered, bare=lone)
        for lone in (False, True)
        for covered in (False, True)
    ]
    return RankingModel(ranker, bare, *parts)


def save(models: dict[str, RankingModel], path: Path) -> None:
    arrays = {}
    for kind, model in models.items():
        for part in PARTS:
            network = getattr(model, part)
            for field in ("mean", "spread", "linear", "bias", "hidden", "hidden_bias", "out"):
                arrays[f"{kind}.{part}.{field}"] = getattr(network, field).astype(np.float32)
    np.savez_compressed(path, **arrays)


# --- encoders that have not seen what they encode
# --------------------------------------------------------------------


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


def sentence_encoder(folder: Path) -> Encode:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu")
    kept: dict[str, Floats] = {}

    def encode(texts: Sequence[str], query: bool) -> Floats:
        missing = [t for t in dict.fromkeys(texts) if t not in kept]
        if missing:
            kept.update(
                zip(
                    missing,
                    model.encode(missing, batch_size=128, normalize_embeddings=True, show_progress_bar=False),
                    strict=True,
                )
            )
        return (
            np.stack([kept[t] for t in texts]).astype(np.float32)
            if len(texts)
            else np.zeros((0, 384), np.float32)
        )

    return encode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--english",
        type=Path,
        default=None,
        help="folder with the free data sets; without it Russian alone is fitted",
    )
    parser.add_argument(
        "--sentence",
        type=Path,
        default=None,
        help="folder of a small English sentence encoder, for the kinds `sentence` and `english`",
    )
    parser.add_argument(
        "--e5", type=Path, default=None, help="folder of the converted e5 (bot model prepare), for `paired`"
    )
    parser.add_argument(
        "--taught", type=Path, default=None, help="file of the teacher's vectors, see training.english"
    )
    parser.add_argument(
        "--kinds", default="words,own", help="which coefficients to fit anew; the others are kept"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="how many bases, against the usual number")
    parser.add_argument(
        "--keep",
        type=Path,
        default=None,
        help="where to keep the gathered rows, to fit again without gathering",
    )
    parser.add_argument("--out", type=Path, default=COEFFICIENTS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    start = time.perf_counter()
    found = all_bases(args.english, args.scale)
    models: dict[str, RankingModel] = {}
    halves: list[Encode] = []
    for kind in args.kinds.split(","):
        kept = args.keep / f"{kind}.pickle" if args.keep else None
        if kept and kept.exists():
            exams = pickle.loads(kept.read_bytes())
        else:
            mine: list[simulated.Base] = found
            encoders: list[tuple[Encode, bool] | None] = [None]
            if kind == "own":
                halves = halves or half_encoders()
                mine, encoders = [b for b in found if b.language == "ru"], [(h, False) for h in halves]
            if kind == "english":
                mine = [b for b in found if b.language == "en"]
                encoders = [(e, False) for e in english_encoders(args.sentence, args.english, args.taught)]
            if kind == "paired":
                mine = [b for b in found if b.language == "ru"]
                e5 = e5_encoder(args.e5, args.keep)
                units = [t for b in mine for a in b.articles for t in (a.title, *a.questions, a.body)]
                units += [p.text for b in mine for a in b.articles for p in a.passages]
                asked = [q for b in mine for q, _ in b.questions]
                e5(units, False), e5(asked, True), e5(asked, False)
                print(f"{kind}: e5 is ready, {time.perf_counter() - start:.0f} s", flush=True)
                halves = halves or half_encoders()
                exams = gather_all(mine, [(beside(h, e5), True) for h in halves], split=OWN_WIDTH)
            elif kind != "sentence":
                exams = gather_all(mine, encoders)
            else:
                mine = [b for b in found if b.language == "en"]
                encode = sentence_encoder(args.sentence)
                encode(
                    [t for b in mine for a in b.articles for t in (*a.questions, a.body)]
                    + [q for b in mine for q, _ in b.questions],
                    False,
                )
                exams = gather_all(mine, [(encode, True)], workers=1)
                halves = halves or half_encoders()
                exams += gather_all(
                    [b for b in found if b.language == "ru"][::2], [(h, True) for h in halves]
                )
            if kept:
                kept.write_bytes(pickle.dumps(exams))
        print(
            f"{kind}: {len(exams)} bases, {sum(len(e.cases) for e in exams)} questions,"
            f" {time.perf_counter() - start:.0f} s",
            flush=True,
        )
        models[kind] = fit_model(exams, paired=kind == "paired")
        read_models.cache_clear()
        save({**(read_models(args.out) if args.out.exists() else {}), **models}, args.out)
        print(f"{kind}: fitted, {time.perf_counter() - start:.0f} s", flush=True)
    print(
        f"{args.out}: {args.out.stat().st_size / 1e3:.0f} kB, short list {SHORTLIST},"
        f" {time.perf_counter() - start:.0f} s"
    )


if __name__ == "__main__":
    main()
