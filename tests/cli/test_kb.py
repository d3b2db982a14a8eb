"""The editor's commands: lint, preview, new and stats, as an editor calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.errors import Problem
from tests.cli.conftest import Run

FAULTY = (
    "---\ntitle: Оплата картой\naliases:\n  - Сколько стоит доставка?\n---\nУважаемый клиент, {{ name }}!\n"
)


def test_lint_ends_with_one_where_there_are_errors(run: Run, shop: Path) -> None:
    """Warnings alone are no failure unless --strict says so."""
    run("kb", "lint")
    run("kb", "lint", "--strict", code=1)
    (shop / "kb_articles" / "card.md").write_text(FAULTY, encoding="utf-8")

    told = run("kb", "lint", code=1).output

    assert "kb_articles/card.md:4:5: KB020" in told
    assert "kb_articles/card.md:6:19: KB030" in told
    assert "Ошибок: 3" in told


def test_lint_for_programs_and_for_github(run: Run, shop: Path) -> None:
    """The same findings as JSON and as annotations."""
    (shop / "kb_articles" / "card.md").write_text(FAULTY, encoding="utf-8")

    rows = json.loads(run("kb", "lint", "--json", code=1).stdout)
    lines = run("kb", "lint", "--format", "github", code=1).output.splitlines()

    assert {(r["code"], r["severity"], r["line"]) for r in rows if r["file"] == "kb_articles/card.md"} >= {
        ("KB020", "error", 4),
        ("KB060", "warning", 6),
    }
    assert len(lines) == len(rows)
    assert any(
        line.startswith("::error file=kb_articles/card.md,line=4,col=5,title=KB020::") for line in lines
    )
    run("kb", "lint", "--format", "xml", code=2)


def test_lint_tells_of_broken_heads_and_of_the_owners_words(run: Run, shop: Path) -> None:
    """Reading problems and wrong templates of the wording folder come in the same list."""
    (shop / "kb_articles" / "bad.md").write_text("---\ntitle: [\n---\nТекст\n", encoding="utf-8")
    (shop / "words").mkdir()
    (shop / "words" / "ru.yaml").write_text(
        'faq:\n  helped: "Рады помочь, {{ stranger }}!"\n', encoding="utf-8"
    )
    with (shop / "config.yaml").open("a", encoding="utf-8") as file:
        file.write("wording: {folder: words}\n")

    told = run("kb", "lint", "--all", code=1).output

    assert "kb_articles/bad.md:3:1: KB003" in told
    assert "words/ru.yaml" in told and "stranger" in told


@pytest.mark.parametrize("command", [("kb", "lint", "--all", "--quick"), ("config", "check")])
def test_single_braces_are_told_wherever_words_are_written(
    run: Run, shop: Path, command: tuple[str, ...]
) -> None:
    """`{customer.name}` of one's own words and ready answers would go out as it stands: file and line are
    told.
    """
    (shop / "words").mkdir()
    (shop / "words" / "ru.yaml").write_text(
        "faq:\n  helped: 'Рады помочь, {customer.name}!'\n", encoding="utf-8"
    )
    (shop / "ready").mkdir()
    (shop / "ready" / "all.yaml").write_text(
        "привет: |\n  Здравствуйте!\n  Вы {customer|name}?\n", encoding="utf-8"
    )
    with (shop / "config.yaml").open("a", encoding="utf-8") as file:
        file.write("wording: {folder: words}\ncanned: {folder: ready}\n")

    told = run(*command, code=1).output

    assert "words/ru.yaml:2" in told and "{customer.name}" in told
    assert "ready/all.yaml:3" in told and "{customer|name}" in told


def test_a_fault_of_a_playbook_or_a_scenario_is_told_before_the_start(run: Run, shop: Path) -> None:
    for folder, text in (("steps", "late:\n  step: [x]\n"), ("played", "\nlate:\n  lines: [x]\n")):
        (shop / folder).mkdir()
        (shop / folder / "own.yaml").write_text(text, "utf-8")
    with (shop / "config.yaml").open("a", encoding="utf-8") as file:
        file.write("playbooks: {folder: steps}\nquality: {mystery: true, scenarios: played}\n")

    told = run("config", "check", code=1).output

    assert "steps/own.yaml:1" in told and "played/own.yaml:2" in told


def test_preview_shows_both_skins_or_one(run: Run) -> None:
    """By id, by file name, by title; the answer with the buttons customers get."""
    both = run("kb", "preview", "delivery/time").stdout
    one = run("kb", "preview", "Сроки доставки", "--skin", "vk").stdout

    assert "Telegram" in both and "ВКонтакте" in both and both.count("Собираем заказ") == 2
    assert "Telegram" not in one and "Собираем заказ" in one and "[ Позвать оператора" in one
    assert run("kb", "preview", "time").stdout == both
    assert "delivery/time" in run("kb", "preview", "delivery/tim", code=1).output
    run("kb", "preview", "time", "--skin", "icq", code=2)


def test_new_makes_a_draft_once_and_only_inside(run: Run, shop: Path) -> None:
    """The file can be previewed at once; a second call and a way out of the folder are refused."""
    run("kb", "new", "Можно ли обменять?", "--section", "returns")
    draft = shop / "kb_articles" / "returns" / "mozhno-li-obmenyat.md"

    assert "title: Можно ли обменять?" in draft.read_text("utf-8") and "status: draft" in draft.read_text(
        "utf-8"
    )
    assert "черновик" in run("kb", "preview", "returns/mozhno-li-obmenyat").output
    draft.write_text("моё", encoding="utf-8")
    run("kb", "new", "Можно ли обменять?", "--section", "returns", code=1)
    assert draft.read_text("utf-8") == "моё"
    run("kb", "new", "Наружу", "--section", "../..", code=1)
    run("kb", "new", "delivery/abroad")
    assert (shop / "kb_articles" / "delivery" / "abroad.md").is_file()


def test_stats_count_what_is_there(run: Run, shop: Path) -> None:
    """Articles, questions and the reach of the golden questions."""
    (shop / "tests").mkdir()
    (shop / "tests" / "questions.yaml").write_text(
        '- {q: "когда привезут", article: delivery/time}\n', encoding="utf-8"
    )

    figures = json.loads(run("kb", "stats", "--json").stdout)

    assert (figures["articles"], figures["by_language"], figures["twins"], figures["golden_covered"]) == (
        7,
        {"ru": 6, "en": 1},
        1,
        1,
    )
    assert "returns/goods" in figures["golden_missing"]
    assert "статей" in run("kb", "stats").stdout


def test_a_problem_reads_as_a_place_in_a_file() -> None:
    """Editors make the beginning of the line clickable."""
    assert str(Problem("плохо", "a.md", 3, 5, "исправьте", "KB020")) == "a.md:3:5: KB020 плохо → исправьте"


TONE = """
canned: {folder: ready}
wording: {folder: words}
tone: {own: [{pattern: "ваша заявк*", instead: ваш вопрос}]}
"""


def test_how_ready_answers_and_own_texts_sound_is_told_by_file_and_line(run: Run, shop: Path) -> None:
    """By the linter, `config check` and the doctor alike; what the bot only listens for is left in peace."""
    for name, text in (
        (
            "ready/a.yaml",
            "хорошо: Вернём деньги за 3 дня.\nотказ:\n  text: |\n    Здравствуйте!\n    Это невозможно.\n",
        ),
        ("words/ru.yaml", "faq:\n  helped: Ваша заявка закрыта.\ndesk:\n  tone: [в соответствии с]\n"),
    ):
        (shop / name).parent.mkdir()
        (shop / name).write_text(text, encoding="utf-8")
    with (shop / "config.yaml").open("a", encoding="utf-8") as file:
        file.write(TONE)

    rows = json.loads(run("kb", "lint", "--json").stdout)
    checked, looked = run("config", "check").output, run("doctor").output

    places = {(r["code"], r["file"], r["line"], r["column"]) for r in rows if r["code"].startswith("KB06")}
    assert places == {("KB061", "ready/a.yaml", 5, 9), ("KB063", "words/ru.yaml", 2, 11)}
    for told in (checked, looked):
        assert "ready/a.yaml:5" in told and "«Ваша заявка»: так мы не говорим" in told
        assert "лучше: «ваш вопрос»" in told and "в соответствии с" not in told


def test_without_the_check_no_remark_is_made(run: Run, shop: Path) -> None:
    """`tone.check: false`: the words of an article are its editor's alone."""
    (shop / "kb_articles" / "card.md").write_text(FAULTY, encoding="utf-8")
    with (shop / "config.yaml").open("a", encoding="utf-8") as file:
        file.write("tone: {check: false}\n")

    assert "KB060" not in run("kb", "lint", "--all", code=1).output
