"""Articles come in from other programs and go out to them; nothing is overwritten, nothing from outside is
trusted.
"""

from __future__ import annotations

import csv
import re
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from bot.errors import ConfigError
from bot.knowledge.articles.importing import ImportedArticle, check_archive, read_import, write_import
from bot.knowledge.articles.schema import Article, read_articles
from tests.cli.conftest import Run

PAGE = """<html><head><title>Помощь</title><style>x{}</style></head><body><nav>Меню</nav>
<h1>Частые вопросы</h1>
<h2>Как <b>оплатить</b>?</h2><p>Картой, <a href="https://shop.example/pay">подробнее</a>.</p>
<ul><li>раз</li><li>два</li></ul>
<script>alert(1)</script><details><summary>Где чек?</summary><p>На почте.</p></details></body></html>"""


def word_file(rows: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The members of the smallest .docx with these paragraphs: style and text, <b> for bold."""
    schema = "http://schemas.openxmlformats.org"
    body = ""
    for style, text in rows:
        bold = "<w:rPr><w:b/></w:rPr>"
        parts = enumerate(re.split("</?b>", text))
        runs = "".join(
            f'<w:r>{bold if n % 2 else ""}<w:t xml:space="preserve">{part}</w:t></w:r>'
            for n, part in parts
            if part
        )
        head = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
        body += f"<w:p>{head}{runs}</w:p>"
    kind = f"{schema}/officeDocument/2006/relationships/officeDocument"
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    return {
        "[Content_Types].xml": (
            f'<Types xmlns="{schema}/package/2006/content-types"><Default Extension="xml"'
            f' ContentType="{main}"/></Types>'
        ),
        "_rels/.rels": (
            f'<Relationships xmlns="{schema}/package/2006/relationships"><Relationship Id="r1" Type="{kind}"'
            ' Target="word/document.xml"/></Relationships>'
        ),
        "word/document.xml": (
            f'<w:document xmlns:w="{schema}/wordprocessingml/2006/main"><w:body>{body}</w:body></w:document>'
        ),
    }


def articles(shop: Path, section: str = "") -> dict[str, Article]:
    found, problems = read_articles(shop / "kb_articles")
    assert not problems
    return {a.id: a for a in found if a.id.startswith(section)}


def test_a_table_becomes_drafts(run: Run, shop: Path) -> None:
    """Questions with the same answer are one article; a Windows spreadsheet is read; nobody sees them yet."""
    text = (
        "Вопрос;Ответ;Раздел\nКак оплатить?;Картой;Оплата\nЧем платить;Картой;Оплата\nГде чек: бумажный #1;На"
        " почте;Оплата\n;;\n"
    )
    (shop / "faq.csv").write_bytes(text.encode("cp1251"))

    assert "Ничего не записано" in run("kb", "import", "faq.csv", "--dry-run").stdout
    run("kb", "import", "faq.csv")

    found = articles(shop, "oplata")
    assert {a.title: (a.aliases, a.body, a.status) for a in found.values()} == {
        "Как оплатить?": (("Чем платить",), "Картой", "draft"),
        "Где чек: бумажный #1": ((), "На почте", "draft"),
    }


def test_files_that_are_there_stay(run: Run, shop: Path) -> None:
    """A second import writes nothing, an edited file is not touched."""
    (shop / "faq.csv").write_text("title,body\nКак оплатить,Картой\n", encoding="utf-8")
    run("kb", "import", "faq.csv", "--section", "new", "--status", "published")
    file = shop / "kb_articles" / "new" / "kak-oplatit.md"
    file.write_text("---\ntitle: Моё\n---\nТекст\n", encoding="utf-8")

    told = run("kb", "import", "faq.csv", "--section", "new").stdout

    assert "Записано статей: 0, пропущено: 1" in told
    assert file.read_text("utf-8") == "---\ntitle: Моё\n---\nТекст\n"


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".jsonl"])
def test_what_goes_out_comes_back(run: Run, shop: Path, suffix: str) -> None:
    """Ids, titles, questions and bodies are the same after the way out and in."""
    odd = (
        '---\ntitle: "=Формула: да"\naliases: ["-1 товар", "a, b; c"]\ntags: [один, два]\n---\n- раз\n-'
        " [[delivery/time|два]]\n"
    )
    (shop / "kb_articles" / "odd.md").write_text(odd, encoding="utf-8")
    before = articles(shop)
    run("kb", "export", f"all{suffix}")
    (shop / "kb_articles").rename(shop / "old")
    (shop / "kb_articles").mkdir()

    run("kb", "import", f"all{suffix}")

    after = articles(shop)
    assert set(after) == set(before)
    for name, article in before.items():
        for field in ("title", "body", "lang", "tags", "status"):
            assert getattr(after[name], field) == getattr(article, field), field
        assert after[name].aliases == article.aliases


def test_no_cell_is_a_formula(run: Run, shop: Path) -> None:
    """What an editor wrote never runs in a spreadsheet."""
    (shop / "kb_articles" / "odd.md").write_text('---\ntitle: "=1+1"\n---\n@cmd\n', encoding="utf-8")
    run("kb", "export", "all.csv")
    run("kb", "export", "all.xlsx")

    with (shop / "all.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = [c for row in csv.reader(file) for c in row]
    assert "'=1+1" in cells and not any(c.startswith(("=", "@", "+")) for c in cells)
    sheet = load_workbook(shop / "all.xlsx").active
    assert sheet is not None and {c.data_type for row in sheet.iter_rows() for c in row if c.value} == {"s"}
    run("kb", "export", "all.txt", code=1)


def test_a_page_of_questions_is_parted_by_its_headings(run: Run, shop: Path) -> None:
    """Menus, scripts and styles stay outside, links and lists come along."""
    (shop / "faq.html").write_text(PAGE, encoding="utf-8")

    run("kb", "import", "faq.html", "--section", "faq")

    found = {a.title: a.body for a in articles(shop, "faq").values()}
    assert found == {
        "Как оплатить?": "Картой, [подробнее](https://shop.example/pay).\n\n- раз\n- два",
        "Где чек?": "На почте.",
    }


def test_pictures_of_a_word_file_come_along(run: Run, shop: Path) -> None:
    """They lie beside the article and are shown by it; drawings that no messenger shows are left out."""
    schema = "http://schemas.openxmlformats.org"
    png = bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
    )
    shown = "".join(
        f'<w:p><w:r><w:drawing><wp:inline xmlns:wp="{schema}/drawingml/2006/wordprocessingDrawing"><a:graphic'
        f' xmlns:a="{schema}/drawingml/2006/main">'
        f'<a:graphicData><pic:pic xmlns:pic="{schema}/drawingml/2006/picture"><pic:blipFill><a:blip'
        f' xmlns:r="{schema}/officeDocument/2006/relationships" r:embed="{n}"/>'
        "</pic:blipFill></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"
        for n in ("i1", "i2")
    )
    members = word_file([("Heading1", "Как снять мерки"), ("", "Смотрите рисунок")])
    members["word/document.xml"] = members["word/document.xml"].replace("</w:body>", f"{shown}</w:body>")
    members["[Content_Types].xml"] = members["[Content_Types].xml"].replace(
        "</Types>",
        '<Default Extension="png" ContentType="image/png"/><Default Extension="emf"'
        ' ContentType="image/x-emf"/></Types>',
    )
    image = f"{schema}/officeDocument/2006/relationships/image"
    members["word/_rels/document.xml.rels"] = (
        f'<Relationships xmlns="{schema}/package/2006/relationships"><Relationship Id="i1" Type="{image}"'
        f' Target="media/a.png"/><Relationship Id="i2" Type="{image}" Target="media/b.emf"/></Relationships>'
    )
    with zipfile.ZipFile(shop / "merki.docx", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.writestr("word/media/a.png", png)
        archive.writestr("word/media/b.emf", b"drawing")

    run("kb", "import", "merki.docx", "--section", "merki")

    (article,) = articles(shop, "merki").values()
    [picture] = (shop / "kb_articles" / "merki" / "images").iterdir()
    assert (article.body, tuple(f.path for f in article.attached)) == (
        "Смотрите рисунок",
        (f"merki/images/{picture.name}",),
    ) and picture.read_bytes() == png
    run("kb", "lint")


def test_a_folder_of_word_files(run: Run, shop: Path) -> None:
    """Each document is an article, folders are sections, headings and lists stay."""
    (shop / "docs" / "Возврат").mkdir(parents=True)
    rows = [
        ("Heading1", "Как вернуть"),
        ("", "Принесите товар и <b>чек</b>"),
        ("Heading2", "Сроки"),
        ("", "14 дней"),
    ]
    with zipfile.ZipFile(shop / "docs" / "Возврат" / "one.docx", "w") as archive:
        for name, content in word_file(rows).items():
            archive.writestr(name, content)

    run("kb", "import", "docs")

    (article,) = articles(shop, "vozvrat").values()
    assert article.title == "Как вернуть"
    assert article.body == "Принесите товар и **чек**\n\n## Сроки\n\n14 дней"


def test_bombs_and_strangers_are_refused(run: Run, shop: Path) -> None:
    """Too much when unpacked, too many members, declared entities, no archive at all."""
    for name, members in {
        "bomb.xlsx": {"a.xml": b"0" * 60_000_000},
        "many.docx": {f"{n}.txt": b"" for n in range(5001)},
        "entity.docx": {
            "word/document.xml": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
        },
        "utf16.xlsx": {
            "xl/workbook.xml": '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a><a/>'.encode("utf-16")
        },
    }.items():
        with zipfile.ZipFile(shop / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in members.items():
                archive.writestr(member, content)
        with pytest.raises(ConfigError):
            check_archive(shop / name)
        run("kb", "import", name, code=1)
    (shop / "fake.docx").write_text("не архив", encoding="utf-8")
    assert "это не файл .docx" in run("kb", "import", "fake.docx", code=1).output
    run("kb", "import", "config.yaml", code=1)
    run("kb", "import", "nosuch.csv", code=2)


def test_a_table_without_the_columns_says_which(run: Run, shop: Path) -> None:
    """With the names that are understood; sheets that are something else are passed over where there are
    several.
    """
    (shop / "a.csv").write_text("x,y\n1,2\n", encoding="utf-8")
    assert "вопрос" in run("kb", "import", "a.csv", code=1).output
    book = Workbook()
    assert book.active is not None
    book.active.append(["просто", "лист"])
    sheet = book.create_sheet("FAQ")
    sheet.append(["Question", "Answer"])
    sheet.append(["Сколько будет 2+2", 4])
    book.save(shop / "b.xlsx")

    assert [(a.title, a.body) for a in read_import(shop / "b.xlsx")] == [("Сколько будет 2+2", "4")]


def test_nothing_leaves_the_folder(tmp_path: Path) -> None:
    """Ids and sections of strangers are only names."""
    items = [
        ImportedArticle("Раз", "а", id="../../etc/x"),
        ImportedArticle("Два", "б", section="../../out"),
        ImportedArticle("Два", "в"),
        ImportedArticle("Два", "г", id="/abs"),
    ]

    brought = write_import(items, tmp_path / "kb", section="")

    assert {p.relative_to(tmp_path / "kb").as_posix() for p in brought.written} == {
        "etc/x.md",
        "out/dva.md",
        "dva.md",
        "abs.md",
    }


@pytest.mark.parametrize(
    ("file", "module"), [("a.xlsx", "openpyxl"), ("a.docx", "mammoth"), ("a.html", "markdownify")]
)
def test_a_missing_library_is_named_with_the_way_to_get_it(
    run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch, file: str, module: str
) -> None:
    """Nothing of the import extra is needed until such a file comes."""
    monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
    with zipfile.ZipFile(shop / file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.txt"), "")  # of 1980, whatever today is

    told = run("kb", "import", file, code=1).output

    assert module in told and "otklik[import]" in told
