"""A mailbox that breaks, sleeps, forgets and is made anew: each letter is kept once, and none is touched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.adapters.email.adapter import EmailAdapter
from bot.adapters.email.intake import read_cursor
from bot.adapters.email.message_ids import MessageIds
from bot.button_tokens import token
from bot.clock import HandClock
from bot.errors import AccountError, Refused
from bot.model import Attachment, Button, InboundKind, Media
from bot.testing.contracts.adapter import KeptInbounds, listening
from tests.adapters.email.mail_platform import letter, settings_of
from tests.fakes.imap_server import CUT, FakeImap
from tests.fakes.smtp_server import FakeSmtp

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.fixture
async def imap() -> AsyncIterator[FakeImap]:
    async with FakeImap() as server:
        yield server


@pytest.fixture
async def adapter(imap: FakeImap) -> AsyncIterator[EmailAdapter]:
    async with FakeSmtp() as smtp:
        yield EmailAdapter("mail", settings_of(imap, smtp), clock=HandClock(NOON))


def arrives(imap: FakeImap, text: str, number: int, at: datetime = NOON) -> None:
    imap.arrives(letter(text, number=number).as_bytes(), at)


async def heard(kept: KeptInbounds, *texts: str) -> None:
    """These, each once by its key, and nothing else."""
    await kept.until(lambda: set(texts) <= {i.text for i in kept.messages})
    assert sorted({i.key: i.text for i in kept.messages}.values()) == sorted(texts)


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("LOGIN", CUT),
        ("SELECT", CUT),
        ("SELECT", "NO [UNAVAILABLE] later"),
        ("UID SEARCH", CUT),
        ("UID SEARCH", "BAD what"),
        ("UID FETCH", CUT),
        ("UID FETCH", "NO [SERVERBUG] later"),
        ("UID STORE", CUT),
        ("UID STORE", "NO read-only"),
        ("IDLE", CUT),
        ("IDLE", "BAD no"),
    ],
)
async def test_every_command_may_break(
    imap: FakeImap, adapter: EmailAdapter, command: str, answer: str
) -> None:
    kept = KeptInbounds()
    if command in ("LOGIN", "SELECT"):
        imap.fail(command, answer)
    async with listening(adapter, kept):
        if command not in ("LOGIN", "SELECT"):
            imap.fail(command, answer)
        arrives(imap, "раз", 1)
        await kept.until(lambda: kept.messages)
        arrives(imap, "два", 2)
        await heard(kept, "раз", "два")


async def test_a_cut_line_is_noticed_while_nothing_happens(imap: FakeImap, adapter: EmailAdapter) -> None:
    kept = KeptInbounds()
    async with listening(adapter, kept):
        while "IDLE" not in imap.commands:
            await asyncio.sleep(0.01)
        imap.cut()
        arrives(imap, "после обрыва", 1)
        await heard(kept, "после обрыва")


async def test_without_idle_the_folder_is_looked_into(imap: FakeImap, adapter: EmailAdapter) -> None:
    imap.idle = False
    kept = KeptInbounds()
    async with listening(adapter, kept):
        arrives(imap, "раз", 1)
        await heard(kept, "раз")
    assert "IDLE" not in imap.commands
    [found] = await adapter.check()
    assert found.severity == "warning"


async def test_nothing_is_marked_before_it_is_kept(imap: FakeImap, adapter: EmailAdapter) -> None:
    kept = KeptInbounds()
    async with listening(adapter, kept):
        kept.failures = 2
        arrives(imap, "важное", 1)
        await heard(kept, "важное")
        await kept.until(lambda: imap.letters[0].flags)
    assert imap.commands.count("UID STORE") == 1


async def test_a_folder_made_anew_is_looked_through_and_known_letters_keep_their_keys(
    imap: FakeImap, adapter: EmailAdapter
) -> None:
    """What came meanwhile is heard, what came before the first start is not."""
    arrives(imap, "до запуска", 1, NOON - timedelta(days=1))
    kept = KeptInbounds()
    async with listening(adapter, kept):
        arrives(imap, "раз", 2)
        await heard(kept, "раз")
    before = [i.key for i in kept.messages]
    arrives(imap, "пока никого", 3, NOON + timedelta(hours=1))
    imap.made_anew()
    async with listening(adapter, kept):
        await heard(kept, "раз", "пока никого")
        arrives(imap, "дальше", 4, NOON + timedelta(hours=2))
        await heard(kept, "раз", "пока никого", "дальше")
    at = read_cursor(kept.cursor)
    assert at is not None and at.validity == 2 and set(before) <= {i.key for i in kept.messages}


async def test_one_letter_that_is_never_given_keeps_nobody_back(
    imap: FakeImap, adapter: EmailAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some tries its head alone is taken; it is there, and can be looked at in the mailbox."""
    monkeypatch.setattr("bot.adapters.email.intake.PAUSES", (0.01, 0.01))
    kept = KeptInbounds()
    async with listening(adapter, kept):
        imap.fail("UID FETCH", "NO broken", times=3)
        arrives(imap, "первое", 1)
        arrives(imap, "второе", 2)
        await kept.until(lambda: len(kept.messages) == 2)
    first, second = kept.messages
    assert second.text == "второе" and [c.data["context"] for c in first.context] == ["too_big"]


async def test_a_letter_that_is_too_big_comes_with_its_words(imap: FakeImap) -> None:
    async with FakeSmtp() as smtp:
        adapter = EmailAdapter("mail", settings_of(imap, smtp, max_bytes=3_000))
        kept = KeptInbounds()
        made = letter("Смотрите вложение")
        made.add_attachment(b"x" * 10_000, maintype="image", subtype="png", filename="a.png")
        async with listening(adapter, kept):
            imap.arrives(made.as_bytes())
            await heard(kept, "Смотрите вложение")
        [big] = kept.messages
        assert not big.attachments and [c.data["context"] for c in big.context] == ["too_big"]


async def test_files_are_found_again_in_a_folder_made_anew(imap: FakeImap, adapter: EmailAdapter) -> None:
    kept = KeptInbounds()
    made = letter("Чек")
    made.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="a.pdf")
    async with listening(adapter, kept):
        arrives(imap, "раз", 5)
        imap.arrives(made.as_bytes(), NOON)
        await kept.until(lambda: len(kept.messages) == 2)
    [file] = kept.messages[1].attachments
    imap.letters.pop(0)
    imap.made_anew()
    assert (await adapter.read(file)).content == b"%PDF"
    await adapter.close()
    imap.letters.clear()
    with pytest.raises(Refused) as met:
        await adapter.read(file)
    assert met.value.code == "file_gone"
    with pytest.raises(Refused):
        await adapter.read(Attachment(Media.DOCUMENT, "../etc/passwd", "mail"))


async def test_a_refused_login_stops_the_channel_and_says_what_to_do(
    imap: FakeImap, adapter: EmailAdapter
) -> None:
    imap.fail("LOGIN", "NO [AUTHENTICATIONFAILED] Invalid credentials", times=2)
    with pytest.raises(AccountError) as met:
        await adapter.run(KeptInbounds(), cursor=None)
    assert "приложен" in met.value.hint and adapter.health.state == "stopped"
    assert "[AUTHENTICATIONFAILED] Invalid credentials" in str(met.value) and "b'" not in str(met.value)
    problems = await adapter.check()
    assert [p.code for p in problems] == ["email-imap"] and "app-password" not in str(problems)


async def test_the_doctor_names_a_folder_that_is_not_there(imap: FakeImap) -> None:
    async with FakeSmtp() as smtp:
        adapter = EmailAdapter("mail", replace(settings_of(imap, smtp), folder="Заявки"))
        [found] = await adapter.check()
        assert "Заявки" in found.text and found.hint


async def test_a_number_below_our_letter_is_a_press_and_elsewhere_words(
    imap: FakeImap, adapter: EmailAdapter
) -> None:
    """A forged Message-ID, another addressee's, or a number that was not offered choose nothing."""
    ids = MessageIds("mail:", "shop.example")
    rows = ((Button("Да", "yes"), Button("Сайт", url="https://a.example")), (Button("Нет", "no"),))
    ours = ids.of_row(41, rows, "anna@example.org")
    others = ids.of_row(41, rows, "boris@example.org")
    kept = KeptInbounds()
    async with listening(adapter, kept):
        for n, (text, answered) in enumerate(
            [("2.", ours), ("2", others), ("3", ours), ("2 штуки есть?", ours), ("2", "<o.41.c.0@x>")]
        ):
            imap.arrives(letter(text, number=n, **{"In-Reply-To": answered}).as_bytes(), NOON)
        await kept.until(lambda: len(kept.inbounds) == 5)
    assert [i.kind for i in kept.inbounds] == [InboundKind.PRESS, *[InboundKind.MESSAGE] * 4]
    assert kept.inbounds[0].press == token(41, 1, 0)
