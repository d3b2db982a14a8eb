"""A strict IMAP server in this process, over one folder: it refuses what real ones refuse, and breaks as they
do. No letter is ever taken away by a client: whoever tries is answered BAD.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType

from bot.config.mail_servers import MailServer

USER, PASSWORD = "help@shop.example", "app-password"
CUT = "cut"  # of the connection, in place of an answer
_LITERAL = re.compile(rb"\{(\d+)\}$")
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|([^\s()"]+)')


@dataclass
class KeptLetter:
    """A letter in the folder."""

    uid: int
    content: bytes
    at: datetime
    flags: set[str] = field(default_factory=set)


@dataclass
class FakeImap:
    """One mailbox with the folder INBOX. `fail` says what the next commands of a name meet."""

    idle: bool = True
    validity: int = 1
    letters: list[KeptLetter] = field(default_factory=list)
    faults: deque[tuple[str, str]] = field(default_factory=deque)
    commands: list[str] = field(default_factory=list)
    delay: float = 0.0  # seconds before each answer
    tls: ssl.SSLContext | None = None
    port: int = 0
    next_uid: int = 1

    @property
    def server(self) -> MailServer:
        return MailServer("127.0.0.1", self.port, USER, PASSWORD, "tls" if self.tls else "none")

    def arrives(self, content: bytes, at: datetime | None = None) -> int:
        """A letter in the folder; everybody who idles hears of it."""
        uid, self.next_uid = self.next_uid, self.next_uid + 1
        self.letters.append(KeptLetter(uid, content, at or datetime.now(UTC)))
        for client in self._clients:
            client.news.set()
        return uid

    def made_anew(self) -> None:
        """The folder is another one of the same name, with the same letters under other numbers."""
        self.validity += 1
        self.next_uid = 1
        for letter in self.letters:
            letter.uid, self.next_uid = self.next_uid, self.next_uid + 1
        self.cut()

    def fail(self, command: str, answer: str, *, times: int = 1) -> None:
        """The next *times* uses of *command* ("LOGIN", "UID FETCH" …) are answered so ("NO …", `CUT`)."""
        self.faults.extend([(command, answer)] * times)

    def meets(self, command: str) -> str:
        """What goes wrong with this use of *command*; "" = nothing."""
        if self.faults and self.faults[0][0] == command:
            return self.faults.popleft()[1]
        return ""

    def cut(self) -> None:
        """Every connection breaks."""
        for client in list(self._clients):
            client.writer.transport.abort()

    async def __aenter__(self) -> FakeImap:
        self._clients: set[_Client] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**20, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _Client(self, reader, writer)
        self._clients.add(client)
        try:
            await client.talk()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._clients.discard(client)
            writer.transport.abort()


class _Client:
    """One connection: not logged in, logged in, or with the folder open."""

    def __init__(self, server: FakeImap, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.news = asyncio.Event()
        self.state, self.seen = "new", 0

    async def talk(self) -> None:
        self.say(b"* OK fake ready")
        while line := await self._line():
            tag, _, rest = line.partition(" ")
            name = rest.split(" ", 1)[0].upper()
            if name == "UID":
                name = " ".join(rest.split(" ", 2)[:2]).upper()
            arguments = rest[len(name) :].strip()
            self.server.commands.append(name)
            if self.server.delay:
                await asyncio.sleep(self.server.delay)
            if answer := self.server.meets(name):
                if answer == CUT:
                    return
                self.say(f"{tag} {answer}".encode())
                continue
            if not await self._obey(tag, name, arguments):
                return

    async def _obey(self, tag: str, name: str, arguments: str) -> bool:
        """False: the connection ends."""
        if name == "CAPABILITY":
            self.say(b"* CAPABILITY IMAP4rev1" + (b" IDLE" if self.server.idle else b""))
        elif name == "LOGOUT":
            self.say(b"* BYE", f"{tag} OK".encode())
            return False
        elif name == "LOGIN":
            user, password = (a or b for a, b in _WORD.findall(arguments))
            if (user, password) != (USER, PASSWORD):
                self.say(f"{tag} NO [AUTHENTICATIONFAILED] wrong".encode())
                return True
            self.state = "in"
        elif name == "SELECT" and self.state != "new":
            if arguments.strip('"') != "INBOX":
                self.say(f"{tag} NO no such folder".encode())
                return True
            self.state, self.seen = "open", len(self.server.letters)
            self.say(
                f"* {self.seen} EXISTS".encode(),
                f"* OK [UIDVALIDITY {self.server.validity}]".encode(),
                f"* OK [UIDNEXT {self.server.next_uid}]".encode(),
            )
        elif name == "NOOP":
            pass
        elif self.state == "open" and name == "UID SEARCH":
            self.say(b"* SEARCH" + b"".join(f" {u}".encode() for u in self._found(arguments)))
        elif self.state == "open" and name == "UID FETCH":
            self._fetch(arguments)
        elif self.state == "open" and name == "UID STORE":
            self._store(arguments)
        elif self.state == "open" and name == "IDLE" and self.server.idle:
            return await self._idle(tag)
        else:
            self.say(f"{tag} BAD {name}".encode())
            return True
        self._tell_news()
        self.say(f"{tag} OK {name} done".encode())
        return True

    def _found(self, asked: str) -> list[int]:
        letters = self.server.letters
        if (since := re.fullmatch(r"(?:CHARSET \S+ )?SINCE \"?(\d{1,2}-\w{3}-\d{4})\"?", asked)) is not None:
            day = datetime.strptime(since[1], "%d-%b-%Y").replace(tzinfo=UTC)
            return [k.uid for k in letters if k.at >= day]
        if (named := re.fullmatch(r'HEADER "?Message-ID"? "?(<[^"]+>)"?', asked)) is not None:
            return [k.uid for k in letters if f"Message-ID: {named[1]}".encode() in k.content]
        if (behind := re.fullmatch(r"UID (\d+):\*", asked)) is not None:
            first = int(behind[1])
            last = max((k.uid for k in letters), default=0)
            return [k.uid for k in letters if k.uid >= first or k.uid == last]
        assert asked == "ALL", asked
        return [k.uid for k in letters]

    def _fetch(self, arguments: str) -> None:
        uids, _, what = arguments.partition(" ")
        for place, kept in enumerate(self.server.letters, 1):
            if str(kept.uid) not in uids.split(","):
                continue
            if "BODY" not in what:
                at = kept.at.strftime("%d-%b-%Y %H:%M:%S +0000")
                said = f'UID {kept.uid} RFC822.SIZE {len(kept.content)} INTERNALDATE "{at}"'
                self.say(f"* {place} FETCH ({said})".encode())
                continue
            assert "BODY.PEEK[" in what, "a plain BODY marks the letter as read"
            content, label = kept.content, "BODY[]"
            if "HEADER" in what:
                content, label = content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", "BODY[HEADER]"
            elif (part := re.search(r"<0\.(\d+)>", what)) is not None:
                content, label = content[: int(part[1])], "BODY[]<0>"
            head = f"* {place} FETCH (UID {kept.uid} {label} {{{len(content)}}}\r\n".encode()
            self.writer.write(head + content + b")\r\n")

    def _store(self, arguments: str) -> None:
        uid, _, what = arguments.partition(" ")
        assert what.upper().startswith("+FLAGS.SILENT (\\SEEN)"), f"a client only marks as read: {what}"
        for kept in self.server.letters:
            if str(kept.uid) == uid:
                kept.flags.add("\\Seen")

    async def _idle(self, tag: str) -> bool:
        self.say(b"+ idling")
        self._tell_news()
        done = asyncio.ensure_future(self._line())
        while not done.done():
            news = asyncio.ensure_future(self.news.wait())
            await asyncio.wait({done, news}, return_when=asyncio.FIRST_COMPLETED)
            news.cancel()
            self._tell_news()
        if done.result() != "DONE":
            return False
        self.say(f"{tag} OK IDLE done".encode())
        return True

    def _tell_news(self) -> None:
        self.news.clear()
        if self.state == "open" and self.seen < len(self.server.letters):
            self.seen = len(self.server.letters)
            self.say(f"* {self.seen} EXISTS".encode())

    async def _line(self) -> str:
        """One command, with its literals; "" at the end."""
        line = (await self.reader.readline()).rstrip(b"\r\n")
        while (literal := _LITERAL.search(line)) is not None:
            self.say(b"+ go on")
            content = await self.reader.readexactly(int(literal[1]))
            rest = (await self.reader.readline()).rstrip(b"\r\n")
            line = line[: literal.start()] + b'"' + content + b'"' + rest
        return line.decode("utf-8", "replace")

    def say(self, *lines: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            self.writer.write(b"".join(line + b"\r\n" for line in lines))


def later(hours: float) -> datetime:
    """A moment from now on."""
    return datetime.now(UTC) + timedelta(hours=hours)
