"""The page about other systems names what there is: every kind of event, every route, and its example of a
table.
"""

from __future__ import annotations

import re
from pathlib import Path

from bot.clock import Clock
from bot.events.kinds import KINDS
from bot.storage.sqlite.store import SqliteStore
from bot.text.customer_fields import read_table
from bot.web.api.keys import ApiKeys
from bot.web.api.rest import RestApi

PAGE = (Path(__file__).parents[2] / "docs/en/integrations.md").read_text("utf-8")


def test_every_kind_of_event_is_explained() -> None:
    """The table is what the code promises, word for word."""
    assert dict(
        re.findall(
            r"^\| `(\w+)` \| (.*) \|$", PAGE.partition("### Kinds")[2].partition("## REST")[0], re.MULTILINE
        )
    ) == dict(KINDS)


async def test_every_route_is_in_the_table() -> None:
    """Method, path and the right it needs."""
    store = SqliteStore.open(":memory:")

    async def accept(channel: str, inbounds: object) -> None:
        raise AssertionError

    routes = RestApi(store, accept, ApiKeys({}, per_minute=1), Clock()).routes
    shown = {
        (m, p.partition("?")[0], may)
        for m, p, may in re.findall(
            r"^\| `(GET|POST|PATCH|DELETE) ([^`]+)`.*\| (\w+) \|$", PAGE, re.MULTILINE
        )
    }
    await store.close()

    assert shown == {(r.method, r.path, r.may) for r in routes}


def test_the_table_of_the_page_is_read() -> None:
    """What somebody copies from the page works."""
    found = re.search(r"```csv\n(.*?)```", PAGE, re.DOTALL)
    assert found
    rows = read_table(found[1].encode(), "crm.csv")

    assert [(r.channel, r.chat, dict(r.contacts), r.values["vip"]) for r in rows] == [
        ("telegram", "100500", {}, "yes"),
        ("", "", {"phone": "+79123456789"}, "no"),
    ]
