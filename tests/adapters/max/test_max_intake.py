"""Both ways of taking in: by polling and by MAX's calls; nothing is confirmed before it is kept."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from bot.adapters.base import CommandMenu
from bot.adapters.max.adapter import MaxAdapter
from bot.adapters.max.token_check import check_token
from bot.config.loader import Config
from bot.errors import AccountError, PeerGone
from bot.testing.contracts.adapter import KeptInbounds, listening
from tests.adapters.max.conftest import ANNA, GROUP, make
from tests.fakes.max_server import SECRET, TOKEN, FakeMax

HOOK = "https://shop.example/hooks/max"


async def test_the_marker_moves_only_after_keeping(
    adapter: MaxAdapter, server: FakeMax, kept: KeptInbounds
) -> None:
    """What could not be kept is not confirmed, and comes again."""
    kept.failures = 1
    async with listening(adapter, kept):
        server.writes(ANNA, "раз")
        await kept.until(lambda: kept.messages)
        assert [i.text for i in kept.messages] == ["раз"]
        await kept.until(lambda: server.confirmed == 1)
    assert kept.cursor == "1"


async def test_an_odd_update_ends_nothing(adapter: MaxAdapter, server: FakeMax, kept: KeptInbounds) -> None:
    async with listening(adapter, kept):
        server.happens("alien", what=[1, {"a": None}])
        server.events.append((99, "no update"))  # type: ignore[arg-type]
        server.writes(ANNA, "после")
        await kept.until(lambda: kept.messages)

    assert [i.text for i in kept.messages] == ["после"]


async def test_every_outage_is_waited_out(server: FakeMax, kept: KeptInbounds) -> None:
    adapter = make(server)
    server.answer("GET", "/updates", 500, "oops")
    async with listening(adapter, kept):
        server.cut("GET", "/updates")
        server.writes(ANNA, "раз")
        await kept.until(lambda: kept.messages)
    await adapter.close()

    assert [i.text for i in kept.messages] == ["раз"]


async def test_a_marker_of_another_bot_is_done_without(
    adapter: MaxAdapter, server: FakeMax, kept: KeptInbounds
) -> None:
    kept.cursor = "999999"
    server.refuse("GET", "/updates", 400, "proto.payload", "marker: unknown")
    server.writes(ANNA, "раз")
    async with listening(adapter, kept):
        await kept.until(lambda: kept.messages)

    assert [i.text for i in kept.messages] == ["раз"] and kept.cursor == "1"


async def test_a_wrong_token_stops_the_channel(server: FakeMax, kept: KeptInbounds) -> None:
    adapter = make(server, token="wrong")
    with pytest.raises(AccountError) as error:
        await adapter.run(kept, cursor=None)
    await adapter.close()

    assert "business.max.ru" in error.value.hint and adapter.health.state == "stopped"


async def test_polling_takes_a_webhook_off(adapter: MaxAdapter, server: FakeMax, kept: KeptInbounds) -> None:
    """MAX gives nothing to polls while a webhook stands."""
    server.hooks[HOOK] = {"url": HOOK, "time": 1, "secret": SECRET}
    async with listening(adapter, kept):
        server.writes(ANNA, "раз")
        await kept.until(lambda: kept.messages)

    assert server.hooks == {}


@asynccontextmanager
async def served(adapter: MaxAdapter) -> AsyncIterator[str]:
    """The adapter's own address, open for MAX."""
    app = web.Application()
    app.add_routes(list(adapter.routes()))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/max"
    await runner.cleanup()


@pytest.fixture
async def hooked(server: FakeMax) -> AsyncIterator[MaxAdapter]:
    adapter = make(server, mode="webhook", secret=SECRET, webhook_url=HOOK, poll_seconds=0.1)
    yield adapter
    await adapter.close()


async def test_max_is_told_200_only_once_it_is_kept(
    hooked: MaxAdapter, server: FakeMax, kept: KeptInbounds
) -> None:
    """The subscription is made at the start; a repeat by the other way has the same key."""
    async with listening(hooked, kept), served(hooked) as address:
        assert list(server.hooks) == [HOOK]
        server.writes(ANNA, "раз")
        server.happens("alien")
        kept.failures = 1
        assert await server.calls_hooks(address) == [503] and kept.messages == []
        assert await server.calls_hooks(address) == [200, 200]
    key = kept.messages[0].key
    server.confirmed = 0
    polling = make(server)
    again = KeptInbounds()
    async with listening(polling, again):
        await again.until(lambda: again.messages)
    await polling.close()

    assert again.messages[0].key == key


async def test_a_webhook_that_max_gave_up_is_renewed(
    hooked: MaxAdapter, server: FakeMax, kept: KeptInbounds
) -> None:
    async with listening(hooked, kept):
        server.hooks.clear()
        await server.until(lambda: HOOK in server.hooks)


async def test_strangers_may_not_call(hooked: MaxAdapter, server: FakeMax, kept: KeptInbounds) -> None:
    import aiohttp

    body = server.writes(ANNA, "раз")
    async with served(hooked) as address, aiohttp.ClientSession() as session:

        async def status(**given: object) -> int:
            async with session.post(address, **given) as answer:  # type: ignore[arg-type]
                return answer.status

        shown = {"X-Max-Bot-Api-Secret": SECRET}
        assert await status(json=body) == 401
        assert await status(json=body, headers={"X-Max-Bot-Api-Secret": "wrong-secret"}) == 401
        assert await status(json=body, headers=shown) == 503  # nobody takes it in yet
        hooked.take_calls(kept)
        assert await status(data=b"x", headers=shown) == 415
        typed = {**shown, "Content-Type": "application/json"}
        assert await status(data=b"{", headers=typed) == 400
        assert await status(data=b"[" * 100_000, headers=typed) == 400
        assert await status(data=io.BytesIO(b"x" * 1_100_000), headers=typed) == 413
        assert await status(json=body, headers=shown) == 200

    assert [i.text for i in kept.messages] == ["раз"]


# --- what is asked


async def test_a_group_is_looked_at(adapter: MaxAdapter, server: FakeMax) -> None:
    info = await adapter.chat_info(str(GROUP))
    assert (info.title, info.kind, info.problems) == ("Операторы", "group", ())

    server.groups[GROUP]["own"] = {"is_admin": False}
    assert [p.code for p in (await adapter.chat_info(str(GROUP))).problems] == ["MAX011"]
    server.groups[GROUP]["own"] = {"permissions": ["write"]}
    problems = (await adapter.chat_info(str(GROUP))).problems
    assert [(p.code, p.severity) for p in problems] == [("MAX012", "error"), ("MAX014", "warning")]
    server.groups[GROUP]["status"] = "removed"
    with pytest.raises(PeerGone):
        await adapter.chat_info(str(GROUP))
    with pytest.raises(PeerGone):
        await adapter.chat_info("-12345")


async def test_members_are_known_and_strangers_asked_about_once(
    adapter: MaxAdapter, server: FakeMax, kept: KeptInbounds
) -> None:
    assert await adapter.membership(str(GROUP), "9") == "member"
    server.groups[GROUP]["members"][9]["is_admin"] = True
    assert await adapter.membership(str(GROUP), "9") == "administrator"
    for _ in range(3):
        assert await adapter.membership(str(GROUP), "8") == "none"
    assert len(server.of("GET", f"/chats/{GROUP}/members")) == 3

    server.groups[GROUP]["members"][8] = {**server.person(8, "Пётр"), "is_admin": False}
    async with listening(adapter, kept):
        server.happens("user_added", chat_id=GROUP, user=server.person(8), is_channel=False)
        await kept.until(lambda: kept.inbounds)
    assert await adapter.membership(str(GROUP), "8") == "member"


async def test_the_account_is_checked(server: FakeMax, hooked: MaxAdapter) -> None:
    adapter, wrong = make(server), make(server, token="wrong")
    server.hooks["https://other.example"] = {"url": "https://other.example", "time": 1, "secret": SECRET}
    silent = make(server, api_base="http://127.0.0.1:9")

    assert [p.code for p in await adapter.check()] == ["MAX004", "MAX005"]
    assert [p.code for p in await hooked.check()] == ["MAX006", "MAX007"]
    assert [p.code for p in await wrong.check()] == ["MAX001"]
    assert [p.code for p in await silent.check()] == ["MAX002"]
    for each in (adapter, wrong, silent):
        await each.close()


async def test_a_pasted_token_says_whose_it_is(server: FakeMax) -> None:
    checked = await check_token(TOKEN, api_base=server.base)
    assert (checked.title, checked.name, checked.refused) == ("Бот магазина", "shop_max_bot", False)
    assert (await check_token("wrong", api_base=server.base)).refused
    assert (await check_token("", api_base=server.base)).refused


async def test_a_file_of_certificates_is_used_and_never_done_without(server: FakeMax, tmp_path: Path) -> None:
    bad = tmp_path / "ca.pem"
    bad.write_text("no certificate")
    adapter = make(server, ca_file=str(bad))
    with pytest.raises(AccountError):
        await adapter.chat_info(str(GROUP))
    await adapter.close()


async def test_commands_are_one_list(adapter: MaxAdapter, server: FakeMax) -> None:
    await adapter.publish_commands(
        [CommandMenu("private", (("menu", "Разделы"),)), CommandMenu("groups", (("take", "Взять"),))]
    )
    assert server.commands == [{"name": "menu", "description": "Разделы"}]


@pytest.mark.parametrize(
    "keys",
    [
        {"mode": "webhook"},
        {"mode": "webhook", "webhook_url": HOOK, "secret": "a b c d e"},
        {"mode": "webhook", "webhook_url": "http://shop.example/hooks/max", "secret": SECRET},
        {"mode": "webhook", "webhook_url": "https://shop.example:9999/hooks/max", "secret": SECRET},
    ],
)
def test_a_webhook_that_max_would_not_call_is_refused_in_the_config(keys: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        Config.model_validate({"channels": {"max": {"type": "max", "token": "t", **keys}}})


async def test_more_calls_than_max_takes_are_told_apart_from_an_outage(
    server: FakeMax, kept: KeptInbounds
) -> None:
    adapter = make(server)
    answers = await asyncio.gather(
        *(adapter.chat_info(str(GROUP)) for _ in range(40)), return_exceptions=True
    )
    await adapter.close()

    refused = [a for a in answers if isinstance(a, BaseException)]
    assert refused and {type(a).__name__ for a in refused} == {"TooManyCalls"}
