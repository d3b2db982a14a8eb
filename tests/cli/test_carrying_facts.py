"""What other programs save comes in as it is: encodings, the habits of spreadsheets, words above the first question."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.knowledge.importing import Imported, read_import
from tests.cli.test_carrying import word_file

PAGE = "<html><head>{meta}<title>Помощь</title></head><body><h1>Оплата</h1><p>Наличные не принимаем.</p>{more}</body></html>"
QUESTIONS = "<h2>Как оплатить?</h2><p>Картой.</p><h2>Где чек?</h2><p>На почте.</p>"
WORDS = "<p>Оплатить заказ можно картой или по счёту. Чек придёт на почту в течение часа после оплаты.</p>"


def imported(folder: Path, name: str, content: bytes) -> tuple[Imported, ...]:
    file = folder / name
    file.write_bytes(content)
    return read_import(file)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "koi8-r", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("declared", [True, False])
def test_a_page_in_any_encoding_keeps_its_words(tmp_path: Path, encoding: str, declared: bool) -> None:
    """Declared or not: what the page says is what comes in."""
    meta = f'<meta http-equiv="Content-Type" content="text/html; charset={encoding.removesuffix("-sig")}">' if declared else ""
    (article,) = imported(tmp_path, "pay.html", PAGE.format(meta=meta, more=WORDS).encode(encoding))

    assert article.title == "Оплата" and "Наличные не принимаем." in article.body and "Чек придёт на почту" in article.body


def test_words_above_the_first_question_are_an_article_of_their_own(tmp_path: Path) -> None:
    """What stands before the questions is often the rule that holds for all of them."""
    found = imported(tmp_path, "pay.html", PAGE.format(meta="", more=QUESTIONS).encode())

    assert [(a.title, a.body) for a in found] == [("Оплата", "Наличные не принимаем."), ("Как оплатить?", "Картой."), ("Где чек?", "На почте.")]


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
    """Vertically merged cells, at the beginning and inside of rows: every value stays under its own heading."""
    rows = (
        "<tr><th>Город</th><th>Способ</th><th>Цена</th></tr>"
        "<tr><td rowspan='2'>Казань</td><td>Курьер</td><td>350 ₽</td></tr><tr><td>Пункт</td><td rowspan='2'>150 ₽</td></tr>"
        "<tr><td>Москва</td><td>Пункт</td></tr>"
    )
    (article,) = imported(tmp_path, "prices.html", PAGE.format(meta="", more=f"<table>{rows}</table>").encode())

    cells = [[c.strip() for c in row.strip("|").split("|")] for row in article.body.splitlines() if row.startswith("|")]
    assert cells[2:] == [["Казань", "Курьер", "350 ₽"], ["Казань", "Пункт", "150 ₽"], ["Москва", "Пункт", "150 ₽"]]


def word(folder: Path, body: str, styles: str = "") -> Imported:
    """What comes of a Word file with this body."""
    members = word_file([("", "@")])
    whole = members["word/document.xml"]
    start, end = whole.index("<w:p>"), whole.index("</w:body>")
    members["word/document.xml"] = whole[:start] + body + whole[end:]
    if styles:
        members["word/styles.xml"] = f'<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">{styles}</w:styles>'
    with zipfile.ZipFile(folder / "pay.docx", "w") as archive:
        for name, text in members.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    (article,) = read_import(folder / "pay.docx")
    return article


def run_of(text: str, how: str = "") -> str:
    return f'<w:r><w:rPr>{how}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def test_hidden_words_of_a_word_file_stay_hidden(tmp_path: Path) -> None:
    """Hidden directly or by a style; a run that a style would hide and that is shown after all stays."""
    body = (
        f"<w:p>{run_of('Цена 350 ₽. ')}{run_of('Закупка 90 ₽. ', '<w:vanish/>')}{run_of('Скидок нет. ', '<w:vanish w:val=' + chr(34) + '0' + chr(34) + '/>')}"
        f"{run_of('Поставщик Иванов.', '<w:rStyle w:val=' + chr(34) + 'Inner' + chr(34) + '/>')}</w:p>"
    )
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

    cells = [[c.strip() for c in row.strip("|").split("|")] for row in found.body.splitlines() if row.startswith("|")]
    assert cells[-2:] == [["Казань", "Курьер", "350 ₽"], ["Казань", "Пункт", "150 ₽"]]
