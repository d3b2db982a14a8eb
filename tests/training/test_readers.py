"""What training reads: lines, groups and corpora come in as they are written, and nothing of a base to learn
from leaks into what it is asked.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from bot.knowledge.articles.schema import Article
from bot.model import Intent as Act
from training.acts import EMOTIONAL, frame_lines, misspell, read_lines, widen
from training.encoder import read_corpus, read_groups
from training.english import free_sentences, made_sentences
from training.priors.bases import (
    Base,
    Intent,
    WrittenArticle,
    article_bases,
    business_bases,
    fold_of,
    is_background,
    labelled_bases,
    passage_bases,
    read_businesses,
    read_labelled,
    read_support,
    read_written,
    support_bases,
    written_bases,
)


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    return file


def write_rows(file: Path, rows: Iterable[Mapping[str, object]]) -> Path:
    return write(file, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def row(domain: str, intent: str, count: int = 12) -> dict[str, object]:
    texts = [f"{domain} {intent} вопрос {n}" for n in range(count)]
    return {"domain": domain, "intent": intent, "title": f"{domain}: {intent}", "texts": texts}


# --- corpora of the encoder


def test_intents_come_from_rows_and_from_plain_lines(tmp_path: Path) -> None:
    """A row with texts is one; in a text file `## domain` and `= name | title` head the lines; groups are
    none.
    """
    write_rows(tmp_path / "rows" / "taxi.jsonl", [row("taxi", "price", 2), {"g": ["сдать", "вернуть"]}])
    write(
        tmp_path / "lines" / "chat.txt",
        "## messenger\n= backup | Перенос переписки\nкак забрать чаты\n\nпропала переписка\n"
        "= lost | Потерян доступ\nадмин ушёл\n## games\n= refund | Возврат\nверните за игру\n",
    )
    write(tmp_path / "lines" / "word_groups.txt", "войти | зайти\n")

    found = read_corpus([tmp_path / "rows", tmp_path / "lines"])

    assert [(i.domain, i.name, i.title, i.texts) for i in found] == [
        ("taxi", "price", "taxi: price", ("taxi price вопрос 0", "taxi price вопрос 1")),
        ("messenger", "backup", "Перенос переписки", ("как забрать чаты", "пропала переписка")),
        ("messenger", "lost", "Потерян доступ", ("админ ушёл",)),
        ("games", "refund", "Возврат", ("верните за игру",)),
    ]


def test_groups_come_from_both_forms(tmp_path: Path) -> None:
    """`{"g": [...]}` a line, or words between bars; empty lines are none."""
    write_rows(tmp_path / "a" / "word_groups.jsonl", [{"g": ["вернуть", "сдать обратно"]}])
    write(tmp_path / "b" / "word_groups.txt", "войти | зайти |авторизоваться\n\nвыйти | разлогиниться\n")

    assert read_groups([tmp_path / "a", tmp_path / "b"]) == [
        ("вернуть", "сдать обратно"),
        ("войти", "зайти", "авторизоваться"),
        ("выйти", "разлогиниться"),
    ]


# --- English for the encoder


def test_sentences_are_made_of_forms_things_and_doings(tmp_path: Path) -> None:
    """Every form is filled, remarks are passed over, each thing also stands alone; the same seed, the same
    sentences.
    """
    write(tmp_path / "forms.txt", "how do i {v} the {n}\n\nwhere is my {n}\n")
    write(tmp_path / "phrases.txt", "# a remark | x | y\nshop | dress, gift card | order, send back\n")

    found = made_sentences(tmp_path, each=40)

    assert found == made_sentences(tmp_path, each=40) != made_sentences(tmp_path, each=1)
    assert set(found) == {
        "dress",
        "gift card",
        *(f"where is my {n}" for n in ("dress", "gift card")),
        *(f"how do i {v} the {n}" for v in ("order", "send back") for n in ("dress", "gift card")),
    }


def test_free_sentences_leave_out_what_is_judged_by(tmp_path: Path) -> None:
    """Only paragraphs that the `_oos` variant lacks, cut into sentences of some length, and only the sets
    asked for.
    """
    for name in ("banking77", "clinc150"):
        write_rows(tmp_path / name / "train.jsonl", [{"query": f"question of {name}"}])
    write_rows(
        tmp_path / "xquad_en" / "kb.jsonl",
        [
            {
                "id": "free",
                "text": "The first sentence is long enough. Short. Is the second one long enough?",
            },
            {"id": "judged", "text": "This sentence must not be read by anybody."},
        ],
    )
    write_rows(tmp_path / "xquad_en" / "kb_oos.jsonl", [{"id": "judged"}])
    sentences = ["The first sentence is long enough.", "Is the second one long enough?"]

    assert free_sentences(tmp_path) == ["question of banking77", "question of clinc150", *sentences]
    assert free_sentences(tmp_path, ["banking77"]) == ["question of clinc150", *sentences]


# --- acts


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """A folder of training lines, one or two of each kind."""
    for name, texts in (
        ("human", ["позовите оператора"]),
        ("upset", ["сколько можно ждать"]),
        ("question", ["где мой заказ", "no"]),
    ):
        write(tmp_path / "acts" / f"{name}.yaml", "# a remark\nru:\n" + "".join(f"  - {t}\n" for t in texts))
    write(
        tmp_path / "acts" / "courtesies.yaml",
        "".join(
            f"{a}: [{a} one, {a} two]\n" for a in ("greeting", "thanks", "bye", "yes_helped", "not_helped")
        ),
    )
    nothing = "{service: [], only_called: [], trade: [], human: [], human_trade: [], question: []}"
    write(tmp_path / "acts" / "frames.yaml", f"ru: {nothing}\n")
    write_rows(tmp_path / "support_ru" / "taxi.jsonl", [row("taxi", "price")])
    write_rows(tmp_path / "support_ru" / "word_groups.jsonl", [{"g": ["вернуть", "сдать"]}])
    return tmp_path


def test_frames_are_filled_with_roles(tmp_path: Path) -> None:
    """Who is called and who is only spoken of: the sentence decides, not the trade."""
    file = write(
        tmp_path / "frames.yaml",
        "ru:\n  service: [[оператор, оператора, оператору, оператором]]\n  only_called: []\n"
        "  trade: [[мастер, мастера, мастеру, мастером]]\n  human: ['позовите {gen}']\n"
        "  human_trade: ['нужен {nom}']\n  question: ['сколько стоит вызов {gen}']\n",
    )

    assert {(x.text, x.act) for x in frame_lines(file, random.Random(1))} == {
        ("позовите оператора", Act.HUMAN),
        ("нужен мастер", Act.HUMAN),
        ("сколько стоит вызов оператора", Act.QUESTION),
        ("сколько стоит вызов мастера", Act.QUESTION),
    }


def test_lines_have_their_act_and_how_upset_they_are(lines: Path) -> None:
    """By file; what YAML takes for a switch stays a word; the emotional text of an intent is half upset."""
    found = {line.text: line for line in read_lines(lines)}

    assert {
        t: (found[t].act, found[t].upset) for t in ("позовите оператора", "сколько можно ждать", "no")
    } == {
        "позовите оператора": (Act.HUMAN, None),
        "сколько можно ждать": (Act.UPSET, 1.0),
        "no": (Act.QUESTION, 0.0),
    }
    assert (found["thanks one"].act, found["not_helped two"].upset) == (Act.THANKS, None)
    asked = {n: found[f"taxi price вопрос {n}"] for n in range(0, 12, 2)}  # every second one
    assert [n for n, line in asked.items() if line.upset] == [EMOTIONAL]
    assert {line.weight for line in asked.values()} == {0.3} and len(found) == 4 + 10 + 6


def test_widened_lines_keep_what_was_read(lines: Path) -> None:
    """The lines themselves stay; what is added counts less and is of an act that was read."""
    read = read_lines(lines)
    wide = widen(read, random.Random(1))
    added = wide[len(read) :]

    assert wide[: len(read)] == read and len(added) > len(read) / 2
    assert max(line.weight for line in added) < max(line.weight for line in read)
    assert {line.act for line in added} <= {line.act for line in read}
    assert any(re.search(r"^greeting (one|two)\W+позовите оператора$", line.text) for line in added)


def test_a_misspelt_text_is_one_slip_away() -> None:
    """Short texts are left alone, others lose, double, swap or change one letter."""
    chance = random.Random(2)
    slips = {misspell("где мой заказ", chance) for _ in range(60)}

    assert misspell("да", chance) == "да"
    assert len(slips) > 20 and all(abs(len(slip) - len("где мой заказ")) <= 1 for slip in slips)


# --- bases for the priors


def test_support_and_labelled_rows_become_intents(tmp_path: Path) -> None:
    """A label needs six questions to be one; rows out of scope have none."""
    write_rows(tmp_path / "ru" / "taxi.jsonl", [row("taxi", "price", 3)])
    write_rows(tmp_path / "ru" / "word_groups.jsonl", [{"g": ["вернуть", "сдать"]}])
    rows = [{"query": f"card {n}", "label": "card"} for n in range(6)]
    rows += [{"query": f"loan {n}", "label": "loan"} for n in range(5)]
    labelled = write_rows(tmp_path / "train.jsonl", [*rows, {"query": "weather", "label": ""}])

    assert [(i.name, len(i.texts)) for i in read_support(tmp_path / "ru")] == [("taxi/price", 3)]
    assert [(i.domain, i.name, i.texts) for i in read_labelled(labelled, "banking")] == [
        ("banking", "banking/card", tuple(f"card {n}" for n in range(6)))
    ]


def test_written_businesses_are_read_by_domain(tmp_path: Path) -> None:
    """Title, text and questions of each article, numbered within its domain."""
    file = write(
        tmp_path / "articles.txt",
        "## hotel\n= Check-in | From 3 pm.\nwhat time is check in\n\nwhen can we come\n"
        "= Breakfast | Until ten.\nis breakfast free\n## bank\n= Cards | Two days.\nwhere is my card\n",
    )

    found = read_written(file)

    assert {d: [(a.id, a.title, a.body, a.aliases) for a in several] for d, several in found.items()} == {
        "hotel": [
            ("hotel/0", "Check-in", "From 3 pm.", ("what time is check in", "when can we come")),
            ("hotel/1", "Breakfast", "Until ten.", ("is breakfast free",)),
        ],
        "bank": [("bank/0", "Cards", "Two days.", ("where is my card",))],
    }


BUSINESS = """## ru_taxi_1
= Оплата | Картой или наличными.
+ Как заплатить за поездку?
картой можно

чем платить
нет налички
где чек
= Дети | Кресло заказывают заранее.
едем с ребёнком
кресло есть?
мне 3 года сыну
! сколько зарабатывает водитель
~ какая завтра погода
"""


def test_a_business_is_read_with_what_nothing_answers(tmp_path: Path) -> None:
    """Title, text, editor's examples and customers' questions of each article; near and far foreign texts."""
    write(tmp_path / "ru_taxi_1.txt", BUSINESS)

    (taxi,) = read_businesses(tmp_path)

    assert (taxi.name, taxi.language, taxi.near, taxi.far) == (
        "ru_taxi_1",
        "ru",
        ("сколько зарабатывает водитель",),
        ("какая завтра погода",),
    )
    assert taxi.articles[0] == WrittenArticle(
        "Оплата",
        "Картой или наличными.",
        ("Как заплатить за поездку?",),
        ("картой можно", "чем платить", "нет налички", "где чек"),
    )
    assert [a.title for a in taxi.articles] == ["Оплата", "Дети"]


def test_a_question_before_the_first_article_is_named_by_its_line(tmp_path: Path) -> None:
    """The writer is told the file, the line, and what should have stood before."""
    write(tmp_path / "ru_taxi_1.txt", "## ru_taxi_1\nкартой можно\n")

    with pytest.raises(ValueError, match=r"ru_taxi_1\.txt:2: .*first article"):
        read_businesses(tmp_path)


def test_every_written_business_is_whole() -> None:
    """The files that ship with the project: articles have titles and questions, foreign texts are there, no
    question stands twice.
    """
    found = read_businesses(Path(__file__).parents[2] / "training" / "bases")

    assert len(found) > 40 and {b.language for b in found} == {"ru", "en"}
    for business in found:
        asked = [q for a in business.articles for q in a.questions]
        assert len(business.articles) >= 8 and business.near and business.far, business.name
        assert all(a.title and len(a.questions) >= 3 for a in business.articles), business.name
        assert not set(asked) & set(business.near), business.name


def test_bases_of_businesses_do_not_leak(tmp_path: Path) -> None:
    """No example is asked, what is compared with as background never asks, each answer is in the base."""
    written = [
        b for b in read_businesses(Path(__file__).parents[2] / "training" / "bases") if b.language == "ru"
    ]

    bases = list(business_bases(written[:12], 30, 5, 1))

    assert {b.fold for b in bases} == {1} and min(len(b.articles) for b in bases) <= 12
    shares = [sum(gold is None for _, gold in b.questions) / len(b.questions) for b in bases]
    assert min(shares) < 0.2 and max(shares) >= 0.5
    for base in bases:
        assert not leaks(base)
    far = {t for b in written[:12] for t in b.far}
    assert not any(is_background(q) for b in bases for q, _ in b.questions if q in far)


def leaks(base: Base) -> list[str]:
    """Questions of a base that an article of it holds as an example, or that belong to no article of it."""
    known = {article.id: set(article.aliases) for article in base.articles}
    return [
        text
        for text, gold in base.questions
        if (gold is not None and (gold not in known or text in known[gold]))
        or (gold is None and any(text in examples for examples in known.values()))
    ]


def test_simulated_bases_ask_what_their_articles_do_not_hold(tmp_path: Path) -> None:
    """Of every kind: a question has its article in the base and is no example there; some have none."""
    domains = [d for fold in (0, 1) for d in [x for x in DOMAINS if fold_of(x) == fold][:4]]
    intents = [
        Intent(d, f"{d}/{n}", f"Тема {d} {n}", tuple(f"{d} {n} слово {t}" for t in range(12)))
        for d in domains
        for n in range(6)
    ]
    articles = [
        Article(
            f"a{n}", f"Статья {n}", tuple(f"пример {n}-{t}" for t in range(9)), lang="ru", body=f"Текст {n}."
        )
        for n in range(12)
    ]
    written = "".join(
        f"## {d}\n"
        + "".join(
            f"= Title {d} {n} | Text {d} {n}.\n" + "".join(f"ask {d} {n} {t}\n" for t in range(5))
            for n in range(8)
        )
        for d in ("hotel", "bank", "gym")
    )
    file = write(tmp_path / "articles.txt", written)

    for bases in (
        list(support_bases(intents, 12, 1, ["какая погода"])),
        list(labelled_bases(intents, ["what is the weather"], 12, 2, 0)),
        list(article_bases(articles, 12, 3)),
        list(written_bases(file, 12, 4, 2)),
        list(written_bases(file, 4, 5, 2, lone=True)),
    ):
        assert all(base.articles and base.questions for base in bases)
        assert [leaks(base) for base in bases] == [[] for _ in bases]
        assert any(gold is None for base in bases for _, gold in base.questions)


DOMAINS = (
    "taxi",
    "bank",
    "hotel",
    "games",
    "pets",
    "post",
    "saas",
    "clinic",
    "fitness",
    "travel",
    "auto",
    "shop",
)


def test_a_base_of_one_half_asks_of_that_half_alone() -> None:
    """Else the encoder that has not seen the other half would be asked about what it has seen."""
    intents = [
        Intent(d, f"{d}/{n}", "", tuple(f"{d} {n} слово {t}" for t in range(12)))
        for d in DOMAINS
        for n in range(5)
    ]
    assert {fold_of(d) for d in DOMAINS} == {0, 1}

    for base in support_bases(intents, 10, 1, []):
        texts = [*(text for text, _ in base.questions), *(a.id for a in base.articles)]
        said = {domain for domain in DOMAINS for text in texts if domain in text}
        assert {fold_of(domain) for domain in said} == {base.fold}


def test_passages_that_are_judged_by_are_in_no_base(tmp_path: Path) -> None:
    """Documents of the `_oos` variant stay unseen; a passage's questions are its own."""
    rows = [{"id": f"p{n}", "title": f"Title {n}", "text": f"Passage {n}."} for n in range(80)]
    kb = write_rows(tmp_path / "kb.jsonl", rows)
    write_rows(tmp_path / "kb_oos.jsonl", [{"id": f"p{n}"} for n in range(20)])
    asked = write_rows(
        tmp_path / "test.jsonl", [{"label": f"p{n}", "query": f"about {n}"} for n in range(80)]
    )

    bases = list(passage_bases(kb, asked, 6, 1, "en"))

    seen = {article.id for base in bases for article in base.articles}
    assert seen and not seen & {f"p{n}" for n in range(20)}
    assert all(gold in (None, f"p{text.split()[1]}") for base in bases for text, gold in base.questions)
    assert not {text for base in bases for text, _ in base.questions} & {f"about {n}" for n in range(20)}
