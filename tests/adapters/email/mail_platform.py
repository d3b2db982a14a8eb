"""A customer with a mail program at the other end of the e-mail channel."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP

from bot.adapters.email.adapter import EmailAdapter
from bot.adapters.email.settings import EmailSettings
from bot.testing.contracts.adapter import Fault
from tests.fakes.imap_server import USER, FakeImap
from tests.fakes.smtp_server import TAKEN_AND_CUT, FakeSmtp, words

CUSTOMER = "anna@example.org"


def letter(text: str, *, subject: str = "Re: Заказ", number: int = 1, **headers: str) -> EmailMessage:
    """A letter of the customer, as a mail program writes it; *headers* with _ for -."""
    made = EmailMessage(policy=SMTP)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    made["From"] = given.pop("From", f"Анна Иванова <{CUSTOMER}>")
    made["To"] = USER
    made["Subject"] = subject
    made["Message-ID"] = given.pop("Message-ID", f"<{number}@example.org>")
    made["Date"] = given.pop("Date", "Tue, 01 Sep 2026 12:00:00 +0300")
    for name, value in given.items():
        made[name] = value
    made.set_content(text)
    return made


def settings_of(imap: FakeImap, smtp: FakeSmtp, **more: object) -> EmailSettings:
    return EmailSettings(
        address=USER,
        imap=imap.server,
        smtp=smtp.server,
        signature="--",
        poll_seconds=0.05,
        timeout=5.0,
        **more,  # type: ignore[arg-type]
    )


class EmailPlatform:
    queue, keeps_views = True, False
    chat = CUSTOMER

    def __init__(self, imap: FakeImap, smtp: FakeSmtp) -> None:
        self.imap, self.smtp, self.number = imap, smtp, 0
        self.adapter = EmailAdapter("email", settings_of(imap, smtp))

    async def writes(self, text: str) -> None:
        self.number += 1
        self.last = letter(text, number=self.number).as_bytes()
        self.imap.arrives(self.last)

    async def repeats(self) -> None:
        self.imap.arrives(self.last)

    async def presses(self) -> None:
        self.number += 1
        asked = self.smtp.letters[-1]
        answer = letter("1\n\n> " + words(asked).replace("\n", "\n> "), number=self.number)
        answer["In-Reply-To"] = str(asked["Message-ID"])
        self.imap.arrives(answer.as_bytes())

    def shown(self) -> Sequence[str]:
        return [words(letter) for letter in self.smtp.letters]

    def fails(self, fault: Fault) -> bool:
        match fault:
            case "limit":
                self.smtp.fail("DATA", "451 4.7.0 try later")
            case "blocked":
                self.smtp.fail("RCPT", "550 5.1.1 no such user")
            case "cut":
                self.smtp.fail("DATA", TAKEN_AND_CUT)
        return True
