"""Letters on their way out: what the server answers means one thing to the outbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.adapters.base import File
from bot.adapters.email.letter import Letter
from bot.adapters.email.smtp import SmtpSender
from bot.config.mail_servers import MailServer
from bot.errors import AccountError, DeliveryError, PeerGone, Refused, RetryLater, Uncertain
from bot.model import RichText, Span, Style
from tests.fakes.smtp_server import CUT, TAKEN_AND_CUT, USER, FakeSmtp, words

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
LETTER = Letter(
    sender=USER,
    sender_name="Магазин «Клевер»",
    to="anna@example.org",
    subject="Re: Заказ 17",
    text=RichText("Едет <b>завтра</b>", (Span(Style.BOLD, 0, 4),)),
    signature="Магазин «Клевер»",
    message_id="<o.17@shop.example>",
    in_reply_to="<1@example.org>",
    references=("<0@example.org>", "<1@example.org>"),
)


@pytest.fixture
async def server() -> AsyncIterator[FakeSmtp]:
    async with FakeSmtp() as server:
        yield server


async def sent(server: FakeSmtp, letter: Letter = LETTER) -> None:
    await SmtpSender(server.server, timeout=2).send(letter.message(NOON), sender=letter.sender, to=letter.to)


async def test_a_letter_belongs_to_its_thread_and_says_who_wrote_it(server: FakeSmtp) -> None:
    await sent(server, replace(LETTER, files=(File(b"%PDF", "../чек.pdf"),)))

    [letter] = server.letters
    assert letter["Subject"] == "Re: Заказ 17" and letter["In-Reply-To"] == "<1@example.org>"
    assert letter["References"] == "<0@example.org> <1@example.org>"
    assert letter["Auto-Submitted"] == "auto-replied" and letter["X-Loop"] == USER
    assert str(letter["From"]) == f'"Магазин «Клевер»" <{USER}>' or "Клевер" in str(letter["From"])
    assert words(letter) == "Едет <b>завтра</b>"
    html = letter.get_body(("html",))
    assert html is not None and "<b>Едет</b> &lt;b&gt;завтра&lt;/b&gt;" in html.get_content()
    [file] = letter.iter_attachments()
    assert file.get_filename() == "чек.pdf" and file.get_content() == b"%PDF"


async def test_no_header_is_made_of_somebodys_words(server: FakeSmtp) -> None:
    subject = "Заказ\r\nBcc: all@example.org\x00"
    await sent(server, replace(LETTER, subject=subject, sender_name='Я" <evil@example.org>\n'))

    [letter] = server.letters
    assert letter["Bcc"] is None and letter["From"].addresses[0].addr_spec == USER


@pytest.mark.parametrize(
    ("command", "answer", "error", "code"),
    [
        ("RCPT", "451 4.7.1 greylisted", RetryLater, "no_answer"),
        ("RCPT", "550 5.1.1 user unknown", PeerGone, "peer_gone"),
        ("RCPT", "550 5.7.1 spam", Refused, ""),
        ("DATA", "451 try later", RetryLater, "no_answer"),
        ("DATA", "552 5.3.4 too big", Refused, "file_large"),
        ("DATA", "554 no", Refused, ""),
        ("DATA", CUT, Uncertain, ""),
        ("DATA", TAKEN_AND_CUT, Uncertain, ""),
    ],
)
async def test_each_answer_has_its_meaning(
    server: FakeSmtp, command: str, answer: str, error: type[DeliveryError], code: str
) -> None:
    server.fail(command, answer)
    with pytest.raises(error) as met:
        await sent(server)

    assert type(met.value) is error and met.value.code == code
    assert len(server.letters) == (answer == TAKEN_AND_CUT)


async def test_addresses_in_other_letters(server: FakeSmtp) -> None:
    """A domain has a form that every server takes; who has none is refused, never in doubt."""
    await sent(server, replace(LETTER, to="anna@почта.рф"))
    assert server.letters[0]["To"].addresses[0].addr_spec == "anna@xn--80a1acny.xn--p1ai"
    message = LETTER.message(NOON)
    with pytest.raises(Refused):
        await SmtpSender(server.server).send(message, sender=USER, to="анна@example.org")


async def test_a_refused_login_says_what_to_do_and_no_password(server: FakeSmtp) -> None:
    with pytest.raises(AccountError) as met:
        await SmtpSender(replace(server.server, password="wrong-one")).check(USER)

    assert "приложен" in met.value.hint and "wrong-one" not in f"{met.value}{met.value.hint}{server.server!r}"


async def test_nobody_there_is_later(server: FakeSmtp) -> None:
    with pytest.raises(RetryLater) as met:
        await SmtpSender(replace(server.server, port=1)).check(USER)

    assert met.value.scope == "account"


async def test_another_host_is_never_spoken_to_openly() -> None:
    with pytest.raises(AccountError):
        await SmtpSender(MailServer("mail.example.org", 25, security="none")).check(USER)
