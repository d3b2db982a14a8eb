"""A strict SMTP server in this process: takes letters, or fails as real ones do."""

from __future__ import annotations

import asyncio
import email
import ssl
import warnings
from collections import deque
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from types import TracebackType
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from bot.config.mail_servers import MailServer

USER, PASSWORD = "help@shop.example", "app-password"
CUT, TAKEN_AND_CUT = "cut", "taken and cut"  # of the connection, after DATA: before it was kept, or after


@dataclass
class FakeSmtp:
    """Letters that were taken, oldest first; `fail` says what the next ones meet."""

    letters: list[EmailMessage] = field(default_factory=list)
    faults: deque[tuple[str, str]] = field(default_factory=deque)  # of which command, what is answered
    logins: int = 0
    tls: ssl.SSLContext | None = None
    port: int = 0

    @property
    def server(self) -> MailServer:
        return MailServer("127.0.0.1", self.port, USER, PASSWORD, "tls" if self.tls else "none")

    def fail(self, command: str, answer: str, *, times: int = 1) -> None:
        """The next *times* uses of RCPT or DATA are answered so; `CUT` breaks the connection."""
        self.faults.extend([(command, answer)] * times)

    def meets(self, command: str) -> str:
        """What goes wrong with this use of *command*; "" = nothing."""
        if self.faults and self.faults[0][0] == command:
            return self.faults.popleft()[1]
        return ""

    # --- what aiosmtpd asks

    def authenticate(
        self, server: object, session: object, envelope: object, kind: str, data: object
    ) -> AuthResult:
        self.logins += 1
        given = cast(LoginPassword, data)
        fine = (given.login, given.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=fine, handled=False)

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if answer := self.meets("RCPT"):
            if answer == CUT:
                server.transport.abort()
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        answer = self.meets("DATA")
        if answer != CUT and (not answer or answer == TAKEN_AND_CUT):
            letter = email.message_from_bytes(envelope.content, policy=default)
            assert letter["To"].addresses[0].addr_spec == envelope.rcpt_tos[0]
            assert letter["From"].addresses[0].addr_spec == envelope.mail_from == USER
            self.letters.append(letter)
        if answer in (CUT, TAKEN_AND_CUT):
            server.transport.abort()
            return "451 gone"
        return answer or "250 OK"

    async def __aenter__(self) -> FakeSmtp:
        self._clients: set[SMTP] = set()
        self._server = await asyncio.get_running_loop().create_server(
            self._client, "127.0.0.1", 0, ssl=self.tls
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def _client(self) -> SMTP:
        with warnings.catch_warnings():  # that a login without TLS is not safe; nobody else is on this line
            warnings.simplefilter("ignore")
            client = SMTP(
                self,
                hostname="fake",
                authenticator=self.authenticate,
                auth_require_tls=False,
                auth_required=True,
            )
        self._clients.add(client)
        return client

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for client in self._clients:
            if isinstance(client.transport, asyncio.Transport):
                client.transport.abort()
        await self._server.wait_closed()


def words(letter: EmailMessage) -> str:
    """The plain part, without the signature and the lines' ends."""
    part = letter.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n").rpartition("\n-- \n")[0].rstrip("\n") or str(
        part.get_content()
    ).replace("\r\n", "\n").rstrip("\n")
