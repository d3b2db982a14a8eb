"""What would keep a mailbox from being read or written from, each with the way to mend it."""

from __future__ import annotations

from bot.adapters.email.imap import ImapConnection, ImapSilence
from bot.adapters.email.settings import EmailSettings
from bot.adapters.email.smtp import SmtpSender
from bot.errors import AccountError, DeliveryError, Problem
from bot.text.problems import problem, warning

PATIENCE = 8.0  # seconds for one answer


async def check_mailbox(settings: EmailSettings) -> tuple[Problem, ...]:
    """Both logins, the folder, and whether the server tells by itself what comes. Changes nothing."""
    return (*await _reading(settings), *await _writing(settings))


async def _reading(settings: EmailSettings) -> list[Problem]:
    line = ImapConnection(settings.imap, timeout=min(PATIENCE, settings.timeout))
    try:
        await line.open(settings.folder)
        if not await line.can_idle():
            seconds = round(settings.poll_seconds)
            return [warning("email.no_idle", code="email-idle", seconds=seconds)]
    except AccountError as error:
        return [problem("email.imap", code="email-imap", hint=error.hint, reason=error)]
    except ImapSilence as error:
        return [problem("email.silent", code="email-imap", host=settings.imap.host, reason=error)]
    finally:
        line.close()
    return []


async def _writing(settings: EmailSettings) -> list[Problem]:
    try:
        await SmtpSender(settings.smtp, timeout=min(PATIENCE, settings.timeout)).check(settings.address)
    except AccountError as error:
        return [problem("email.smtp", code="email-smtp", hint=error.hint, reason=error)]
    except DeliveryError as error:
        return [problem("email.silent", code="email-smtp", host=settings.smtp.host, reason=error)]
    return []
