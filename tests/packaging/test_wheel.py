"""What is shipped: the wheel is built, put into a bare environment, and used in an empty folder.

The environment sees the libraries that are installed here, and nothing of this project but the wheel.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
import uuid
import venv
import zipfile
from collections.abc import Mapping
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ARTICLE = """---
title: Сроки доставки
aliases: [сколько идёт доставка, когда привезут заказ]
---

Доставка занимает 3–5 дней.
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the sources as they are, without a network."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", str(folder), str(ROOT)], check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the environment's programs."""
    home = tmp_path_factory.mktemp("bare")
    venv.EnvBuilder(symlinks=True, with_pip=False).create(home)
    pip = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python")]
    subprocess.run([*pip, "install", "-q", "--no-deps", "--no-index", str(wheel)], check=True)
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    site = next(home.glob("lib/python*/site-packages"))
    (site / "libraries.pth").write_text("\n".join(libraries), encoding="utf-8")
    return home / "bin"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Nothing of this project, and a home of its own."""
    ours = ("PYTHONPATH", "BOT_LANG", "TELEGRAM_BOT_TOKEN", "VK_GROUP_TOKEN")
    kept = {k: v for k, v in os.environ.items() if k not in ours and not k.startswith("COVERAGE")}
    return {**kept, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "NO_COLOR": "1"}


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    folder = tmp_path / "my shop"
    folder.mkdir()
    return folder


@pytest.fixture
def shop(empty: Path) -> Path:
    """One article; search by words, since vectors are made for half a minute where there is no cache."""
    (empty / "config.yaml").write_text("knowledge: {embeddings: {model: 'off'}}\n", encoding="utf-8")
    (empty / "kb_articles").mkdir()
    (empty / "kb_articles" / "times.md").write_text(ARTICLE, encoding="utf-8")
    return empty


def bot(
    installed: Path, folder: Path, environment: Mapping[str, str], *words: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(installed / "bot"), *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def test_every_file_of_the_package_is_in_the_wheel(wheel: Path) -> None:
    """Words, templates, pages, data, the mark of types; and the licence. Tests and tools stay at home."""
    inside = set(zipfile.ZipFile(wheel).namelist())
    here = {
        f"bot/{file.relative_to(ROOT / 'bot').as_posix()}"
        for file in (ROOT / "bot").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }

    assert here <= inside
    rest = {name for name in inside - here if ".dist-info/" not in name}
    assert rest == set()
    assert any(name.endswith("licenses/LICENSE") for name in inside)


def test_it_is_the_wheel_that_runs(installed: Path, empty: Path, environment: dict[str, str]) -> None:
    """Not the sources beside the tests."""
    where = [str(installed / "python"), "-c", "import bot; print(bot.__file__)"]
    run = subprocess.run(where, cwd=empty, env=environment, capture_output=True, text=True, check=True)

    assert run.stdout.startswith(str(installed.parent))


@pytest.mark.parametrize("command", [("ask", "сколько идёт доставка"), ("play", "--no-open"), ("doctor",)])
def test_an_empty_folder_is_told_what_to_do(
    installed: Path, empty: Path, environment: dict[str, str], command: tuple[str, ...]
) -> None:
    """In the user's language, and without a traceback."""
    run = bot(installed, empty, environment, *command)

    assert run.returncode == 1
    said = run.stdout + run.stderr
    assert "kb_articles" in said and "Traceback" not in said and re.search("[а-я]", said)


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
