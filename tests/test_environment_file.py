"""The file `.env` beside the config: tokens that need no shell, and that nobody else sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config.loader import Config, read_config
from bot.errors import ConfigError

CONFIG = 'channels:\n  telegram: {type: telegram, token: "${TELEGRAM_BOT_TOKEN}"}\n'


def written(folder: Path, env: bytes) -> Path:
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    (folder / ".env").write_bytes(env)
    return folder / "config.yaml"


def token(config: Config) -> str | None:
    found = config.channels["telegram"].token
    return found.get_secret_value() if found else None


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TELEGRAM_BOT_TOKEN", raising=False)


@pytest.mark.parametrize(
    ("env", "wanted"),
    [
        (b"TELEGRAM_BOT_TOKEN=1:abc\n", "1:abc"),
        (b"\xef\xbb\xbf# first line\r\nTELEGRAM_BOT_TOKEN=1:abc\r\n", "1:abc"),
        (b"TELEGRAM_BOT_TOKEN='a b#c$HOME\"'\n", 'a b#c$HOME"'),
        (b"TELEGRAM_BOT_TOKEN=\n", None),
        (b"OTHER=1\n", None),
    ],
)
def test_a_token_is_read_as_it_stands_there(tmp_path: Path, env: bytes, wanted: str | None) -> None:
    """With or without quotes, as Windows writes files, and never expanded; an empty one is none."""
    assert token(read_config(written(tmp_path, env))) == wanted


def test_the_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the service sets holds, also where it sets nothing on purpose."""
    file = written(tmp_path, b"TELEGRAM_BOT_TOKEN=1:file\n")
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "1:set")
    assert token(read_config(file)) == "1:set"
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "")
    assert token(read_config(file)) is None


def test_a_file_in_another_encoding_is_told_without_its_words(tmp_path: Path) -> None:
    file = written(tmp_path, "TELEGRAM_BOT_TOKEN=1:secret".encode("utf-16"))
    with pytest.raises(ConfigError, match=r"\.env.*UTF-8") as raised:
        read_config(file)
    assert "secret" not in str(raised.value)
