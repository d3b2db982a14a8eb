"""Single values written into the owner's settings: whatever the style of the file, the rest stays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.config.loader import read_config
from bot.config.values import Setting, with_value, write_settings
from bot.errors import ConfigError
from bot.text.yaml_source import read_yaml

FILE = """# head
business:
  name: "X"
  # address: a

hours:
  timezone: Europe/Moscow
  week:
    mon: "10:00-20:00"
    tue: "10:00-20:00"

  # stays
  country: RU

channels: {telegram: {type: telegram, token: "${T}"}}  # one line
web:
"""


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("business", "name"), 'Кафе «У "Лизы"» #1: чай'),
        (("business", "address"), "Ленина, 1"),
        (("hours", "week"), {"mon": "09:00-18:00"}),
        (("channels", "telegram", "proxy"), "${P}"),
        (("channels", "vk"), {"type": "vk", "token": "${V}", "group_id": "5"}),
        (("web", "password"), "${W}"),
        (("new", "inner", "deep"), "x"),
        (("plain",), "y"),
    ],
)
def test_a_value_stands_where_it_was_put_and_nothing_else_moved(place: Sequence[str], value: Setting) -> None:
    """Twice is as once; every remark is still there."""
    once = with_value(FILE, tuple(place), value)
    root = read_yaml(once)
    assert root is not None
    found = root.value
    for key in place:
        found = found[key]
    assert found == value
    assert with_value(once, tuple(place), value) == once
    for remark in ("# head", "# address: a", "# stays", "# one line"):
        assert remark in once
    before = read_yaml(FILE)
    assert before is not None
    assert {k: v for k, v in before.value.items() if k != place[0]}.items() <= root.value.items()


def test_settings_are_written_all_or_none(tmp_path: Path) -> None:
    """A value that makes the file wrong leaves it as it was."""
    file = tmp_path / "config.yaml"
    file.write_text("business: {name: X}\n", "utf-8")
    with pytest.raises(ConfigError):
        write_settings(file, {("business", "name"): "Y", ("hours", "timezone"): "nowhere"})
    assert file.read_text("utf-8") == "business: {name: X}\n"
    write_settings(file, {("business", "name"): "Y", ("hours", "timezone"): "Asia/Omsk"})
    assert read_config(file).business.name == "Y" and read_config(file).hours.timezone == "Asia/Omsk"
