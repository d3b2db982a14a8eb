"""`bot customers`: tables of a CRM laid over customers, and one person on two channels, from the command
line.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.model import Customer, Inbound, Outcome, Peer, Result, Sender
from bot.storage.base import ScheduledInbound
from bot.storage.sqlite.store import SqliteStore
from tests.cli.conftest import Run

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
async def people(shop: Path) -> None:
    """Anna wrote in Telegram and in VK; her phone is known from Telegram."""
    store = SqliteStore.open(shop / "data/bot.db")
    for channel, chat, fields in (("telegram", "1001", {"phone": "+79123456789"}), ("vk", "7", {})):
        inbound = Inbound("1", Peer(channel, chat), Sender(chat, "Анна"), NOW, text="добрый день")
        await store.accept(channel, [ScheduledInbound(inbound, NOW, NOW)])
        turn = await store.take_turn(NOW)
        assert turn is not None and turn.customer is not None
        changed = Customer(turn.customer.id, "Анна", fields=fields)
        await store.finish_turn(turn, Outcome("test", Result.IGNORED, customer=changed), NOW)
    await store.close()


def known(run: Run, who: str) -> dict[str, object]:
    """What `bot export` says of a customer."""
    found: dict[str, object] = json.loads(run("export", "--customer", who).output)
    return found


def fields(run: Run, who: str) -> object:
    return known(run, who)["customer"]["fields"]  # type: ignore[index]


@pytest.mark.usefixtures("people")
def test_attributes_come_from_a_table(run: Run, shop: Path) -> None:
    """By address or by phone in any form; what nobody here has is counted; an empty cell takes a value
    away.
    """
    (shop / "crm.csv").write_text(
        "channel;id;phone;VIP;город\nvk;7;;да;Казань\n;;8 (912) 345-67-89;нет;Омск\n;;+79990000000;да;Тула\n",
        encoding="cp1251",
    )
    said = run("customers", "import", "crm.csv").output
    assert "3" in said and "2" in said and "1" in said
    assert fields(run, "vk:7") == {"vip": "да", "город": "Казань"}
    assert fields(run, "telegram:1001") == {"phone": "+79123456789", "vip": "нет", "город": "Омск"}
    (shop / "crm.csv").write_text("channel,id,vip\nvk,7,\n", encoding="utf-8-sig")
    run("customers", "import", "crm.csv")

    assert fields(run, "vk:7") == {"город": "Казань"}


@pytest.mark.usefixtures("people")
def test_points_from_a_table_keep_their_history(run: Run, shop: Path) -> None:
    """Each import that changes them leaves a row; the same again leaves none."""
    with (shop / "config.yaml").open("a", encoding="utf-8") as config:
        config.write("\nloyalty: {field: points}\n")
    for points in ("300", "350", "350"):
        (shop / "crm.csv").write_text(f"channel,id,points\nvk,7,{points}\n", encoding="utf-8")
        run("customers", "import", "crm.csv")
    kept = fields(run, "vk:7")
    assert isinstance(kept, dict) and kept["points"] == "350"
    assert [row[1:] for row in kept["_points_history"]] == [["300", "import"], ["350", "import"]]


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("table", "place", "said"),
    [
        ("channel,id,vip\nvk,7\n", "crm.csv:2", "2 cells where the first line names 3"),
        ("phone,vip\n12,да\n", "crm.csv:2", "this is no phone"),
        ("channel,id,vip\nvk,,да\n", "crm.csv:2", "belong together"),
        ("phone,vip\n,да\n", "crm.csv:2", "nothing tells who"),
        ("vip,city\nда,Омск\n", "crm.csv:1", "no column tells who"),
        ("phone,rating_asked\n+79123456789,x\n", "crm.csv:1", "own marks"),
        ("phone,vip,vip\n+79123456789,x,y\n", "crm.csv:1", "stands twice"),
        ("", "crm.csv:1", "empty"),
    ],
)
def test_a_wrong_table_changes_nothing(
    run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch, table: str, place: str, said: str
) -> None:
    """Every fault has its line, and a table with a fault is not half taken."""
    (shop / "crm.csv").write_text(table, encoding="utf-8")
    russian = run("customers", "import", "crm.csv", code=2).output
    monkeypatch.setenv("BOT_LANG", "en")
    english = run("customers", "import", "crm.csv", code=2).output
    assert place in russian and place in english
    assert said in english and said not in russian
    assert fields(run, "telegram:1001") == {"phone": "+79123456789"}


@pytest.mark.usefixtures("people")
def test_two_customers_are_joined_and_parted(run: Run) -> None:
    """Exported as one person with both histories, and as two again afterwards."""
    run("customers", "join", "telegram:1001", "vk:7")
    assert len(known(run, "vk:7")["conversations"]) == 2  # type: ignore[arg-type]
    run("customers", "join", "telegram:1001", "vk:7", code=1)
    run("customers", "part", "vk:7")
    assert len(known(run, "vk:7")["conversations"]) == 1  # type: ignore[arg-type]
    run("customers", "part", "vk:7", code=1)
    run("customers", "join", "telegram:1001", "vk:404", code=1)


@pytest.mark.usefixtures("people")
def test_forgetting_covers_both(run: Run, shop: Path) -> None:
    """No word and no name of the joined one stays in the file."""
    (shop / "crm.csv").write_text("channel,id,город\nvk,7,Звенигород\n", encoding="utf-8")
    run("customers", "import", "crm.csv")
    run("customers", "join", "telegram:1001", "vk:7")
    run("forget", "--customer", "telegram:1001", "--yes")
    content = (shop / "data/bot.db").read_bytes()

    assert not [
        word for word in ("Анна", "Звенигород", "+79123456789", "добрый день") if word.encode() in content
    ]
