"""The keys of a mailbox in config.yaml, its library, and what happens without either."""

from __future__ import annotations

import ast
import builtins
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import bot
from bot.adapters.email.adapter import EmailAdapter
from bot.app import open_adapters
from bot.clock import HandClock
from bot.config.loader import Config, read_config
from bot.errors import ConfigError
from bot.testing.harness import NOON

MAIL = {"type": "email", "address": "Help@Yandex.ru", "password": "app-password"}


def opened(**keys: object) -> EmailAdapter:
    config = Config.model_validate({"channels": {"mail": MAIL | keys}, "business": {"name": "Клевер"}})
    adapter = open_adapters(config, HandClock(NOON), salt="s")["mail"]
    assert isinstance(adapter, EmailAdapter)
    return adapter


def test_servers_are_known_by_the_address_and_named_where_they_are_not() -> None:
    channel = Config.model_validate({"channels": {"mail": MAIL}}).channels["mail"]
    assert (channel.imap.host, channel.smtp.host) == ("imap.yandex.ru", "smtp.yandex.ru")  # type: ignore[union-attr]
    assert "app-password" not in repr(channel)
    own = MAIL | {"address": "help@shop.ru", "provider": "gmail"}
    channel = Config.model_validate({"channels": {"mail": own}}).channels["mail"]
    assert (channel.imap.host, channel.believed) == ("imap.gmail.com", "mx.google.com")  # type: ignore[union-attr]
    assert opened().name == "mail"


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"address": "help@shop.ru"}, "imap_host"),
        ({"address": "без собаки"}, "почтовый адрес"),
        ({"imap_host": "mail.shop.ru", "imap_security": "none"}, "без шифрования"),
        ({"imap_host": "https://imap.shop.ru"}, "imap.shop.ru — не имя сервера"),
        ({"smtp_host": "smtp.shop.ru:465"}, "smtp_port"),
        ({"smtp_security": "none"}, "без шифрования"),
        ({"verify": False}, "verify"),
    ],
)
def test_what_cannot_work_is_said_at_once(tmp_path: Path, keys: dict[str, Any], said: str) -> None:
    file = tmp_path / "config.yaml"
    channel = MAIL | {"password": "${EMAIL_PASSWORD}"} | keys
    file.write_text(yaml.safe_dump({"channels": {"mail": channel}}, allow_unicode=True), "utf-8")
    with pytest.raises(ConfigError) as met:
        read_config(file, environment={"EMAIL_PASSWORD": "app-password"})
    assert any(said in f"{p.text} {p.hint}" for p in met.value.problems)


def test_without_a_password_there_is_no_channel() -> None:
    config = Config.model_validate({"channels": {"mail": {"type": "email", "address": "a@ya.ru"}}})
    assert open_adapters(config, HandClock(NOON)) == {}


def test_a_library_that_is_missing_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def lacking(name: str, *more: Any) -> Any:
        if name.partition(".")[0] == "imapclient":
            raise ModuleNotFoundError("No module named 'imapclient'", name="imapclient")
        return real(name, *more)

    for name in [n for n in sys.modules if n.startswith(("bot.adapters.email.", "imapclient"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", lacking)
    with pytest.raises(ConfigError) as met:
        opened()
    assert "imapclient" in str(met.value) and "otklik[email]" in str(met.value)


def test_nothing_of_it_is_loaded_until_a_mailbox_is_configured() -> None:
    """Adapters are loaded by their entry points; nothing else names its modules or libraries at its top."""
    root = Path(bot.__file__).parent
    for path in root.rglob("*.py"):
        if path.relative_to(root).parts[0] == "adapters":
            continue
        for node in ast.parse(path.read_text("utf-8")).body:
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            named += [a.name for a in node.names] if isinstance(node, ast.Import) else []
            assert not any(n.startswith(("imapclient", "aiosmtplib", "bot.adapters.email")) for n in named), (
                path
            )
