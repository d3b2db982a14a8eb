"""Customers who write letters: the same walk, the same desk, through a real mailbox and a real SMTP line."""

from __future__ import annotations

import asyncio
import email
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from bot.adapters.email.adapter import EmailAdapter
from bot.adapters.email.intake import read_cursor
from bot.app import Overrides
from bot.clock import HandClock
from bot.config.loader import Config
from bot.model import Attachment, Inbound, InboundKind, Media, OutboundKind, Peer
from bot.testing import TestBot, open_test_bot
from bot.testing.harness import NOON
from tests.adapters.email.mail_platform import CUSTOMER, letter, settings_of
from tests.fakes.imap_server import USER, FakeImap
from tests.fakes.smtp_server import FakeSmtp, words


@dataclass
class MailBot:
    """A bot with a mailbox, and Anna with her mail program."""

    testbot: TestBot
    imap: FakeImap
    smtp: FakeSmtp
    adapter: EmailAdapter
    number: int = 0
    read: int = field(default=0)

    async def arrives(self, made: EmailMessage) -> None:
        """A letter comes, and the service to rest."""
        uid = self.imap.arrives(made.as_bytes(), self.testbot.clock())
        async with asyncio.timeout(10):
            while (at := read_cursor(await self.testbot.store.cursor("mail"))) is None or at.uid < uid:
                await asyncio.sleep(0.01)
        await self.testbot.rest()

    async def writes(
        self,
        text: str,
        *,
        subject: str = "Заказ",
        to: EmailMessage | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> list[EmailMessage]:
        """Anna writes, or answers a letter of ours as programs do: what came back."""
        self.number, self.read = self.number + 1, len(self.smtp.letters)
        if to is not None:
            subject = str(to["Subject"])
            text += "\n\n5 июня 2026 г., 12:00, Клевер <help@shop.example> написал(а):\n> "
            text += words(to).replace("\n", "\n> ")
            headers = {
                "In-Reply-To": str(to["Message-ID"]),
                "References": f"{to['References']} {to['Message-ID']}",
            }
        await self.arrives(letter(text, subject=subject, number=self.number, **(headers or {})))
        return self.came()

    def came(self) -> list[EmailMessage]:
        return self.smtp.letters[self.read :]


@asynccontextmanager
async def mail_bot(articles: Path, config: Config | None = None, **more: object) -> AsyncIterator[MailBot]:
    async with FakeImap() as imap, FakeSmtp() as smtp:
        clock = HandClock(NOON)
        adapter = EmailAdapter("mail", settings_of(imap, smtp, business="Клевер", **more), clock=clock)
        given = Overrides(adapters={"mail": adapter}, clock=clock)
        async with open_test_bot(articles, config=config, given=given) as testbot:

            async def accept(inbounds: Sequence[Inbound], *, cursor: str | None = None) -> None:
                await testbot.service.inbox.accept("mail", inbounds, cursor=cursor)

            listening = asyncio.create_task(adapter.run(accept, cursor=None))
            try:
                async with asyncio.timeout(10):
                    while adapter.health.state != "working":
                        await asyncio.sleep(0.01)
                yield MailBot(testbot, imap, smtp, adapter)
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)


@pytest.fixture
async def mail(articles: Path) -> AsyncIterator[MailBot]:
    async with mail_bot(articles) as opened:
        yield opened


async def test_a_question_by_mail_is_answered_in_its_thread(mail: MailBot) -> None:
    """One letter, to her by name, under her subject; what she quotes below her thanks is not searched."""
    [answer] = await mail.writes("Здравствуйте!\nСколько стоит доставка?\n\n-- \nАнна", subject="Вопрос")

    assert "350 рублей" in words(answer) and words(answer).startswith("Здравствуйте")
    assert answer["Subject"] == "Re: Вопрос" and answer["In-Reply-To"] == "<1@example.org>"
    assert answer["References"] == "<1@example.org>" and answer["Auto-Submitted"] == "auto-replied"

    later = await mail.writes("Сколько идёт доставка?", to=answer)
    assert len(later) == 1 and "3–5 дней" in words(later[0]) and "350" not in words(later[0])
    assert later[0]["References"].split()[0] == "<1@example.org>"
    assert later[0]["In-Reply-To"] == "<2@example.org>"


async def test_several_threads_are_one_conversation_and_keep_their_subjects(mail: MailBot) -> None:
    await mail.writes("Сколько стоит доставка?", subject="Доставка")
    [other] = await mail.writes("Как оплатить заказ?", subject="Оплата")
    assert other["Subject"] == "Re: Оплата" and other["In-Reply-To"] == "<2@example.org>"

    conversation = await mail.testbot.store.conversation(Peer("mail", CUSTOMER))
    assert conversation is not None
    lines = [e for e in await mail.testbot.store.history(conversation.id) if e.author == "customer"]
    assert len(lines) == 2


async def test_an_answer_whose_program_names_no_letter_goes_on_in_its_thread(mail: MailBot) -> None:
    """By its subject; one of another subject begins a thread of its own."""
    await mail.writes("Сколько стоит доставка?", subject="Доставка")
    [answer] = await mail.writes("Как оплатить заказ?", subject="Re: Доставка")
    assert answer["References"] == "<1@example.org> <2@example.org>"
    [other] = await mail.writes("Как вернуть товар?", subject="Re: Возврат")
    assert other["References"] == "<3@example.org>"


async def test_an_answer_goes_to_the_thread_that_the_operator_answers(mail: MailBot) -> None:
    """A reply in the topic to her first letter, though a second one came since."""
    await mail.writes("позовите оператора", subject="Чайник")
    olga = mail.testbot.operator()
    await mail.writes("Он не греет", subject="Re: Чайник")
    await mail.writes("И где мой заказ?", subject="Re: Заказ 17")
    sent = mail.testbot.channels["telegram"].in_chat(mail.testbot.place.chat)
    [first] = [s for s in sent if "не греет" in s.outbound.text.text]
    mail.read = len(mail.smtp.letters)
    await olga.says("Заменим", ticket=1, quotes=first.message)
    await olga.says("Едет", ticket=1)

    about_kettle, about_order = mail.came()
    assert about_kettle["Subject"] == "Re: Чайник" and about_order["Subject"] == "Re: Заказ 17"


async def test_a_person_answers_from_the_desk_and_files_go_both_ways(mail: MailBot) -> None:
    """The desk is in Telegram; her next letters are carried there, in whatever thread she writes."""
    testbot, olga = mail.testbot, mail.testbot.operator()
    made = letter("Позовите оператора", subject="Сломался чайник", number=1)
    made.add_attachment(b"\xff\xd8photo", maintype="image", subtype="jpeg", filename="чайник.jpg")
    await mail.arrives(made)
    posts = [o for o in await olga.sees(1) if o.attachments]
    [photo] = posts[-1].attachments
    assert photo.name == "чайник.jpg" and photo.media is Media.PHOTO
    assert (await testbot.service.outbox.files.read(photo)).content == b"\xff\xd8photo"

    mail.read = len(mail.smtp.letters)
    file = Attachment(Media.DOCUMENT, "bill", "telegram", name="счёт.pdf", mime="application/pdf")
    await olga.says("Пришлём новый", ticket=1, attachments=(file,))
    [answer] = mail.came()
    assert "Пришлём новый" in words(answer) and answer["Subject"] == "Re: Сломался чайник"
    assert answer["Auto-Submitted"] is None and "Ольга" in str(answer["From"])
    assert [a.get_filename() for a in answer.iter_attachments()] == ["счёт.pdf"]

    await mail.writes("Спасибо, а когда?", to=answer)
    seen = [o.text.text for o in await olga.sees(1) if o.kind is OutboundKind.SAY]
    assert seen[-1].endswith("Спасибо, а когда?") and "Пришлём" not in seen[-1].split("Спасибо")[-1]
    await mail.writes("И ещё: где мой заказ?", subject="Re: Совсем другое")
    seen = [o.text.text for o in await olga.sees(1) if o.kind is OutboundKind.SAY]
    assert "Совсем другое" in seen[-1] and "где мой заказ" in seen[-1]


async def test_choices_are_numbers_and_words(mail: MailBot, articles: Path) -> None:
    """What would be buttons is listed; a number below our letter, or the words, choose."""
    async with mail_bot(articles, Config.model_validate({"rating": {"ask": True}})) as rated:
        await rated.writes("позовите оператора")
        olga = rated.testbot.operator()
        await olga.says("Готово", ticket=1)
        rated.read = len(rated.smtp.letters)
        await olga.presses("Закрыть", ticket=1)
        await rated.testbot.later(minutes=10)
        asked = rated.came()[-1]
        assert "1, 2, 3, 4, 5" in words(asked)
        await rated.writes("5", to=asked)
        ticket = await rated.testbot.store.ticket(1)
        assert ticket is not None and ticket.rating == 5


@pytest.mark.parametrize(
    "headers",
    [{"Auto-Submitted": "auto-replied"}, {"List-Id": "<news.example>"}, {"Return-Path": "<>"}],
)
async def test_machines_are_recorded_and_never_answered(mail: MailBot, headers: dict[str, str]) -> None:
    assert await mail.writes("Сколько стоит доставка?", headers=headers) == []

    [turn] = await mail.testbot.store.turns()
    assert (turn.result, turn.reason) == ("ignored", "automatic")
    conversation = await mail.testbot.store.conversation(Peer("mail", CUSTOMER))
    assert conversation is not None and not conversation.reachable


async def test_two_machines_that_answer_each_other_come_to_an_end(articles: Path) -> None:
    """One that shows no mark of a machine: after so many letters in an hour it hears nothing more."""
    async with mail_bot(articles, per_hour=5) as mail:
        answers = 0
        for _ in range(9):
            answers += len(await mail.writes("Сколько стоит доставка?"))
            await mail.testbot.later(minutes=2)
        assert answers == 5
        assert mail.imap.letters[0].flags == {"\\Seen"}


async def test_a_letter_that_comes_back_is_told_to_the_operator(mail: MailBot) -> None:
    """Only where the report names a letter of ours to this very address."""
    await mail.writes("позовите оператора")
    olga = mail.testbot.operator()
    mail.read = len(mail.smtp.letters)
    await olga.says("Ответ", ticket=1)
    [answer] = mail.came()
    await mail.arrives(bounce("<o.1.c.0000000000000000@shop.example>"))
    assert not any("не дошло" in o.text.text for o in await olga.sees(1))
    await mail.arrives(bounce(str(answer["Message-ID"])))

    told = [o.text.text for o in await olga.sees(1) if "не дошло" in o.text.text]
    assert len(told) == 1 and "user unknown" in told[0] and CUSTOMER in told[0]
    conversation = await mail.testbot.store.conversation(Peer("mail", CUSTOMER))
    assert conversation is not None and not conversation.reachable


def bounce(message_id: str) -> EmailMessage:
    made = letter("Ваше письмо не доставлено", subject="Undelivered", From="MAILER-DAEMON@mx.example")
    made.make_mixed()
    made.set_param("report-type", "delivery-status")
    raw = made.as_bytes().replace(b"multipart/mixed", b"multipart/report", 1)
    boundary = made.get_boundary() or ""
    status = (
        f"--{boundary}\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {CUSTOMER}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 user unknown\r\n\r\n"
        f"--{boundary}\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {message_id}\r\n"
        f"To: {CUSTOMER}\r\n\r\n--{boundary}--\r\n"
    )
    end = f"--{boundary}--".encode()
    return email.message_from_bytes(raw.replace(end, status.encode()), policy=SMTP)


async def test_a_forged_sender_is_somebody_else(articles: Path) -> None:
    """Nothing that is known of Anna is told to whoever writes in her name; the operator sees the doubt."""
    async with mail_bot(articles, trusted="mx.shop.example") as mail:
        await mail.writes("Сколько стоит доставка?")
        forged = {
            "Authentication-Results": "mx.shop.example; spf=fail smtp.mailfrom=evil.example; dmarc=fail"
        }
        await mail.writes("позовите оператора", headers=forged)

        anna = await mail.testbot.store.conversation(Peer("mail", CUSTOMER))
        stranger = await mail.testbot.store.conversation(Peer("mail", f"?{CUSTOMER}"))
        assert anna is not None and stranger is not None and anna.customer != stranger.customer
        seen = "\n".join(o.text.text for o in await mail.testbot.operator().sees(1))
        assert "не подтверждён" in seen


async def test_a_letter_that_cannot_be_read_reaches_a_person_whole(mail: MailBot) -> None:
    await mail.writes("позовите оператора")
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3000)
    )
    raw = f"From: Anna <{CUSTOMER}>\r\nTo: {USER}\r\n".encode() + deep
    uid = mail.imap.arrives(raw, mail.testbot.clock())
    async with asyncio.timeout(10):
        while (at := read_cursor(await mail.testbot.store.cursor("mail"))) is None or at.uid < uid:
            await asyncio.sleep(0.01)
    await mail.testbot.rest()

    post = (await mail.testbot.operator().sees(1))[-1]
    [whole] = [a for o in await mail.testbot.operator().sees(1) for a in o.attachments]
    assert whole.name == "letter.eml" and post is not None
    assert (await mail.testbot.service.outbox.files.read(whole)).content == raw


async def test_a_forgotten_customer_leaves_nothing(mail: MailBot) -> None:
    """Subjects, Message-IDs and the address go with everything else; a new letter begins anew."""
    await mail.writes("Сколько стоит доставка?", subject="Тайная тема")
    conversation = await mail.testbot.store.conversation(Peer("mail", CUSTOMER))
    assert conversation is not None and conversation.customer is not None
    exported = str(await mail.testbot.store.export_customer(conversation.customer))
    assert "Тайная тема" in exported and CUSTOMER in exported
    await mail.testbot.store.forget_customer(conversation.customer, mail.testbot.clock())

    assert await mail.testbot.store.conversation(Peer("mail", CUSTOMER)) is None
    assert await mail.testbot.store.newest_message(conversation.id) is None or "Тайная" not in str(
        await mail.testbot.store.newest_message(conversation.id)
    )
    [answer] = await mail.writes("Как оплатить заказ?", subject="Оплата")
    assert answer["Subject"] == "Re: Оплата"


async def test_old_letters_stay_what_they_were(articles: Path) -> None:
    """What lay in the mailbox before the first start is nobody's question any more."""
    async with FakeImap() as imap, FakeSmtp() as smtp:
        imap.arrives(letter("Старый вопрос").as_bytes())
        adapter = EmailAdapter("mail", settings_of(imap, smtp))
        async with open_test_bot(articles, given=Overrides(adapters={"mail": adapter})) as testbot:
            kept: list[Inbound] = []

            async def accept(inbounds: Sequence[Inbound], *, cursor: str | None = None) -> None:
                kept.extend(inbounds)

            listening = asyncio.create_task(adapter.run(accept, cursor=None))
            while adapter.health.state != "working":
                await asyncio.sleep(0.01)
            imap.arrives(letter("Новый вопрос", number=2).as_bytes())
            async with asyncio.timeout(5):
                while not kept:
                    await asyncio.sleep(0.01)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            assert [i.text for i in kept] == ["Новый вопрос"] and testbot is not None
            assert kept[0].kind is InboundKind.MESSAGE


async def test_an_empty_letter_is_not_called_a_file(mail: MailBot) -> None:
    """She sent no file; a person can still look at what came."""
    [answer] = await mail.writes("", subject="")
    assert "Файл" not in words(answer) and "Напишите вопрос словами" in words(answer)


async def test_a_choice_that_has_its_number_is_numbered_once(mail: MailBot) -> None:
    """The labels of a choice begin with the numbers that stand above them."""
    [asked] = await mail.writes("Доставка", subject="Re: Доставка")
    choice = words(asked).partition("номером или словами:")[2]
    assert "\n1. " in choice and "1. 1." not in choice
    [answer] = await mail.writes("1", to=asked)
    assert answer["Subject"] == "Re: Доставка" and "?" in words(answer)


async def test_a_letter_says_the_name_once(mail: MailBot) -> None:
    """«Анна, зову оператора» calls her by name already."""
    [told] = await mail.writes("позовите оператора", subject="Re: Заказ")
    assert "Анна, зову оператора" in words(told)
    assert words(told).startswith("Здравствуйте!") and words(told).count("Анна") == 1


async def test_somebody_of_a_russian_domain_is_answered(mail: MailBot) -> None:
    """The name of their domain stands in the header as it is written (RFC 6532)."""
    head = "From: Анна <anna@почта.рф>\r\nSubject: Вопрос\r\nMessage-ID: <1@x>\r\n\r\n"
    raw = head + "Сколько стоит доставка?\r\n"
    mail.imap.arrives(raw.encode(), mail.testbot.clock())
    async with asyncio.timeout(10):
        while not mail.smtp.letters:
            await asyncio.sleep(0.01)
            await mail.testbot.rest()
    [answer] = mail.came()
    assert answer["To"] == "anna@xn--80a1acny.xn--p1ai" and words(answer).startswith("Здравствуйте, Анна!")
