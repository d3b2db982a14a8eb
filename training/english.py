"""Teaches our encoder English words: rows whose sums stand to one another as a teacher's sentence vectors do,
`python -m training.english --help`.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from bot.knowledge.encoder.rows import ENGLISH, Floats, save_english
from bot.knowledge.query.words import stem, words_of
from training.rows import read_rows

HERE = Path(__file__).parent
DATA = HERE.parent / "bot" / "knowledge" / "data"
SHIPPED = DATA / ENGLISH
RARITY = 3e-3
SHARPNESS = 10.0  # of the likeness that is handed over
EACH = 330  # sentences made for a kind of business


def made_sentences(folder: Path, each: int = EACH, seed: int = 0) -> list[str]:
    """Customers' sentences made of `forms.txt` and of the things and doings in `phrases.txt`."""
    chance = random.Random(seed)
    forms = [line for line in (folder / "forms.txt").read_text("utf-8").splitlines() if line]
    found: list[str] = []
    for line in (folder / "phrases.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            things, doings = ([x.strip() for x in part.split(",")] for part in line.split("|")[1:])
            one = {
                chance.choice(forms).format(
                    n=chance.choice(things), m=chance.choice(things), v=chance.choice(doings)
                )
                for _ in range(each)
            }
            found += sorted(one | set(things))
    return found


def free_sentences(data: Path, without: Sequence[str] = ()) -> list[str]:
    """Training splits of banking77 and clinc150 and every fourth paragraph of XQuAD, without the sets named
    in *without*.
    """
    found: list[str] = []
    for name in ("banking77", "clinc150"):
        if name not in without:
            found += [row["query"] for row in read_rows(data / name / "train.jsonl")]
    kept = {row["id"] for row in read_rows(data / "xquad_en" / "kb_oos.jsonl")}
    texts = [row["text"] for row in read_rows(data / "xquad_en" / "kb.jsonl") if row["id"] not in kept]
    return found + [s for text in texts for s in re.split(r"(?<=[.!?])\s+", text) if len(s) > 20]


class Teacher:
    """A sentence-transformers model whose vectors are kept in a file, since it is slow."""

    def __init__(self, folder: Path, kept: Path | None = None) -> None:
        self.folder, self.kept = folder, kept
        self._rows: dict[str, Floats] = {}
        if kept and kept.exists():
            with np.load(kept) as data:
                self._rows = dict(zip(json.loads(data["texts"].tobytes()), data["rows"], strict=True))

    def words(self) -> list[str]:
        """The whole words of its vocabulary, the commonest first."""
        return [
            w
            for w in (self.folder / "vocab.txt").read_text("utf-8").splitlines()
            if re.fullmatch(r"[a-z]{2,}|[ai]", w)
        ]

    def encode(self, texts: Sequence[str]) -> Floats:
        missing = [t for t in dict.fromkeys(texts) if t not in self._rows]
        if missing:
            from sentence_transformers import SentenceTransformer

            model = SentenceTransformer(str(self.folder), device="cpu")
            self._rows.update(
                zip(
                    missing,
                    model.encode(missing, batch_size=128, normalize_embeddings=True, show_progress_bar=False),
                    strict=True,
                )
            )
            if self.kept:
                names = np.frombuffer(json.dumps(list(self._rows)).encode(), np.uint8)
                np.savez(self.kept, texts=names, rows=np.stack(list(self._rows.values())))
        return np.stack([self._rows[t] for t in texts]).astype(np.float32)


def vocabulary_of(teacher: Teacher, sentences: Sequence[str]) -> list[str]:
    words = [*teacher.words(), *(w for s in sentences for w in words_of(s))]
    return [w for w in dict.fromkeys(words) if re.fullmatch(r"[a-z]+", w)]


def rarity_of(words: Sequence[str]) -> Floats:
    """SIF weights by how often customers say a word."""
    shares = {
        w: float(s)
        for w, _, s in (
            row.partition("\t") for row in (DATA / "frequency_en.txt").read_text("utf-8").splitlines()
        )
    }
    found = np.array([shares.get(stem(w), shares.get(w, 0.0)) for w in words]) / 10
    return (RARITY / (RARITY + found)).astype(np.float32)


def train(
    words: Sequence[str],
    teacher: Teacher,
    sentences: Sequence[str],
    *,
    dimensions: int = 200,
    steps: int = 450,
    batch: int = 256,
    seed: int = 0,
) -> Floats:
    """A row for each word: emphasis · rarity · (teacher's vector of the word · projection + shift), such that
    the softmax of likeness between the sentences of a batch comes near the teacher's.
    """
    chance = random.Random(seed)
    place = {w: i for i, w in enumerate(words)}
    numbered = [
        (s, n) for s in dict.fromkeys(sentences) if (n := [place[w] for w in words_of(s) if w in place])
    ]
    goal = teacher.encode([s for s, _ in numbered])
    goal = goal - goal.mean(0)
    goal /= np.linalg.norm(goal, axis=1, keepdims=True)
    taught = teacher.encode(words)
    base = torch.from_numpy(taught - taught[:5000].mean(0))
    rarity = torch.from_numpy(rarity_of(words))
    directions = np.linalg.svd((base * rarity[:, None])[:8000].numpy(), full_matrices=False)[2]
    start = torch.from_numpy(np.ascontiguousarray(directions[1 : dimensions + 1].T))
    projection = start.clone().requires_grad_()
    shift, emphasis = (
        torch.zeros(len(words), dimensions, requires_grad=True),
        torch.zeros(len(words), requires_grad=True),
    )
    optimizer = torch.optim.Adam([{"params": [projection]}, {"params": [shift]}, {"params": [emphasis]}])
    others = ~torch.eye(batch, dtype=torch.bool)
    for step in range(steps):
        pace = min(1.0, (step + 1) / 20) * (1 - 0.9 * step / steps)
        for group, rate in zip(optimizer.param_groups, (3e-3, 4e-3, 4e-3), strict=True):
            group["lr"] = rate * pace
        drawn = chance.sample(range(len(numbered)), batch)
        texts = [numbered[i][1] for i in drawn]
        used, inverse = torch.unique(torch.tensor([i for t in texts for i in t]), return_inverse=True)
        rows = (base[used] @ projection + shift[used]) * (rarity[used] * torch.exp(emphasis[used]))[:, None]
        starts = torch.tensor(np.cumsum([0] + [len(t) for t in texts])[:-1])
        mine = F.normalize(F.embedding_bag(inverse, rows, starts, mode="sum"), dim=1)
        wanted = torch.from_numpy(goal[drawn])
        said, told = ((SHARPNESS * v @ v.T)[others].view(batch, -1) for v in (mine, wanted))
        loss = 2 * F.kl_div(F.log_softmax(said, 1), F.softmax(told, 1), reduction="batchmean")
        loss = loss + 0.01 * (
            (shift[used] ** 2).sum(1).mean()
            + 10 * ((projection - start) ** 2).sum()
            + (emphasis[used] ** 2).mean()
        )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with torch.no_grad():
        return np.asarray(
            ((base @ projection + shift) * (rarity * torch.exp(emphasis))[:, None]).numpy(), np.float32
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--teacher",
        type=Path,
        required=True,
        help="folder of a small English sentence-transformers model (all-MiniLM-L6-v2)",
    )
    parser.add_argument(
        "--english", type=Path, required=True, help="folder with banking77, clinc150 and xquad_en"
    )
    parser.add_argument(
        "--kept", type=Path, default=None, help="file in which the teacher's vectors are kept"
    )
    parser.add_argument("--out", type=Path, default=SHIPPED)
    args = parser.parse_args()
    torch.set_num_threads(1)
    start = time.perf_counter()
    teacher = Teacher(args.teacher, args.kept)
    sentences = made_sentences(HERE / "english") + free_sentences(args.english)
    words = vocabulary_of(teacher, sentences)
    save_english(args.out, words, train(words, teacher, sentences))
    print(
        f"{args.out}: {len(words)} words, {len(sentences)} sentences, {args.out.stat().st_size / 1e6:.2f} MB,"
        f" {time.perf_counter() - start:.0f} s"
    )


if __name__ == "__main__":
    main()
