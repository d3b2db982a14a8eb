"""`bot test`: questions and stories that hold pass, those that do not are shown and can be rewritten."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from bot.config.loader import read_config
from bot.errors import ConfigError
from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.search import Knowledge
from bot.testing.stories import play, read_stories
from bot.web.playground.journal import Journal
from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]
QUESTIONS = """# вопросы
- {q: "сколько дней идёт доставка", article: delivery/time}  # верно
- {q: "не могу войти в аккаунт", article: promo/codes}
- {q: "позовите живого человека", decision: clarify}
"""
STORY = """- test: Вопрос
  channel: vk
  customer: {name: Анна, last_name: Соловей, gender: female}
  clock: 2026-11-20T12:00+03:00
  steps:
  - says: Не могу войти в аккаунт
  - hears: Нажмите «Забыли пароль»
  - hears_not: Промокод
  - presses: Нет, не помогло
  - operator_hears: войти в аккаунт
  - clock: +2h
  - operator_presses: Взять
  - operator_says: Здравствуйте, уже смотрю
  - hears: уже смотрю
"""


@pytest.fixture
def stories(shop: Path) -> Path:
    (shop / "tests" / "dialogs").mkdir(parents=True)
    return shop / "tests" / "dialogs"


def test_wrong_questions_are_shown_and_rewritten(run: Run, stories: Path) -> None:
    """Exit code 1 and both sides of the difference; --update changes the expectations and nothing else."""
    file = stories.parent / "questions.yaml"
    file.write_text(QUESTIONS, encoding="utf-8")

    told = run("test", code=1).output
    run("test", "--update")

    assert "tests/questions.yaml:3: «не могу войти в аккаунт»" in told
    assert "- promo/codes" in told and "+ account/password" in told and "верно 1 из 3" in told
    changed = file.read_text("utf-8")
    assert changed == QUESTIONS.replace("article: promo/codes", "article: account/password").replace(
        "decision: clarify", "decision: handoff"
    )
    run("test")


def test_stories_are_played_and_rewritten(run: Run, stories: Path) -> None:
    """A story that holds passes; a wrong line is shown with what was heard, and rewritten in its place."""
    file = stories / "login.yaml"
    file.write_text(STORY, encoding="utf-8")
    run("test", str(file))
    wrong = STORY.replace("Нажмите «Забыли пароль»", "Совсем другое")
    file.write_text(wrong, encoding="utf-8")

    told = run("test", code=1).output
    rows = json.loads(run("test", "--json", code=1).stdout)
    run("test", "--update")

    assert "tests/dialogs/login.yaml:7" in told and "+ Нажмите" in told.replace(
        "Здравствуйте, Анна!", "Нажмите"
    )
    assert rows["stories"][0]["wrong"][0]["hears"] == "Совсем другое"
    assert [
        i
        for i, (a, b) in enumerate(zip(wrong.splitlines(), file.read_text("utf-8").splitlines(), strict=True))
        if a != b
    ] == [6]
    run("test")


def test_a_step_that_cannot_be_done_ends_the_story(run: Run, stories: Path) -> None:
    """Pressing what is not there is told with the buttons that are."""
    (stories / "a.yaml").write_text(
        "- test: нет кнопки\n  steps:\n  - says: Не могу войти в аккаунт\n  - presses: Купить\n  -"
        " hears: x\n",
        encoding="utf-8",
    )

    told = run("test", code=1).output

    assert "presses: Купить" in told and "Да, помогло" in told and "hears: x" not in told


def test_what_the_playground_saves_can_be_played(run: Run, stories: Path) -> None:
    """The very YAML of «Сохранить как тест», variants of words included."""
    journal = Journal()
    at = datetime.fromisoformat("2026-11-20T12:00:00+03:00").isoformat()

    def note(author: str, text: str, *, press: str = "", desk: bool = False) -> None:
        message = {
            "id": text + press,
            "author": author,
            "press": press,
            "text": text,
            "at": at,
            "attachments": [],
        }
        journal.note(
            "message",
            {"channel": "play-desk" if desk else "play-telegram", "chat": "c1", "message": message},
            desk=desk,
        )

    note("customer", "Не могу войти в аккаунт")
    note("bot", "Здравствуйте, Анна!\n\nНажмите «Забыли пароль»")
    note("customer", "", press="Да, помогло")
    note("bot", "Хорошо, что помогло! Появится вопрос — пишите.")
    note("customer", "оператора")
    note("bot", "Анна, зову оператора.\nНомер обращения — №7.")
    note("customer", "", press="Взять", desk=True)
    note("customer", "// заметка", desk=True)
    note("customer", "Слушаю вас", desk=True)
    note("operator", "Слушаю вас")
    text = journal.story("Анна Соловей", "play-telegram", "c1", {"name": "Анна", "gender": "female"})
    (stories / "saved.yaml").write_text(text, encoding="utf-8")

    assert [next(iter(s)) for s in yaml.safe_load(text)[0]["steps"]].count("operator_says") == 2
    run("test", "tests/dialogs/saved.yaml")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("- q: a\n  article: b\n- q: c\n", 3),
        ("- {q: a, decision: maybe}\n", 1),
        ("- {q: a, articel: b, article: c}\n", 1),
        ("a: b\n", 1),
        ("- test: t\n  steps:\n  - shouts: a\n", 3),
        ("- test: t\n", 1),
    ],
)
def test_files_that_make_no_sense_are_told_with_their_line(
    run: Run, stories: Path, text: str, line: int
) -> None:
    """Nothing is asked then."""
    (stories / "x.yaml").write_text(text, encoding="utf-8")

    assert f"tests/dialogs/x.yaml:{line}" in run("test", "tests/dialogs/x.yaml", code=1).output


def test_nothing_to_test_is_said(run: Run) -> None:
    """With what to do."""
    assert "Сохранить как тест" in run("test", code=1).output
    assert "нет.yaml" in run("test", "нет.yaml", code=1).output


async def test_the_demo_shops_stories_hold() -> None:
    """Each of them, with search by words alone, as a machine without the encoder would run them."""
    knowledge = Knowledge.open(ROOT / "kb_articles", settings=KnowledgeSettings(model="off"))
    told = [s for f in sorted((ROOT / "tests" / "dialogs").glob("*.yaml")) for s in read_stories(f)]
    config = read_config(ROOT / "config.yaml", environment={})

    wrong = [
        (p.story.name, d.step.doing, d.step.text, d.got)
        for s in told
        if not (p := await play(s, knowledge, config)).right
        for d in p.played
        if not d.right
    ]

    assert len(told) >= 8
    assert not wrong


def test_an_empty_file_holds_no_story(tmp_path: Path) -> None:
    """And a broken one says where."""
    (tmp_path / "a.yaml").write_text("", encoding="utf-8")
    (tmp_path / "b.yaml").write_text("- test: [\n", encoding="utf-8")

    assert read_stories(tmp_path / "a.yaml") == ()
    with pytest.raises(ConfigError) as caught:
        read_stories(tmp_path / "b.yaml")
    assert caught.value.problems[0].line == 2
