"""The file `.env` beside the config: tokens that need no shell, and that nobody else sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config.channels import TelegramChannel
from bot.config.environment import keep_variable
from bot.config.loader import Config, read_config
from bot.errors import ConfigError

CONFIG = 'channels:\n  telegram: {type: telegram, token: "${TELEGRAM_BOT_TOKEN}"}\n'


def written(folder: Path, env: bytes) -> Path:
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    (folder / ".env").write_bytes(env)
    return folder / "config.yaml"


def token(config: Config) -> str | None:
    channel = config.channels["telegram"]
    assert isinstance(channel, TelegramChannel)
    found = channel.token
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


def test_a_token_is_written_in_its_place_and_for_its_owner_alone(tmp_path: Path) -> None:
    """Remarks and other lines stay; the rights become those of a secret; a second line of the name goes."""
    before = b"# mine\nOTHER='x y'\nTELEGRAM_BOT_TOKEN=old\n\n# below\nTELEGRAM_BOT_TOKEN=older\n"
    config = written(tmp_path, before)
    (tmp_path / ".env").chmod(0o644)
    keep_variable(tmp_path, "TELEGRAM_BOT_TOKEN", "1:a$b#c")

    text = (tmp_path / ".env").read_text("utf-8")
    assert text == "# mine\nOTHER='x y'\nTELEGRAM_BOT_TOKEN='1:a$b#c'\n\n# below\n"
    assert token(read_config(config)) == "1:a$b#c"
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    assert [f.name for f in tmp_path.iterdir() if f.name.startswith(".env")] == [".env"]


def test_a_token_is_added_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OTHER=1", "utf-8")
    keep_variable(tmp_path, "TELEGRAM_BOT_TOKEN", "1:a")
    assert (tmp_path / ".env").read_text("utf-8") == "OTHER=1\nTELEGRAM_BOT_TOKEN='1:a'\n"


@pytest.mark.parametrize("value", ["1:a\nOTHER=2", "1'a", "1\\a", "1\ta"])
def test_what_no_token_holds_is_refused(tmp_path: Path, value: str) -> None:
    """Nothing that would write a second line, and the value is in no error."""
    written(tmp_path, b"OTHER=1\n")
    with pytest.raises(ConfigError) as refused:
        keep_variable(tmp_path, "TELEGRAM_BOT_TOKEN", value)
    assert value not in str(refused.value)
    assert (tmp_path / ".env").read_bytes() == b"OTHER=1\n"
