"""What is shipped: the wheel is built, put into a bare environment, and used in an empty folder.

The environment sees the libraries that are installed here, and nothing of this project but the wheel.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.request
import uuid
import zipfile
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest

from tests.packaging.conftest import ROOT, bot

ARTICLE = """---
title: Сроки доставки
aliases: [сколько идёт доставка, когда привезут заказ]
---

Доставка занимает 3–5 дней.
"""


@pytest.fixture
def shop(empty: Path) -> Path:
    """One article; search by words, since vectors are made for half a minute where there is no cache."""
    (empty / "config.yaml").write_text("knowledge: {embeddings: {model: 'off'}}\n", encoding="utf-8")
    (empty / "kb_articles").mkdir()
    (empty / "kb_articles" / "times.md").write_text(ARTICLE, encoding="utf-8")
    return empty


def test_every_file_of_the_package_is_in_the_wheel(wheel: Path) -> None:
    """Words, templates, pages, data, the demo shop, the mark of types; and the licence. Tests and tools stay
    at home.
    """
    inside = set(zipfile.ZipFile(wheel).namelist())
    here = {
        f"bot/{file.relative_to(ROOT / 'bot').as_posix()}"
        for file in (ROOT / "bot").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }

    articles = [f for f in (ROOT / "kb_articles").rglob("*") if f.is_file()]
    shop = {f"bot/demo/shop/{f.relative_to(ROOT).as_posix()}" for f in [ROOT / "config.yaml", *articles]}
    here |= shop

    assert here <= inside
    rest = {name for name in inside - here if ".dist-info/" not in name}
    assert rest == set()
    assert any(name.endswith("licenses/LICENSE") for name in inside)


def test_it_is_the_wheel_that_runs(installed: Path, empty: Path, environment: dict[str, str]) -> None:
    """Not the sources beside the tests."""
    where = [str(installed / "python"), "-c", "import bot; print(bot.__file__)"]
    run = subprocess.run(where, cwd=empty, env=environment, capture_output=True, text=True, check=True)

    assert run.stdout.startswith(str(installed.parent))


WORKS_ANYWHERE = {
    "init": ("--yes",),
    "kb new": ("Сроки доставки",),
    "config reference": (),
    "kb import": ("articles.csv",),
}
NEEDS_A_BOT = {
    "run": (),
    "play": ("--no-open",),
    "chat": (),
    "ask": ("сколько идёт доставка",),
    "doctor": (),
    "test": (),
    "report": (),
    "eval": ("questions.jsonl",),
    "export": ("--customer", "1"),
    "forget": ("--customer", "1", "--yes"),
    "broadcast": ("Привет", "--yes"),
    "incident set": ("Сбой",),
    "incident clear": (),
    "incident show": (),
    "customers import": ("customers.csv",),
    "customers join": ("1", "2"),
    "customers part": ("1",),
    "kb ask": ("сколько идёт доставка",),
    "kb list": (),
    "kb lint": (),
    "kb preview": ("dostavka",),
    "kb stats": (),
    "kb suggest": (),
    "kb examples": (),
    "kb diff": (),
    "kb export": ("all.csv",),
    "kb gate": (),
    "flows check": (),
    "flows list": (),
    "flows show": ("zapis",),
    "flows draw": ("zapis",),
    "flows send": ("zapis",),
    "flows results": ("zapis",),
    "forecast": (),
    "customers consents": (),
    "db migrate": (),
    "db backup": ("copy.db",),
    "db check": (),
    "config check": (),
}
SPEAKS_FOR_ITSELF = {
    "health": ("--port", "9"),
    "db move": ("sqlite:///none.db", "postgresql://127.0.0.1:9/none"),
    "model pull": ("", "."),
}
EVERY = """
import json, os, sys
from typer.main import get_command
from typer.testing import CliRunner
from bot.cli.root import app

asked, start = json.loads(sys.argv[1]), os.getcwd()
names = set()
for name, command in get_command(app).commands.items():
    names |= {f"{name} {sub}" for sub in getattr(command, "commands", {})} or {name}
told = {}
for number, (name, words) in enumerate(asked.items()):
    os.makedirs(f"{start}/{number}")
    os.chdir(f"{start}/{number}")
    for file, line in (
        ("articles.csv", "title,body\\nСроки,Три дня\\n"),
        ("customers.csv", "channel,id,vip\\ntelegram,1,yes\\n"),
        ("questions.jsonl", '{"q": "сроки", "article": ""}\\n'),
    ):
        if file in words:
            with open(file, "w", encoding="utf-8") as made:
                made.write(line)
    done = CliRunner().invoke(app, [*name.split(), *words])
    broken = "" if done.exception is None or isinstance(done.exception, SystemExit) else repr(done.exception)
    told[name] = [done.exit_code, done.output, broken, sorted(os.listdir())]
print(json.dumps({"names": sorted(names), "told": told}))
"""


def test_in_an_empty_folder_every_command_works_or_says_what_to_do(
    installed: Path, empty: Path, environment: dict[str, str]
) -> None:
    """In the user's language, without a traceback, and without leaving a file behind."""
    asked = {**WORKS_ANYWHERE, **NEEDS_A_BOT, **SPEAKS_FOR_ITSELF}
    program = [str(installed / "python"), "-c", EVERY, json.dumps(asked)]
    run = subprocess.run(program, cwd=empty, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout.splitlines()[-1])

    assert set(found["names"]) - set(asked) == {"model prepare", "setup"}  # makes vectors; serves
    for name, (code, said, broken, files) in found["told"].items():
        assert broken == "" and "Traceback" not in said, (name, said, broken)
        assert re.search("[а-я]", said) or name == "config reference", (name, said)  # its keys are English
        if name in WORKS_ANYWHERE:
            assert code == 0, (name, said)
        else:
            assert code == 1, (name, said)
            assert [f for f in files if f not in NEEDS_A_BOT.get(name, ())] == [], name
        if name in NEEDS_A_BOT:
            assert all(f"bot {c}" in said for c in ("setup", "init", "play --demo")), (name, said)


def test_an_owners_folder_is_made_and_answers(
    installed: Path, empty: Path, environment: dict[str, str]
) -> None:
    """From nothing to an own bot that answers an own question, by commands alone."""
    made = bot(installed, empty, environment, "init", "shop", "--yes", "--name", "Лютик", "--trade", "shop")
    assert made.returncode == 0, made.stderr
    assert str(installed) in made.stdout  # `bot` is not on the PATH: the line that puts it there
    folder = empty / "shop"
    config = (folder / "config.yaml").read_text("utf-8")
    quick = "knowledge: {folder: kb_articles, embeddings: {model: 'off'}}"
    assert "knowledge: {folder: kb_articles}" in config
    (folder / "config.yaml").write_text(config.replace("knowledge: {folder: kb_articles}", quick), "utf-8")
    article = folder / "kb_articles" / "dostavka.md"
    article.write_text(re.sub(r"\[впишите[^\]]*\]", "3 дня", article.read_text("utf-8")), "utf-8")
    lint = bot(installed, folder, environment, "kb", "lint")
    assert lint.returncode == 0, lint.stdout + lint.stderr
    run = bot(installed, folder, environment, "ask", "--json", "сколько идёт доставка")
    told = json.loads(run.stdout)

    assert (told["decision"], told["article"]) == ("answer", "dostavka")


def test_the_demo_shop_is_shown_beside_an_owners_folder(
    installed: Path, shop: Path, environment: dict[str, str]
) -> None:
    """From a copy of its own: the folder is as it was, and the owner's tokens start nothing."""
    (shop / ".env").write_text("TELEGRAM_BOT_TOKEN=1:a\n", encoding="utf-8")
    before = sorted(shop.rglob("*"))
    with subprocess.Popen(
        [str(installed / "bot"), "play", "--demo", "--no-open", "--port", "0"],
        cwd=shop,
        env={**environment, "PYTHONUNBUFFERED": "1", "TELEGRAM_BOT_TOKEN": "1:a"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as play:
        try:
            assert play.stdout is not None
            address = next(found[0] for line in play.stdout if (found := re.search(r"http://\S+/", line)))
            page = Browser(address)
            page.post("say", channel="play-telegram", text="Сроки доставки", key=str(uuid.uuid4()))
            assert page.shows("По Москве")
            assert "Ромашка" in page.html
            assert {c["name"] for c in json.loads(page.get("state"))["channels"]} <= {
                "play-telegram",
                "play-vk",
                "play-desk",
            }
        finally:
            play.terminate()

    assert sorted(shop.rglob("*")) == before


def test_an_article_is_answered_from(installed: Path, shop: Path, environment: dict[str, str]) -> None:
    """The search and its data, the linter and the words all come with the wheel."""
    lint = bot(installed, shop, environment, "kb", "lint")
    assert lint.returncode == 0, lint.stdout + lint.stderr
    run = bot(installed, shop, environment, "ask", "--json", "сколько идёт доставка")

    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert (told["decision"], told["article"]) == ("answer", "times")


def test_the_playground_answers(installed: Path, shop: Path, environment: dict[str, str]) -> None:
    """The page opens, its parts are served, and a customer who asks there is answered."""
    with subprocess.Popen(
        [str(installed / "bot"), "play", "--no-open", "--port", "0"],
        cwd=shop,
        env={**environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as play:
        try:
            assert play.stdout is not None
            address = next(found[0] for line in play.stdout if (found := re.search(r"http://\S+/", line)))
            page = Browser(address)
            page.post("say", channel="play-telegram", text="Сколько идёт доставка?", key=str(uuid.uuid4()))
            assert page.shows("3–5 дней")
            for part in page.parts:
                assert page.get(part), part
        finally:
            play.terminate()


class Browser:
    """One who has opened the page."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self.html = self.get("")
        found = re.search(r'name="csrf" content="([^"]+)"', self.html)
        assert found
        self._token = found[1]

    @property
    def parts(self) -> list[str]:
        """Scripts and styles of the page."""
        return re.findall(r'(?:src|href)="/(static/[^"]+)"', self.html)

    def get(self, path: str) -> str:
        asked = urllib.request.Request(self._address + path, headers={"Accept": "text/html"})
        with self._opener.open(asked, timeout=20) as answer:
            return str(answer.read().decode())

    def post(self, path: str, **data: Any) -> None:
        state = json.loads(self.get("state"))
        channel = next(c for c in state["channels"] if c["name"] == data["channel"])
        person = channel["people"][0]["id"]
        body = json.dumps({"chat": person, "user": person, **data}).encode()
        heads = {"X-CSRF-Token": self._token, "Content-Type": "application/json"}
        with self._opener.open(urllib.request.Request(self._address + path, body, heads), timeout=20):
            pass

    def shows(self, text: str, seconds: float = 30.0) -> bool:
        """Whether *text* comes within some seconds."""
        end = time.monotonic() + seconds
        while text not in json.dumps(json.loads(self.get("state")), ensure_ascii=False):
            if time.monotonic() > end:
                return False
            time.sleep(0.2)
        return True
