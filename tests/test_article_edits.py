"""What one replica writes into its folder of articles reaches the folders of the others, and can be undone on
any.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from bot.article_edits import KEPT, MARK, ArticleEdits
from bot.clock import HandClock
from bot.knowledge.articles.writer import FileChange, rewrite
from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.search import Knowledge
from bot.storage.postgres.store import PostgresStore
from bot.testing.harness import NOON

OLD, NEW = "---\ntitle: Оплата\n---\nКартой.\n", "---\ntitle: Оплата\naliases: [как оплатить]\n---\nКартой.\n"


@dataclass
class Machine:
    """A replica with a folder of articles."""

    folder: Path
    store: PostgresStore
    edits: ArticleEdits

    async def writes(self, name: str, text: str, before: str | None = None) -> str:
        """As a page does: the file, then the record of it."""
        path = (self.folder / name).resolve()
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        was = None if before is None else before.encode()
        return await self.edits.keep([FileChange(path, was, text.encode())], ["one"])

    def reads(self, name: str) -> str | None:
        path = self.folder / name
        return path.read_text("utf-8") if path.exists() else None


class Machines:
    """Replicas on one database, on one clock."""

    def __init__(self, database: str, folder: Path) -> None:
        self.clock, self._database, self._folder = HandClock(NOON), database, folder
        self.stores: list[PostgresStore] = []

    def start(self, folder: str) -> Machine:
        """One more, with a folder in which the article of payment is."""
        place = self._folder / folder
        if not place.exists():
            place.mkdir()
            (place / "payment.md").write_text(OLD, encoding="utf-8")
        store = PostgresStore.open(self._database, now=self.clock, own_time=True)
        self.stores.append(store)
        knowledge = Knowledge.open(place, settings=KnowledgeSettings(model="off"))
        return Machine(place, store, ArticleEdits(store, knowledge, self.clock))


@pytest.fixture
async def machines(database: str, tmp_path: Path) -> AsyncIterator[Machines]:
    opened = Machines(database, tmp_path)
    yield opened
    for store in opened.stores:
        await store.close()


async def test_a_draft_and_an_example_reach_the_other_folder(machines: Machines) -> None:
    """Once: the next look changes nothing."""
    here, there = machines.start("here"), machines.start("there")
    await there.edits.catch_up()
    await here.writes("faq/courier.md", "Курьер")
    await here.writes("payment.md", NEW, OLD)

    assert (await there.edits.catch_up(), await there.edits.catch_up()) == (2, 0)
    assert (there.reads("faq/courier.md"), there.reads("payment.md")) == ("Курьер", NEW)
    assert await here.edits.catch_up() == 0


async def test_what_is_another_text_here_is_not_written_over(machines: Machines) -> None:
    """Neither an article that somebody changed nor one of the same name."""
    here, there = machines.start("here"), machines.start("there")
    await there.edits.catch_up()
    (there.folder / "payment.md").write_text("Своё", encoding="utf-8")
    (there.folder / "courier.md").write_text("Своё", encoding="utf-8")
    await here.writes("courier.md", "Курьер")
    await here.writes("payment.md", NEW, OLD)

    assert await there.edits.catch_up() == 0
    assert (there.reads("courier.md"), there.reads("payment.md")) == ("Своё", "Своё")


async def test_a_picture_and_the_draft_of_a_change_reach_the_other_folder(machines: Machines) -> None:
    """Byte for byte; what is taken away there goes here, too."""
    here, there = machines.start("here"), machines.start("there")
    await there.edits.catch_up()
    picture = bytes(range(256))
    for place, content in (("images/a.png", picture), ("_drafts/payment.md", b"text")):
        change = rewrite(here.folder, place, None, content)
        assert change is not None
        await here.edits.keep([change])
    assert await there.edits.catch_up() == 2

    assert (there.folder / "images" / "a.png").read_bytes() == picture
    gone = rewrite(here.folder, "_drafts/payment.md", b"text", None)
    assert gone is not None and there.reads("_drafts/payment.md") == "text"
    await here.edits.keep([gone])
    assert await there.edits.catch_up() == 1
    assert there.reads("_drafts/payment.md") is None


async def test_an_edit_is_undone_on_any_replica(machines: Machines) -> None:
    """The press came to another one: the file is as it was there, and where it was written, too; once."""
    here, there = machines.start("here"), machines.start("there")
    await here.edits.catch_up(), await there.edits.catch_up()
    name = await here.writes("payment.md", NEW, OLD)
    await there.edits.catch_up()
    edit = await there.edits.find(name)
    assert edit is not None and edit.examples == ("one",)
    for change in edit.changes:
        change.undo()
    await there.edits.undone(edit)

    assert await here.edits.catch_up() == 1
    assert (here.reads("payment.md"), there.reads("payment.md")) == (OLD, OLD)
    assert await here.edits.find(name) is None


async def test_in_a_shared_folder_nothing_is_done_twice(machines: Machines) -> None:
    """It is there already; deleted by hand it does not come back, after a restart neither."""
    here, there = machines.start("kb"), machines.start("kb")
    await here.edits.catch_up(), await there.edits.catch_up()
    await here.writes("courier.md", "Курьер")
    assert await there.edits.catch_up() == 0
    machines.clock.advance(minutes=2)
    (there.folder / "courier.md").unlink()
    later = machines.start("kb")

    assert await there.edits.catch_up() == await later.edits.catch_up() == 0
    assert here.reads("courier.md") is None


async def test_a_replica_that_was_away_hears_of_it_later(machines: Machines) -> None:
    """As long as edits are kept; a new copy of the folder begins with now."""
    here, there = machines.start("here"), machines.start("there")
    await there.edits.catch_up()
    await here.writes("courier.md", "Курьер")
    machines.clock.advance(days=3)
    again, new = machines.start("there"), machines.start("new")

    assert (await again.edits.catch_up(), await new.edits.catch_up()) == (1, 0)
    assert (again.reads("courier.md"), new.reads("courier.md")) == ("Курьер", None)


async def test_words_of_edits_do_not_stay(machines: Machines) -> None:
    """After a month they can be undone no more."""
    here = machines.start("here")
    name = await here.writes("courier.md", "Курьер")
    machines.clock.advance(seconds=(KEPT + timedelta(hours=1)).total_seconds())
    await here.writes("other.md", "Другое")

    assert await here.edits.find(name) is None


async def test_no_place_outside_the_folder_is_written(machines: Machines) -> None:
    """Whatever stands in the database."""
    here, there = machines.start("here"), machines.start("there")
    await there.edits.catch_up()
    await here.writes("x.md", "Курьер")
    (name,) = [str(e.data["edit"]) for e in await here.store.events(kinds=["articles_edited"])]
    kept = await here.store.setting(f"article_edit:{name}") or ""
    await here.store.keep_setting(f"article_edit:{name}", kept.replace("x.md", "../x.md"))

    assert await there.edits.catch_up() == 0
    assert not (there.folder.parent / "x.md").exists()
    assert (there.folder / MARK).exists()
