"""VK through a proxy: the API, polling and files all take the same way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.model import Attachment, Media
from bot.testing.fakes import FakeFiles
from tests.adapters.vk.conftest import Kept, listening, make, say
from tests.fakes.vk_server import FakeVk


@asynccontextmanager
async def socks(through: list[int]) -> AsyncIterator[str]:
    """The least of a SOCKS5 server: no password, connections by name or number; *through* gets the ports
    asked for.
    """

    async def pipe(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            target.write(data)
        target.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly((await reader.readexactly(2))[1])
        writer.write(b"\x05\x00")
        kind = (await reader.readexactly(4))[3]
        await reader.readexactly(4 if kind == 1 else (await reader.readexactly(1))[0])
        port = int.from_bytes(await reader.readexactly(2), "big")
        through.append(port)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
        await asyncio.gather(pipe(reader, far_writer), pipe(far_reader, writer), return_exceptions=True)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"socks5://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def test_everything_goes_through_the_proxy(vk: FakeVk, kept: Kept, files: FakeFiles) -> None:
    """Calls, polls, uploads and downloads reach VK by SOCKS5 only."""
    through: list[int] = []
    vk.files["a"] = b"x"
    files.contents["p"] = b"picture"
    async with socks(through) as proxy, listening(vk, kept, proxy=proxy) as adapter:
        await kept.until(lambda: kept.cursor)
        vk.writes(5, "привет")
        await kept.until(lambda: kept.texts)
        await adapter.send(
            say("да", attachments=(Attachment(Media.PHOTO, "p", "tg"),)), nonce=1, target="", files=files
        )
        await adapter.read(Attachment(Media.PHOTO, channel="vk", data={"url": f"{vk.base}/files/a"}))

    assert len(through) >= 3 and set(through) == {int(vk.base.rpartition(":")[2])}
    assert vk.sent and vk.uploads


async def test_a_dead_proxy_is_an_outage(vk: FakeVk) -> None:
    """It is said in words, and nothing goes around it."""
    adapter = make(vk, proxy="socks5://127.0.0.1:9")
    problems = await adapter.check()
    await adapter.close()

    assert [p.code for p in problems] == ["vk-network"] and not vk.calls
