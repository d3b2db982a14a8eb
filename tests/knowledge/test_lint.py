"""The base is looked over the way a strict colleague would: each planted fault is found where it stands, a
clean base is left in peace.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
import yaml

from bot.article_preview import messages
from bot.errors import Problem
from bot.knowledge.articles.schema import Article
from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.codes import read_codes
from bot.knowledge.quality.lint.checks import folded, lint
from bot.knowledge.search import Knowledge
from bot.model import Answer, Candidate, Decision
from bot.text.problems import LOCALES
from bot.text.tone import ToneCheck
from tests.knowledge.shop import write_shop

TODAY = date(2026, 11, 21)


def look(
    folder: Path, changes: Mapping[str, str] | None = None, *, language: str = "ru"
) -> tuple[Problem, ...]:
    """Lint the small shop with *changes* over it."""
    knowledge = Knowledge.open(write_shop(folder, changes), settings=KnowledgeSettings(model="off"))
    return lint(
        knowledge,
        today=TODAY,
        problems=knowledge.problems,
        messages=messages,
        language=language,
        tone=ToneCheck(),
    )


def article(title: str, aliases: str = "[что-то совсем другое]", body: str = "Ответ.", more: str = "") -> str:
    return f"---\ntitle: {title}\naliases: {aliases}\n{more}---\n{body}\n"


def only(problems: tuple[Problem, ...], code: str) -> Problem:
    """The one problem with this code."""
    found = [p for p in problems if p.code == code]
    assert len(found) == 1, problems
    return found[0]


def test_a_clean_base_has_no_errors_and_missing_twins_are_told(tmp_path: Path) -> None:
    """The small shop is fine; since it has one twin, the articles without one are named; a base without twins
    has none missing.
    """
    found = look(tmp_path / "a")
    alone = look(
        tmp_path / "b", {"account/password.en.md": article("Пароль", "[пароль]", more="status: archived\n")}
    )

    assert {Path(p.file).name for p in found if p.code == "KB050"} == {
        "time.md",
        "cost.md",
        "goods.md",
        "failed.md",
        "codes.md",
    }
    assert {p.code for p in found} <= {"KB022", "KB050"}
    assert not [p for p in alone if p.code == "KB050"]


def test_a_question_in_two_articles_is_an_error_at_both_places(tmp_path: Path) -> None:
    """It is told with file, line and column, and where the other one stands."""
    text = (
        "---\ntitle: Оплата частями\naliases:\n  - можно ли частями\n  - Сколько стоит"
        " доставка\n---\nМожно.\n"
    )

    other, problem = (p for p in look(tmp_path, {"payment/parts.md": text}) if p.code == "KB020")

    assert (Path(other.file).name, other.line) == ("cost.md", 3) and "payment/parts" in other.text
    assert (Path(problem.file).name, problem.line, problem.column, problem.severity) == (
        "parts.md",
        5,
        5,
        "error",
    )
    assert "delivery/cost" in problem.text and "cost.md:3" in problem.text


def test_nearly_the_same_questions_are_told(tmp_path: Path) -> None:
    """Other forms, order and fillers do not make another question; other words do."""
    near = look(tmp_path / "a", {"x.md": article("Цена", "[а сколько будет стоить доставка?]")})
    far = look(tmp_path / "b", {"x.md": article("Цена", "[сколько стоит подарочная упаковка]")})

    told = [p for p in near if p.code == "KB021"]
    assert [Path(p.file).name for p in told] == ["cost.md", "x.md"] and "Сколько стоит доставка?" in told[
        1
    ].text
    assert not [p for p in far if p.code == "KB021"]


def test_the_same_question_for_other_customers_is_no_fault(tmp_path: Path) -> None:
    """Twins of another channel or segment may share their questions."""
    for more in ("channels: [vk]\n", "segment: {vip: true}\n"):
        folder = tmp_path / more[:3]
        other = "channels: [telegram]\n" if "channels" in more else ""
        changes = {
            "one.md": article("Скидка дня", "[какая сегодня скидка]", more=more),
            "two.md": article("Скидка", "[какая сегодня скидка]", more=other),
        }
        assert not [p for p in look(folder, changes) if p.code in ("KB020", "KB021")]


def test_equal_titles_are_told_at_both_places(tmp_path: Path) -> None:
    """A title is no question to be kept in one of them: the remedy is another name; other customers may have
    the same.
    """
    changes = {
        "a/pay.md": article("Оплата частями", "[рассрочка есть]"),
        "b/pay.md": article("Оплата  частями", "[плачу долями]"),
    }
    first, second = (p for p in look(tmp_path / "1", changes) if "Оплата" in p.text)

    assert [(p.code, p.line, p.severity) for p in (first, second)] == [("KB038", 2, "warning")] * 2
    assert first.file.endswith("a/pay.md") and "b/pay (pay.md:2)" in first.text
    apart = {
        "a/pay.md": article("Оплата", more="channels: [vk]\n"),
        "b/pay.md": article("Оплата", more="channels: [telegram]\n"),
    }
    assert not [p for p in look(tmp_path / "2", apart) if p.code == "KB038"]


class Elsewhere:
    """A base whose answers to one question lead to another article."""

    def __init__(self, knowledge: Knowledge, question: str, winner: tuple[Candidate, ...]) -> None:
        self.folder, self._knowledge, self._question, self._winner = (
            knowledge.folder,
            knowledge,
            question,
            winner,
        )

    def articles(self) -> tuple[Article, ...]:
        return self._knowledge.articles()

    def internal_articles(self) -> tuple[Article, ...]:
        return self._knowledge.internal_articles()

    def answer(self, question: str, **how: object) -> Answer:
        if question == self._question:
            return Answer(Decision.CLARIFY, self._winner)
        return self._knowledge.answer(question, **how)  # type: ignore[arg-type]


def test_an_alias_that_another_article_wins_names_the_winner(tmp_path: Path) -> None:
    """It is told where it stands, with the article it leads to; its own twin is no rival; nothing found is
    told too.
    """
    knowledge = Knowledge.open(write_shop(tmp_path), settings=KnowledgeSettings(model="off"))

    def stolen(question: str, *winner: Candidate) -> list[Problem]:
        found = lint(Elsewhere(knowledge, question, winner), today=TODAY)
        return [p for p in found if p.code in ("KB022", "KB024") and question in p.text]

    (problem,) = stolen("Возврат товара", Candidate("promo/codes", "Промокод не работает", 0.5))
    assert (Path(problem.file).name, problem.line) == ("goods.md", 4)
    assert "promo/codes («Промокод не работает»)" in problem.text
    assert [p.code for p in stolen("Возврат товара")] == ["KB024"]
    assert not stolen("Сменить пароль", Candidate("account/password.en", "Forgotten password", 0.5))


def test_what_two_articles_claim_is_told_once(tmp_path: Path) -> None:
    """A repeated question is not told again as one that leads elsewhere."""
    found = look(tmp_path, {"a/code.md": article("Акция", "[Куда ввести промокод?]")})

    assert [p.code for p in found if "Куда ввести" in p.text] == ["KB020", "KB020"]


def test_links_and_pictures_that_lead_nowhere(tmp_path: Path) -> None:
    """Articles, buttons, files and pictures; the nearest name is offered, a draft is a warning."""
    body = "Смотрите [[delivery/tim]], [[time]] и [[secret]].\n![](no.png)\n[файл](docs/no.pdf)"
    more = "buttons:\n  - Дальше: returns/good\n"
    found = look(
        tmp_path,
        {
            "x.md": article("Ссылки", body=body, more=more),
            "secret.md": article("Тайна", more="status: draft\n"),
        },
    )

    dead = [p for p in found if p.code == "KB025"]
    assert [(p.line, p.hint) for p in dead] == [
        (5, "возможно, «returns/goods»"),
        (7, "возможно, «delivery/time»"),
    ]
    assert (only(found, "KB026").line, only(found, "KB028").line, only(found, "KB027").severity) == (
        8,
        9,
        "warning",
    )


def test_placeholders_are_errors_but_code_is_not(tmp_path: Path) -> None:
    """Customers would see the braces; what stands in code is meant so."""
    found = look(
        tmp_path, {"x.md": article("Имя", body="Здравствуйте, {{ name }}!\n\n`{это код}` и {order}.")}
    )

    assert [(p.line, p.column) for p in found if p.code == "KB030"] == [(5, 15), (7, 15)]


def test_a_text_too_long_shows_where_it_is_split(tmp_path: Path) -> None:
    """The messages are named with their beginnings and lengths."""
    body = "Коротко.\n\n## Всё\n\n" + "\n\n".join(f"Абзац {n}. " + "слово " * 60 for n in range(20))

    problem = only(look(tmp_path, {"x.md": article("Длинная", body=body)}), "KB031")

    assert problem.line == 5 and "1) «Всё" in problem.text and "2) «" in problem.text


def test_dates_tell_what_is_past_and_what_is_near(tmp_path: Path) -> None:
    """Past, within a fortnight, and far away."""
    days = {"past": "2026-11-20", "near": "2026-11-30", "far": "2027-11-30"}
    found = look(
        tmp_path,
        {
            f"{k}.md": article(f"Акция {k}", f"[{k} акция]", more=f"valid_until: {v}\n")
            for k, v in days.items()
        },
    )

    assert Path(only(found, "KB040").file).name == "past.md"
    near = only(found, "KB041")
    assert Path(near.file).name == "near.md" and "9 дн" in near.text


@pytest.mark.parametrize(
    ("body", "code", "column"),
    [
        ("Уважаемый клиент! Всё просто.", "KB060", 1),
        ("Возврат осуществляется в соответствии с законом.", "KB062", 9),
        ("К сожалению, вернуть товар невозможно.", "KB061", 28),
        ("Мы не можем этого сделать.", "KB061", 4),
    ],
)
def test_an_official_tone_is_told_with_other_words(tmp_path: Path, body: str, code: str, column: int) -> None:
    """Broadcasts, offices and closed doors are told with the place and other words."""
    found = [p for p in look(tmp_path, {"x.md": article("Тон", body=body)}) if p.code == code]

    assert found and (found[0].line, min(p.column for p in found)) == (5, column)


@pytest.mark.parametrize(
    "body",
    [
        "Вернуть свечу невозможно, но можно обменять.",
        "Свечи не принимаем.\n\nНапишите нам, подберём замену.",
        "Не возвращаем: смотрите [[returns/goods]].",
    ],
)
def test_a_refusal_with_a_way_out_is_fine(tmp_path: Path, body: str) -> None:
    """Something to do in the same or the next paragraph, or a link."""
    assert not [p for p in look(tmp_path, {"x.md": article("Тон", body=body)}) if p.code == "KB061"]


def test_english_words_for_every_code(tmp_path: Path) -> None:
    """Every code has English words, also those found while reading; none of ours lacks Russian ones."""
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb" / "broken.md").write_text("---\ntitle: [\n---\nТекст\n", encoding="utf-8")
    found = look(tmp_path / "kb", {"x.md": article("Тон", "[]", body="Уважаемый клиент!")}, language="en")

    assert {"KB003", "KB023", "KB060"} <= {p.code for p in found}
    for problem in found:
        better_words = problem.code in ("KB060", "KB062")  # in the language of the article
        assert better_words or not any("а" <= c <= "я" for c in problem.hint.lower()), problem
    for language in ("ru", "en"):
        words = yaml.safe_load((LOCALES / f"lint.{language}.yaml").read_text("utf-8"))
        for name in read_codes():
            assert name < "KB017" or len(words[name]) == 2, (name, language)


def test_many_warnings_of_a_kind_are_folded() -> None:
    """Errors are all shown; of the rest three and a number."""
    rows = [Problem("w", line=n, code="KB050", severity="warning") for n in range(5)] + [
        Problem("e", code="KB020")
    ] * 5

    shown = list(folded(rows, 3))

    assert [(p.code, hidden) for p, hidden in shown] == [("KB050", 0), ("KB050", 0), ("KB050", 2)] + [
        ("KB020", 0)
    ] * 5
