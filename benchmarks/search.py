"""How fast search is: `python benchmarks/search.py [--articles 300,1000,10000] [--model off|auto]`.

Prints, for bases made of this project's own phrases: build, answer p50/p95, reload of one changed article, load of the saved index, memory;
then the same questions through rapidfuzz, and through bm25s and NLP.js where they are installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from rapidfuzz import fuzz, process

from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.search import Knowledge

CORPUS = Path(__file__).parent.parent / "training" / "support_ru"
BODY = (
    "Чтобы {0}, откройте раздел «{1}» и следуйте подсказкам.\n\n- Обычно это занимает до {2} минут.\n- Если не получилось, напишите нам и приложите снимок "
    "экрана.\n\n## Когда это не подойдёт\n\n{3}\n\nПодробности — в правилах сервиса, пункт {2}."
)


def phrases() -> tuple[list[tuple[str, list[str]]], list[str]]:
    """Intents as (title, texts), and questions kept for asking."""
    rows = [json.loads(line) for f in sorted(CORPUS.glob("*.jsonl")) if f.stem != "word_groups" for line in f.open(encoding="utf-8")]
    return [(r["title"], r["texts"][:9]) for r in rows], [t for r in rows for t in r["texts"][9:]]


def write_base(folder: Path, number: int) -> None:
    """*number* articles with five examples and a text of two parts; beyond the corpus words of two intents are mixed."""
    intents, _ = phrases()
    chance = random.Random(1)
    for i in range(number):
        title, texts = intents[i % len(intents)]
        if i >= len(intents):
            other = chance.choice(intents)
            title = f"{title} — {other[0].lower()}"
            texts = [" ".join(chance.sample((a + " " + b).split(), min(9, len((a + " " + b).split())))) for a, b in zip(texts, other[1], strict=False)]
        body = BODY.format(title.lower(), title, chance.randint(2, 90), " ".join(chance.sample(texts, 2)))
        aliases = "\n".join(f"  - {json.dumps(t, ensure_ascii=False)}" for t in texts[:5])
        path = folder / f"s{i % 40}" / f"a{i}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"---\ntitle: {json.dumps(title, ensure_ascii=False)}\naliases:\n{aliases}\n---\n{body}\n", encoding="utf-8")


def timed(ask: Callable[[str], object], questions: Sequence[str]) -> str:
    """Time a question on the clock, and of the processor: the second hardly depends on what else the machine does."""
    for question in questions[:10]:
        ask(question)
    spent, used = [], []
    for question in questions:
        start, busy = time.perf_counter(), time.process_time()
        ask(question)
        used.append(1000 * (time.process_time() - busy))
        spent.append(1000 * (time.perf_counter() - start))
    return f"p50 {np.percentile(spent, 50):6.2f} ms  p95 {np.percentile(spent, 95):6.2f} ms  (of CPU {np.percentile(used, 50):.2f} and {np.percentile(used, 95):.2f})"


def measure(number: int, model: str, asked: int) -> None:
    with tempfile.TemporaryDirectory() as tmp:
        folder, cache = Path(tmp) / "kb", Path(tmp) / "cache"
        write_base(folder, number)
        settings = KnowledgeSettings(model=model)
        start = time.perf_counter()
        base = Knowledge.open(folder, settings=settings, cache=cache)
        built = time.perf_counter() - start
        if model != "off":
            start = time.perf_counter()
            base.load_embeddings()
            print(f"{number:6} articles  embeddings {time.perf_counter() - start:.1f} s: {base.status.embeddings or base.status.reason}")
        questions = random.Random(2).sample(phrases()[1], asked)
        print(f"{number:6} articles  otklik ({model:4})   build {built:6.2f} s  answer {timed(base.answer, questions)}", flush=True)
        path = folder / "s0" / "a0.md"
        path.write_text(path.read_text("utf-8") + "\nНовая строка.\n", encoding="utf-8")
        base.reload()
        path.write_text(path.read_text("utf-8") + "\nЕщё одна.\n", encoding="utf-8")
        busy = time.process_time()
        done = base.reload()
        busy = 1000 * (time.process_time() - busy)
        start = time.perf_counter()
        Knowledge.open(folder, settings=settings, cache=cache)
        again = time.perf_counter() - start
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        spent = f"{1000 * done.seconds:6.0f} ms (of CPU {busy:.0f})"
        print(f"{number:6} articles  reload of one {spent}  open again {again:5.2f} s  memory at most {memory:5.0f} MB", flush=True)
        units = [q for a in base.articles() for q in a.questions]
        lower = [u.lower() for u in units]
        for name, scorer in (("rapidfuzz token_set", fuzz.token_set_ratio), ("rapidfuzz WRatio", fuzz.WRatio)):
            some = questions[: max(20, min(asked, 200_000 // max(1, len(units))))]
            print(f"{number:6} articles  {name:20} {timed(lambda q, s=scorer: process.extract(q.lower(), lower, scorer=s, limit=5), some)}", flush=True)  # type: ignore[misc]
        bm25s(units, questions, number)
        nlpjs(base, questions, number)


def bm25s(units: Sequence[str], questions: Sequence[str], number: int) -> None:
    if importlib.util.find_spec("bm25s") is None:
        print(f"{number:6} articles  bm25s is not installed (pip install bm25s)")
        return
    import bm25s as library

    index = library.BM25()
    index.index(library.tokenize(list(units), stopwords=None, show_progress=False), show_progress=False)

    def ask(question: str) -> object:
        return index.retrieve(library.tokenize([question], stopwords=None, show_progress=False), k=5, show_progress=False)

    print(f"{number:6} articles  {'bm25s':20} {timed(ask, questions)}", flush=True)


def nlpjs(base: Knowledge, questions: Sequence[str], number: int) -> None:
    """NLP.js (node-nlp), where Node and the package are there; above a thousand articles its training takes too long."""
    script = """
const {NlpManager} = require('node-nlp'); const d = JSON.parse(require('fs').readFileSync(0));
(async () => { const m = new NlpManager({languages: ['ru'], autoSave: false, nlu: {log: false}});
for (const [id, qs] of d.kb) for (const q of qs) m.addDocument('ru', q, id);
await m.train(); const t = []; for (const q of d.ask) { const s = process.hrtime.bigint(); await m.process('ru', q); t.push(Number(process.hrtime.bigint() - s) / 1e6); }
t.sort((a, b) => a - b); console.log(t[t.length >> 1].toFixed(2), t[Math.floor(t.length * .95)].toFixed(2)); })();
"""
    if shutil.which("node") is None or number > 1000:
        print(f"{number:6} articles  NLP.js skipped ({'no Node here' if number <= 1000 else 'more than a thousand articles'})")
        return
    data = json.dumps({"kb": [[a.id, a.questions] for a in base.articles()], "ask": list(questions[:100])})
    done = subprocess.run(["node", "-e", script], input=data, capture_output=True, text=True, timeout=600, check=False)
    words = done.stdout.split()
    print(f"{number:6} articles  NLP.js               " + (f"p50 {words[0]} ms  p95 {words[1]} ms" if len(words) == 2 else "not installed (npm install node-nlp)"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", default="300,1000,10000")
    parser.add_argument("--model", default="off")
    parser.add_argument("--asked", type=int, default=300)
    args = parser.parse_args()
    for number in map(int, args.articles.split(",")):
        measure(number, args.model, args.asked)


if __name__ == "__main__":
    main()
