"""Articles are written the way editors do, and a head stays as it was but for the one new question."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
import yaml

from bot.knowledge.articles.drafts import ArticleHead, article_text, quoted, slug_of, with_question
from bot.knowledge.articles.frontmatter import split_head
from bot.knowledge.articles.schema import read_articles
from bot.knowledge.articles.writer import add_questions

HEADS = {
    "block": (
        "---\ntitle: Тест # моё\naliases:\n  - первый\n  - 'второй: да'\n# конец\nlang: ru\n---\nТекст\n"
    ),
    "flow": "---\naliases: [первый, второй]\ntitle: Тест\n---\nТекст\n",
    "flow over lines": "---\naliases: [\n  первый,\n  второй,\n]\n---\nТекст\n",
    "empty": "---\ntitle: Тест\naliases: []\n---\nТекст\n",
    "null": "---\ntitle: Тест\naliases:\nlang: ru\n---\nТекст\n",
    "one": "---\ntitle: Тест\naliases: первый\nlang: ru\n---\nТекст\n",
    "none": "---\ntitle: Тест\n---\nТекст\n",
    "no head": "# Тест\n\nТекст\n",
    "other name": "---\nquestions:\n- первый\n---\nТекст\n",
    "windows": "---\r\ntitle: Тест\r\naliases:\r\n  - первый\r\n---\r\nТекст\r\n",
    "comment behind": "---\naliases:\n  - первый  # важно\nlang: ru\n---\nТекст\n",
}


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("question", ["где: мой #заказ?", "простой вопрос", "да", '«Кавычки» и "прямые"'])
def test_a_question_joins_any_head_and_nothing_else_changes(name: str, question: str) -> None:
    """The new file differs by the question only, whatever form the list has; a repeat changes nothing."""
    before = HEADS[name]

    after = with_question(before, question)

    old, new = ((yaml.safe_load(head) or {}) if (head := split_head(t)[0]) else {} for t in (before, after))
    key = "questions" if "questions" in new else "aliases"
    had = old.get(key) or []
    assert new.pop(key) == [*([had] if isinstance(had, str) else had), question]
    old.pop(key, None)
    assert new == old
    assert split_head(after)[1] == split_head(before)[1]
    assert [c for c in ("# моё", "# конец", "# важно") if c in before] == [
        c for c in ("# моё", "# конец", "# важно") if c in after
    ]
    assert with_question(after, question.upper()) == after


def test_a_head_that_cannot_be_read_is_refused() -> None:
    """Nothing is written into a file that is broken already."""
    with pytest.raises(ValueError):
        with_question("---\naliases: [\n---\n", "вопрос")
    with pytest.raises(ValueError):
        with_question("---\naliases: []\n", "вопрос")


def test_a_new_article_can_be_read(tmp_path: Path) -> None:
    """Title and questions with anything in them come back as they were."""
    title, aliases = 'Что: "это" # такое?', ["да", "- тире", "[скобки]", "где мой заказ?", "100%"]
    (tmp_path / "a.md").write_text(
        article_text(
            ArticleHead(title=title, aliases=aliases, status="draft", topic="доставка", tags=["а", "б: в"]),
            "Ответ.",
        ),
        encoding="utf-8",
    )

    (article,), problems = read_articles(tmp_path)

    assert not problems
    assert (article.title, article.aliases, article.status, article.topic, article.tags) == (
        title,
        tuple(aliases),
        "draft",
        "доставка",
        ("а", "б: в"),
    )


def test_names_of_files() -> None:
    """Latin, short, never empty."""
    assert slug_of("Как вернуть товар?") == "kak-vernut-tovar"
    assert slug_of("Ёжик & объявление") == "ezhik-obyavlenie"
    assert slug_of("???") == "statya"
    assert quoted("где мой заказ?") == "где мой заказ?"


def _added(path: Path, name: str) -> None:
    (article,) = read_articles(path)[0]
    for number in range(10):
        add_questions(article, [f"вопрос {name} номер {number}", "общий вопрос"])


def test_two_editors_at_once_lose_no_example(tmp_path: Path) -> None:
    """Processes that write one article wait for one another: each example is there, once, and the rest
    stays.
    """
    (tmp_path / "a.md").write_text(HEADS["block"], "utf-8")
    editors = [multiprocessing.Process(target=_added, args=(tmp_path, name)) for name in "абвг"]
    for editor in editors:
        editor.start()
    for editor in editors:
        editor.join()

    (article,), _ = read_articles(tmp_path)
    wanted = {f"вопрос {name} номер {number}" for name in "абвг" for number in range(10)}
    assert sorted(article.aliases) == sorted({"первый", "второй: да", "общий вопрос", *wanted})
    assert "# моё" in (tmp_path / "a.md").read_text("utf-8")
