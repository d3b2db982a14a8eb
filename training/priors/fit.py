"""Fits the coefficients that ship with search: `python -m training.priors.fit --english DATA` (about ten
minutes on two cores).

DATA holds banking77, clinc150, hint3_sofmattress (training splits are read) and xquad_ru, xquad_en (every
fourth document is).
"""

from __future__ import annotations

import argparse
import pickle
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

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
from bot.knowledge.retrieval.features import SHORTLIST
from bot.knowledge.retrieval.lexical import Floats
from training.priors import bases as simulated
from training.priors.encodings import Encoders
from training.priors.gathering import Exam, gather_all, rank_rows
from training.priors.space import save_space
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
KINDS = ("words", "own", "english", "sentence", "paired", "paired_en")
PAIRED = ("paired", "paired_en")
FEWEST_STEPS = 700  # a small set is gone through oftener


def all_bases(data: Path | None, scale: float) -> list[simulated.Base]:
    """Every base to learn from; without *data* only what this project wrote."""
    support = simulated.read_support(ROOT / "training" / "support_ru")
    off_topic = [t for t in off_topic_lines() if not simulated.is_background(t)]
    articles, _ = read_articles(ROOT / "kb_articles")
    found = list(simulated.support_bases(support, int(90 * scale), 1, off_topic))
    found += simulated.article_bases([a for a in articles if a.lang == "ru"], int(24 * scale), 6)
    found += simulated.article_bases([a for a in articles if a.lang == "en"], int(10 * scale), 7, fold=2)
    written = simulated.read_businesses(ROOT / "training" / "bases")
    for fold in (0, 1):
        mine = [b for b in written if b.language == "ru" and simulated.fold_of(b.name.split("_")[1]) == fold]
        found += simulated.business_bases(mine, int(60 * scale), 10 + fold, fold)
    mine = [b for b in written if b.language == "en"]
    found += simulated.business_bases(mine, int(60 * scale), 12, 2)
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


def off_topic_lines() -> list[str]:
    return (HERE / "off_topic_ru.txt").read_text("utf-8").splitlines()


def background_of(language: str) -> list[str]:
    """Texts that no business answers, to be compared with: they ask nothing while coefficients are fitted."""
    texts = off_topic_lines() if language == "ru" else []
    for business in simulated.read_businesses(ROOT / "training" / "bases"):
        texts += business.far if business.language == language else ()
    return sorted({t for t in texts if simulated.is_background(t)})


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
        check = check_of(exam.own_index or exam.index, exam.own, model, exam.barred)
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


def encoders_of(args: argparse.Namespace) -> Encoders:
    return Encoders(
        all_bases(args.english, args.scale),
        args.english,
        args.sentence,
        args.e5,
        args.keep,
        {language: background_of(language) for language in ("ru", "en")},
    )


def exams_of(encoders: Encoders, kind: str) -> list[Exam]:
    """The asked bases of *kind*: from the folder where they are kept, or asked now and left there."""
    kept = encoders.keep / f"{kind}.pickle"
    if kept.exists():
        return cast(list[Exam], pickle.loads(kept.read_bytes()))
    exams = gather_all(*encoders.of(kind))
    kept.write_bytes(pickle.dumps(exams))
    return exams


def arguments(about: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument(
        "--english", type=Path, help="folder of the free sets; without it our own texts alone"
    )
    parser.add_argument("--sentence", type=Path, help="folder of all-MiniLM-L6-v2, for English")
    parser.add_argument("--e5", type=Path, help="folder of the converted e5 (bot model prepare)")
    parser.add_argument("--keep", type=Path, required=True, help="where vectors and asked bases are kept")
    parser.add_argument("--scale", type=float, default=1.0, help="how many bases, against the usual number")
    return parser


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--kinds", default=",".join(KINDS), help="which to fit anew; the others are kept")
    parser.add_argument("--out", type=Path, default=COEFFICIENTS)
    parser.add_argument("--spaces", action="store_true", help="fit the sentence encoders' spaces, too")
    args = parser.parse_args()
    torch.set_num_threads(1)
    start = time.perf_counter()
    encoders = encoders_of(args)
    if args.spaces:
        save_space(encoders.space(None), COEFFICIENTS.with_name("space_e5.npz"))
        save_space(encoders.english_space, COEFFICIENTS.with_name("space_minilm.npz"))
        print(f"spaces: fitted, {time.perf_counter() - start:.0f} s", flush=True)
    models: dict[str, RankingModel] = {}
    for kind in filter(None, args.kinds.split(",")):
        exams = exams_of(encoders, kind)
        asked = sum(len(e.cases) for e in exams)
        print(
            f"{kind}: {len(exams)} bases, {asked} questions, {time.perf_counter() - start:.0f} s", flush=True
        )
        models[kind] = fit_model(exams, paired=kind in PAIRED)
        read_models.cache_clear()
        save({**(read_models(args.out) if args.out.exists() else {}), **models}, args.out)
        print(f"{kind}: fitted, {time.perf_counter() - start:.0f} s", flush=True)
    print(f"{args.out}: {args.out.stat().st_size / 1e3:.0f} kB, short list {SHORTLIST}")


if __name__ == "__main__":
    main()
