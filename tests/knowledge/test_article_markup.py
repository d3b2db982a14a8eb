"""What an editor wrote reaches the customer as it is written, or is refused with its file and line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.dialogs.article_rendering import portion
from bot.knowledge.articles.markup import clean_body, escaped
from bot.knowledge.articles.repository import ArticleRepository
from bot.knowledge.articles.schema import Article, read_articles
from bot.testing.harness import open_test_bot
from bot.text.markdown import plain

HEAD = "---\ntitle: Статья\n---\n"


def read(folder: Path, text: str, name: str = "a.md") -> tuple[dict[str, Article], list[tuple[int, str]]]:
    (folder / name).write_bytes(text.encode())
    articles, problems = read_articles(folder)
    return {a.id: a for a in articles}, [(p.line, p.code) for p in problems]


# --- heads that are not recognised
# -----------------------------------------------------------------------------------

_INNER = "title: Внутреннее\nstatus: draft\n"


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        (f"\n---\n{_INNER}---\nТекст", 2, "KB019"),
        (f"   \n\n---\n{_INNER}---\nТекст", 3, "KB019"),
        (f"----\n{_INNER}----\nТекст", 1, "KB019"),
        (f"\ufeff\ufeff---\n{_INNER}---\nТекст", 1, "KB019"),
        (f"\u200b---\n{_INNER}---\nТекст", 1, "KB019"),
        (f"—\n{_INNER}—\nТекст", 1, "KB019"),
        (f" ---\n{_INNER}---\nТекст", 1, "KB019"),
        ('+++\ntitle = "Внутреннее"\ndraft = true\n+++\nТекст', 1, "KB019"),
        (f"```yaml\n{_INNER}```\nТекст", 1, "KB019"),
        (f"{_INNER}\nТекст", 1, "KB019"),
        (f"---\n{_INNER}---\nТекст".replace("\n", "\r"), 1, "KB015"),
        (f"---\n{_INNER}\nТекст", 1, "KB002"),
    ],
)
def test_a_head_that_is_not_recognised_publishes_nothing(
    tmp_path: Path, text: str, line: int, code: str
) -> None:
    """A draft would be offered to customers, with its YAML."""
    articles, problems = read(tmp_path, text)

    assert (articles, problems) == ({}, [(line, code)])


@pytest.mark.parametrize("name", ["index.md", "readme.md"])
def test_a_lost_head_is_told_in_any_file(tmp_path: Path, name: str) -> None:
    """A page about the folder has no head; one with a head is an article."""
    assert read(tmp_path, "\n---\ntitle: А\n---\nт", name) == ({}, [(2, "KB019")])
    assert read(tmp_path, "О папке", name) == ({}, [])


@pytest.mark.parametrize(
    "text",
    [
        "---\n\nТекст после черты\n\n---\nещё",
        "\n\nПросто текст",
        "----\nТекст",
        "Status: we ship daily",
        "\n---\nЭто: важно",
    ],
)
def test_what_is_no_head_is_not_taken_for_one(tmp_path: Path, text: str) -> None:
    """A line across the page is none."""
    articles, problems = read(tmp_path, text)

    assert "KB019" not in [code for _, code in problems] and (bool(articles) or text.startswith("---\n"))


def test_windows_line_ends_and_one_mark_at_the_beginning_are_read(tmp_path: Path) -> None:
    """As Notepad saves them; also where a program doubled the CR."""
    articles, problems = read(tmp_path, "\ufeff---\r\ntitle: А\r\nstatus: draft\r\r\n---\r\nТекст\r\n")

    assert problems == [] and (articles["a"].title, articles["a"].status, articles["a"].body) == (
        "А",
        "draft",
        "Текст",
    )


# --- files that are no articles
# --------------------------------------------------------------------------------------


def test_files_that_look_like_articles_are_told(tmp_path: Path) -> None:
    """A text, a Word file, a table in the folder: not an article, and not silently.

    Pictures and hidden files are no news.
    """
    (tmp_path / "sub").mkdir()
    for name in ("sub/vozvrat.txt", "dostavka.docx", "faq.CSV", "pic.png", ".hidden.txt", "~$dostavka.docx"):
        (tmp_path / name).write_bytes(b"x")

    _, problems = read_articles(tmp_path)
    library = ArticleRepository(tmp_path)

    assert [(Path(p.file).name, p.code, p.severity) for p in problems] == [
        (n, "KB018", "warning") for n in ("dostavka.docx", "faq.CSV", "vozvrat.txt")
    ]
    assert library.read()[1] == problems == library.read()[1]


@pytest.mark.parametrize(("encoding", "named"), [("cp1251", "1251"), ("utf-16", "utf_16"), ("utf-16-le", "")])
def test_other_encodings_are_named(tmp_path: Path, encoding: str, named: str) -> None:
    """An article in the encoding of old Windows is an error that says so."""
    words = (
        "---\ntitle: Как вернуть товар\n---\nВернуть товар можно в течение тридцати дней, если сохранился чек"
        " и упаковка.\n"
    )
    (tmp_path / "a.md").write_bytes(words.encode(encoding))

    articles, problems = read_articles(tmp_path)

    assert articles == () and [p.code for p in problems] == ["KB001"] and named in problems[0].text


# --- marks that would be shown raw
# -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "line", "code"),
    [
        ("раз\n\nдва %% тайна", 6, "KB033"),
        ("%%\nтайна\n\nтекст", 4, "KB033"),
        ("раз\nдва <!-- тайна\n\nтекст -->", 5, "KB033"),
        ("раз\n<div>два</div>", 5, "KB034"),
        ("раз <b>два", 4, "KB034"),
        ("<a href='https://a.ru'>сайт</a>", 4, "KB034"),
        ("раз[^1]\n\n[^1]: сноска внизу", 4, "KB035"),
        ("раз\n\n![план](images/a (1).png)", 6, "KB036"),
        ("[слова](мой файл.md)", 4, "KB036"),
        ("| Город | Срок |\n|---|---|\n| Казань | 3 дня | 300 ₽ |", 6, "KB037"),
    ],
)
def test_marks_that_customers_would_see_are_refused_with_their_line(
    tmp_path: Path, body: str, line: int, code: str
) -> None:
    """Nothing raw is ever shown."""
    articles, problems = read(tmp_path, HEAD + body)

    assert articles == {} and (line, code) in problems


def test_marks_in_code_are_words(tmp_path: Path) -> None:
    """In a fence and between backquotes everything is shown and nothing is put in."""
    body = "Так: `%% x` и `[[y]]` и `<div>`\n\n````\n```\n![[z]]\n{{ include z }}\n%% [^1]\n<!--\n````"

    articles, problems = read(tmp_path, HEAD + body)

    assert problems == []
    assert (
        plain(articles["a"].body)
        == "Так: %% x и [[y]] и <div>\n\n```\n![[z]]\n{{ include z }}\n%% [^1]\n<!--"
    )


def test_pictures_with_brackets_in_their_names_are_found(tmp_path: Path) -> None:
    """Brackets that pair, and anything in angle brackets."""
    (tmp_path / "images").mkdir()
    for name in ("b_(1).png", "a (1).png"):
        (tmp_path / "images" / name).write_bytes(b"x")

    articles, problems = read(
        tmp_path, f"{HEAD}Вот ![план](images/b_(1).png), и\n\n> вот ![план](<images/a (1).png>)!"
    )

    assert problems == []
    assert (tuple(f.path for f in articles["a"].attached), plain(articles["a"].body)) == (
        ("images/b_(1).png", "images/a (1).png"),
        "Вот , и\n\nвот !",
    )


def test_remarks_are_gone_from_everything_that_is_made_of_a_body(tmp_path: Path) -> None:
    """Body, parts, the first words; lines still point into the file."""
    articles, problems = read(
        tmp_path, f"{HEAD}%%\nтайна\n\n## тайна\n%%\n\nРаз %%тайна%%\n\n## Два <!-- тайна -->\n\nтри\n"
    )

    article = articles["a"]
    assert problems == [] and "тайна" not in repr(article)
    assert (article.lead, [p.heading.strip() for p in article.passages], article.lines[0]) == (
        "Раз",
        ["", "Два"],
        10,
    )


def test_links_are_called_by_the_titles_of_their_articles(tmp_path: Path) -> None:
    """`[[ceny]]` is read as «Цены * 2», whatever the file is called; own words and code stay."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "ceny.md").write_text('---\ntitle: "Цены * 2 * 3"\n---\nСто', encoding="utf-8")

    articles, _ = read(
        tmp_path,
        f"{HEAD}См. [[ceny]], [[sub/ceny|прайс]], [[ceny#a]], [[нет]] и `[[ceny]]`.\n\n## Ещё"
        " [[ceny]]\n\nвот",
    )

    assert (
        plain(articles["a"].body).split("\n")[0] == "См. Цены * 2 * 3, прайс, Цены * 2 * 3, нет и [[ceny]]."
    )
    assert plain(articles["a"].lead) == plain(articles["a"].body).split("\n")[0]
    assert plain(articles["a"].passages[1].heading) == "Ещё Цены * 2 * 3"


def test_addresses_given_below_reach_every_part(tmp_path: Path) -> None:
    """A part may be shown without the end of the article."""
    articles, problems = read(
        tmp_path,
        f"{HEAD}См. [сайт][1] и [Почта].\n\n## Ещё\n\nтекст\n\n[1]: https://a.ru\n[почта]: https://b.ru",
    )

    assert problems == []
    assert (
        articles["a"].lead == "См. [сайт](<https://a.ru>) и [Почта](<https://b.ru>)."
        and "[1]" not in articles["a"].body
    )


def test_headings_underlined_make_parts_and_titles(tmp_path: Path) -> None:
    """Both ways of writing a heading are one."""
    articles, _ = read(tmp_path, "**Возврат** товара\n=======\n\nраз\n\nДальше\n------\n\nдва")

    assert (articles["a"].title, [(p.heading, p.text) for p in articles["a"].passages]) == (
        "Возврат товара",
        [("", "раз"), ("Дальше", "два")],
    )


_WORDS = st.text(
    st.characters(categories=("L", "N"), include_characters=" ,.;:?!%*+-()/№«»—₽"), min_size=1, max_size=60
)
_MARKUP = re.compile(r"%%|(?:^|[^\w*])\*+[^\s*]|\*\*|^[-+*]\s|^[-* ]{2,}$")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_WORDS, min_size=1, max_size=4))
def test_words_without_markup_arrive_as_they_are_written(tmp_path: Path, paragraphs: list[str]) -> None:
    """Whatever letters, numbers and signs of everyday texts: read, parted, joined and shown, they are the
    same.
    """
    rows = [row for p in paragraphs if (row := " ".join(p.split())) and not _MARKUP.search(row)]

    markup = clean_body("\n\n".join(rows), 1, tmp_path / "a.md", tmp_path, "a.md")

    assert markup.problems == () and re.split("\n+", plain(markup.body)) == (
        rows or [""]
    )  # lone dashes in a row stand closer


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_and_never_raises(text: str) -> None:
    """Whatever the body, its rows and lines belong together; words that are escaped are words."""
    markup = clean_body(text.replace("\r", ""), 5, Path("kb/a.md"), Path("kb"), "kb/a.md")

    assert len(markup.lines) == len(markup.body.split("\n")) or not markup.body
    line = " ".join(text.split())
    assert (
        plain(f"x {escaped(line)} x") == f"x {line} x".replace("  ", " ")
        or not line
        or "&" in line
        or not line.isprintable()
    )


async def test_preview_and_the_live_bot_say_the_words_of_the_file(tmp_path: Path) -> None:
    """A number with a point, sizes and percents, through the whole service."""
    body = "2019.\n\n60*40*20 см, скидка 5%% … 10%%\n\n500)"
    (tmp_path / "a.md").write_text(
        f"---\ntitle: Размер коробки\naliases: [какой размер коробки]\n---\n{body}\n", encoding="utf-8"
    )

    async with open_test_bot(tmp_path) as testbot:
        customer = testbot.customer()
        await customer.says("какой размер коробки")

        heard = "\n".join(customer.hears())
        (article,) = read_articles(tmp_path)[0]
        assert body in heard and portion(article).text.text == body
