"""The store's contract, chats that the business itself shows: each line once, in order."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from bot.model import ChatLine, Inbound, Peer, Sender
from bot.storage.base import Store
from bot.testing.contracts.store_scene import arrival, deliver, hear, later, say, texts

SITE, PHONE = Peer("site", "v-1"), Peer("site", "v-2")


def visits(peer: Peer = SITE) -> Inbound:
    return Inbound("", peer, Sender(peer.chat, "Анна"), later(0))


def line(source: str, payload: str = '"слова"', **more: object) -> ChatLine:
    return replace(ChatLine(source, "message", later(1), payload), **more)  # type: ignore[arg-type]


class ChatsContract:
    """Visitors and the lines of their chats."""

    async def test_a_line_is_written_once(self, store: Store) -> None:
        """By its source, also by many at once; numbers have no gap that something could come into later."""
        await store.meet_visitor(visits(), later(0))
        assert await store.add_chat_line("site", "nobody", line("o1")) is None
        await asyncio.gather(*(store.add_chat_line("site", "v-1", line(f"o{n % 4}")) for n in range(8)))

        found = await store.chat_lines("site", "v-1", after=0)
        assert [found[n].number for n in range(4)] == [1, 2, 3, 4] and len(found) == 4
        assert {f.source for f in found} == {"o0", "o1", "o2", "o3"}
        assert await store.chat_lines("site", "v-1", after=3) == found[3:]
        visitor = await store.visitor("site", "v-1")
        assert visitor is not None and (visitor.last, visitor.unread) == (4, 4)

    async def test_a_change_shows_the_message_as_it_is(self, store: Store) -> None:
        """Who reads later sees no older words; a removed message is shown no more."""
        await store.meet_visitor(visits(), later(0))
        await store.add_chat_line("site", "v-1", line("o1", '"было"'))
        await store.add_chat_line("site", "v-1", line("o2", '"стало"', kind="edit", message="o1"))

        assert [(f.payload, f.edited) for f in await store.chat_messages("site", "v-1")] == [
            ('"стало"', True)
        ]
        assert [f.payload for f in await store.chat_lines("site", "v-1", after=0)] == ['"стало"'] * 2
        await store.add_chat_line("site", "v-1", line("o3", "", kind="remove", message="o1"))
        assert await store.chat_messages("site", "v-1") == ()
        assert [f.kind for f in await store.chat_lines("site", "v-1", after=1)] == ["edit", "remove"]

    async def test_the_visitors_own_words_are_kept_with_their_line(self, store: Store) -> None:
        """In one transaction, and once."""
        await store.meet_visitor(visits(), later(0))
        said = arrival("k1", "вопрос", SITE, line={"text": "вопрос"})
        for _ in range(2):
            await store.accept("site", [said])

        found = await store.chat_line("site", "k1")
        assert found is not None and found[0] == "v-1"
        assert (found[1].own, found[1].payload, found[1].number) == (True, '{"text":"вопрос"}', 1)
        visitor = await store.visitor("site", "v-1")
        assert visitor is not None and visitor.unread == 0

    async def test_what_was_read_never_falls(self, store: Store) -> None:
        await store.meet_visitor(visits(), later(0))
        for n in range(3):
            await store.add_chat_line("site", "v-1", line(f"o{n}"))
        for upto in (2, 1, 99):
            await store.mark_visitor("site", "v-1", read=upto)
            visitor = await store.visitor("site", "v-1")
            assert visitor is not None and visitor.read == max(2, min(upto, 3))
        assert visitor is not None and visitor.unread == 0

    async def test_who_is_away_gets_one_letter(self, store: Store) -> None:
        """Where an address was left and something is unread; again only after they were there."""
        await store.meet_visitor(visits(), later(0))
        await store.add_chat_line("site", "v-1", line("o1"))
        assert await store.away_visitors("site", later(600)) == ()
        await store.mark_visitor("site", "v-1", email="anna@example.org")
        [away] = await store.away_visitors("site", later(600))
        assert (away.email, away.unread) == ("anna@example.org", 1)
        assert await store.away_visitors("site", later(0)) == ()
        assert await store.away_visitors("site", later(600), holding="другие") == ()
        letter = say("вам ответили", Peer("vk", "anna@example.org"), author="")
        assert [await store.send_letter(away, letter, later(600)) for _ in range(2)] == [True, False]
        assert await store.away_visitors("site", later(900)) == ()
        await store.mark_visitor("site", "v-1", seen=later(700))
        [again] = await store.away_visitors("site", later(900))
        await store.mark_visitor("site", "v-1", seen=later(800))
        assert not await store.send_letter(again, letter, later(900))  # they were there meanwhile
        assert texts(await deliver(store, 900)) == ["вам ответили"]
        await store.forget_customer(again.customer, later(950))
        assert b"anna@example.org" not in await self.traces(store)  # type: ignore[attr-defined]

    async def test_a_login_goes_on_in_one_chat(self, store: Store) -> None:
        """The first chat becomes theirs; a second one goes on in it, with its lines and as one customer, and
        what is sent to it later, too. Another login sees neither.
        """
        await store.meet_visitor(visits(), later(0))
        await store.add_chat_line("site", "v-1", line("o1"))
        own = await store.log_in_visitor(visits(), "anna", later(1))
        assert own is not None and (own.chat, own.login) == ("v-1", "anna")
        assert await store.log_in_visitor(visits(), "boris", later(1)) is None
        other = await store.meet_visitor(visits(PHONE), later(2))
        await store.add_chat_line("site", "v-2", line("o2"))
        for _ in range(2):
            joined = await store.log_in_visitor(visits(PHONE), "anna", later(3))
            assert joined is not None and (joined.chat, joined.customer) == ("v-1", own.customer)
        await store.add_chat_line("site", "v-2", line("o3"))

        assert [f.source for f in await store.chat_lines("site", "v-1", after=0)] == ["o1", "o2", "o3"]
        assert await store.chat_lines("site", "v-2", after=0) == ()
        assert await store.known_as(other.customer) == own.customer
        stranger = await store.log_in_visitor(visits(Peer("site", "v-3")), "boris", later(4))
        assert stranger is not None and (stranger.chat, stranger.last) == ("v-3", 0)
        assert stranger.customer != own.customer
        assert await store.log_in_visitor(visits(), "boris", later(5)) == stranger

    async def test_a_chat_is_exported_and_forgotten_with_its_customer(self, store: Store) -> None:
        await store.meet_visitor(visits(), later(0))
        await hear(store, arrival("k1", "тайна", SITE, line={"text": "тайна"}))
        visitor = await store.visitor("site", "v-1")
        assert visitor is not None
        await store.add_chat_line("site", "v-1", line("o1", '"было"'))
        await store.add_chat_line("site", "v-1", line("o2", '"стало"', kind="edit", message="o1"))
        exported = await store.export_customer(visitor.customer)
        assert len(exported["visitors"]) == 1  # type: ignore[arg-type]
        shown = [row["payload"] for row in exported["chat_lines"]]  # type: ignore[attr-defined]
        assert shown == [{"text": "тайна"}, "стало", ""]
        await store.forget_customer(visitor.customer, later(9))

        assert await store.visitor("site", "v-1") is None
        assert await store.chat_lines("site", "v-1", after=0) == ()

    async def test_old_lines_go(self, store: Store) -> None:
        await store.meet_visitor(visits(), later(0))
        await store.add_chat_line("site", "v-1", line("o1"))
        await store.add_chat_line("site", "v-1", line("o2", at=later(900)))
        assert await store.purge(later(600)) == 1
        assert [f.source for f in await store.chat_lines("site", "v-1", after=0)] == ["o2"]
