"""What happened, told to whoever watches: log and metrics. Nothing secret or personal passes here."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping, Sequence
from typing import Any, Protocol

import structlog

from bot.model import Event
from bot.text.phones import find

Logger = structlog.stdlib.BoundLogger

SECRET_TOKENS = (
    re.compile(r"\b(?:bot)?\d{6,}:[\w-]{3,}"),
    re.compile(r"\bvk1\.a\.[\w-]+"),
    re.compile(r"\b(?:sk|pk|rk)-[\w-]{12,}"),
    re.compile(r"(?<=Bearer )[\w.~+/=-]{6,}"),
)  # of channels, and keys of servers
_SECRETS = (
    *((pattern, "<token>") for pattern in SECRET_TOKENS),
    (re.compile(r"(://[^\s:/@]*):[^\s'\"]+@"), r"\1:<hidden>@"),
    (re.compile(r"(access_token|secret|password|key)=[^&\s'\"]+", re.I), r"\1=<hidden>"),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "<e-mail>"),
    (re.compile(r"(?<![\w-])\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{4}(?!\w)"), "<card>"),
)


def redact(text: str) -> str:
    """The text without tokens, passwords, phones, e-mails and card numbers.

    >>> redact("POST https://api.telegram.org/bot123456789:AAbb/getMe")
    'POST https://api.telegram.org/<token>/getMe'
    """
    for pattern, mark in _SECRETS:
        text = pattern.sub(mark, text)
    for phone in reversed(find(text)):
        if text[phone.start - 1 : phone.start] not in (
            ".",
            ":",
            "-",
        ):  # there an id stands, as in vk:79123456789
            text = text[: phone.start] + "<phone>" + text[phone.end :]
    return text


def _redact_fields(
    _logger: object, _method: str, fields: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for key, value in fields.items():
        if isinstance(value, str):
            fields[key] = redact(value)
    return fields


class _RedactingFormatter(logging.Formatter):
    """Lines of the libraries (aiohttp, urllib3) pass the same filter as our own."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def set_up_logging(*, json: bool = False, level: str = "info") -> None:
    """Log to standard error: readable lines, or JSON for a collector.

    Calling it again replaces the settings.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    renderer = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact_fields,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_RedactingFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=max(number, logging.WARNING), force=True)


def get_logger(component: str) -> Logger:
    """The logger of one component; fields are ids and counts, never anybody's words."""
    logger: Logger = structlog.get_logger(component=component)
    return logger


class Observer(Protocol):
    """Somebody who watches. Called after the commit, with one frozen value; must not raise or block."""

    def seen(self, event: Event) -> None: ...


class LogObserver:
    """Writes events to the log: kind and ids only."""

    def __init__(self) -> None:
        self._log = get_logger("events")

    def seen(self, event: Event) -> None:
        if event.kind not in (
            "turn",
            "heard",
        ):  # counted by metrics and reports; the log has the turn's own events
            self._log.info(event.kind, conversation=event.conversation, ticket=event.ticket)


class Observers:
    """Several observers as one; what one of them breaks does not reach the path of the message."""

    def __init__(self, observers: Sequence[Observer] = ()) -> None:
        self._observers = list(observers)
        self._log = get_logger("observability")

    def add(self, observer: Observer) -> None:
        self._observers.append(observer)

    def seen(self, event: Event) -> None:
        for observer in self._observers:
            try:
                observer.seen(event)
            except Exception as error:  # noqa: BLE001 - watching must never stop the work that is watched
                self._log.warning("observer_failed", observer=type(observer).__name__, error=str(error))
