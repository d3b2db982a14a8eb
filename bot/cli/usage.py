"""A call that cannot be understood, in words: what is wrong with it, and where the help is."""

from __future__ import annotations

import re
from typing import Any

from bot.cli.messages import say
from bot.text.nearest import nearest

_LIMIT = re.compile(r"(greater|less) than (?:or equal to )?(-?[\d.]+)")
_QUOTED = re.compile(r"'([^']+)' does not exist")


def kinds(error: BaseException) -> set[str]:
    """The names of what *error* is: typer moved the classes between its versions."""
    return {kind.__name__ for kind in type(error).__mro__}


def usage_words(error: Any) -> str:
    """What is wrong, and how to ask for help."""
    path = error.ctx.command_path if error.ctx else "bot"
    return f"{_wrong(error)}\n→ {say('usage.help', command=path)}"


def _wrong(error: Any) -> str:
    names = kinds(error)
    if "NoSuchOption" in names:
        known = [o for p in (error.ctx.command.params if error.ctx else ()) for o in p.opts]
        near = nearest(error.option_name, known)
        if near:
            return say("usage.no_option_near", name=error.option_name, near=near[0])
        return say("usage.no_option", name=error.option_name)
    if "BadParameter" in names:
        name = error.param.opts[0] if error.param is not None and error.param.opts else ""
        if "MissingParameter" in names:
            return say("usage.missing", name=name)
        if found := _QUOTED.search(error.message):
            return say("usage.no_file", name=name, file=found[1])
        if limit := _LIMIT.search(error.message):
            return say(f"usage.{limit[1]}", name=name, limit=limit[2])
        kind = next((k for k in ("integer", "number") if k in error.message), "value")
        return say(f"usage.{kind}", name=name)
    extra = re.search(r"extra argument[^ ]* \((.*)\)", error.message)
    return say("usage.extra", words=extra[1]) if extra else say("usage.other")
