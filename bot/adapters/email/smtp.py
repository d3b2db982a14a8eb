"""Letters on their way out: one connection each, and what the server's answer means to the outbox."""

from __future__ import annotations

import re
import ssl
from email.message import EmailMessage

import aiosmtplib

from bot.config.mail_servers import LOOPBACK, MailServer
from bot.errors import AccountError, DeliveryError, PeerGone, Refused, RetryLater, Uncertain
from bot.text.problems import advice, told

TIMEOUT = 30.0  # seconds for one answer of the server
LATER = 30.0  # seconds: whoever refuses for now (a grey list, a full disk) wants to be asked calmly
_NOBODY = re.compile(
    r"\b5\.(1\.[1236]|2\.1)\b|(user|recipient|mailbox|address) (unknown|not found|unavailable)"
    r"|no such (user|mailbox|recipient)|unknown (user|recipient)|does not exist|invalid mailbox",
    re.IGNORECASE,
)
REFUSED_LOGIN = frozenset({530, 534, 535, 538})


class SmtpSender:
    """Hands letters in at one server. Keeps no connection: nothing has to be closed."""

    def __init__(self, server: MailServer, *, timeout: float = TIMEOUT) -> None:
        self._server, self._timeout = server, timeout

    async def send(self, message: EmailMessage, *, sender: str, to: str) -> None:
        """One letter to one address; when this returns the server has taken it.

        Raises `RetryLater` where it certainly has not, `Uncertain` where the connection broke while it was
        handed over, `Refused` and `PeerGone` where it never will, `AccountError` where the login is refused.
        """
        try:
            content, address = message.as_bytes(), ascii_address(to)
        except (ValueError, LookupError) as error:  # nothing of it has been sent
            raise Refused(f"no such letter can be sent: {type(error).__name__}") from None
        smtp = await self._opened(sender)
        try:
            await self._hand_over(smtp, content, sender, address)
        finally:
            smtp.close()

    async def check(self, sender: str) -> None:
        """Whether the server lets us in; nothing is sent. Raises like `send`."""
        smtp = await self._opened(sender)
        smtp.close()

    async def _opened(self, sender: str) -> aiosmtplib.SMTP:
        server = self._server
        if server.security == "none" and server.host not in LOOPBACK:
            raise AccountError(told("email.open_smtp", host=server.host))
        smtp = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            local_hostname=sender.rpartition("@")[2] or "localhost",
            timeout=self._timeout,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=None if server.security == "none" else ssl.create_default_context(),
        )
        try:
            await smtp.connect()
            if server.user:
                await smtp.login(server.user, server.password)
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
            smtp.close()
            raise _not_let_in(error, server.host) from None
        except BaseException:
            smtp.close()
            raise
        return smtp

    async def _hand_over(self, smtp: aiosmtplib.SMTP, content: bytes, sender: str, to: str) -> None:
        handing_over = False
        try:
            await smtp.mail(sender, options=["BODY=8BITMIME"] if smtp.supports_extension("8bitmime") else [])
            await smtp.rcpt(to)
            handing_over = True
            await smtp.data(content)
        except aiosmtplib.SMTPResponseException as error:
            raise meaning(error.code, error.message) from None
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            if handing_over:
                raise Uncertain(_silent(error)) from None
            raise RetryLater(_silent(error), after=2.0) from None


def ascii_address(address: str) -> str:
    """An address as servers take it. Raises `ValueError` where the part before the @ is in other letters.

    >>> ascii_address("anna@почта.рф")
    'anna@xn--80a1acny.xn--p1ai'
    """
    person, _, domain = address.rpartition("@")
    return f"{person.encode('ascii').decode()}@{domain.encode('idna').decode()}"


def meaning(code: int, text: str) -> DeliveryError:
    """What to raise for an answer of the server that is no success."""
    said = f"SMTP {code}: {' '.join(text.split())[:200]}"
    if code == 421:
        return RetryLater(said, after=LATER, scope="account")
    if 400 <= code < 500:
        return RetryLater(said, after=LATER)
    if code in (550, 551, 553, 556) and _NOBODY.search(text):
        return PeerGone(said)
    if code == 552 or "5.3.4" in text:
        return Refused(said, code="file_large")
    return Refused(said)


def _not_let_in(error: Exception, host: str) -> DeliveryError | AccountError:
    if isinstance(error, aiosmtplib.SMTPAuthenticationError) and error.code in REFUSED_LOGIN:
        said = f"SMTP {error.code}: {' '.join(error.message.split())[:200]}"
        return AccountError(said, hint=told("email.hint.password"))
    if (doubt := certificate_doubt(error)) is not None:
        facts = {"host": host, "reason": doubt.verify_message}
        return AccountError(told("email.certificate", **facts), hint=advice("email.certificate", **facts))
    return RetryLater(_silent(error), after=5.0, scope="account", counts=False)


def certificate_doubt(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """Why a certificate was not believed, where that is what stands behind *error*."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _silent(error: BaseException) -> str:
    """The server's answer without anything secret: the kind of the failure, and its number where it has
    one.
    """
    code = getattr(error, "code", "")
    return f"SMTP {type(error).__name__} {code}".strip()
