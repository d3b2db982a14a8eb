"""The docs cannot lie: commands exist, keys exist, the reference is what the models say, examples run."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from typer.main import get_command

from bot.cli.config_reference import config_reference
from bot.cli.root import app
from bot.config.loader import Config, read_config

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("README*.md"), *ROOT.glob("docs/**/*.md")])


def commands() -> set[str]:
    """Every command, "kb ask" for those in groups."""
    found = set()
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        found.add(name)
        found |= {f"{name} {sub}" for sub in getattr(command, "commands", {})}
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_command_in_the_docs_exists(page: Path) -> None:
    """Somebody will type what a page shows."""
    known = commands()
    for called in re.findall(
        r"(?m)(?:^\s*|`|/bin/)bot ([a-z]+(?: [a-z]+)?)",
        "\n".join(re.findall(r"`[^`\n]+`|```.*?```", page.read_text("utf-8"), re.S)),
    ):
        words = called.split()
        assert words[0] in known, f"{page.name}: bot {called}"
        groups = {k.split()[0] for k in known if " " in k}
        if words[0] in groups and len(words) > 1:
            assert called in known, f"{page.name}: bot {called}"


@pytest.mark.parametrize("command", sorted(commands()))
def test_every_command_is_documented(command: str) -> None:
    """A command nobody reads about does not exist."""
    text = "".join(
        (ROOT / page).read_text("utf-8")
        for page in ("README.md", "README.ru.md", "docs/ru/redaktor.md", "docs/ru/rukovoditel.md")
    )
    assert f"bot {command}" in text


def test_the_config_reference_is_what_the_models_say() -> None:
    """docs/config.md is written by `bot config reference`."""
    assert (ROOT / "docs/config.md").read_text("utf-8") == config_reference()


def config_examples() -> list[Any]:
    """Every yaml block of the docs that shows top-level keys."""
    found = []
    for page in PAGES:
        for n, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.S)):
            loaded = yaml.safe_load(dedent(block))
            if isinstance(loaded, dict) and set(loaded) <= set(Config.model_fields):
                found.append(pytest.param(dedent(block), id=f"{page.name}-{n}"))
    return found


@pytest.mark.parametrize("text", config_examples())
def test_config_examples_in_the_docs_are_valid(text: str, tmp_path: Path) -> None:
    """Each is read without a problem, and says what it shows."""
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    secrets = dict.fromkeys(re.findall(r"\$\{(\w+)\}", text), "x" * 32)

    assert read_config(file, environment=secrets).model_fields_set >= set(yaml.safe_load(text))


def test_the_config_of_the_demo_is_valid() -> None:
    """What `make run` starts with."""
    assert read_config(ROOT / "config.yaml", environment={}).business.name == "Ромашка"


def test_the_readmes_are_twins() -> None:
    """The same sections, commands and promises in both languages."""
    english, russian = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.ru.md"))
    assert english.count("\n## ") == russian.count("\n## ")
    assert re.findall(r"^\| `([^`]+)", english, re.M)[::1] and len(
        re.findall(r"^\| `", english, re.M)
    ) == len(re.findall(r"^\| `", russian, re.M))
    assert len(re.findall(r"^- ", english, re.M)) == len(re.findall(r"^- ", russian, re.M))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """No dead relative link or picture."""
    for target in re.findall(
        r"\]\((?!https?:|#|tg:|mailto:)([^)#]+)",
        re.sub(r"```.*?```|`[^`]*`", "", page.read_text("utf-8"), flags=re.S),
    ):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


async def test_the_dialog_of_the_guide_works(
    tmp_path: Path, articles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ten lines of docs/en/dialogs.md, word for word, answer a customer."""
    from bot.testing import open_test_bot

    page = (ROOT / "docs/en/dialogs.md").read_text("utf-8")
    code = re.search(r"```python\n(# myshop/dialogs\.py.*?)```", page, re.S)
    words = re.search(r"```yaml\n(order_status:.*?)```", page, re.S)
    assert code and words
    package, texts = tmp_path / "myshop", tmp_path / "texts"
    package.mkdir()
    texts.mkdir()
    (package / "__init__.py").touch()
    (package / "dialogs.py").write_text(code[1], encoding="utf-8")
    for lang in ("ru", "en"):
        (texts / f"{lang}.yaml").write_text(words[1], encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    config = Config.model_validate(
        {
            "dialogs": {"order": ["human", "myshop.dialogs:order_status", "faq"]},
            "wording": {"folder": str(texts)},
        }
    )
    async with open_test_bot(articles, config=config) as testbot:
        anna = testbot.customer("Анна")
        await anna.says("какой статус заказа 48213?")

        assert anna.hears() == ["Заказ 48213: в пути."]
    sys.modules.pop("myshop.dialogs", None)
    sys.modules.pop("myshop", None)
