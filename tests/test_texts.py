"""The words of the project and the owner's own: complete, checked, inert."""

from __future__ import annotations

import re
import resource
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bot
from bot.errors import ConfigError
from bot.i18n.filters import Phrases
from bot.i18n.texts import LOCALES, Texts, builtin
from bot.model import Customer, RichText, Span, Style
from bot.text.markdown import to_rich

NOW = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
ROOT = Path(bot.__path__[0])


def owner(folder: Path, **files: str) -> Texts:
    for name, text in files.items():
        (folder / (name.replace("__", ".") + ("" if name.endswith("md") else ".yaml"))).write_text(
            text, "utf-8"
        )
    return Texts.load(overrides=folder)


def test_every_key_has_a_twin_with_the_same_facts() -> None:
    """Our catalogue has no fault: each key in both languages, using the same variables, every template well
    formed.
    """
    entries, problems = builtin()

    assert [str(p) for p in problems] == []
    assert {key for key, lang in entries if lang == "ru"} == {key for key, lang in entries if lang == "en"}


def test_english_words_hold_no_cyrillic_and_nobody_is_a_dear_customer() -> None:
    """The English twin is English, and no text opens with an official vocative."""
    for (key, lang), entry in builtin()[0].items():
        for text in entry.variants:
            assert lang != "en" or not re.search("[а-яё]", text, re.IGNORECASE), key
            assert not re.search("уважаем|dear (customer|client)", text, re.IGNORECASE), key


def test_facts_are_shown_as_they_are() -> None:
    """A customer's Markdown, HTML and template signs arrive literally and style nothing."""
    for name in (
        "**x**",
        "[a](tg://user?id=1)",
        "{{7*7}}",
        "<b>x</b><a href='tg://user?id=1'>",
        "_*[`",
        "# x\n- y",
        "1. x",
        "    code",
        "\\",
    ):
        said = Texts.load().say("faq.maybe", lead=name)
        assert name.strip() in said.text and said.spans == ()


@given(st.text(max_size=200))
def test_any_fact_survives(name: str) -> None:
    """Any text comes out unchanged but for control characters, lone surrogates and the two private marks."""
    kept = "".join(
        c
        for c in name
        if c not in "\ue000\ue001" and not "\ud800" <= c <= "\udfff" and (c >= " " or c in "\n\t")
    )
    said = Texts.load().say("faq.option", number=1, title=name)
    assert said.text == f"1. {kept}".strip() and said.spans == (Span(Style.BOLD, 0, 2),)


def test_rich_facts_keep_their_style() -> None:
    """A styled fact passes with its styles."""
    said = Texts.load().say("faq.option", number=1, title=to_rich("*да*"))
    assert said == RichText("1. да", (Span(Style.BOLD, 0, 2), Span(Style.ITALIC, 3, 2)))


def test_variants_take_turns_by_seed() -> None:
    """The same seed says the same, the next one something else."""
    words = Texts.load()
    said = [words.text("small.thanks", seed=n) for n in range(4)]
    assert said[0] == said[3] and len(set(said[:3])) == 3


def test_language_falls_back() -> None:
    """A language with a region is its base; one without words is the default."""
    words = Texts.load()
    assert words.text("units.today", lang="en-US") == "today"
    assert words.text("units.today", lang="kk") == "сегодня"
    assert words.options("buttons.human") == ("Позвать оператора", "Talk to a person")


def test_unknown_key_and_missing_fact_are_named() -> None:
    """What cannot be said is an error that says where and what to do."""
    words = Texts.load()
    assert words.has("units.today") and not words.has("units.nothing")
    with pytest.raises(ConfigError, match=r"units\.nothing"):
        words.say("units.nothing")
    with pytest.raises(ConfigError, match=r"en\.yaml.*title"):
        words.say("faq.option", number=1)


def test_owner_changes_one_key_and_keeps_the_rest(tmp_path: Path) -> None:
    """A ru.yaml with one key changes one text; parts and long Markdown files work as well."""
    words = owner(
        tmp_path,
        ru="buttons:\n  human: Живой человек\n",
        shop__ru="shop:\n  hi: Привет\n",
        shop__en="shop: {hi: Hi}\n",
        shop__rules__ru__md="# Правила\n\n- раз",
        shop__rules__en__md="# Rules",
    )
    assert words.text("buttons.human") == "Живой человек"
    assert words.text("buttons.human", lang="en") == "Talk to a person"
    assert (words.text("shop.hi"), words.text("shop.rules"), words.text("shop.rules", lang="en")) == (
        "Привет",
        "Правила\n\n• раз",
        "Rules",
    )
    assert words.problems == ()


def test_every_fault_of_the_owner_is_told_at_once(tmp_path: Path) -> None:
    """Syntax, unknown variables and unknown filters come together, each with its file and line."""
    text = (
        "faq:\n  option: '{{ nummer }}'\n  maybe: |\n    {{ lead }}\n    {% if %}\n  gone: '{{ 1|shout }}'\n "
        " clarify: '{{ x.__class__ }} {{ f() }}'\n"
    )
    with pytest.raises(ConfigError) as raised:
        owner(tmp_path, ru=text)

    told = {(p.line, p.text.split(":")[0]) for p in raised.value.problems if p.severity == "error"}
    assert told == {
        (2, "в «faq.option» нет переменной «nummer»"),
        (5, "шаблон «faq.maybe»"),
        (6, "шаблон «faq.gone»"),
        (7, "шаблон «faq.clarify»"),
    }
    assert all(p.file.endswith("ru.yaml") and p.hint for p in raised.value.problems)


def test_missing_twin_and_mistyped_key_are_warnings(tmp_path: Path) -> None:
    """An own key in one language, and a key that nearly is one of ours, are told but stop nothing."""
    words = owner(tmp_path, ru="buttons: {humann: Человек}\n")
    assert sorted(p.text for p in words.problems) == [
        "ключ «buttons.humann» неизвестен",
        "у «buttons.humann» нет перевода",
    ]
    assert any("buttons.human»" in p.hint for p in words.problems)


def test_owner_template_that_fails_gives_way_to_ours(tmp_path: Path) -> None:
    """A fault that shows only while speaking never silences the bot."""
    words = owner(tmp_path, ru="faq:\n  option: '{{ number + title }}'\n")
    assert words.text("faq.option", number=1, title="x") == "1. x"


@pytest.mark.parametrize(
    "template",
    [
        "".join(f"{{% for {name} in range(2000) %}}" for name in "abc") + "x" + "{% endfor %}" * 3,
        "{{ 'a' * 200000000 }}", "{{ 9 ** 99999999 }}", "{{ '%0999999999d' % 1 }}",
        "{{ range(200000000)|list }}", "{{ range(99999999)|join('x') }}",
        "{{ range(2000)|join('" + "x" * 100_000 + "') }}",
        "{% set x = 'aaaaaaaaaa' %}" + "{% set x = x ~ x ~ x ~ x %}" * 30 + "{{ x }}",
        "{% set x = [1] %}" + "{% set x = x + x %}" * 40,
        "{% for a in range(1000) %}{{ number }}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{% endfor %}",
    ],
)  # fmt: skip
def test_greedy_templates_stop_at_once(tmp_path: Path, template: str) -> None:
    """Loops, powers and doublings end within moments and without memory, and our words are said instead."""
    words = owner(tmp_path, ru="faq:\n  option: |\n    " + template)
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()

    assert words.text("faq.option", number=1, title="x") == "1. x"
    assert time.perf_counter() - start < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


@pytest.mark.parametrize(
    "template",
    ["{{ ''.__class__ }}", "{{ title.upper() }}", "{{ '{:>999999999}'.format(1) }}",
    "{{ 'x'|center(9999999) }}", "{% macro a() %}{% endmacro %}",
     "{% include 'x' %}", "{{ title|attr('__class__') }}", "{{ lipsum }}", "{% set ns = namespace() %}"],
)  # fmt: skip
def test_templates_reach_nothing_but_facts(tmp_path: Path, template: str) -> None:
    """Attributes of Python, calls, macros, files and globals are refused at load or give way to our words."""
    try:
        words = owner(tmp_path, ru="faq:\n  option: |\n    " + template)
    except ConfigError as error:
        assert error.problems[0].line == 3
    else:
        assert words.text("faq.option", number=1, title="x") == "1. x"


@pytest.mark.parametrize(
    "text",
    [
        "a: &x [1]\nb: *x\n",
        "a: !!python/object/apply:os.system [id]\n",
        "a: [\n",
        "[" * 20_000,
        "a: {b: [{c: d}]}\n",
        "a: 1\na: 2\n",
    ],
)
def test_bad_yaml_is_an_error_with_a_line(tmp_path: Path, text: str) -> None:
    """Anchors, unclosed brackets, deep nesting, repeated keys: told in words, at once, nothing executed."""
    start = time.perf_counter()
    try:
        words = owner(tmp_path, ru=text)
    except ConfigError as error:
        assert all(p.file.endswith("ru.yaml") and p.line for p in error.problems if p.severity == "error")
    else:
        assert words.text("a") == "id"  # a tag is not obeyed: only its text is there
    assert time.perf_counter() - start < 3


def test_filters_speak_russian_and_english(tmp_path: Path) -> None:
    """Plurals, cases, gender, days, times, durations, money and lists agree with their facts."""
    ru = {
        "plural": "{{ n }} {{ n|plural('минута','минуты','минут') }}",
        "who": "{{ c|dat }}, {{ 'Павел Коваль'|ins }}",
        "g": "{{ c|gendered('рад','рада') }}",
        "when": "{{ at|day(now) }} с {{ at|time }}, {{ at|date(now) }}",
        "took": "{{ 300|about }}, {{ 4000|about }}, {{ 7000|about }}, {{ 120|duration }}",
        "past": "{{ at|ago(now) }}",
        "sum": "{{ 1234.5|money }} {{ 990|money }}",
        "all": "{{ items|listed }}",
        "styled": "{{ n|bold }} {{ n|code }}",
    }
    own = "\n".join(f'  {k}: "{v}"' for k, v in ru.items())
    words = owner(tmp_path, ru=f"t:\n{own}\n", en=f"t:\n{own}\n")
    anna, at = Customer(1, "Анна", "Черных"), NOW + timedelta(hours=11)

    assert [words.text("t.plural", n=n) for n in (1, 2, 5, 11, 21)] == [
        "1 минута",
        "2 минуты",
        "5 минут",
        "11 минут",
        "21 минута",
    ]
    assert words.text("t.plural", n=2, lang="en") == "2 минуты"
    assert words.text("t.who", c=anna) == "Анне, Павлом Ковалем"
    assert words.text("t.g", c=anna) == "рада"
    assert words.text("t.when", at=at, now=NOW) == "завтра с 10:00, 22 ноября"
    assert words.text("t.when", at=NOW + timedelta(days=2), now=NOW).startswith("в понедельник")
    assert words.text("t.when", at=NOW + timedelta(days=60), now=NOW).startswith("20 января 2027")
    assert words.text("t.when", at=at, now=NOW, lang="en") == "tomorrow с 10:00, November 22"
    assert words.text("t.took") == "около 5 минут, около 2 часов, около 2 часов, 2 минуты"
    assert words.text("t.past", at=NOW - timedelta(minutes=5), now=NOW) == "5 минут назад"
    assert words.text("t.sum").replace("\u00a0", " ") == "1 234,50 ₽ 990 ₽"
    assert words.text("t.all", items=["фото", "видео", "голос"]) == "фото, видео и голос"
    assert words.say("t.styled", n=7).spans == (Span(Style.BOLD, 0, 1), Span(Style.CODE, 2, 1))


def test_unfit_names_are_left_out() -> None:
    """A nickname never stands in a greeting."""
    words = Texts.load(facts={"business": "Ромашка"})
    assert words.text("hello.start", customer=Customer(1, "Анна")).startswith(
        "Здравствуйте, Анна! Это бот поддержки «Ромашка»."
    )
    assert words.text("hello.start", customer=Customer(1, "xXx_killer")).startswith("Здравствуйте! Это")


def test_locales_are_shipped() -> None:
    """Both languages stand beside the code."""
    assert {"ru.yaml", "en.yaml"} <= {p.name for p in LOCALES.iterdir()}


GUIDE = ROOT.parent / "docs" / "ru" / "teksty.md"


def test_guide_shows_what_is_true(tmp_path: Path) -> None:
    """Every filter of ours is in the guide, its YAML loads as an owner's file, and its examples come out as
    it says.
    """
    text = GUIDE.read_text("utf-8")
    for name in Phrases(str, UTC).filters():
        assert f"`{name}`" in text or f"\\|{name}" in text, name
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert not [p for p in owner(folder, ru=block).problems if "неизвестен" in p.text]

    rows = re.findall(r"^\| `(\{\{.*?\}\})` \| (.*?) \|$", text, re.MULTILINE)
    (tmp_path / "rows").mkdir()
    own = "\n".join(f"  r{n}: |\n    {source}".replace("\\|", "|") for n, (source, _) in enumerate(rows))
    words = owner(tmp_path / "rows", ru=f"rows:\n{own}\n")
    facts: dict[str, Any] = {
        "customer": Customer(1, "Анна", "Черных"),
        "operator": "Павел Коваль",
        "now": NOW,
        "opens": NOW + timedelta(hours=11),
        "written": NOW - timedelta(minutes=5),
        "seconds": 290,
        "sum": 1234.5,
        "number": 1042,
        "count": 3,
        "what": ["фото", "видео", "голос"],
    }
    assert len(rows) > 15
    for n, (source, said) in enumerate(rows):
        assert words.text(f"rows.r{n}", **facts).replace("\u00a0", " ") == said, source
