"""`bot init`: an owner's folder from a few answers; nothing that is there is touched."""

from __future__ import annotations

import re
import stat
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from bot.cli.root import app
from bot.config.loader import read_config
from bot.knowledge.articles.blanks import blanks
from bot.setup.owner_folder import TRADES

QUICK = '\nknowledge: {folder: kb_articles, embeddings: {model: "off"}}\n'


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def bot(*args: str, said: str = "", code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(args), input=said, catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def by_words(folder: Path) -> None:
    """Search by words is enough here."""
    file = folder / "config.yaml"
    file.write_text(file.read_text("utf-8").replace("\nknowledge: {folder: kb_articles}", QUICK), "utf-8")


def fill(folder: Path) -> None:
    """What the owner does first: their own words in place of the brackets."""
    for file in (folder / "kb_articles").glob("*.md"):
        text = file.read_text("utf-8")
        for blank in blanks(text):
            text = text.replace(blank, "10", 1)
        file.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("trade", TRADES)
def test_every_trade_has_a_base_that_passes_the_linter(here: Path, trade: str, language: str) -> None:
    """As it was made, and strictly so once the brackets are filled; config and ready answers, too."""
    bot("init", "--yes", "--trade", trade, "--language", language)
    by_words(here)
    assert len(list((here / "kb_articles").glob("*.md"))) == 3
    bot("kb", "lint")
    bot("config", "check")
    fill(here)
    bot("kb", "lint", "--strict")

    ready = yaml.safe_load((here / "canned" / "answers.yaml").read_text("utf-8"))
    assert len(ready) >= 6


def test_the_answers_are_asked_and_written(here: Path) -> None:
    """A wrong answer is asked again; the name may hold any signs."""
    said = 'Лютик "и" Ко: №1\nru\nбулочная\n1\nКазань\nс утра\nпн-пт 10:00-19:00\n'
    told = bot("init", "shop", said=said).output
    config = read_config(here / "shop" / "config.yaml", environment={})

    assert config.business.name == 'Лютик "и" Ко: №1'
    assert (config.hours.timezone, config.hours.country) == ("Europe/Moscow", "RU")
    assert set(config.hours.week) == {"mon", "tue", "wed", "thu", "fri"}
    assert (here / "shop" / "kb_articles" / "dostavka.md").is_file()
    assert "булочная" in told and "пн-пт" in told
    steps = r"cd shop(?s:.*)1\. .*kb_articles/dostavka\.md(?s:.*)2\. .*bot play(?s:.*)3\. .*\.env.*bot run"
    assert re.search(steps, told)


def test_a_repeat_adds_only_what_is_missing(here: Path) -> None:
    """Nothing is written over; what the config says is not asked again; its articles tell the trade."""
    bot("init", "--yes", "--trade", "salon", "--name", "Лютик")
    (here / ".env").write_text("TELEGRAM_BOT_TOKEN=1:a\n", "utf-8")
    own = (here / "kb_articles" / "ceny.md").read_text("utf-8") + "\nи ещё строка\n"
    (here / "kb_articles" / "ceny.md").write_text(own, "utf-8")
    (here / "kb_articles" / "zapis.md").unlink()
    told = bot("init").output

    assert (here / ".env").read_text("utf-8") == "TELEGRAM_BOT_TOKEN=1:a\n"
    assert (here / "kb_articles" / "ceny.md").read_text("utf-8") == own
    assert (here / "kb_articles" / "zapis.md").is_file()
    made, kept = told.split("Уже было")
    assert "zapis.md" in made and "ceny.md" not in made
    assert {".env", "ceny.md", "config.yaml"} <= {line.split("/")[-1].strip() for line in kept.splitlines()}
    assert len(list((here / "kb_articles").glob("*.md"))) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
def test_tokens_are_for_their_owner_alone(here: Path) -> None:
    """Mode 0600 from the first moment, and `bot doctor` tells where it was lost; every token is empty."""
    bot("init", "--yes")
    assert stat.S_IMODE((here / ".env").stat().st_mode) == 0o600
    lines = [line for line in (here / ".env").read_text("utf-8").splitlines() if line and line[0] != "#"]
    assert lines and all(line.endswith("=") for line in lines)
    assert ".env" in (here / ".gitignore").read_text("utf-8").splitlines()
    by_words(here)
    assert "chmod 600" not in bot("doctor").output
    (here / ".env").chmod(0o644)
    assert "chmod 600" in bot("doctor").output


def test_what_is_not_filled_is_not_shown(here: Path) -> None:
    """A customer never reads the brackets; the article is there as soon as they are gone."""
    bot("init", "--yes", "--trade", "shop")
    by_words(here)
    asked = ("ask", "--json", "сколько стоит доставка")
    assert '"dostavka"' not in bot(*asked).stdout and "впишите" not in bot(*asked).stdout
    assert '"article": "zakaz"' in bot("ask", "--json", "как заказать").stdout
    fill(here)
    assert '"article": "dostavka"' in bot(*asked).stdout


@pytest.mark.parametrize(
    ("option", "value", "hint"),
    [
        ("--trade", "shopp", "shop"),
        ("--language", "de", "ru, en"),
        ("--timezone", "Mosco", "Europe/Moscow"),
        ("--hours", "с утра", "10:00-20:00"),
    ],
)
def test_a_wrong_option_is_told_and_nothing_is_made(here: Path, option: str, value: str, hint: str) -> None:
    assert hint in bot("init", "--yes", option, value, code=2).output
    assert list(here.iterdir()) == []


def test_where_nothing_can_be_written_it_is_told(here: Path) -> None:
    (here / "file").write_text("", "utf-8")
    assert "bot init" in bot("init", "file/shop", "--yes", code=1).output


def test_nobody_who_answers_is_no_traceback(here: Path) -> None:
    """Without a terminal and without --yes the command ends, and nothing is made."""
    bot("init", code=1)
    assert list(here.iterdir()) == []


def test_a_start_tells_what_is_still_to_be_filled(here: Path) -> None:
    """Before the bot talks: the files are named; nothing is said once they are filled."""
    bot("init", "--yes", "--trade", "shop")
    by_words(here)
    told = bot("chat", said="/quit\n").output
    assert "dostavka.md" in told and "vozvrat.md" not in told
    fill(here)
    assert "dostavka.md" not in bot("chat", said="/quit\n").output


@pytest.mark.parametrize(
    ("trade", "question", "article"),
    [
        ("shop", "хочу вернуть кофту, не подошла", "vozvrat"),
        ("salon", "опаздываю на 20 минут", "perenos"),
        ("repair", "телефон опять сломался", "garantiya"),
        ("courses", "заболел и не приду на урок", "propusk"),
        ("other", "можно заплатить картой?", "oplata"),
    ],
)
def test_a_new_base_answers_before_anything_is_filled(
    here: Path, trade: str, question: str, article: str
) -> None:
    """Two of the three articles are true of every business of the trade, and need nothing but an operator."""
    bot("init", "--yes", "--trade", trade)
    by_words(here)
    unfilled = [f for f in (here / "kb_articles").glob("*.md") if blanks(f.read_text("utf-8"))]

    assert len(unfilled) == 1
    assert f'"article": "{article}"' in bot("ask", "--json", question).stdout
