"""YAML is read as it is written, everywhere: no number, time or switch is made of words, and nothing wins
silently.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.config.loader import read_config
from bot.errors import BotError, ConfigError
from bot.handoff.assist.canned import CannedAnswers
from bot.handoff.sla.hours import Hours
from bot.i18n.texts import Texts
from bot.knowledge.articles.schema import Article, read_articles
from bot.knowledge.quality.golden import read_golden
from bot.testing.stories import read_stories


def article(tmp_path: Path, head: str) -> tuple[Article | None, list[tuple[int, str]]]:
    (tmp_path / "a.md").write_text(f"---\n{head}\n---\nТекст ответа.", encoding="utf-8")
    found, problems = read_articles(tmp_path)
    return (found[0] if found else None), [(p.line, p.code) for p in problems]


@pytest.mark.parametrize(
    "words",
    [
        "12:30",
        "016",
        "1_000",
        "1.10",
        "+79161234567",
        "on",
        "yes",
        "No",
        "2026-11-05",
        "1e3",
        "0x1F",
        ".5",
        "true",
    ],
)
def test_the_words_of_a_head_stay_as_they_are_written(tmp_path: Path, words: str) -> None:
    """A time, a number with a nought before it, a switch of YAML: to a customer they are words."""
    found, problems = article(
        tmp_path,
        f"title: {words}\naliases: [{words}, {words} руб]\ntags:\n  - {words}\nbuttons:\n  - {words}:"
        " https://a.ru",
    )

    assert found is not None and problems == []
    assert (found.title, found.aliases, found.tags) == (words, (words, f"{words} руб"), (words,))
    assert [b.label for b in found.buttons] == [words]


def test_what_a_switch_and_a_day_of_a_head_mean_is_still_known(tmp_path: Path) -> None:
    """Where a key is no text, the words are read by it."""
    for head, status in (
        ("draft: yes", "draft"),
        ("draft: true", "draft"),
        ("publish: no", "draft"),
        ("draft: false", "published"),
    ):
        found, problems = article(
            tmp_path, f"title: Т\n{head}\nvalid_until: 2030-12-31\nsegment: {{vip: true}}"
        )
        assert found is not None and (found.status, found.segment, str(found.valid_until), problems) == (
            status,
            {"vip": ()},
            "2030-12-31",
            [],
        )


@pytest.mark.parametrize(
    ("head", "line"),
    [
        ("title: Тариф #1 лучший", 2),
        ("aliases:\n  - тариф #1", 3),
        ("title: Т\ntags: #акция", 3),
        ("title: Т\nbuttons:\n  - {label: Тариф, url: 'https://a.ru'}\ntopic: цены #2", 5),
    ],
)
def test_what_yaml_takes_for_a_remark_is_warned_of(tmp_path: Path, head: str, line: int) -> None:
    """Half of a title would be gone without a word."""
    _, problems = article(tmp_path, head)

    assert (line, "KB017") in problems


def test_remarks_that_cut_nothing_are_not_warned_of(tmp_path: Path) -> None:
    """Behind quotation marks, behind a key with a list below, and on lines of their own they are what they
    look like.
    """
    found, problems = article(
        tmp_path,
        '# кто пишет\ntitle: "Т" # в кавычках\naliases: # вопросы\n  - раз\nstatus: published # пока',
    )

    assert found is not None and (found.title, found.aliases, problems) == ("Т", ("раз",), [])


@pytest.mark.parametrize(
    ("head", "line"),
    [
        ("title: !Важное про доставку", 2),
        ("title: ! Важно", 2),
        ("title: Т\nbuttons: [{label: а, label: б, url: 'https://a.ru'}]", 3),
    ],
)
def test_what_yaml_would_swallow_is_refused_with_its_line(tmp_path: Path, head: str, line: int) -> None:
    """A mark of YAML at the beginning of a word, and a key inside a value that stands twice."""
    found, problems = article(tmp_path, head)

    assert found is None and [p for p, _ in problems] == [line]


def test_extra_questions_are_words(tmp_path: Path) -> None:
    """«yes» and 12:30 are questions as good as any."""
    (tmp_path / "more.yaml").write_text("a: [on, 12:30, 007]\n", encoding="utf-8")

    found, _ = article(tmp_path, "title: Т")

    assert found is not None and found.aliases == ("on", "12:30", "007")


def config_problems(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_config(file, environment={})
    return [str(p).rpartition("/")[2] for p in caught.value.problems]


def test_config_values_that_docs_name_are_taken(tmp_path: Path) -> None:
    """`off` names a model that is none; other texts stay texts, and numbers, switches and null are what the
    key wants.
    """
    file = tmp_path / "config.yaml"
    file.write_text(
        "knowledge: {embeddings: {model: off}, watch: off, answer_threshold: 0.75}\nbusiness: {name:"
        " 007}\nweb: {port: 8081}\nhours: {country: null, week: {mon: 9:00-18:00}, exceptions: {2026-12-31:"
        " closed}}\nsla: {quiet_warn: ~, policies: [{resolution: null, first_reply: 15m}]}\ndesk: {channel:"
        " play-x, chat: -100500}\nrouting: {priority: [{fields: {vip: yes}, add: -2}]}\nreport:"
        " {weekly_digest: no}\n",
        encoding="utf-8",
    )

    config = read_config(file, environment={})

    assert (config.knowledge.embeddings.model, config.knowledge.watch, config.knowledge.answer_threshold) == (
        "off",
        False,
        0.75,
    )
    assert (config.business.name, config.web.port, config.hours.country, config.sla.quiet_warn) == (
        "007",
        8081,
        None,
        None,
    )
    assert (dict(config.hours.week), list(map(str, config.hours.exceptions))) == (
        {"mon": "09:00-18:00"},
        ["2026-12-31"],
    )
    assert config.desk is not None and config.desk.chat == "-100500"
    assert (
        dict(config.routing.priority[0].fields),
        config.routing.priority[0].add,
        config.report.weekly_digest,
    ) == ({"vip": "yes"}, -2, False)


def test_a_key_that_stands_twice_in_the_config_is_refused(tmp_path: Path) -> None:
    """At the top and further in, with the line of the second."""
    assert config_problems(tmp_path, "web: {port: 1}\nbusiness: {name: A}\nweb: {port: 2}\n")[0].startswith(
        "config.yaml:3:"
    )
    assert config_problems(tmp_path, "business:\n  name: A\n  language: ru\n  name: B\n")[0].startswith(
        "config.yaml:4:"
    )


def canned(folder: Path, text: str) -> CannedAnswers:
    (folder / "answers.yaml").write_text(text, encoding="utf-8")
    return CannedAnswers(folder, Texts.load(), Hours())


def test_ready_answers_are_words(tmp_path: Path) -> None:
    """Keys, names and texts, whatever YAML would make of them."""
    known = canned(tmp_path, "yes: {title: 12:30, words: [on, 016], text: 1_000}\n100: 007\n")

    assert [(r.key, r.title, r.words, r.text) for r in known.find("")] == [
        ("yes", "12:30", ("on", "016"), "1_000"),
        ("100", "100", (), "007"),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("paid: Оплачено\npaid: Не оплачено\n", 2),
        ("paid:\n  text: раз\n  text: два\n", 3),
        ("paid:\n  title: Оплата\n  text: Заказ #{{ ticket }} готов\n", 3),
        ("paid: {titel: Оплата, text: да}\n", 1),
        ("a: да\npaid:\n  text: |\n    Раз\n    {{ oh( }}\n", 5),
        ("a: да\npaid: [раз, два]\n", 2),
        ("a: 'да\n", 2),
    ],
)
def test_faults_of_ready_answers_have_their_lines(tmp_path: Path, text: str, line: int) -> None:
    """Nothing is dropped or cut on the way to a customer."""
    with pytest.raises(BotError) as caught:
        canned(tmp_path, text)

    assert isinstance(caught.value, ConfigError) and [p.line for p in caught.value.problems] == [line]


def test_locale_overrides_are_not_cut_at_a_hash(tmp_path: Path) -> None:
    """«Заказ #5» would be sent as «Заказ»."""
    (tmp_path / "ru.yaml").write_text("faq:\n  x: раз\n  y: Заказ #{{ seed }} готов\n", encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        Texts.load("ru", tmp_path)

    assert any(p.line == 3 and "#" in p.text for p in caught.value.problems)


def test_golden_questions_and_stories_are_words(tmp_path: Path) -> None:
    """«12:30» is what somebody says, not 750."""
    (tmp_path / "q.yaml").write_text(
        "- {q: 12:30, article: 016, answered: true}\n- {q: yes, decision: handoff}\n", encoding="utf-8"
    )
    (tmp_path / "s.yaml").write_text(
        "- test: 12:30\n  clock: 2026-11-20T12:00+03:00\n  steps: [{says: 12:30}, {says: yes}]\n",
        encoding="utf-8",
    )

    assert [(g.q, g.article, g.answered) for g in read_golden(tmp_path / "q.yaml")] == [
        ("12:30", "016", True),
        ("yes", "", False),
    ]
    (story,) = read_stories(tmp_path / "s.yaml")
    assert (story.name, [s.text for s in story.steps], str(story.clock)) == (
        "12:30",
        ["12:30", "yes"],
        "2026-11-20 12:00:00+03:00",
    )


@pytest.mark.parametrize("text", ["- {q: a, q: b, article: c}\n", "- q: a\n  article: b\n  article: c\n"])
def test_a_key_that_stands_twice_is_refused_in_tests_too(tmp_path: Path, text: str) -> None:
    """The second would win without a word."""
    (tmp_path / "q.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError):
        read_golden(tmp_path / "q.yaml")


@pytest.mark.parametrize("reader", [read_golden, read_stories, read_config])
@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"- a: 1\n  a: 2"])
def test_a_file_that_cannot_be_read_is_told_alike(
    tmp_path: Path, reader: Callable[[Path], object], content: bytes | None
) -> None:
    """Missing, in another encoding or not YAML: one problem with the file's name and what to do."""
    file = tmp_path / "file.yaml"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(ConfigError) as raised:
        reader(file)

    (problem,) = raised.value.problems
    assert problem.file == file.as_posix() and problem.text and problem.hint
