"""The settings: every problem at once, each with its line, and never a secret's value."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config.channels import TelegramChannel
from bot.config.loader import read_config
from bot.errors import ConfigError
from bot.text.problems import reading


def problems(tmp_path: Path, text: str, **environment: str) -> list[str]:
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    with reading("en"), pytest.raises(ConfigError) as caught:
        read_config(file, environment=environment)
    return [str(p).replace(str(tmp_path) + "/", "") for p in caught.value.problems]


def test_all_problems_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    """Somebody mends a file once, not once per mistake."""
    told = problems(
        tmp_path,
        "knowledge: {foldr: kb}\nchannels:\n  vk: {type: vk, group_id: nine}\nhours:\n  timezone: Moscow\n",
    )

    assert told[0].startswith("config.yaml:1:") and "folder" in told[0]
    assert any(t.startswith("config.yaml:3:") and "group_id" in t for t in told)
    assert any(t.startswith("config.yaml:5:") and "timezone" in t for t in told)


def test_a_secret_in_the_file_is_refused_without_showing_it(tmp_path: Path) -> None:
    """Tokens live in the environment."""
    told = problems(tmp_path, 'channels:\n  telegram: {type: telegram, token: "123456:SECRET"}\n')

    assert told and "token" in told[0] and "SECRET" not in "".join(told)


def test_the_key_of_the_voice_server_is_a_secret_too(tmp_path: Path) -> None:
    told = problems(tmp_path, 'voice: {engine: openai, address: "http://127.0.0.1:1/v1", key: SECRET}\n')

    assert told and "voice.key" in told[0] and "SECRET" not in "".join(told)


def test_the_key_of_an_administrator_is_a_secret_too(tmp_path: Path) -> None:
    """Whoever has it can delete what is written in the community."""
    comments = "{watch: [posts], admin_key: SECRET}"
    told = problems(
        tmp_path, f'channels: {{vk: {{type: vk, token: "${{T}}", group_id: 1, comments: {comments}}}}}\n'
    )

    assert told and "admin_key" in told[0] and "SECRET" not in "".join(told)


def test_a_missing_variable_switches_the_channel_off(tmp_path: Path) -> None:
    """No token, no channel: not an error."""
    file = tmp_path / "config.yaml"
    file.write_text('channels:\n  telegram: {type: telegram, token: "${NOWHERE}"}\n', encoding="utf-8")

    assert not read_config(file, environment={}).channels["telegram"].enabled
    channel = read_config(file, environment={"NOWHERE": "1:x"}).channels["telegram"]
    assert isinstance(channel, TelegramChannel) and channel.enabled
    token = channel.token
    assert token is not None and token.get_secret_value() == "1:x" and "1:x" not in repr(token)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("desk: {channel: telegramm, chat: -100}\nchannels:\n  telegram: {type: telegram}\n", "telegramm"),
        ("web: {host: 0.0.0.0}\n", "password"),
        ('hours: {week: {mon: "25:00-10:00"}}\n', "hours.week.mon: there is no 25:00"),
        ('hours: {week: {mon: "10:00-10:00"}}\n', "00:00-24:00"),
        ('hours: {week: {mon: ["10:00-14:00", "13:00-20:00"]}}\n', "10:00-14:00 and 13:00-20:00 overlap"),
        ("hours: {week: {mon: с десяти}}\n", "21:00-02:00"),
        ("hours: {week: {mon: 600}}\n", "is not a time span"),
        ('hours: {week: {mon: ["09:00-10:00", "20:00-09:30"]}}\n', "longer than a day"),
        ('hours: {exceptions: {2026-12-31: "10:00-17"}}\n', "hours.exceptions.2026-12-31"),
        ("hours: {week: {mon: closed, tue: off}}\n", "nobody would ever answer"),
        ('channels:\n  t: {type: telegram, token: "${T}", mode: webhook}\n', "secret"),
        ("voice: {engine: platform, language: russian}\n", "language: ru"),
        ("a: &x 1\nb: *x\n", "anchors"),
        ("a: [1,\n", "YAML"),
        ("- just\n- a list\n", "key: value"),
        ("channels:\n  t: {type: telegram, tokn: 1}\n", "token"),
        (
            "dialogs: {forms: [{name: f, fields: [{name: a, ask: {ru: x}, pattern: '(a'}]}]}\n",
            "pattern of the answer",
        ),
    ],
)
def test_each_fault_says_what_to_do(tmp_path: Path, text: str, word: str) -> None:
    """The words name the key or the remedy."""
    assert any(word in t for t in problems(tmp_path, text, T="1:x"))


def test_a_missing_file_is_told_by_name(tmp_path: Path) -> None:
    """Not a traceback."""
    with reading("en"), pytest.raises(ConfigError, match="no such file"):
        read_config(tmp_path / "nothing.yaml")
