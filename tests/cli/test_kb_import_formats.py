"""What other programs save comes in as it is: encodings, the habits of spreadsheets, words above the first
question.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.knowledge.articles.importing import ImportedArticle, read_import
from tests.cli.test_kb_exchange import word_file

PAGE = (
    "<html><head>{meta}<title>Помощь</title></head><body><h1>Оплата</h1><p>Наличные не"
    " принимаем.</p>{more}</body></html>"
)
QUESTIONS = "<h2>Как оплатить?</h2><p>Картой.</p><h2>Где чек?</h2><p>На почте.</p>"
WORDS = "<p>Оплатить заказ можно картой или по счёту. Чек придёт на почту в течение часа после оплаты.</p>"


def imported(folder: Path, name: str, content: bytes) -> tuple[ImportedArticle, ...]:
    file = folder / name
    file.write_bytes(content)
    return read_import(file)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp1251", "koi8-r", "utf-16", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize("declared", [True, False])
def test_a_page_in_any_encoding_keeps_its_words(tmp_path: Path, encoding: str, declared: bool) -> None:
    """Declared or not: what the page says is what comes in."""
    meta = (
        f'<meta http-equiv="Content-Type" content="text/html; charset={encoding.removesuffix("-sig")}">'
        if declared
        else ""
    )
    (article,) = imported(tmp_path, "pay.html", PAGE.format(meta=meta, more=WORDS).encode(encoding))

    assert (
        article.title == "Оплата"
        and "Наличные не принимаем." in article.body
        and "Чек придёт на почту" in article.body
    )


def test_words_above_the_first_question_are_an_article_of_their_own(tmp_path: Path) -> None:
    """What stands before the questions is often the rule that holds for all of them."""
    found = imported(tmp_path, "pay.html", PAGE.format(meta="", more=QUESTIONS).encode())

    assert [(a.title, a.body) for a in found] == [
        ("Оплата", "Наличные не принимаем."),
        ("Как оплатить?", "Картой."),
        ("Где чек?", "На почте."),
    ]


TABLE = "Вопрос;Ответ\r\nКак оплатить?;Картой, по счёту\r\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("sep=;\r\n" + TABLE, "cp1251"),
        ("\ufeffsep=;\r\n" + TABLE, "utf-8"),
        ("\r\n" + TABLE, "utf-8"),
        (";;\r\n\r\n" + TABLE, "utf-8"),
        (TABLE, "utf-16"),
        (TABLE.replace(";", "\t"), "utf-16"),
        (TABLE.replace("\r\n", ";\r\n"), "cp1251"),
        ("Вопрос;Ответ;\r\nКак оплатить?;Картой, по счёту;;\r\n", "utf-8"),
    ],
)
def test_a_table_as_a_spreadsheet_saves_it(tmp_path: Path, text: str, encoding: str) -> None:
    """A line that names the separator, blank rows above the head, UTF-16, separators at the end of rows."""
    (article,) = imported(tmp_path, "faq.csv", text.encode(encoding))

    assert (article.title, article.body) == ("Как оплатить?", "Картой, по счёту")


def test_a_fault_in_a_table_is_told_with_the_row_of_the_file(tmp_path: Path) -> None:
    """Lines above the head count."""
    with pytest.raises(ConfigError) as wrong:
        imported(tmp_path, "faq.csv", "sep=;\n\nВопрос;Раздел\n".encode())

    assert wrong.value.problems[0].line == 3


def test_a_merged_cell_says_its_words_in_every_row_it_covers(tmp_path: Path) -> None:
    """Vertically merged cells, at the beginning and inside of rows: every value stays under its own
    heading.
    """
    rows = (
        "<tr><th>Город</th><th>Способ</th><th>Цена</th></tr><tr><td"
        " rowspan='2'>Казань</td><td>Курьер</td><td>350 ₽</td></tr><tr><td>Пункт</td><td rowspan='2'>150"
        " ₽</td></tr><tr><td>Москва</td><td>Пункт</td></tr>"
    )
    (article,) = imported(
        tmp_path, "prices.html", PAGE.format(meta="", more=f"<table>{rows}</table>").encode()
    )

    cells = [
        [c.strip() for c in row.strip("|").split("|")]
        for row in article.body.splitlines()
        if row.startswith("|")
    ]
    assert cells[2:] == [
        ["Казань", "Курьер", "350 ₽"],
        ["Казань", "Пункт", "150 ₽"],
        ["Москва", "Пункт", "150 ₽"],
    ]


def word(folder: Path, body: str, styles: str = "", numbering: str = "") -> ImportedArticle:
    """What comes of a Word file with this body."""
    members = word_file([("", "@")])
    whole = members["word/document.xml"]
    start, end = whole.index("<w:p>"), whole.index("</w:body>")
    members["word/document.xml"] = whole[:start] + body + whole[end:]
    if styles:
        members["word/styles.xml"] = (
            "<w:styles"
            f' xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">{styles}</w:styles>'
        )
    if numbering:
        space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
        members["word/numbering.xml"] = f'<w:numbering xmlns:w="{space}">{numbering}</w:numbering>'
    with zipfile.ZipFile(folder / "pay.docx", "w") as archive:
        for name, text in members.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    (article,) = read_import(folder / "pay.docx")
    return article


def run_of(text: str, how: str = "") -> str:
    return f'<w:r><w:rPr>{how}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def test_hidden_words_of_a_word_file_stay_hidden(tmp_path: Path) -> None:
    """Hidden directly or by a style; a run that a style would hide and that is shown after all stays."""
    runs = [
        run_of("Цена 350 ₽. "),
        run_of("Закупка 90 ₽. ", "<w:vanish/>"),
        run_of("Скидок нет. ", '<w:vanish w:val="0"/>'),
        run_of("Поставщик Иванов.", '<w:rStyle w:val="Inner"/>'),
    ]
    body = f"<w:p>{''.join(runs)}</w:p>"
    style = '<w:style w:type="character" w:styleId="Inner"><w:rPr><w:vanish/></w:rPr></w:style>'

    assert word(tmp_path, body, style).body.strip() == "Цена 350 ₽. Скидок нет."


def test_vertically_merged_cells_of_a_word_table_keep_their_columns(tmp_path: Path) -> None:
    """The city is said in each row it covers."""

    def cell(text: str, how: str = "") -> str:
        return f"<w:tc><w:tcPr>{how}</w:tcPr><w:p>{run_of(text)}</w:p></w:tc>"

    first, more = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"
    rows = (
        [cell("Город"), cell("Способ"), cell("Цена")],
        [cell("Казань", first), cell("Курьер"), cell("350 ₽")],
        [cell("", more), cell("Пункт"), cell("150 ₽")],
    )
    found = word(tmp_path, "<w:tbl>" + "".join(f"<w:tr>{''.join(row)}</w:tr>" for row in rows) + "</w:tbl>")

    cells = [
        [c.strip() for c in row.strip("|").split("|")]
        for row in found.body.splitlines()
        if row.startswith("|")
    ]
    assert cells[-2:] == [["Казань", "Курьер", "350 ₽"], ["Казань", "Пункт", "150 ₽"]]


def steps(*given: str) -> str:
    """Paragraphs: "2/1 text" is one of list 2 at level 1, "2/1h text" a hidden one, "text" a plain one."""
    done = ""
    for one in given:
        place, _, text = one.partition(" ") if "/" in one.split(" ")[0] else ("", "", one)
        number, _, level = place.partition("/")
        hidden = level.endswith("h")
        how = f'<w:numPr><w:ilvl w:val="{level[:1]}"/><w:numId w:val="{number}"/></w:numPr>' if place else ""
        how += "<w:rPr><w:vanish/></w:rPr>" if hidden else ""
        done += f"<w:p><w:pPr>{how}</w:pPr>{run_of(text, '<w:vanish/>' if hidden else '')}</w:p>"
    return done


def abstract(name: str, start: int = 1, deeper: str = "decimal") -> str:
    kinds = ((0, "decimal", start), (1, deeper, 1))
    levels = "".join(
        f'<w:lvl w:ilvl="{n}"><w:start w:val="{first}"/><w:numFmt w:val="{kind}"/></w:lvl>'
        for n, kind, first in kinds
    )
    return f'<w:abstractNum w:abstractNumId="{name}">{levels}</w:abstractNum>'


def num(name: str, of: str, restart: int | None = None) -> str:
    start = f'<w:startOverride w:val="{restart}"/>' if restart else ""
    over = f'<w:lvlOverride w:ilvl="0">{start}</w:lvlOverride>' if start else ""
    return f'<w:num w:numId="{name}"><w:abstractNumId w:val="{of}"/>{over}</w:num>'


@pytest.mark.parametrize(
    ("numbering", "given", "shown"),
    [
        pytest.param(
            abstract("7") + num("1", "7"), ("1/0 А", "1/0 Б", "Подождите.", "1/0 В"),
            ["1. А", "2. Б", "Подождите.", "3. В"], id="goes on after a paragraph",
        ),
        pytest.param(
            abstract("7") + abstract("8") + num("1", "7") + num("2", "8"),
            ("1/0 А", "1/0 Б", "2/0 В", "2/0 Г"),
            ["1. А", "2. Б", "1. В", "2. Г"], id="two lists side by side",
        ),
        pytest.param(
            abstract("7") + num("1", "7") + num("2", "7", 1), ("1/0 А", "1/0 Б", "2/0 В", "2/0 Г"),
            ["1. А", "2. Б", "1. В", "2. Г"], id="restarted by hand",
        ),
        pytest.param(
            abstract("7") + num("1", "7") + num("2", "7"), ("1/0 А", "Подождите.", "2/0 Б"),
            ["1. А", "Подождите.", "2. Б"], id="two numbers of one list go on",
        ),
        pytest.param(
            abstract("7", start=4) + num("1", "7"), ("1/0 А", "1/0 Б"), ["4. А", "5. Б"], id="begins later",
        ),
        pytest.param(
            abstract("7") + num("1", "7"),
            ("1/0 А", "1/1 а", "1/1 б", "1/0 Б", "1/1 в", "Подождите.", "1/0 В"),
            ["1. А", "1. а", "2. б", "2. Б", "1. в", "Подождите.", "3. В"], id="steps inside of steps",
        ),
        pytest.param(
            abstract("7", deeper="bullet") + num("1", "7"), ("1/0 А", "1/1 а", "Подождите.", "1/0 Б"),
            ["1. А", "- а", "Подождите.", "2. Б"], id="signs inside of steps",
        ),
        pytest.param(
            abstract("7") + num("1", "7"), ("1/0 А", "1/0h Б", "Подождите.", "1/0 В"),
            ["1. А", "Подождите.", "2. В"], id="a hidden step has no number",
        ),
    ],
)  # fmt: skip
def test_steps_of_a_word_file_keep_their_numbers(
    tmp_path: Path, numbering: str, given: tuple[str, ...], shown: list[str]
) -> None:
    """«Вернитесь к шагу 3» must find step 3."""
    found = word(tmp_path, steps(*given), numbering=numbering)

    assert [row.strip() for row in found.body.splitlines() if row.strip()] == shown


def test_steps_numbered_by_their_style_keep_their_numbers(tmp_path: Path) -> None:
    """The paragraph itself names no list; its style does, or the style that one is based on."""
    styles = (
        '<w:style w:type="paragraph" w:styleId="Base">'
        '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
        '<w:style w:type="paragraph" w:styleId="Step"><w:basedOn w:val="Base"/></w:style>'
    )
    level = '<w:lvl w:ilvl="0"><w:pStyle w:val="Step"/></w:lvl>'
    numbering = f'<w:abstractNum w:abstractNumId="7">{level}</w:abstractNum>' + num("1", "7")

    def step(text: str) -> str:
        return f'<w:p><w:pPr><w:pStyle w:val="Step"/></w:pPr>{run_of(text)}</w:p>'

    found = word(tmp_path, step("А") + step("Б") + steps("Подождите.") + step("В"), styles, numbering)

    assert [row for row in found.body.splitlines() if row] == ["1. А", "2. Б", "Подождите.", "3. В"]


def test_steps_of_a_page_keep_the_numbers_they_are_given(tmp_path: Path) -> None:
    """A step of a web page may name its number."""
    page = PAGE.format(meta="", more="<ol><li>А</li><li value='5'>Б</li><li>В</li></ol>")
    (article,) = imported(tmp_path, "steps.html", page.encode())

    assert [row for row in article.body.splitlines() if row[:1].isdecimal()] == ["1. А", "5. Б", "6. В"]
