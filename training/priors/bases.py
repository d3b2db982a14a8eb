"""Many small knowledge bases made of the corpora, each with questions that its articles answer and others
that nothing in it does.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.knowledge.articles.schema import Article, split_passages
from training.acts import misspell
from training.rows import read_rows


@dataclass(frozen=True)
class Intent:
    """What one article answers: texts by which customers ask it, the first ones worded most plainly."""

    domain: str
    name: str
    title: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Base:
    """A base to learn from.

    `questions` pairs a text with the id of its article, or None; `fold` says which encoder has not seen it.
    """

    name: str
    articles: tuple[Article, ...]
    questions: tuple[tuple[str, str | None], ...]
    fold: int
    language: str


def read_support(folder: Path) -> list[Intent]:
    rows = [row for f in sorted(folder.glob("*.jsonl")) if f.stem != "word_groups" for row in read_rows(f)]
    return [Intent(r["domain"], f"{r['domain']}/{r['intent']}", r["title"], tuple(r["texts"])) for r in rows]


def read_labelled(path: Path, domain: str) -> list[Intent]:
    """A training split {query, label} as intents."""
    by: dict[str, list[str]] = {}
    for row in read_rows(path):
        if row["label"]:
            by.setdefault(row["label"], []).append(row["query"])
    return [Intent(domain, f"{domain}/{k}", "", tuple(v)) for k, v in sorted(by.items()) if len(v) >= 6]


def fold_of(domain: str) -> int:
    """Which half of the domains it is in; the encoder of the other half is used with it."""
    return sum(domain.encode()) % 2


def _article(name: str, title: str, aliases: Sequence[str], body: str, lang: str) -> Article:
    return Article(name, title, tuple(aliases), lang=lang, body=body, passages=split_passages(body))


def support_bases(
    intents: Sequence[Intent], number: int, seed: int, off_topic: Sequence[str]
) -> Iterator[Base]:
    """Bases of one to many domains: 1 to 9 examples an article, with titles and bodies or without, with
    left-out intents as out of scope.
    """
    rnd = random.Random(seed)
    domains = sorted({i.domain for i in intents})
    for n in range(number):
        fold = n % 2
        pool = [d for d in domains if fold_of(d) == fold]
        several = rnd.choice([1, 1, 2, 2, 3, 4, 6, 9, 14])
        chosen = rnd.sample(pool, min(several, len(pool)))
        mine = [i for i in intents if i.domain in chosen]
        rnd.shuffle(mine)
        left_out = rnd.choice([0.0, 0.1, 0.2, 0.3, 0.4])
        cut = int(len(mine) * left_out)
        outside, inside = mine[:cut], mine[cut:]
        most = rnd.choice([0, 1, 1, 1, 2, 2, 3, 4, 5, 6, 8, 8])
        ragged, plain = rnd.random() < 0.4, rnd.random() < 0.6
        titled, bodied = rnd.random() < 0.7 or not most, rnd.random() < 0.5
        articles: list[Article] = []
        questions: list[tuple[str, str | None]] = []
        for intent in inside:
            order = sorted(range(len(intent.texts)), key=lambda k: (k * 0.25 if plain else 0) + rnd.random())
            k = rnd.randint(min(1, most), most) if ragged else most
            aliases = [intent.texts[j] for j in order[:k]]
            rest = [intent.texts[j] for j in order[k:]]
            title = intent.title if titled else aliases[0]
            spare = [t for t in rest if len(t) > 90]
            body = ""
            if bodied and len(rest) > 5 and spare:
                body = spare[0] + "\n\n" + intent.title
                rest = [t for t in rest if t != spare[0]]
            articles.append(_article(intent.name, title, aliases, body or title, "ru"))
            questions += [(t, intent.name) for t in rnd.sample(rest, min(4, len(rest)))]
        near: list[tuple[str, str | None]] = [(t, None) for i in outside for t in rnd.sample(i.texts, 4)]
        far_pool = [i for i in intents if i.domain not in chosen and fold_of(i.domain) == fold]
        far_count = int(min(110, len(questions)) * rnd.choice([0.0, 0.1, 0.2, 0.3, 0.6, 1.2]))
        far: list[tuple[str, str | None]] = (
            [(rnd.choice(rnd.choice(far_pool).texts), None) for _ in range(far_count // 2)]
            if far_pool
            else []
        )
        far += [(rnd.choice(off_topic), None) for _ in range(far_count - len(far))] if off_topic else []
        rnd.shuffle(questions)
        easy = easy_questions(articles, len(questions[:110]), "ru", rnd)
        questions = questions[:110] + easy + near[:40] + far[:130]
        yield Base(f"support{n}-{len(inside)}x{most}", tuple(articles), tuple(questions), fold, "ru")


def labelled_bases(
    intents: Sequence[Intent], outside: Sequence[str], number: int, seed: int, fold: int, language: str = "en"
) -> Iterator[Base]:
    """Bases of a labelled training set: some of its intents with 1 to 15 examples each, others left out."""
    rnd = random.Random(seed)
    for n in range(number):
        mine = rnd.sample(
            intents,
            max(10, int(len(intents) * rnd.choice([0.3, 0.6, 1.0]))) if len(intents) > 10 else len(intents),
        )
        cut = int(len(mine) * rnd.choice([0.0, 0.0, 0.1, 0.25]))
        left, inside = mine[:cut], mine[cut:]
        most, ragged = rnd.choice([2, 3, 5, 8, 10, 10, 15]), rnd.random() < 0.4
        articles: list[Article] = []
        questions: list[tuple[str, str | None]] = []
        for intent in inside:
            texts = list(intent.texts)
            rnd.shuffle(texts)
            k = min(rnd.randint(1, most) if ragged else most, len(texts) - 2)
            articles.append(_article(intent.name, texts[0], texts[:k], texts[0], language))
            questions += [(t, intent.name) for t in texts[k : k + 6]]
        rnd.shuffle(questions)
        near: list[tuple[str, str | None]] = [
            (t, None) for i in left for t in rnd.sample(i.texts, min(5, len(i.texts)))
        ]
        far: list[tuple[str, str | None]] = (
            [
                (rnd.choice(outside), None)
                for _ in range(int(len(questions[:240]) * rnd.choice([0.0, 0.1, 0.25])))
            ]
            if outside
            else []
        )
        yield Base(
            f"{inside[0].domain}{n}-{len(inside)}x{most}",
            tuple(articles),
            tuple(questions[:120] + near[:40] + far[:30]),
            fold,
            language,
        )


def passage_bases(kb: Path, test: Path, number: int, seed: int, language: str) -> Iterator[Base]:
    """Bases of passages alone: only every fourth paragraph's document (those that the `_oos` variant leaves
    out), so that the rest stays unseen.
    """
    kept = {row["id"] for row in read_rows(kb.parent / "kb_oos.jsonl")}
    mine = [row for row in read_rows(kb) if row["id"] not in kept]
    asked: dict[str, list[str]] = {}
    for row in read_rows(test):
        asked.setdefault(row["label"], []).append(row["query"])
    rnd = random.Random(seed)
    for n in range(number):
        some = rnd.sample(mine, rnd.choice([30, 40, 50, len(mine)]))
        cut = int(len(some) * rnd.choice([0.0, 0.1, 0.25, 0.4]))
        left, inside = some[:cut], some[cut:]
        titled = rnd.random() < 0.7
        articles = tuple(
            _article(
                r["id"], r["title"] or (r["text"][:60] if titled else f"Статья {i}"), (), r["text"], language
            )
            for i, r in enumerate(inside)
        )
        questions = [(q, r["id"]) for r in inside for q in asked.get(r["id"], [])] + [
            (q, None) for r in left for q in asked.get(r["id"], [])
        ]
        yield Base(f"xquad_{language}{n}", articles, tuple(questions), 0 if language == "ru" else 2, language)


def read_written(path: Path) -> dict[str, list[Article]]:
    """Articles of invented businesses by domain: `## domain`, `= title | text`, then a customer's question a
    line.
    """
    found: dict[str, list[Article]] = {}
    domain, title, body, texts = "", "", "", list[str]()
    for line in [*path.read_text("utf-8").splitlines(), "="]:
        if line.startswith(("=", "##")):
            if texts:
                mine = found.setdefault(domain, [])
                mine.append(_article(f"{domain}/{len(mine)}", title, texts, body, "en"))
            title, _, body = (part.strip() for part in line.lstrip("= ").partition("|"))
            domain, texts = (line.removeprefix("##").strip() if line.startswith("##") else domain), []
        elif line.strip():
            texts.append(line.strip())
    return found


def written_bases(path: Path, number: int, seed: int, fold: int, *, lone: bool = False) -> Iterator[Base]:
    """Bases of invented English businesses, 1 to 4 examples an article (*lone*: title and text alone), some
    articles left out, other businesses' questions beside.
    """
    domains = read_written(path)
    rnd = random.Random(seed)
    for n in range(number):
        chosen = rnd.sample(sorted(domains), rnd.choice([1, 1, 2]))
        mine = [a for d in chosen for a in domains[d]]
        rnd.shuffle(mine)
        cut = int(len(mine) * rnd.choice([0.0, 0.1, 0.2, 0.3]))
        left, inside = mine[:cut], mine[cut:]
        most, titled, bodied = rnd.choice([1, 2, 3, 3, 4]), rnd.random() < 0.8, rnd.random() < 0.7
        if lone:
            most, titled, bodied = 0, True, True
        articles: list[Article] = []
        questions: list[tuple[str, str | None]] = []
        for article in inside:
            texts = rnd.sample(article.aliases, len(article.aliases))
            title = article.title if titled else texts[0]
            articles.append(
                _article(article.id, title, texts[:most], article.body if bodied else title, "en")
            )
            questions += [(t, article.id) for t in texts[most:]]
        near: list[tuple[str, str | None]] = [(t, None) for a in left for t in a.aliases[:3]]
        others = [t for d in domains if d not in chosen for a in domains[d] for t in a.aliases]
        far: list[tuple[str, str | None]] = [
            (t, None) for t in rnd.sample(others, min(len(others), rnd.choice([0, 6, 15])))
        ]
        yield Base(
            f"written_en{n}-{len(inside)}x{most}", tuple(articles), tuple(questions + near + far), fold, "en"
        )


EASY = 0.25  # of the answered questions of a base: asked nearly in its own words, as many customers do
_BEFORE = {
    "ru": (
        "подскажите, ",
        "здравствуйте, ",
        "добрый день! ",
        "скажите пожалуйста ",
        "а ",
        "хочу узнать ",
        "мне нужно: ",
    ),
    "en": ("hi, ", "hello, ", "please tell me ", "i want to know ", "so ", "can you help: "),
}
_BEHIND = {
    "ru": (" пожалуйста", " спасибо", "?", "??", " у вас"),
    "en": (" please", " thanks", "?", "??", " pls"),
}


def easily(text: str, language: str, rnd: random.Random) -> str:
    """*text* as somebody says it who means just that: politely, with a slip, a word left out or moved."""
    words = text.rstrip("?!. ").split()
    for _ in range(rnd.choice([1, 1, 2])):
        way = rnd.randrange(5)
        if way == 0:
            words = [*rnd.choice(_BEFORE[language]).split(), *words]
        elif way == 1:
            words = (" ".join(words) + rnd.choice(_BEHIND[language])).split()
        elif way == 2 and len(words) > 3:
            words.pop(rnd.randrange(len(words)))
        elif way == 3 and len(words) > 2:
            words.insert(rnd.randrange(len(words)), words.pop())
        else:
            words = misspell(" ".join(words), rnd).split()
    return " ".join(words).lower()


def easy_questions(
    articles: Sequence[Article], answered: int, language: str, rnd: random.Random
) -> list[tuple[str, str | None]]:
    """So many as are EASY of *answered* and these together: examples and titles, each said `easily`."""
    pool = [(t, a.id) for a in articles for t in a.questions if t.strip()]
    wanted = min(len(pool), round(answered * EASY / (1 - EASY)))
    found = [(easily(t, language, rnd), i) for t, i in rnd.sample(pool, wanted)]
    taken = {t for t, _ in pool}
    return [(t, i) for t, i in found if t not in taken]


@dataclass(frozen=True)
class WrittenArticle:
    """An article of an invented business with the examples its editor would give and with what its customers
    ask.
    """

    title: str
    body: str
    examples: tuple[str, ...]
    questions: tuple[str, ...]


@dataclass(frozen=True)
class Business:
    """An invented business: its articles, questions near its topics that none of them answers, and texts that
    have nothing to do with it.
    """

    name: str
    articles: tuple[WrittenArticle, ...]
    near: tuple[str, ...]
    far: tuple[str, ...]

    @property
    def language(self) -> str:
        return self.name.partition("_")[0]


def read_businesses(folder: Path) -> list[Business]:
    """Every file of *folder*: `## name`, `= title | text`, `+ an editor's example`, a customer's question a
    line, `! a question near it that nothing answers`, `~ a text from elsewhere`. Raises ValueError with file
    and line for a question that stands before the first article.
    """
    found = []
    for path in sorted(folder.glob("*.txt")):
        articles: list[tuple[str, str, list[str], list[str]]] = []
        near, far = [], []
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            mark, text = line[:1], line[1:].strip()
            if not line.strip() or line.startswith("##"):
                continue
            if mark == "=":
                title, _, body = (part.strip() for part in text.partition("|"))
                articles.append((title, body, [], []))
            elif mark == "!":
                near.append(text)
            elif mark == "~":
                far.append(text)
            elif not articles:
                raise ValueError(
                    f"{path}:{number}: a question stands before the first article (`= title | text`)"
                )
            else:
                _, _, examples, questions = articles[-1]
                (examples if mark == "+" else questions).append(text if mark == "+" else line.strip())
        made = tuple(WrittenArticle(t, b, tuple(e), tuple(q)) for t, b, e, q in articles)
        found.append(Business(path.stem, made, tuple(near), tuple(far)))
    return found


def is_background(text: str) -> bool:
    """Whether a text from elsewhere is among those that search is given to compare with; the others ask while
    coefficients are fitted, so that these never see a question compared with itself.
    """
    return sum(text.encode()) % 2 == 0


def business_bases(businesses: Sequence[Business], number: int, seed: int, fold: int) -> Iterator[Base]:
    """Bases of one to three of the *businesses* of one language, as people bring them: 8 articles or
    a hundred, no example or several, titles alone or texts alone, and from a tenth to two thirds of what is
    asked answered by nothing.
    """
    rnd = random.Random(seed)
    language = businesses[0].language
    background = {t for b in businesses for t in b.far if is_background(t)}
    for n in range(number):
        several = rnd.choice([1, 1, 1, 1, 1, 1, 1, 2, 2, 3])
        chosen = rnd.sample(businesses, min(several, len(businesses)))
        mine = [(b, i) for b in chosen for i in range(len(b.articles))]
        rnd.shuffle(mine)
        if several == 1 and rnd.random() < 0.3:
            mine = mine[: rnd.choice([8, 10, 12])]
        cut = int(len(mine) * rnd.choice([0.0, 0.0, 0.1, 0.2, 0.3]))
        left, inside = mine[:cut], mine[cut:]
        most = rnd.choice([0, 0, 0, 1, 1, 1, 2, 2, 3, 4])
        titled = not most or rnd.random() < 0.8
        bodied = rnd.random() < 0.7
        articles: list[Article] = []
        questions: list[tuple[str, str | None]] = []
        for business, place in inside:
            written = business.articles[place]
            asked = rnd.sample(written.questions, len(written.questions))
            taken = max(0, most - len(written.examples)) if len(asked) > 3 else 0
            examples = [*written.examples[:most], *asked[: min(taken, len(asked) - 2)]][:most]
            title = written.title if titled or not examples else examples[0]
            name = f"{business.name}/{place}"
            articles.append(
                _article(name, title, examples, (written.body if bodied else "") or title, language)
            )
            questions += [(t, name) for t in asked if t not in examples][:5]
        near: list[tuple[str, str | None]] = [(t, None) for b in chosen for t in b.near]
        near += [(t, None) for b, i in left for t in b.articles[i].questions[:5]]
        others = [b for b in businesses if b not in chosen]
        far: list[tuple[str, str | None]] = [(t, None) for b in chosen for t in b.far]
        far += [(rnd.choice(rnd.choice(b.articles).questions), None) for b in others for _ in range(2)]
        for texts in (questions, near, far):
            texts[:] = [pair for pair in texts if pair[0] not in background]
            rnd.shuffle(texts)
        questions = questions[:120]
        questions += easy_questions(articles, len(questions), language, rnd)
        foreign = rnd.choice([0.1, 0.2, 0.3, 0.5, 0.5, 0.67])
        wanted = int(len(questions) * foreign / (1 - foreign))
        near = near[: int(wanted * rnd.choice([0.3, 0.5, 0.7]))]
        asked_all = questions + near + far[: wanted - len(near)]
        yield Base(
            f"{businesses[0].name.split('_')[0]}shops{n}-{len(inside)}x{most}",
            tuple(articles),
            tuple(asked_all),
            fold,
            language,
        )


def article_bases(articles: Sequence[Article], number: int, seed: int, fold: int = 0) -> Iterator[Base]:
    """Bases of real articles with their texts: some of each article's examples stay, the others ask; some
    articles are left out.
    """
    rnd = random.Random(seed)
    rich = [a for a in articles if len(a.aliases) >= 4 and a.body]
    for n in range(number):
        mine = rnd.sample(
            rich, max(8, int(len(rich) * rnd.choice([0.5, 0.8, 1.0]))) if len(rich) > 8 else len(rich)
        )
        cut = int(len(mine) * rnd.choice([0.0, 0.1, 0.25, 0.4]))
        left, inside = mine[:cut], mine[cut:]
        most = rnd.choice([0, 0, 0, 0, 1, 2, 3, 5, 8])
        titled = rnd.random() < 0.8 or most == 0
        kept: list[Article] = []
        questions: list[tuple[str, str | None]] = []
        for article in inside:
            aliases = list(article.aliases)
            rnd.shuffle(aliases)
            k = min(most, len(aliases) - 2)
            kept.append(
                _article(
                    article.id,
                    article.title if titled else aliases[0],
                    aliases[:k],
                    article.body,
                    article.lang,
                )
            )
            questions += [(t, article.id) for t in aliases[max(k, 0 if titled else 1) :][:6]]
        rnd.shuffle(questions)
        near: list[tuple[str, str | None]] = [(t, None) for a in left for t in a.aliases[:6]]
        yield Base(
            f"demo_{articles[0].lang}{n}-{len(inside)}x{most}",
            tuple(kept),
            tuple(questions[:120] + near[:50]),
            fold,
            articles[0].lang,
        )
