"""What is wrong with config.yaml is told in the owner's language and in words: what stands there, what is
wanted, an example, the file and the line.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.config.loader import read_config
from bot.errors import ConfigError, Problem
from bot.text.problems import problem_in, reading

VK = "channels:\n  vk: {type: vk, group_id: 1}\n"
WRONG = [  # the file, the line of the fault, what must be named
    ("web: {port: eighty}\n", 1, ("web.port", "eighty", "8080", "65535")),
    ("web:\n  port: 70000\n", 2, ("web.port", "70000", "65535")),
    ("web:\n  port:\n", 2, ("web.port", "8080")),
    ("channels:\n  vk: {type: vk, group_id: nine}\n", 2, ("channels.vk.group_id", "nine")),
    ("channels:\n  vk: {type: vk, group_id: '${NOWHERE}'}\n", 2, ("channels.vk.group_id", "NOWHERE")),
    ("channels:\n  vk: {type: vk}\n", 2, ("channels.vk.group_id",)),
    ("channels:\n  vk: {type: vk, group_id: 1, mark_read: perhaps}\n", 2, ("mark_read", "perhaps", "true")),
    ("channels:\n  vk: {type: vk, group_id: 1, mode: webhook}\n", 2, ("longpoll", "callback")),
    ("knowledge: {foldr: kb}\n", 1, ("knowledge.foldr", "folder")),
    ("busines: {name: Shop}\n", 1, ("busines", "business")),
    ("teams:\n  - {name: a, tittle: A}\n", 2, ("teams.0.tittle", "title")),
    ("channels:\n  t: {type: telegram, tokn: '${T}'}\n", 2, ("channels.t.tokn", "token")),
    ("api: {keys: {crm: {secrt: '${T}'}}}\n", 1, ("api.keys.crm.secrt", "secret")),
    ("sla:\n  policies:\n    - {first_reply: полчаса}\n", 3, ("first_reply", "полчаса", "30m")),
    ("routing: {remind: 15 минут}\n", 1, ("routing.remind", "15 минут", "15m")),
    ("nps: {at: noon}\n", 1, ("nps.at", "noon", "12:00")),
    ("outreach: {hours: 9-21}\n", 1, ("outreach.hours", "9-21", "9:00-21:00")),
    ("outreach: {hours: '21:00-9:00'}\n", 1, ("outreach.hours", "9:00-21:00")),
    ("hours:\n  week: {mon: 9 to 18}\n", 2, ("hours.week.mon", "9 to 18", "10:00-20:00")),
    ("hours:\n  week: {mon: '25:00-26:00'}\n", 2, ("hours.week.mon", "25:00", "10:00-20:00")),
    ("hours:\n  week: {monday: '10:00-20:00'}\n", 2, ("hours.week", "monday", "mon")),
    ("hours:\n  exceptions: {31.12.2026: closed}\n", 2, ("hours.exceptions", "31.12.2026", "2026-12-31")),
    ("hours: 9-18\n", 1, ("hours", "9-18")),
    ("hours: {timezone: Moscow}\n", 1, ("hours.timezone", "Moscow", "Europe/Moscow")),
    ("teams:\n  - {name: Отдел продаж}\n", 2, ("teams.0.name", "Отдел продаж", "sales")),
    ("teams: {name: sales}\n", 1, ("teams",)),
    ("business: {language: de}\n", 1, ("business.language", "de", "ru")),
    ("business: {address: [a]}\n", 1, ("business.address",)),
    ("webhooks: {crm: {url: 'http://example.com'}}\n", 1, ("webhooks.crm", "https://")),
    ("webhooks: {CRM: {url: 'https://example.com'}}\n", 1, ("webhooks", "CRM", "crm")),
    ("webhooks: {crm: {events: [ticket.opend]}}\n", 1, ("webhooks.crm.events", "ticket.open")),
    ("webhooks: {crm: {events: []}}\n", 1, ("webhooks.crm.events", "1")),
    ("web: {password: [a]}\n", 1, ("web.password", "WEB_PASSWORD")),
    ("rating: {ask: maybe}\n", 1, ("rating.ask", "maybe", "true")),
    ("sla: {warn: 2}\n", 1, ("sla.warn", "2", "0.75")),
    ("storage: [a]\n", 1, ("storage", "url")),
    ("dialogs: {forms: [{name: f, fields: [{name: a, ask: {ru: x}, pattern: '(a'}]}]}\n", 1, ("pattern",)),
    (VK + "desk: {channel: telegramm, chat: -100}\n", 3, ("desk.channel", "telegramm", "vk")),
    ("web: {host: 0.0.0.0}\n", 1, ("web.host", "password")),
    ("hours: {week: {mon: closed}}\n", 1, ("hours.week", "mon")),
    ("sla: {escalate_to: night}\n", 1, ("sla.escalate_to", "night")),
    ("a: [1,\n", 2, ("YAML",)),
    ("a: 1\na: 2\n", 2, ("a",)),
    ("- just\n- a list\n", 1, ()),
]  # fmt: skip
PATTERN = re.compile(
    r"\^|\\[dwsb]|\[[a-z0-9_-]*-[a-z0-9_-]*\]|\{\d+,|\)\?|\$\)|should (be|match)|Input|Field"
)
KEYS = re.compile(
    r"[\w.]+\.[\w.]+|«[^»]*»|\"[^\"]*\"|\b[a-z_]+:(?!//)|[a-z]+://\S*|[A-Z]+(_[A-Z]+)+|Europe/\w+|--\w+"
    r"|\b\d+[smhd]\b|\b[smhd]\b|\b(YAML|VK|docs|true|false|closed|desk|week|url|mon|first_reply|resolution"
    r"|webhook|callback|Callback|API|secret|webhook_url|type|phone|email|order|number|channels|whsec_)\b"
)


def told(tmp_path: Path, text: str, language: str) -> list[Problem]:
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    with reading(language), pytest.raises(ConfigError) as caught:
        read_config(file, environment={"T": "1:x"})
    return list(caught.value.problems)


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize(("text", "line", "named"), WRONG)
def test_a_wrong_setting_is_told_in_words(
    tmp_path: Path, text: str, line: int, named: tuple[str, ...], language: str
) -> None:
    """One problem for one fault, at its file and line, with no word of the checking library, no pattern."""
    (found,) = told(tmp_path, text, language)
    words = f"{found.text} → {found.hint}"

    assert (found.file, found.line) == (str(tmp_path / "config.yaml"), line)
    assert found.hint or "например" in found.text or "as " in found.text or ":" in found.text, words
    for word in named:
        assert word in words
    assert not PATTERN.search(words), words


@pytest.mark.parametrize(("text", "line", "named"), WRONG)
def test_each_language_is_whole(tmp_path: Path, text: str, line: int, named: tuple[str, ...]) -> None:
    """The Russian words hold no English but keys, values and what is written in the file; the English ones no
    Russian but what stands in the file; and a problem told in one can be told in the other.
    """
    (russian,), (english,) = told(tmp_path, text, "ru"), told(tmp_path, text, "en")
    own = KEYS.sub(" ", f"{russian.text} → {russian.hint}")
    for word in (*named, *re.findall(r"\w+", text)):
        own = own.replace(word, " ")
    assert not re.search(r"\b[a-z]{3,}\b( [a-z]+\b)+", own), own
    assert re.search("[а-яё]{3}", russian.text)

    cleaned = f"{english.text} → {english.hint}"
    for word in re.findall(r"[А-Яа-яё]+", text):
        cleaned = cleaned.replace(word, " ")
    assert not re.search("[А-Яа-яё«»]", cleaned), cleaned
    assert problem_in(russian, "en") == english and problem_in(english, "ru") == russian


def test_a_value_that_may_be_secret_is_never_shown(tmp_path: Path) -> None:
    """A secret in the file, and an address with a password in it, are named by their keys only."""
    for text in ("channels:\n  t: {type: telegram, token: '1:SECRET'}\n", "web: {port: 'u:SECRET@x'}\n"):
        for language in ("ru", "en"):
            assert all("SECRET" not in str(p) for p in told(tmp_path, text, language))
