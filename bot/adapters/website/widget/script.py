"""The file that a shop's page loads: the widget with its words, its style and the settings of its channel."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from bot.text.yaml_source import read_own

LANGUAGES = ("ru", "en")
_FOLDER = Path(__file__).parent
_COMMENT = re.compile(r"(^|\s\s)\s*//( .*)?$")  # two spaces before it: no address in a text has them


def widget_script(settings: Mapping[str, object], language: str = "ru") -> bytes:
    """The script for one channel: *settings* are those of a session's answer, so that the button has its
    colour before anybody asks; *language* is used where the page names none.
    """
    setup = {"language": language, "settings": dict(settings), "words": _words()}
    return _code().replace("const SETUP = {};", f"const SETUP = {_literal(setup)};", 1).encode()


@cache
def _code() -> str:
    """Without what only readers of the code need: comments, indentation."""
    style = _literal("".join(_lines("widget.css")))
    return "\n".join(_lines("widget.js")).replace("`/*style*/`", style, 1)


@cache
def _words() -> Mapping[str, Mapping[str, str]]:
    return {lang: read_own(_FOLDER / f"words.{lang}.yaml") for lang in LANGUAGES}


def _lines(name: str) -> list[str]:
    found = [_COMMENT.sub("", line).strip() for line in (_FOLDER / name).read_text("utf-8").splitlines()]
    return [line for line in found if line]


def _literal(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
