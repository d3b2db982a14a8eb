"""How fast search is: `python benchmarks/search.py [--articles 300,1000,10000] [--model off,light,auto]
[--encoder FOLDER] [--nlpjs FOLDER]`.

The articles are made by a generator from this project's own phrases (36 domains of `training/support_ru`): a
title, five example questions and a text of two parts each; beyond 720 articles the phrases of two intents are
mixed. The questions are those phrases of the same corpus that no article holds, as customers write them, one
in eight spoilt once more: a slip, the wrong keyboard layout, Latin letters. Every question is asked once, so
nothing of it is remembered.

Prints build, a question's p50 and p95, reload of one changed article (and how long answers take meanwhile),
start from the kept index, memory; then the same questions through rapidfuzz, bm25s (`pip install bm25s`) and
NLP.js, with the ratio to our p50. `--nlpjs` installs node-nlp into that folder.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import random
import resource
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import bot  # noqa: F401 - law: before numpy, whose threads it settles

# isort: split
import numpy as np
from rapidfuzz import fuzz, process

from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.search import Knowledge

CORPUS = Path(__file__).parent.parent / "training" / "support_ru"
LAYOUT = str.maketrans("йцукенгшщзхъфывапролджэячсмитьбю", "qwertyuiop[]asdfghjkl;'zxcvbnm,.")
ROMAN = dict(zip("абвгдезийклмнопрстуфхцыэ", "abvgdeziyklmnoprstufhcye", strict=True)) | {
    "ё": "yo", "ж": "zh", "ч": "ch", "ш": "sh", "щ": "sch", "ъ": "", "ь": "", "ю": "yu", "я": "ya",
}  # fmt: skip
WARM = (
    "как вернуть товар",
    "где мой заказ",
    "kak oplatit",
    "ytn ltytu",
    "сколко идет достафка",
    "не приходит смс",
    "отменить подписку",
    "цена",
)
BODY = (
    "Чтобы {0}, откройте раздел «{1}» и следуйте подсказкам.\n\n- Обычно это занимает до {2} минут.\n- Если"
    " не получилось, напишите нам и приложите снимок экрана.\n\n## Когда это не"
    " подойдёт\n\n{3}\n\nПодробности — в правилах сервиса, пункт {2}."
)


def phrases() -> tuple[list[tuple[str, list[str]]], list[str]]:
    """Intents as (title, texts), and questions kept for asking."""
    rows = [
        json.loads(line)
        for f in sorted(CORPUS.glob("*.jsonl"))
        if f.stem != "word_groups"
        for line in f.open(encoding="utf-8")
    ]
    return [(r["title"], r["texts"][:9]) for r in rows], [t for r in rows for t in r["texts"][9:]]


def write_base(folder: Path, number: int) -> None:
    """*number* articles with five examples and a text of two parts; beyond the corpus words of two intents
    are mixed.
    """
    intents, _ = phrases()
    chance = random.Random(1)
    for i in range(number):
        title, texts = intents[i % len(intents)]
        if i >= len(intents):
            other = chance.choice(intents)
            title = f"{title} — {other[0].lower()}"
            texts = [
                " ".join(chance.sample((a + " " + b).split(), min(9, len((a + " " + b).split()))))
                for a, b in zip(texts, other[1], strict=False)
            ]
        body = BODY.format(title.lower(), title, chance.randint(2, 90), " ".join(chance.sample(texts, 2)))
        aliases = "\n".join(f"  - {json.dumps(t, ensure_ascii=False)}" for t in texts[:5])
        path = folder / f"s{i % 40}" / f"a{i}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f"---\ntitle: {json.dumps(title, ensure_ascii=False)}\naliases:\n{aliases}\n---\n{body}\n",
            encoding="utf-8",
        )


def questions_for(asked: int) -> list[str]:
    """Questions that no article holds, one in eight spoilt."""
    chance = random.Random(2)
    chosen = chance.sample(phrases()[1], asked)
    return [spoilt(q, chance) if i % 8 == 7 else q for i, q in enumerate(chosen)]


def spoilt(text: str, chance: random.Random) -> str:
    """A slip of the finger, the wrong layout, or Latin letters."""
    kind = chance.randrange(3)
    if kind == 0:
        place = chance.randrange(max(1, len(text) - 1))
        return text[:place] + text[place + 1 : place + 2] + text[place : place + 1] + text[place + 2 :]
    return text.lower().translate(LAYOUT) if kind == 1 else "".join(ROMAN.get(c, c) for c in text.lower())


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of each question on the clock, and of the processor: the second hardly depends on what
    else the machine does.
    """

    wall: Sequence[float]
    processor: Sequence[float]

    def __str__(self) -> str:
        p = np.percentile
        return (
            f"p50 {p(self.wall, 50):6.2f}  p95 {p(self.wall, 95):6.2f} ms   of CPU p50"
            f" {p(self.processor, 50):6.2f}  p95 {p(self.processor, 95):6.2f} ms"
        )


def _nearest(question: str, units: Sequence[str], scorer: Callable[..., float]) -> object:
    return process.extract(question.lower(), units, scorer=scorer, limit=5)


def timed(ask: Callable[[str], object], questions: Sequence[str], first: Sequence[str] = WARM) -> Times:
    for question in first:
        ask(question)
    wall, processor = [], []
    for question in questions:
        start, busy = time.perf_counter(), time.process_time()
        ask(question)
        processor.append(1000 * (time.process_time() - busy))
        wall.append(1000 * (time.perf_counter() - start))
    return Times(wall, processor)


def resident() -> float:
    """Megabytes that the process holds now."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(number: int, model: str, asked: int, encoder: Path | None, nlpjs: Path | None) -> None:
    def show(what: str, text: str) -> None:
        print(f"{number:6} articles  {model:4}  {what:22} {text}", flush=True)

    with tempfile.TemporaryDirectory() as tmp:
        folder, cache = Path(tmp) / "kb", Path(tmp) / "cache"
        cache.mkdir()
        for made in (*encoder.glob("encoder-*"), *encoder.glob("e5-*")) if encoder else ():
            (cache / made.name).symlink_to(made.resolve())
        write_base(folder, number)
        settings, before = KnowledgeSettings(model=model), resident()
        start, busy = time.perf_counter(), time.process_time()
        base = Knowledge.open(folder, settings=settings, cache=cache)
        show("build", f"{time.perf_counter() - start:6.2f} s (of CPU {time.process_time() - busy:.2f})")
        if model != "off":
            start = time.perf_counter()
            base.load_embeddings()
            show(
                "embeddings",
                f"{time.perf_counter() - start:6.2f} s: {base.status.embeddings or base.status.reason}",
            )
        questions = questions_for(asked)
        ours = timed(base.answer, questions)
        show("a question", str(ours))
        reload_one(base, folder / "s0" / "a0.md", questions, show)
        show(
            "memory",
            f"{resident() - before:6.0f} MB for the base, {before:.0f} MB before (imports, benchmark)",
        )
        start, busy = time.perf_counter(), time.process_time()
        Knowledge.open(folder, settings=settings, cache=cache)
        kept = "" if list(cache.glob("index-*")) else ", built again: it takes too little to be kept"
        show(
            "start again",
            f"{time.perf_counter() - start:6.2f} s (of CPU {time.process_time() - busy:.2f}){kept}",
        )
        others(base, questions, ours, show, nlpjs if number <= 1000 else None)


def reload_one(
    base: Knowledge, path: Path, questions: Sequence[str], show: Callable[[str, str], None]
) -> None:
    """One changed article, five times; then answers while it happens once more in another thread."""
    wall, processor = [], []
    for i in range(5):
        path.write_text(path.read_text("utf-8") + f"\nНовая строка {i}.\n", encoding="utf-8")
        start, busy = time.perf_counter(), time.process_time()
        base.reload()
        processor.append(1000 * (time.process_time() - busy))
        wall.append(1000 * (time.perf_counter() - start))
    show("reload of one", f"{np.median(wall):6.0f} ms (of CPU {np.median(processor):.0f})")
    path.write_text(path.read_text("utf-8") + "\nПоследняя строка.\n", encoding="utf-8")
    reloading = threading.Thread(target=base.reload)
    spent: list[float] = []
    reloading.start()
    while reloading.is_alive():
        start = time.perf_counter()
        base.answer(questions[len(spent) % len(questions)])
        spent.append(1000 * (time.perf_counter() - start))
    reloading.join()
    show(
        "answers meanwhile",
        f"{len(spent):6} answers, p50 {np.percentile(spent, 50):.1f}, the longest {max(spent):.0f} ms",
    )


def others(
    base: Knowledge,
    questions: Sequence[str],
    ours: Times,
    show: Callable[[str, str], None],
    nlpjs: Path | None,
) -> None:
    """The same questions through other searches."""
    units = [q for a in base.articles() for q in a.questions]
    lower, clock, busy = (
        [u.lower() for u in units],
        np.percentile(ours.wall, 50),
        np.percentile(ours.processor, 50),
    )

    def ratio(found: Times) -> str:
        return (
            f"{found}   {np.percentile(found.wall, 50) / clock:.2f} of our p50,"
            f" {np.percentile(found.processor, 50) / busy:.2f} of its CPU"
        )

    for name, scorer in (("rapidfuzz token_set", fuzz.token_set_ratio), ("rapidfuzz WRatio", fuzz.WRatio)):
        some = questions[: max(20, min(len(questions), 200_000 // max(1, len(units))))]
        show(name, ratio(timed(partial(_nearest, units=lower, scorer=scorer), some)))
    if importlib.util.find_spec("bm25s") is None:
        show("bm25s", "not installed: pip install bm25s")
    else:
        show("bm25s", ratio(timed(bm25s(units), questions)))
    if nlpjs is not None:
        found = through_nlpjs(base, questions[:100], nlpjs)
        show(
            "NLP.js",
            (
                ratio(Times(found, found))
                if found
                else "not measured: npm install node-nlp failed, or there is no Node"
            ),
        )


def bm25s(units: Sequence[str]) -> Callable[[str], object]:
    library = importlib.import_module("bm25s")
    index = library.BM25()
    index.index(library.tokenize(list(units), stopwords=None, show_progress=False), show_progress=False)

    def ask(question: str) -> object:
        return index.retrieve(
            library.tokenize([question], stopwords=None, show_progress=False), k=5, show_progress=False
        )

    return ask


def through_nlpjs(base: Knowledge, questions: Sequence[str], folder: Path) -> list[float]:
    """Milliseconds of each question through NLP.js; nothing where it cannot be had.

    Above a thousand articles its training takes too long.
    """
    script = """
const {NlpManager} = require('node-nlp'); const d = JSON.parse(require('fs').readFileSync(0));
(async () => { const m = new NlpManager({languages: ['ru'], autoSave: false, nlu: {log: false}});
for (const [id, qs] of d.kb) for (const q of qs) m.addDocument('ru', q, id);
await m.train(); const t = [];
for (const q of d.ask) {
  const s = process.hrtime.bigint(); await m.process('ru', q);
  t.push(Number(process.hrtime.bigint() - s) / 1e6);
}
console.log('TIMES ' + JSON.stringify(t)); })();
"""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "node_modules" / "node-nlp").is_dir():
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), "node-nlp"],
            capture_output=True,
            timeout=600,
            check=False,
        )
    data = json.dumps({"kb": [[a.id, a.questions] for a in base.articles()], "ask": list(questions)})
    done = subprocess.run(
        ["node", "-e", script],
        input=data,
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
        cwd=folder,
    )
    found = done.stdout.rpartition("TIMES ")[2]
    return [float(t) for t in json.loads(found)] if found.strip() else []


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--articles", default="300,1000,10000")
    parser.add_argument(
        "--model",
        default="off",
        help="off, light, auto (the default encoder; e5 says the same), a folder; several with commas",
    )
    parser.add_argument("--asked", type=int, default=300)
    parser.add_argument(
        "--encoder",
        type=Path,
        help="a cache folder that holds the encoders already, so that they are not made again",
    )
    parser.add_argument(
        "--nlpjs", type=Path, help="measure NLP.js too; node-nlp is installed into this folder"
    )
    args = parser.parse_args()
    print((__doc__ or "").split("\n\n")[1].replace("\n", " "))
    for number in map(int, args.articles.split(",")):
        for model in args.model.split(","):
            measure(number, model, args.asked, args.encoder, args.nlpjs)


if __name__ == "__main__":
    main()
