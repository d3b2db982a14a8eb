"""Articles are read with every fault named, and nothing in a folder can break the reading."""

from __future__ import annotations

import os
import re
from datetime import date
from pathlib import Path

import pytest

from bot.knowledge.articles.catalog import ArticleCatalog
from bot.knowledge.articles.repository import ArticleRepository
from bot.knowledge.articles.schema import read_articles
from bot.text.markdown import plain


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_DOT_", ".")
        path = path.with_name(path.name + ("" if "." in path.name else ".md"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_front_matter_and_obsidian_habits(tmp_path: Path) -> None:
    """Lists and strings, comments, wiki links, callouts, a heading that repeats the title, images taken
    out.
    """
    (tmp_path / "pic.png").write_bytes(b"x")
    write(
        tmp_path,
        a=(
            "---\ntitle: Возврат\nalias: как вернуть\ntags: '#возврат, деньги'\nvalid_until:"
            " 31.12.2030\nsegment: {vip: true}\n---\n# Возврат\n\nПервое %%тайна%% слово, см."
            " [[b|доставку]]:\n\n- раз\n- два\n\n![[pic.png]]\n\n## Дальше\n\n> [!note] Важно\n> ==Текст==\n"
        ),
        b="Просто текст",
    )

    (a, b), problems = read_articles(tmp_path)

    assert problems == ()
    assert (a.id, a.title, a.aliases, a.tags) == ("a", "Возврат", ("как вернуть",), ("возврат", "деньги"))
    assert a.valid_until == date(2030, 12, 31)
    assert a.segment == {"vip": ()}
    assert a.lead == "Первое  слово, см. доставку:\n\n- раз\n- два"
    assert [(f.path, f.passage) for f in a.attached] == [("pic.png", 0)]
    assert [p.heading for p in a.passages] == ["", "Дальше"]
    assert plain(a.passages[1].text) == "Важно\nТекст" and "тайна" not in a.body
    assert (b.title, b.body) == ("B", "Просто текст")


def test_lines_point_into_the_file(tmp_path: Path) -> None:
    """Each body line knows its line of the file, each key its own."""
    write(tmp_path, a="---\ntitle: Т\naliases:\n  - раз\n  - два\n---\n\nПервая\nВторая\n")

    (article,), _ = read_articles(tmp_path)

    assert article.lines == (8, 9)
    assert article.places["aliases[1]"] == 5


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("---\ntitle: а: б\n---\nт", "KB003", 2),
        ("---\ntitle: а\n", "KB002", 1),
        ("---\na: &x [1]\nb: *x\n---\nт", "KB004", 2),
        ("---\nx: " + "[" * 60 + "]" * 60 + "\n---\nт", "KB005", 2),
        ("---\ntitel: а\n---\nт", "KB006", 2),
        ("---\ntitle: а\nvalid_until: завтра\n---\nт", "KB010", 3),
        ("---\ntitle: а\nstatus: готово\n---\nт", "KB007", 3),
        ("---\ntitle: а\naliases:\n  - {x: 1}\n---\nт", "KB007", 4),
        ("---\ntitle: а\ntitle: б\n---\nт", "KB013", 3),
        ('---\ntitle: а\n---\n\n{{ include "нет.md" }}\n', "KB009", 5),
        ("---\ntitle: а\nbuttons: [{label: x, url: 'javascript:alert(1)'}]\n---\nт", "KB007", 3),
    ],
)
def test_faults_have_file_line_and_remedy(tmp_path: Path, text: str, code: str, line: int) -> None:
    """Every fault says where it is and what to do; the good article beside it is read."""
    write(tmp_path, bad=text, good="---\ntitle: Хорошая\n---\nТекст")

    articles, problems = read_articles(tmp_path)

    found = next(p for p in problems if p.code == code)
    assert (found.line, Path(found.file).name, bool(found.hint)) == (line, "bad.md", True)
    assert "good" in [a.id for a in articles]


def test_includes_stay_inside_the_folder(tmp_path: Path) -> None:
    """A part is put in; a path that leaves the folder, also through a symbolic link, is a fault."""
    base = tmp_path / "kb"
    (tmp_path / "secret.md").write_text("тайна", encoding="utf-8")
    write(
        base,
        _parts__hours="Часы: 9–21",
        ok="До.\n\n![[_parts/hours]]\n\nПосле.",
        out="{{ include: ../secret.md }}",
    )
    (base / "link.md").symlink_to(tmp_path / "secret.md")

    articles, problems = read_articles(base)

    assert {a.id: a.body for a in articles} == {"ok": "До.\n\nЧасы: 9–21\n\nПосле."}
    assert sorted(p.code for p in problems) == ["KB009", "KB016"]


def test_an_include_of_itself_is_a_fault(tmp_path: Path) -> None:
    """A circle of includes ends with a problem, not with a hang."""
    write(tmp_path, a="![[b]]\n", b="![[a]]\n")

    _, problems = read_articles(tmp_path)

    assert {p.code for p in problems} == {"KB009"}


def test_extra_questions_and_twins(tmp_path: Path) -> None:
    """A .yaml adds questions, a wrong name in it is named; `.en` and `en/` make twins."""
    write(
        tmp_path,
        a="---\ntitle: А\n---\nтекст",
        a_DOT_en_DOT_md="---\ntitle: A\n---\ntext",
        en__b="---\ntitle: B\n---\ntext",
        b="---\ntitle: Б\n---\nтекст",
    )
    (tmp_path / "more.yaml").write_text('a: ["ещё вопрос"]\nнет: [х]\n', encoding="utf-8")

    articles, problems = read_articles(tmp_path)

    found = {a.id: a for a in articles}
    assert found["a"].aliases == ("ещё вопрос",)
    assert (found["a.en"].twin_of, found["a.en"].lang, found["en/b"].twin_of) == ("a", "en", "b")
    assert [p.code for p in problems] == ["KB012"]


def test_a_broken_file_keeps_its_last_good_version(tmp_path: Path) -> None:
    """What was good goes on; when it is mended the new text is read."""
    write(tmp_path, a="---\ntitle: Первая\n---\nтекст")
    library = ArticleRepository(tmp_path)
    library.read()

    write(tmp_path, a="---\ntitle: [сломано\n---\nтекст совсем другой")
    articles, problems = library.read()
    assert [a.title for a in articles] == ["Первая"]
    assert problems

    write(tmp_path, a="---\ntitle: Вторая\n---\nтекст")
    assert [a.title for a in library.read()[0]] == ["Вторая"]


def test_a_change_is_seen_by_the_files_alone(tmp_path: Path) -> None:
    """A file that came, went or was written; not one that was only read again."""
    library = ArticleRepository(write(tmp_path, a="Первая", b="---\ntitle: [сломано\n---\n"))
    library.read()
    seen = [library.is_changed()]
    write(tmp_path, a="Вторая по счёту")
    seen.append(library.is_changed())
    library.read()
    seen.append(library.is_changed())
    (tmp_path / "b.md").unlink()
    seen.append(library.is_changed())

    assert seen == [False, True, False, True]


def test_binary_and_huge_files_are_faults(tmp_path: Path) -> None:
    """Neither bytes that are no UTF-8 nor a megabyte of head stop the others."""
    (tmp_path / "bytes.md").write_bytes(b"---\ntitle: \xff\xfe\n---\n")
    (tmp_path / "huge.md").write_text("x" * 1_000_001, encoding="utf-8")
    write(tmp_path, good="---\ntitle: Хорошая\n---\nтекст")

    articles, problems = read_articles(tmp_path)

    assert [a.id for a in articles] == ["good"]
    assert sorted(p.code for p in problems) == ["KB001", "KB005"]


def _version(folder: Path) -> str:
    return ArticleCatalog(read_articles(folder)[0]).version


ARTICLE = (
    "---\ntitle: Возврат\naliases: [как вернуть]\nvalid_until: 31.12.2030\nsegment: {vip: [gold]}\n"
    "buttons: [{label: Сайт, url: 'https://example.org'}]\n---\nЗа 14 дней.\n"
)


def test_the_same_articles_have_one_version_on_every_machine(tmp_path: Path) -> None:
    """Neither the folder, nor the age of the files, nor what is no part of an answer makes another one."""
    here = write(tmp_path / "here", a=ARTICLE, b="Просто текст")
    there = write(tmp_path / "there", a=ARTICLE.replace("title", "owner: Ира\ntitle"), b="Просто текст")
    write(there, c="---\ntitle: Черновик\nstatus: draft\n---\nтекст")
    os.utime(there / "a.md", (1, 1))

    assert _version(here) == _version(there)
    assert re.fullmatch("[0-9a-f]{12}", _version(here))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("14 дней", "15 дней"),
        ("как вернуть", "вернуть"),
        ("2030", "2031"),
        ("gold", "silver"),
        ("org", "com"),
    ],
)
def test_what_customers_are_told_makes_another_version(tmp_path: Path, old: str, new: str) -> None:
    """Words, examples, the last day, whom it is for, where a button leads."""
    before = _version(write(tmp_path, a=ARTICLE))

    assert _version(write(tmp_path, a=ARTICLE.replace(old, new))) != before
