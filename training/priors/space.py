"""Fits the space of the sentence encoder: `python -m training.priors.space --english DATA --e5 FOLDER`.

A matrix is learnt over vectors that stay as they are: over many bases the softmax of a question's likeness to
the articles (each the sum over its units) is to choose the right one. What was left out while the recipe was
chosen is in README.md.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from bot.knowledge.encoder.sentence_space import SentenceSpace
from bot.knowledge.retrieval.index import passage_texts, question_texts
from bot.knowledge.retrieval.lexical import Floats
from training.priors.bases import Base

COMMON = 2  # leading directions that all texts share; the matrix starts without them
RATE, STEPS, SHARPNESS, TIE = 1e-3, 600, 8.0, 1e-2  # learning, and how firmly it is tied to where it starts
FEWEST = 5  # questions with an answer that a base must have to be learnt from
Encode = Callable[[Sequence[str], bool], Floats]


def texts_of(bases: Sequence[Base]) -> tuple[list[str], list[str]]:
    """Every question, and every unit of every article, of *bases*."""
    asked = {q for b in bases for q, _ in b.questions}
    units = {t for b in bases for a in b.articles for t in question_texts(a) + passage_texts(a)}
    return sorted(asked), sorted(units)


def center_of_texts(bases: Sequence[Base], encode: Encode) -> Floats:
    """The mean of all vectors (d,)."""
    asked, units = texts_of(bases)
    return np.asarray(np.concatenate((encode(asked, True), encode(units, False))).mean(0), np.float32)


def fit_map(bases: Sequence[Base], encode: Encode, center: Floats, seed: int = 0) -> Floats:
    """The matrix (d, d) that brings questions of *bases* to their articles."""
    asked, units = texts_of(bases)
    rows = np.concatenate((encode(asked, True), encode(units, False))) - center
    common = np.linalg.eigh(np.cov(rows.T))[1][:, -COMMON:]
    start = torch.tensor(np.eye(len(center)) - common @ common.T, dtype=torch.float32)
    vectors = torch.tensor(rows, dtype=torch.float32)
    questions = {t: i for i, t in enumerate(asked)}
    places = {t: len(asked) + i for i, t in enumerate(units)}
    lessons = [lesson for b in bases if (lesson := _lesson(b, questions, places)) is not None]
    chance = random.Random(seed)
    found = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([found], lr=RATE)
    for step in range(STEPS):
        right, mine, gold, owners, articles = chance.choice(lessons)
        q, u = (F.normalize(vectors[i] @ found, dim=1) for i in (right, mine))
        near = torch.exp(SHARPNESS * (q @ u.T - 1))
        sums = torch.zeros(len(q), articles).index_add(1, owners, near)
        loss = F.cross_entropy(torch.log(sums + 1e-9), gold) + TIE * ((found - start) ** 2).sum()
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 - step / STEPS) + 1e-6
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return np.asarray(found.detach().numpy(), np.float32)


def _lesson(
    base: Base, questions: dict[str, int], places: dict[str, int]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, int] | None:
    """Rows of its answered questions and of its units, the right article of each, the owner of each."""
    number = {a.id: i for i, a in enumerate(base.articles)}
    answered = [(questions[q], number[gold]) for q, gold in base.questions if gold in number]
    units = [(places[t], number[a.id]) for a in base.articles for t in question_texts(a) + passage_texts(a)]
    if len(answered) < FEWEST or not units:
        return None
    asked, mine = torch.tensor(answered), torch.tensor(units)
    return asked[:, 0], mine[:, 0], asked[:, 1], mine[:, 1], len(base.articles)


def space_of(center: Floats, matrix: Floats, background: Sequence[str], encode: Encode) -> SentenceSpace:
    """The space with *background* placed in it."""
    bare = SentenceSpace(center, matrix, np.zeros((0, len(center)), np.float32), "")
    return SentenceSpace(center, matrix, bare.place(encode(list(background), True)), "")


def save_space(space: SentenceSpace, path: Path) -> None:
    """Half precision, the background in a byte each."""
    small = {
        "center": space.center.astype(np.float32),
        "map": space.map.astype(np.float16),
        "background": np.round(space.background * 127 / np.abs(space.background).max()).astype(np.int8),
    }
    version = hashlib.blake2b(b"".join(a.tobytes() for a in small.values()), digest_size=4).hexdigest()
    np.savez_compressed(path, **small, version=version)
