"""Trains the reading of acts on the lines of this folder and prints its scores: `python -m training.acts
--help`.
"""

from __future__ import annotations

import argparse
import itertools
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.optimize
import scipy.sparse
import yaml

from bot.knowledge.encoder.navec import find_navec, read_navec
from bot.knowledge.encoder.rows import lay, read_trained, vocabulary_of
from bot.knowledge.query import intent_model
from bot.knowledge.query.intent_features import BUCKETS, RULES, IntentFeatures, features_of, grams_of, pair_of
from bot.knowledge.query.intent_model import hash_of
from bot.knowledge.query.intent_words import bundled_words
from bot.knowledge.query.intents import ACTS, read_act
from bot.knowledge.query.words import words_of
from bot.model import Intent
from training.aside import read_aside
from training.rows import read_rows

HERE = Path(__file__).parent
SHIPPED = HERE.parent / "bot" / "knowledge" / "data" / "acts.npz"
BETWEEN = (". ", "! ", ", ", " ", "\n")
MEANING = 1.0  # how much the meanings of words weigh beside their pieces
NEIGHBOURS = 8  # lines in a row that are one group
FILLED = 5  # roles that are put into one sentence
EMOTIONAL = 8  # the place of the emotional text among the twelve of an intent of support_ru


@dataclass(frozen=True, slots=True)
class Line:
    """A text, its act, how upset it is (None: not used for that), and how much it counts."""

    text: str
    act: Intent
    upset: float | None = 0.0
    weight: float = 1.0
    group: str = ""  # lines of one group are trained on together or kept aside together


def read_lines(folder: Path = HERE) -> list[Line]:
    """The lines of acts/*.yaml in *folder* but those kept aside, and the questions of its support_ru as what
    ordinary questions look like.
    """
    acts = folder / "acts"
    aside = {line.text.casefold() for path in acts.glob("aside_*.yaml") for line in read_aside(path)}
    lines: list[Line] = []
    for path in sorted(acts.glob("*.yaml")):
        name = path.stem.partition("_")[0]
        if name in _OF_FILE:
            upset, weight = _OF_FILE[name]
            for several in _sections(path).values():
                lines += _grouped(several, path.stem, Intent(name), upset, weight)
        elif name == "courtesies":
            for act, several in _sections(path).items():
                lines += _grouped(several, f"{path.stem} {act}", Intent(act), _felt(act), 2.0)
    lines += frame_lines(acts / "frames.yaml", random.Random(7))
    for path in sorted((folder / "support_ru").glob("*.jsonl")):
        for row in read_rows(path):
            for n, text in list(enumerate(row.get("texts", ())))[::2]:
                lines.append(Line(text, Intent.QUESTION, 0.5 if n == EMOTIONAL else 0.0, 0.3))
    return [line for line in lines if line.text.casefold() not in aside]


# how upset the lines of a file are (None: not used for that), and how much each counts
_OF_FILE: dict[str, tuple[float | None, float]] = {
    "human": (None, 1.0),
    "upset": (1.0, 1.0),
    "question": (0.0, 1.2),
}


def _felt(act: str) -> float | None:
    return None if act == "not_helped" else 0.0


def _sections(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)
    return found


def _grouped(
    texts: Sequence[str], source: str, act: Intent, upset: float | None, weight: float
) -> Iterator[Line]:
    """Neighbours are often one thought said in several ways: they are one group."""
    for n, text in enumerate(texts):
        yield Line(text, act, upset, weight, f"{source} {n // NEIGHBOURS}")


def frame_lines(path: Path, rng: random.Random) -> list[Line]:
    """The sentences of frames.yaml with some of its roles in them; one sentence is one group."""
    lines = []
    for language, parts in yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader).items():
        forms = ("nom", "gen", "dat", "ins") if language == "ru" else ("one", "an", "many")
        service, trade = parts["service"], parts["trade"]
        for kind, roles, act, weight in (
            ("human", service + parts["only_called"], Intent.HUMAN, 0.4),
            ("human_trade", trade, Intent.HUMAN, 0.4),
            ("question", service, Intent.QUESTION, 0.5),
            ("question", trade, Intent.QUESTION, 0.5),
        ):
            upset = None if act is Intent.HUMAN else 0.0
            for frame in parts[kind]:
                for role in rng.sample(roles, min(FILLED, len(roles))):
                    text = frame.format(**dict(zip(forms, role, strict=True)))
                    lines.append(Line(text, act, upset, weight, f"frame {frame}"))
    return lines


def widen(lines: Sequence[Line], rng: random.Random) -> list[Line]:
    """Lines said the way people say them: with a greeting or thanks before, after a story, misspelt, in
    capitals, without punctuation.
    """
    by = {act: [x for x in lines if x.act is act] for act in Intent}
    asked, out = by[Intent.QUESTION], list(lines)
    for x in lines:
        if x.group.startswith("frame"):
            continue
        if x.act is Intent.QUESTION and not x.group and rng.random() > 0.25:
            continue
        half = x.weight / 2
        out.append(Line(misspell(x.text, rng), x.act, x.upset, half))
        hello = rng.choice(by[Intent.GREETING][:40]).text
        if x.act in (Intent.HUMAN, Intent.QUESTION, Intent.UPSET):
            out.append(Line(f"{hello}{rng.choice(BETWEEN)}{x.text}", x.act, x.upset, half))
        if x.act is Intent.HUMAN:
            story = rng.choice(asked).text
            out.append(Line(f"{story}{rng.choice(BETWEEN)}{x.text}", Intent.HUMAN, None, half))
            rant = rng.choice(by[Intent.UPSET]).text
            out.append(Line(f"{rant}{rng.choice(['. ', ', ', '! '])}{x.text}", Intent.HUMAN, 0.9, half))
            out.append(Line(x.text.upper(), x.act, None, half / 2))
        if x.act is Intent.UPSET:
            out.append(
                Line(
                    f"{x.text}{rng.choice(['!!!', '. ', ', '])}{rng.choice(by[Intent.UPSET]).text}",
                    Intent.UPSET,
                    1.0,
                    half,
                )
            )
            out.append(Line(x.text.upper() + rng.choice(["", "!", "!!!"]), Intent.UPSET, 1.0, half / 2))
            out.append(Line(f"{x.text}. {rng.choice(asked).text}", Intent.QUESTION, 0.9, half / 2))
        if x.act is Intent.QUESTION:
            thanks = rng.choice(by[Intent.THANKS][:60]).text
            out.append(
                Line(f"{thanks}{rng.choice(['. ', '! ', ', а ', ' '])}{x.text}", x.act, x.upset, half / 2)
            )
        if x.act in (Intent.THANKS, Intent.BYE, Intent.YES_HELPED, Intent.NOT_HELPED):
            out.append(
                Line(x.text.capitalize() + rng.choice([".", "!", ")", "))", " 🙂"]), x.act, x.upset, half)
            )
        if x.act is Intent.BYE:
            out.append(
                Line(f"{rng.choice(by[Intent.THANKS][:60]).text}, {x.text}", Intent.THANKS, 0.0, half / 2)
            )
    return out


def misspell(text: str, rng: random.Random) -> str:
    spots = [i for i, c in enumerate(text) if c.isalpha()]
    if len(spots) < 5:
        return text
    i, how = rng.choice(spots), rng.randrange(4)
    other = rng.choice("оеаинтсрвлкм" if text[i].lower() > "z" else "etaoinsrhldc")
    return (
        text[:i] + text[i + 1 :],
        text[:i] + other + text[i:],
        text[:i] + other + text[i + 1 :],
        text[:i] + text[i + 1 : i + 2] + text[i] + text[i + 2 :],
    )[how]


@dataclass(frozen=True, slots=True)
class Meanings:
    """Vectors (n, d) of the most frequent words, from our own encoder; the weights learnt on them are shipped
    word by word.
    """

    at: dict[str, int]
    vectors: np.ndarray


def read_meanings(words: int = 40_000) -> Meanings:
    path = find_navec()
    if path is None:
        raise SystemExit("pip install --no-deps natasha==1.6.0")
    vocabulary = vocabulary_of(read_navec(path), forms=words)
    vectors = lay(vocabulary, read_trained(SHIPPED.with_name("encoder.npz")))
    vectors /= np.sqrt((vectors**2).sum(1).mean())
    return Meanings({w: i for i, w in enumerate(vocabulary.forms)}, vectors.astype(np.float32))


def matrices_of(
    seen: Sequence[IntentFeatures], meanings: Meanings
) -> tuple[scipy.sparse.csr_matrix, np.ndarray]:
    """Rows of pieces and rules (sparse) and of meanings (dense), exactly as `acts` sums them."""
    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    for n, one in enumerate(seen):
        if one.tokens:
            share = 1 / np.sqrt(len(one.tokens))
            for token in one.tokens:
                grams = grams_of(token)
                rows += [n] * len(grams)
                columns += grams
                values += [share / np.sqrt(len(grams))] * len(grams)
            bounded = ("<", *one.tokens, ">")
            pairs = [pair_of(a, b) for a, b in itertools.pairwise(bounded)]
            rows += [n] * len(pairs)
            columns += pairs
            values += [share] * len(pairs)
        used = [(k, v) for k, v in enumerate(one.rules) if v]
        rows += [n] * len(used)
        columns += [BUCKETS + k for k, _ in used]
        values += [v for _, v in used]
    pieces = scipy.sparse.csr_matrix(
        (values, (rows, columns)), shape=(len(seen), BUCKETS + RULES), dtype=np.float64
    )
    dense = np.zeros((len(seen), meanings.vectors.shape[1]), np.float32)
    for n, one in enumerate(seen):
        if found := [i for token in one.tokens if (i := meanings.at.get(token)) is not None]:
            dense[n] = MEANING * meanings.vectors[found].sum(0) / np.sqrt(len(one.tokens))
    return pieces, dense


def fit(
    x: scipy.sparse.csr_matrix,
    dense: np.ndarray,
    goal: np.ndarray,
    weight: np.ndarray,
    ridge: float,
    rounds: int = 80,
) -> np.ndarray:
    """Weights (features, classes) of a logistic model with soft goals (n, classes); one class column means
    yes or no.
    """
    shape, total, split = (x.shape[1] + dense.shape[1], goal.shape[1]), weight.sum(), x.shape[1]
    turned = x.T.tocsr()

    def cost(flat: np.ndarray) -> tuple[float, np.ndarray]:
        w = flat.reshape(shape)
        z = x @ w[:split] + dense @ w[split:]
        if shape[1] == 1:
            p = 1 / (1 + np.exp(-z))
            loss = (np.logaddexp(0, z) - goal * z)[:, 0]
        else:
            top = z.max(1, keepdims=True)
            e = np.exp(z - top)
            p = e / e.sum(1, keepdims=True)
            loss = np.log(e.sum(1)) + top[:, 0] - (goal * z).sum(1)
        wrong = (p - goal) * (weight / total)[:, None]
        slope = np.concatenate([turned @ wrong, dense.T @ wrong]) + ridge * w
        return float((loss * weight).sum() / total + ridge / 2 * (w * w).sum()), slope.ravel()

    found = scipy.optimize.minimize(
        cost, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": rounds}
    )
    return np.asarray(found.x).reshape(shape)


def train(
    lines: Sequence[Line], meanings: Meanings, ridge: float, seed: int = 0
) -> tuple[np.ndarray, frozenset[int]]:
    """The weights (BUCKETS + RULES + d, acts + 1) and the known words."""
    wide = widen(lines, random.Random(seed))
    words = bundled_words()
    x, dense = matrices_of([features_of(line.text, words) for line in wide], meanings)
    goal = np.array([[float(line.act is act) for act in ACTS] for line in wide])
    several = fit(x, dense, goal, np.array([line.weight for line in wide]), ridge)
    felt = [n for n, line in enumerate(wide) if line.upset is not None]
    degrees = np.array([[wide[n].upset or 0.0] for n in felt])
    anger = fit(x[felt], dense[felt], degrees, np.array([wide[n].weight for n in felt]), ridge)
    own = [line for line in lines if line.group]
    counted = Counter(w for line in own for w in words_of(line.text) if len(w) > 1)
    return np.hstack([several, anger]), frozenset(hash_of(w) for w in counted)


def save(path: Path, weights: np.ndarray, known: frozenset[int], meanings: Meanings) -> None:
    pieces, scale = pack(weights[:BUCKETS])
    words, words_scale = pack(MEANING * meanings.vectors @ weights[BUCKETS + RULES :])
    keys = np.array([hash_of(w) for w in meanings.at], np.uint32)
    keys, first = np.unique(keys, return_index=True)
    np.savez_compressed(
        path,
        pieces=pieces,
        scale=scale,
        rules=weights[BUCKETS : BUCKETS + RULES].astype(np.float32),
        keys=keys,
        words=words[first],
        words_scale=words_scale,
        known=np.array(sorted(known), np.uint32),
    )


def pack(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int8 with a scale for each column."""
    scale = (np.abs(weights).max(0) / 127).astype(np.float32)
    return np.round(weights / scale).astype(np.int8), scale


def use(path: Path) -> None:
    """Makes the reader take the weights of *path* instead of the shipped ones."""
    for cached in (intent_model.bundled_model, intent_model.weights_of_word):
        cached.cache_clear()


def judge(rows: Sequence[dict[str, str]], show: bool = False) -> str:
    """Accuracy, per act recall, and the precision of `human`, counted as the judge counts them."""
    same = {"plain": {"question", "upset"}, "upset": {"upset", "human"}}
    said = [read_act(r["query"], answered=r["act"] in ("yes_helped", "not_helped")) for r in rows]
    hits = [s.act.value in same.get(r["act"], {r["act"]}) for r, s in zip(rows, said, strict=True)]
    if show:
        for r, s, hit in zip(rows, said, hits, strict=True):
            if not hit:
                print(f"    {r['act']:11} read as {s.act:11} {r['query']}   {s.why['chances']}")
    recall = {
        a: np.mean([h for r, h in zip(rows, hits, strict=True) if r["act"] == a])
        for a in sorted({r["act"] for r in rows})
    }
    human = [r["act"] in ("human", "upset") for r, s in zip(rows, said, strict=True) if s.act is Intent.HUMAN]
    precise = np.mean(human) if human else float("nan")
    return f"n {len(rows)}  accuracy {np.mean(hits):.3f}  human.prec {precise:.3f}  " + "  ".join(
        f"{a} {r:.2f}" for a, r in recall.items()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--judge-data", type=Path, nargs="*", default=[], help="acts.jsonl files {query, act} to measure on"
    )
    parser.add_argument("--ridge", type=float, default=1e-5)
    parser.add_argument("--show", action="store_true", help="print the mistakes of every third line")
    args = parser.parse_args()
    start, lines = time.perf_counter(), read_lines()
    print(f"{sum(bool(x.group) for x in lines)} lines of acts, {len(lines)} with ordinary questions")
    meanings, rng = read_meanings(), random.Random(1)
    groups = sorted({x.group for x in lines if x.group})
    apart = set(rng.sample(groups, len(groups) // 5))
    save(SHIPPED, *train([x for x in lines if x.group not in apart], meanings, args.ridge), meanings)
    use(SHIPPED)
    rows = [
        {"query": x.text, "act": "plain" if x.act is Intent.QUESTION else x.act.value}
        for x in lines
        if x.group in apart
    ]
    print("own lines, a fifth of the groups kept aside:   ", judge(rows))
    save(SHIPPED, *train(lines, meanings, args.ridge), meanings)
    use(SHIPPED)
    for path in args.judge_data:
        judged = read_rows(path)
        print(f"{path.parent.name}, every third line: ", judge(judged[::3], args.show))
        print(f"{path.parent.name}, the other lines:  ", judge([r for n, r in enumerate(judged) if n % 3]))
        print(f"{path.parent.name}, all:              ", judge(judged))
    print(f"{SHIPPED}: {SHIPPED.stat().st_size / 1e6:.2f} MB; {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
