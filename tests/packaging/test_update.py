"""An owner's folder of the released version goes on under the installed one: nothing is lost, nothing has to
be done.

`released_folder` is the layout of 0.1.0, its database a dump of the schema of then; it stays as it is.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from bot.config.loader import read_config
from bot.storage.migrations import STEPS
from bot.testing import open_test_bot
from tests.packaging.conftest import ROOT, bare_environment, bot, pip, wheel_of

RELEASED = Path(__file__).with_name("released_folder")
RELEASE = "5e4fa25367c33d227d398dfec71a27d6a0c87347"  # of 0.1.0
NEXT = "0.2.0"
DUMPS = sorted((ROOT / "tests" / "storage" / "released").glob("*.sql"))


@pytest.fixture(params=DUMPS, ids=lambda f: f.stem)
def released(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder, with a life in its database."""
    folder = tmp_path / "shop"
    shutil.copytree(RELEASED, folder)
    (folder / "data").mkdir()
    with sqlite3.connect(folder / "data" / "bot.db") as db:
        db.executescript(request.param.read_text("utf-8"))
    db.close()
    return folder


def kept(file: Path, table: str) -> list[tuple[object, ...]]:
    """What the owner would miss: who the customers are, what was said, which tickets there were."""
    columns = {"customers": "id, name", "tickets": "number, status, rating", "history": "id, text"}[table]
    with sqlite3.connect(file) as db:
        rows = db.execute(f"select {columns} from {table} order by 1").fetchall()
    db.close()
    return rows


def test_a_folder_of_the_released_version_goes_on(
    installed: Path, released: Path, environment: dict[str, str]
) -> None:
    """Settings and articles are read, the base answers, the database is brought up with a copy beside it, and
    every customer, line and ticket is still there.
    """
    file = released / "data" / "bot.db"
    before = {table: kept(file, table) for table in ("customers", "tickets", "history")}
    assert all(before.values())
    steps = steps_taken(file)
    ours = {p: p.read_bytes() for p in released.rglob("*") if p.is_file() and p.suffix in (".md", ".yaml")}

    def says(*words: str) -> str:
        done = bot(installed, released, environment, *words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    says("config", "check")
    says("kb", "lint")
    told = json.loads(says("ask", "--json", "цветы завяли на второй день"))
    assert (told["decision"], told["article"]) == ("answer", "vozvrat")
    says("db", "migrate")
    assert is_whole(file)
    anna = says("export", "--customer", "telegram:1001")
    assert "Анна" in anna and "Сколько идёт доставка?" in anna
    says("report", "--json", "--from", "2026-11-20", "--to", "2026-11-21")

    assert {table: kept(file, table) for table in before} == before
    assert {p: p.read_bytes() for p in ours} == ours
    copies = list((released / "data").glob("bot.db.before-*"))
    assert len(copies) == (1 if steps < len(STEPS) else 0)


def is_whole(file: Path) -> bool:
    """What SQLite says of the file; `bot db check` also tells what waits, as the dump does."""
    with sqlite3.connect(file) as db:
        found = [*db.execute("pragma integrity_check"), *db.execute("pragma foreign_key_check")]
    db.close()
    return found == [("ok",)]


def steps_taken(file: Path) -> int:
    """How many steps of the schema a database has gone."""
    with sqlite3.connect(file) as db:
        (steps,) = db.execute("select count(*) from _sqlite_migrations").fetchone()
    db.close()
    return int(steps)


async def test_the_bot_of_the_released_folder_talks_on(released: Path) -> None:
    """With settings, articles and database of then: who had a ticket is carried to their operator, who asks
    is answered from the owner's article.
    """
    config = read_config(released / "config.yaml", environment={})
    file = str(released / "data" / "bot.db")
    async with open_test_bot(released / "kb_articles", config=config, storage=file) as testbot:
        for _ in range(100):
            testbot.key()  # the first ones are in the dump
        await testbot.later(minutes=20)  # the dump was made at this hour
        seen = [o.text.text for o in await testbot.operator().sees(1)]
        assert any("ещё вопрос" in text for text in seen)
        vera = testbot.customer("Вера", chat="3001")
        await vera.says("когда привезут букет")
        assert "3 часа" in vera.hears()[-1]
        assert await testbot.service.store.check() == ()


def test_init_adds_to_a_folder_of_the_released_version_what_it_lacks(
    installed: Path, released: Path, environment: dict[str, str]
) -> None:
    """A file for tokens and one for git; no starting article joins those of the owner, nothing is asked."""
    before = {p: p.read_bytes() for p in released.rglob("*") if p.is_file()}
    done = bot(installed, released, environment, "init")
    assert done.returncode == 0, done.stderr
    after = {p for p in released.rglob("*") if p.is_file()}

    assert {p.name for p in after - before.keys()} == {".env", ".gitignore"}
    assert {p: p.read_bytes() for p in before} == before


@pytest.fixture
def released_wheel(tmp_path: Path) -> Path:
    """The program as it was released, built from the history of the repository."""
    taken = subprocess.run(
        ["git", "-C", str(ROOT), "archive", RELEASE, "bot", "pyproject.toml", "README.md", "config.yaml"],
        capture_output=True,
        check=False,
    )
    if taken.returncode:
        pytest.skip("the history of the repository is not here")
    with tarfile.open(fileobj=BytesIO(taken.stdout)) as sources:
        sources.extractall(tmp_path / "source", filter="data")
    return wheel_of(tmp_path / "source", tmp_path / "dist")


def numbered(wheel: Path, folder: Path, version: str) -> Path:
    """The same wheel under another version."""
    before = wheel.name.split("-")[1]
    target = folder / wheel.name.replace(f"-{before}-", f"-{version}-", 1)
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if ".dist-info/" in name:
                content = content.replace(f"otklik-{before}.".encode(), f"otklik-{version}.".encode())
                content = content.replace(
                    f"\nVersion: {before}\n".encode(), f"\nVersion: {version}\n".encode()
                )
                name = name.replace(f"otklik-{before}.", f"otklik-{version}.")
            new.writestr(name, content)
    return target


def test_pip_updates_the_released_program_and_the_folder_goes_on(
    wheel: Path, released_wheel: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    """`pip install -U`, as the first day says: nothing of the old program stays, nothing of the owner's
    folder changes, and the database keeps every customer, line and ticket.
    """
    folder = tmp_path / "shop"
    shutil.copytree(RELEASED, folder)
    (folder / "data").mkdir()
    file = folder / "data" / "bot.db"
    with sqlite3.connect(file) as db:
        db.executescript(DUMPS[0].read_text("utf-8"))
    db.close()
    programs = bare_environment(tmp_path / "env")
    pip(programs, "install", "--no-compile", "--no-deps", "--no-index", str(released_wheel))
    site = next((tmp_path / "env").glob("lib/python*/site-packages"))
    told = bot(programs, folder, environment, "ask", "--json", "цветы завяли на второй день")
    assert json.loads(told.stdout)["article"] == "vozvrat", told.stderr
    old = {f.relative_to(site) for f in (site / "bot").rglob("*.py")}
    before = {table: kept(file, table) for table in ("customers", "tickets", "history")}
    ours = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.suffix in (".md", ".yaml")}

    newer = numbered(wheel, tmp_path, NEXT)
    pip(programs, "install", "--no-compile", "-U", "--no-deps", "--no-index", str(newer))
    new = set(zipfile.ZipFile(newer).namelist())
    assert {f.relative_to(site).as_posix() for f in (site / "bot").rglob("*.py")} <= new
    assert old - {Path(name) for name in new}  # something of the old program is no more
    assert NEXT in bot(programs, folder, environment, "--version").stdout
    told = bot(programs, folder, environment, "ask", "--json", "цветы завяли на второй день")
    assert json.loads(told.stdout)["article"] == "vozvrat", told.stderr
    assert bot(programs, folder, environment, "db", "migrate").returncode == 0
    assert is_whole(file)
    assert {table: kept(file, table) for table in before} == before
    assert {p: p.read_bytes() for p in ours} == ours
