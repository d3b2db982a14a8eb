"""The parsers of strangers' bytes, each as a function that must survive anything: `python -m
tests.attacks.fuzzing --seconds 60`.

With atheris installed (`pip install atheris`) the bytes are guided by coverage, otherwise Hypothesis draws
them. What breaks one is written to crash-… beside you (atheris) or printed; put it into SEEDS with the
mending.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from jinja2 import TemplateError

from bot.adapters.max.updates import MaxReader
from bot.adapters.telegram.updates import TelegramReader
from bot.adapters.vk.calls import RandomIds
from bot.adapters.vk.updates import VkReader
from bot.clock import HandClock
from bot.i18n.sandbox import CLOSE, MAX_OUTPUT, OPEN, Sandbox
from bot.knowledge.articles.frontmatter import read_head, split_head
from bot.knowledge.articles.schema import split_passages
from bot.model import RichText
from bot.text.markdown import fill, to_rich

_CLOCK = HandClock(datetime(2026, 11, 21, 12, tzinfo=UTC))
_TELEGRAM = TelegramReader("telegram", _CLOCK, bot_id=1, username="bot")
_VK = VkReader("vk", 77, _CLOCK, RandomIds("vk").holds)
_MAX = MaxReader("max", _CLOCK)
_SANDBOX = Sandbox()
_FACTS = {"name": RichText("Анна {{7*7}}"), "number": 5, "words": ["а", "б"], "link": "https://example.org"}


def telegram(data: bytes) -> None:
    """Any JSON object is an update with its number as the key."""
    update = _object(data)
    if update is not None:
        assert _TELEGRAM.to_inbound({**update, "update_id": 7}).key == "7"


def vk(data: bytes) -> None:
    """Any JSON object among the events leaves the next one readable."""
    event = _object(data)
    if event is not None:
        good = {
            "type": "message_new",
            "object": {
                "message": {
                    "peer_id": 5,
                    "from_id": 5,
                    "conversation_message_id": 1,
                    "id": 1,
                    "date": 1,
                    "text": "да",
                }
            },
        }
        assert _VK.read_all([event, good])[-1].text == "да"


def max_messenger(data: bytes) -> None:
    """Any JSON among the updates leaves the next one readable, and nothing that is read lacks a key."""
    update = _object(data)
    if update is not None:
        body = {"mid": "mid.1", "seq": 1, "text": "да"}
        said = {"sender": {"user_id": 5}, "recipient": {"chat_type": "dialog", "chat_id": 9}, "body": body}
        good = {"update_type": "message_created", "timestamp": 1, "message": said}
        found = _MAX.read_all([update, good])
        assert found[-1].text == "да" and all(i.key for i in found)


def head(data: bytes) -> None:
    """A front matter is values or problems with a line, and the body is cut into passages."""
    try:
        yaml, body, _ = split_head(data.decode("utf-8", "replace"))
    except ValueError:
        return
    if yaml is not None:
        found, problems = read_head(yaml, "a.md")
        assert found is not None or (problems and all(p.text for p in problems))
    split_passages(body)


def template(data: bytes) -> None:
    """A template is a short text or an error of its own kind; nothing of Python shows."""
    try:
        compiled = _SANDBOX.compiled(data.decode("utf-8", "replace"))
        markdown, kept = _SANDBOX.run(compiled, dict(_FACTS))
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError):
        return
    text = fill(to_rich(markdown), kept).text
    assert len(text) <= 4 * MAX_OUTPUT and OPEN not in text and CLOSE not in text and "<function" not in text


def markdown(data: bytes) -> None:
    """Markdown becomes text whose styles lie inside it."""
    rich = to_rich(data.decode("utf-8", "replace"))
    assert all(s.offset >= 0 and s.length > 0 and s.offset + s.length <= len(rich.text) for s in rich.spans)


def _object(data: bytes) -> dict[str, object] | None:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


Target = Callable[[bytes], None]
TARGETS: Mapping[str, Target] = {
    f.__name__: f for f in (telegram, vk, max_messenger, head, template, markdown)
}
_PERSON = {"id": 1, "is_bot": False, "first_name": "Анна"}
_CHAT = {"id": 1, "type": "private", "first_name": "Анна"}
_SAID = {
    "message_id": 5,
    "date": 1,
    "chat": _CHAT,
    "from": _PERSON,
    "text": "👍 да",
    "entities": [{"type": "bold", "offset": 0, "length": 2}],
}
_PHOTO = {"type": "photo", "photo": {"sizes": [{"url": "https://x", "width": 1}]}}
_PERSON_OF_MAX = {"user_id": 5, "first_name": "Анна", "is_bot": False}
_BODY = {
    "mid": "mid.7",
    "text": "👍 да @shop",
    "markup": [{"type": "strong", "from": 0, "length": 2}, {"type": "user_mention", "from": 3, "length": 2}],
    "attachments": [
        {"type": "image", "payload": {"url": "https://x", "token": "t"}},
        {"type": "contact", "payload": {"vcf_info": "FN:А\r\nTEL:7"}},
        {"type": "location", "latitude": 1.5, "longitude": 2.5},
        {"type": "share", "payload": {"url": "https://y"}, "title": "т"},
    ],
}
_LINKED = {"type": "forward", "sender": _PERSON_OF_MAX, "message": _BODY}
_TOLD = {
    "sender": _PERSON_OF_MAX,
    "recipient": {"chat_type": "chat", "chat_id": -9},
    "timestamp": 1,
    "body": _BODY,
}
SEEDS: Mapping[str, tuple[bytes, ...]] = {
    "telegram": tuple(
        json.dumps(u).encode()
        for u in (
            {
                "message": {
                    **_SAID,
                    "photo": [{"file_id": "a", "width": 1, "height": 1}],
                    "reply_to_message": _SAID,
                }
            },
            {"edited_message": _SAID},
            {
                "callback_query": {
                    "id": "1",
                    "from": _PERSON,
                    "chat_instance": "1",
                    "data": "42.00",
                    "message": _SAID,
                }
            },
            {
                "my_chat_member": {
                    "chat": {**_CHAT, "type": "supergroup"},
                    "from": _PERSON,
                    "date": 1,
                    "new_chat_member": {"status": "administrator", "user": _PERSON},
                }
            },
            {
                "message_reaction": {
                    "chat": _CHAT,
                    "message_id": 5,
                    "date": 1,
                    "user": _PERSON,
                    "old_reaction": [],
                    "new_reaction": [{"type": "emoji", "emoji": "👍"}],
                }
            },
        )
    ),
    "vk": tuple(
        json.dumps(e).encode()
        for e in (
            {
                "type": "message_new",
                "object": {"message": {"peer_id": 5, "from_id": 5, "text": "а", "attachments": [_PHOTO]}},
            },
            {
                "type": "message_event",
                "object": {"user_id": 5, "peer_id": 5, "event_id": "e", "payload": {"t": "42.00"}},
            },
            {
                "type": "message_reply",
                "object": {
                    "peer_id": 5,
                    "from_id": -77,
                    "random_id": 1,
                    "text": "б",
                    "reply_message": {"id": 1},
                },
            },
        )
    ),
    "max_messenger": tuple(
        json.dumps(u).encode()
        for u in (
            {"update_type": "message_created", "timestamp": 1, "message": {**_TOLD, "link": _LINKED}},
            {"update_type": "message_edited", "timestamp": 1, "message": _TOLD},
            {
                "update_type": "message_callback",
                "callback": {"timestamp": 1, "callback_id": "k", "payload": "42.00", "user": _PERSON_OF_MAX},
                "message": _TOLD,
            },
            {"update_type": "bot_started", "timestamp": 1, "chat_id": 9, "user": _PERSON_OF_MAX},
            {"update_type": "user_added", "timestamp": 1, "chat_id": -9, "user": _PERSON_OF_MAX},
            {"update_type": "message_removed", "timestamp": 1, "chat_id": -9, "message_id": "m"},
        )
    ),
    "head": (
        b"---\ntitle: A\naliases: [b, c]\nvalid_until: 2026-12-01\n---\n\n# H\n\ntext\n",
        b"---\na: &x 1\nb: *x\n---\n",
        b"---\n- 1\n",
    ),
    "template": (
        b"{% for w in words %}{{ w|upper }}, {% endfor %}{{ name }}",
        b"{{ ''.__class__ }}",
        b"{{ 'a'*9**9 }}",
        b"{{ 1e999 }}",
        b"{{ 'inf'|float }}",
        b"{% set x = number + 1 %}{{ x ~ name }}",
    ),
    "markdown": (
        "**а** [б](https://x) `в` [[г]] ![[д.png]]\n\n- е\n  1. ж\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n>"
        " [!note] з\n".encode(),
        b"%%x%%<b>&amp;",
    ),
}


def _guided(name: str, seconds: int) -> int:
    """One target under atheris, in a process of its own (libFuzzer ends it)."""
    with tempfile.TemporaryDirectory() as corpus:
        for n, seed in enumerate(SEEDS[name]):
            (Path(corpus) / str(n)).write_bytes(seed)
        code = (
            "import sys, atheris\nwith atheris.instrument_imports(include=['bot']):\n    from"
            f" tests.attacks.fuzzing import TARGETS\natheris.Setup([sys.argv[0], '-max_total_time={seconds}',"
            f" '-max_len=2000', '-timeout=5', '-rss_limit_mb=2048', {corpus!r}],"
            f" TARGETS[{name!r}])\natheris.Fuzz()\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    print(
        f"{name}: {'held' if done.returncode == 0 else 'BROKE'}; "
        + " ".join(line for line in done.stderr.splitlines() if line.startswith("Done"))
    )
    if done.returncode:
        print(done.stderr[-3000:])
    return int(done.returncode != 0)


def _drawn(name: str, seconds: int) -> int:
    """One target with bytes that Hypothesis draws."""
    from tests.attacks.test_fuzz import damaged  # only here: Hypothesis is slow to import

    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        count += 1
        data = damaged(name).example()
        try:
            TARGETS[name](data)
        except Exception:
            print(f"{name}: BROKE on {data!r}")
            raise
    print(f"{name}: held; {count} runs")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", nargs="*", choices=[*TARGETS, []])
    parser.add_argument("--seconds", type=int, default=20)
    chosen = parser.parse_args()
    fuzz = _guided if find_spec("atheris") else _drawn
    sys.exit(max(fuzz(name, chosen.seconds) for name in chosen.target or TARGETS))
