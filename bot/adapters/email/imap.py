"""One connection to a mailbox, in a thread of its own: letters are looked at and never moved."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError
from imapclient.imapclient import SocketTimeout

from bot.adapters.email.smtp import certificate_doubt
from bot.config.mail_servers import LOOPBACK, MailServer
from bot.errors import AccountError, BotError
from bot.text.problems import advice, told

Made = TypeVar("Made")
TIMEOUT = 60.0  # seconds for one answer of the server
CONNECT = 15.0  # seconds for a connection
FOR_NOW = ("UNAVAILABLE", "INUSE", "LIMIT", "TOO MANY", "TEMPORAR", "TRY AGAIN", "SERVERBUG")


class ImapSilence(BotError):
    """No usable answer: no connection, a timeout, a refusal for now. Everything may be asked again."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder as it was opened: *validity* changes when it is another folder of the same name."""

    validity: int
    next_uid: int


@dataclass(frozen=True, slots=True)
class FetchedLetter:
    """What the server gave of a letter: all of it, or its beginning."""

    uid: int
    content: bytes
    at: datetime  # when the server took it
    whole: bool


class ImapConnection:
    """Calls block in the thread of this connection; a cancelled call closes the line, so that none hangs."""

    def __init__(self, server: MailServer, *, timeout: float = TIMEOUT) -> None:
        self._server, self._timeout = server, timeout
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="imap")
        self._client: Any = None
        self._closed = False

    async def open(self, folder: str) -> Folder:
        """Connect, log in and open *folder* for reading. Raises `ImapSilence`, `AccountError`."""
        return await self._call(lambda: self._open(folder))

    async def newer(self, uid: int) -> list[int]:
        """The letters behind *uid*, oldest first. Raises `ImapSilence`."""
        return await self._call(lambda: self._newer(uid))

    async def since(self, day: datetime) -> list[int]:
        """The letters that the server took from that day on, oldest first. Raises `ImapSilence`."""
        return await self._call(lambda: sorted(self._client.search(["SINCE", day.date()])))

    async def named(self, message_id: str) -> list[int]:
        """The letters with this Message-ID. Raises `ImapSilence`."""
        return await self._call(lambda: sorted(self._client.search(["HEADER", "Message-ID", message_id])))

    async def fetch(self, uid: int, *, most: int, head: bool = False) -> FetchedLetter | None:
        """The letter, of one with more than *most* bytes its beginning; its *head* alone. None: it is gone.

        Raises `ImapSilence`. Marks nothing as read.
        """
        return await self._call(lambda: self._fetch(uid, most, head))

    async def mark_read(self, uid: int) -> None:
        """Raises `ImapSilence`."""
        await self._call(lambda: self._client.add_flags([uid], [b"\\Seen"], silent=True))

    async def wait(self, seconds: float) -> None:
        """Until something happens in the folder, at most *seconds*. Raises `ImapSilence`."""
        await self._call(lambda: self._wait(seconds))

    async def can_idle(self) -> bool:
        """Whether the server tells by itself what happens."""
        return await self._call(lambda: bool(self._client.has_capability("IDLE")))

    def close(self) -> None:
        """Close the line, whatever is under way on it."""
        self._abort()
        self._threads.shutdown(wait=False, cancel_futures=True)

    # --- in the thread

    def _open(self, folder: str) -> Folder:
        server = self._server
        if server.security == "none" and server.host not in LOOPBACK:
            raise AccountError(told("email.open_imap", host=server.host))
        context = None if server.security == "none" else ssl.create_default_context()
        tls = server.security == "tls"
        self._client = client = IMAPClient(
            server.host,
            server.port,
            ssl=tls,
            ssl_context=context if tls else None,
            timeout=SocketTimeout(min(CONNECT, self._timeout), self._timeout),
        )
        if self._closed:  # while it connected
            self._abort()
            raise ImapSilence("closed")
        if server.security == "starttls":
            client.starttls(context)
        client.login(server.user, server.password)
        with contextlib.suppress(IMAPClientError):  # what it can do may be more after the login
            client.capabilities()
        try:
            opened = client.select_folder(folder)
        except IMAPClientError as error:
            if isinstance(error, IMAPClientAbortError) or _is_for_now(error):
                raise
            facts = {"folder": folder}
            raise AccountError(told("email.folder", **facts), hint=advice("email.folder", **facts)) from None
        return Folder(int(opened[b"UIDVALIDITY"]), int(opened.get(b"UIDNEXT", 0)) or self._next_uid())

    def _next_uid(self) -> int:
        return max(self._client.search(["ALL"]), default=0) + 1

    def _newer(self, uid: int) -> list[int]:
        told: dict[str, object] = self._client._imap.untagged_responses
        while True:
            told.pop("EXISTS", None)
            # "n:*" names the last letter also where it is older
            found = sorted(u for u in self._client.search(["UID", f"{uid + 1}:*"]) if u > uid)
            # law: what was told of while it was looked for is looked for again; waiting never hears of it
            if found or "EXISTS" not in told:
                return found

    def _fetch(self, uid: int, most: int, head: bool) -> FetchedLetter | None:
        told_of = self._client.fetch([uid], ["RFC822.SIZE", "INTERNALDATE"]).get(uid)
        if not told_of:
            return None
        size = int(told_of.get(b"RFC822.SIZE", 0))
        part = "BODY.PEEK[HEADER]" if head else "BODY.PEEK[]" if size <= most else f"BODY.PEEK[]<0.{most}>"
        found = self._client.fetch([uid], [part]).get(uid) or {}
        content = next((v for k, v in found.items() if k.startswith(b"BODY[")), None)
        if content is None:
            return None
        at = told_of.get(b"INTERNALDATE")
        moment = at.astimezone(UTC) if isinstance(at, datetime) else datetime.fromtimestamp(0, UTC)
        return FetchedLetter(uid, bytes(content), moment, size <= most and not head)

    def _wait(self, seconds: float) -> None:
        self._client.idle()
        if not self._is_read_ahead():
            self._client.idle_check(timeout=seconds)
        self._client.idle_done()

    def _is_read_ahead(self) -> bool:
        """Whether news came in one packet with the server's consent to wait: they lie in the reader's buffer,
        and the socket, which is waited on, never tells of them.
        """
        line = self._client._imap
        reader = getattr(line, "_file", None) or line.file
        before = line.sock.gettimeout()
        line.sock.settimeout(0.0)
        try:
            return bool(reader.peek(1))
        except OSError:  # nothing is there, which an encrypted line tells in this way
            return False
        finally:
            line.sock.settimeout(before)

    # --- around it

    async def _call(self, work: Callable[[], Made]) -> Made:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._named, work)
        except asyncio.CancelledError:
            self._abort()
            raise

    def _named(self, work: Callable[[], Made]) -> Made:
        """What went wrong under our names."""
        try:
            return work()
        except BotError:
            raise
        except LoginError as error:
            if isinstance(error.__context__, IMAPClientAbortError) or _is_for_now(error):
                raise ImapSilence(_said(error)) from None
            raise AccountError(_said(error), hint=told("email.hint.password")) from None
        except Exception as error:  # noqa: BLE001 - a library between us and strangers may raise anything
            if (doubt := certificate_doubt(error)) is not None:
                facts = {"host": self._server.host, "reason": doubt.verify_message}
                raise AccountError(
                    told("email.certificate", **facts), hint=advice("email.certificate", **facts)
                ) from None
            raise ImapSilence(_said(error)) from None

    def _abort(self) -> None:
        self._closed = True
        if self._client is not None:
            with contextlib.suppress(Exception):
                self._client.socket().shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(Exception):
                self._client.shutdown()


def _is_for_now(error: Exception) -> bool:
    said = str(error).upper()
    return any(word in said for word in FOR_NOW)


_BYTES = re.compile(r"""\bb(['"])(.*?)\1""")  # as the library shows what the server said


def _said(error: Exception) -> str:
    """The kind of the failure and what the server said; commands, and so the password, are in no answer."""
    raw = str(error) if isinstance(error, IMAPClientError) else ""
    words = " ".join(_BYTES.sub(r"\2", raw).split())[:200]
    return f"IMAP {type(error).__name__} {words}".strip()
