"""Updates are kept before Telegram is told to forget them, whatever breaks on the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from bot.adapters.base import CommandMenu, Health
from bot.adapters.telegram.adapter import TelegramAdapter
from bot.adapters.telegram.settings import TelegramSettings
from bot.adapters.update_calls import LONGEST
from bot.errors import AccountError, PeerGone, Refused, RetryLater, StorageBusy
from bot.model import Attachment, InboundKind, Media, Sender
from tests.adapters.telegram.conftest import Kept, running
from tests.fakes.telegram_server import BOT_ID, TOKEN, FakeTelegram

SECRET = "sesame_1"


def message(text: str, number: int = 5) -> dict[str, Any]:
    return {
        "message_id": number,
        "date": 1_700_000_000,
        "chat": {"id": 1001, "type": "private"},
        "from": {"id": 1001, "is_bot": False, "first_name": "Анна"},
        "text": text,
    }


# --- polling


async def test_the_webhook_is_taken_off_and_updates_are_asked_for_by_name(
    adapter: TelegramAdapter, server: FakeTelegram, kept: Kept
) -> None:
    """Polling begins with deleteWebhook and names every kind it wants."""
    async with running(adapter, kept):
        await server.wait_for(lambda: len(server.of("getUpdates")) > 0)

    assert [c.method for c in server.calls[:3]] == ["getMe", "deleteWebhook", "getUpdates"]
    assert "chat_member" in server.of("getUpdates")[0].params["allowed_updates"]
    assert (
        "offset" not in server.of("getUpdates")[0].params and adapter.health.details["username"] == "shop_bot"
    )


async def test_a_channel_without_messages_is_soon_known_to_work(server: FakeTelegram, kept: Kept) -> None:
    """Nobody waits a whole long poll to learn that all is well."""
    adapter = TelegramAdapter(
        "telegram", TelegramSettings(token=TOKEN, api_base=server.base, poll_seconds=30)
    )
    async with running(adapter, kept):
        await server.wait_for(lambda: adapter.health.state == "working", timeout=2)
        await server.wait_for(lambda: len(server.of("getUpdates")) == 2)
    await adapter.close()

    assert [c.params.get("timeout") for c in server.of("getUpdates")] == [0, 30]


async def test_what_is_kept_is_forgotten_by_telegram(
    adapter: TelegramAdapter, server: FakeTelegram, kept: Kept
) -> None:
    """The offset moves past an update after it was accepted."""
    number = server.push("message", message("привет"))
    async with running(adapter, kept):
        await server.wait_for(lambda: number in server.confirmed)

    assert [i.text for i in kept.all] == ["привет"] and adapter.health.state == "working"


async def test_what_cannot_be_kept_is_not_forgotten(
    adapter: TelegramAdapter, server: FakeTelegram, kept: Kept
) -> None:
    """While the store fails the offset stays, and the same update comes again."""
    kept.failures += [StorageBusy("busy"), RuntimeError("a bug")]
    number = server.push("message", message("привет"))
    async with running(adapter, kept):
        await server.wait_for(lambda: kept.calls == 1)
        assert number not in server.confirmed
        await server.wait_for(lambda: number in server.confirmed, timeout=8)

    assert kept.calls == 3 and [i.text for i in kept.all] == ["привет"]


async def test_an_unreadable_update_stops_nobody(
    adapter: TelegramAdapter, server: FakeTelegram, kept: Kept
) -> None:
    """It is kept as OTHER, and its neighbours arrive."""
    server.push("message", message("один"))
    server.push("message", {"message_id": "?"})
    last = server.push("message", message("два", 6))
    async with running(adapter, kept):
        await server.wait_for(lambda: last in server.confirmed)

    assert [(i.kind, i.text) for i in kept.all] == [
        (InboundKind.MESSAGE, "один"),
        (InboundKind.OTHER, ""),
        (InboundKind.MESSAGE, "два"),
    ]


@pytest.mark.parametrize("fault", ["502", "cut", "garbage", "hang", "start", "flood"])
async def test_outages_are_waited_out(
    adapter: TelegramAdapter, server: FakeTelegram, kept: Kept, fault: str
) -> None:
    """After any outage of the network or the server updates come again."""
    match fault:
        case "502":
            server.answer("getUpdates", 502, "<html>Bad Gateway</html>", times=2)
        case "cut":
            server.cut("getUpdates", times=2)
        case "garbage":
            server.answer("getUpdates", 200, '{"ok":true,"result":[{"upd')
        case "hang":
            server.hang("getUpdates", 0.3)
        case "start":
            server.cut("getMe", times=2)
        case "flood":
            server.refuse("getUpdates", 429, "Too Many Requests: retry after 1", retry_after=1)
    number = server.push("message", message("привет"))
    async with running(adapter, kept):
        await server.wait_for(lambda: number in server.confirmed, timeout=8)

    assert [i.text for i in kept.all] == ["привет"]


async def test_another_reader_is_named(adapter: TelegramAdapter, server: FakeTelegram, kept: Kept) -> None:
    """409 is told in words to do something about, and the adapter stays alive."""
    server.refuse("getUpdates", 409, "Conflict: terminated by other getUpdates request")
    async with running(adapter, kept) as task:
        await server.wait_for(lambda: adapter.health.state == "failing")
        assert "ещё одна программа" in adapter.health.last_error and not task.done()


@pytest.mark.parametrize("token", ["999999:wrong", "not a token"])
async def test_a_wrong_token_stops_the_channel(server: FakeTelegram, kept: Kept, token: str) -> None:
    """The channel says how to mend it and stops; nothing loops."""
    adapter = TelegramAdapter("telegram", TelegramSettings(token=token, api_base=server.base))

    with pytest.raises(AccountError) as caught:
        await asyncio.wait_for(adapter.run(kept, cursor=None), 3)
    await adapter.close()

    assert (
        "BotFather" in caught.value.hint
        and adapter.health.state == "stopped"
        and token not in adapter.health.last_error
    )


# --- webhook


class Hook:
    """The adapter in webhook mode behind a real HTTP server."""

    def __init__(self, adapter: TelegramAdapter, url: str, http: ClientSession) -> None:
        self.adapter, self.url, self.http = adapter, url, http

    async def post(self, data: Any, *, secret: str | None = SECRET, kind: str = "application/json") -> int:
        headers = {"Content-Type": kind} | (
            {} if secret is None else {"X-Telegram-Bot-Api-Secret-Token": secret}
        )
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        async with self.http.post(self.url, data=BytesIO(body), headers=headers) as answer:
            return answer.status


@asynccontextmanager
async def serving(server: FakeTelegram) -> AsyncIterator[Hook]:
    """The adapter behind the server, not run yet."""
    adapter = TelegramAdapter(
        "shop",
        TelegramSettings(
            token=TOKEN,
            api_base=server.base,
            mode="webhook",
            secret=SECRET,
            webhook_url="https://shop.example/hooks/shop",
            poll_seconds=1,
        ),
    )
    app = web.Application(client_max_size=16 * LONGEST)
    app.add_routes(adapter.routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with ClientSession() as http:
            yield Hook(adapter, f"http://127.0.0.1:{runner.addresses[0][1]}{adapter.webhook_path}", http)
    finally:
        await runner.cleanup()
        await adapter.close()


@pytest.fixture
async def hook(server: FakeTelegram, kept: Kept) -> AsyncIterator[Hook]:
    async with serving(server) as hook, running(hook.adapter, kept):
        await server.wait_for(lambda: hook.adapter.health.state == "working")
        yield hook


async def test_a_webhook_is_set_and_served(hook: Hook, server: FakeTelegram, kept: Kept) -> None:
    """Telegram is told the address, the secret and the kinds; an update is answered with 200 after it is
    kept.
    """
    call = server.of("setWebhook")[0].params

    assert await hook.post({"update_id": 9, "message": message("привет")}) == 200
    assert [i.key for i in kept.all] == ["9"]
    assert (
        call["url"] == "https://shop.example/hooks/shop"
        and call["secret_token"] == SECRET
        and call["allowed_updates"]
    )
    assert not server.of("deleteWebhook")


async def test_a_process_that_does_not_run_the_channel_takes_its_calls(
    server: FakeTelegram, kept: Kept
) -> None:
    """Another one sets the webhook, and the platform's calls may come to any; this one learns the bot's name
    first, so that a command to another bot of the group is not taken for its own.
    """
    async with serving(server) as hook:
        assert await hook.post({"update_id": 8, "message": message("рано")}) == 503
        hook.adapter.health.state = "standby"
        hook.adapter.take_calls(kept)
        assert await hook.post({"update_id": 9, "message": message("привет")}) == 200
        assert [i.key for i in kept.all] == ["9"] and len(server.of("getMe")) == 1
        group = message("/take@other_bot 7") | {"chat": {"id": -100500, "type": "supergroup", "title": "S"}}
        assert await hook.post({"update_id": 10, "message": group}) == 200
        assert kept.all[-1].kind is InboundKind.OTHER and len(server.of("getMe")) == 1
        assert hook.adapter.health.state == "standby" and not server.of("setWebhook")


@pytest.mark.parametrize("secret", [None, "", "wrong", "сезам", SECRET + "x"])
async def test_strangers_are_turned_away(hook: Hook, kept: Kept, secret: str | None) -> None:
    """Without the secret nothing is read, not even the body."""
    assert await hook.post({"update_id": 9, "message": message("привет")}, secret=secret) == 401
    assert kept.calls == 0


async def test_a_webhook_that_cannot_keep_asks_for_it_again(hook: Hook, kept: Kept) -> None:
    """503 while the store fails, 200 when the same update comes again."""
    kept.failures.append(StorageBusy("busy"))

    assert await hook.post({"update_id": 9, "message": message("привет")}) == 503
    assert await hook.post({"update_id": 9, "message": message("привет")}) == 200
    assert await hook.post({"update_id": 9, "message": message("привет")}) == 200
    assert len(kept.all) == 1


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{}", "application/json", 400),
        (b"[" * 200_000, "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b" " * (LONGEST + 1), "application/json", 413),
        (b'{"update_id": 3, "message": 5}', "application/json", 200),
    ],
)
async def test_bodies_that_are_no_update_are_refused(
    hook: Hook, kept: Kept, data: bytes, kind: str, status: int
) -> None:
    """Not JSON, not an update, too big: refused with a reason; an update that cannot be read is kept as
    OTHER.
    """
    assert await hook.post(data, kind=kind) == status
    assert len(kept.all) == (status == 200)


async def test_poison_by_webhook_is_kept_clean(hook: Hook, kept: Kept) -> None:
    """An update with NUL and a lone surrogate is kept, and so is the next one."""
    poisoned = (
        b'{"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"},'
        b' "text": "a\\u0000\\ud800"}}'
    )

    assert await hook.post(poisoned) == 200
    assert await hook.post({"update_id": 2, "message": message("ok")}) == 200
    assert [i.text for i in kept.all] == ["a\ufffd\ufffd", "ok"]


async def test_a_webhook_that_was_taken_off_is_set_again(hook: Hook, server: FakeTelegram) -> None:
    """Another program with the same token cannot silence the channel for long; what Telegram complains of is
    shown.
    """
    server.results["getWebhookInfo"] = {
        "url": "",
        "pending_update_count": 3,
        "last_error_message": "Connection refused",
    }

    await server.wait_for(lambda: len(server.of("setWebhook")) > 1)

    assert (
        hook.adapter.health.details["webhook_error"] == "Connection refused"
        and hook.adapter.health.state == "working"
    )


async def test_a_webhook_needs_a_secret(server: FakeTelegram, kept: Kept) -> None:
    """Without one the channel does not start."""
    adapter = TelegramAdapter(
        "shop",
        TelegramSettings(token=TOKEN, api_base=server.base, mode="webhook", webhook_url="https://x.example"),
    )

    with pytest.raises(AccountError, match="secret"):
        await adapter.run(kept, cursor=None)
    await adapter.close()


async def test_without_a_secret_nobody_is_let_in(server: FakeTelegram, kept: Kept) -> None:
    """An adapter that has no secret turns away even those who show none."""
    adapter = TelegramAdapter(
        "shop",
        TelegramSettings(token=TOKEN, api_base=server.base, mode="webhook", webhook_url="https://x.example"),
    )
    app = web.Application()
    app.add_routes(adapter.routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession() as http:
        hook = Hook(adapter, f"http://127.0.0.1:{runner.addresses[0][1]}{adapter.webhook_path}", http)
        statuses = [await hook.post({"update_id": 1}, secret=secret) for secret in ("", None)]
    await runner.cleanup()
    await adapter.close()

    assert statuses == [401, 401]


async def test_polling_serves_no_webhook(adapter: TelegramAdapter) -> None:
    """There is no other way in."""
    assert adapter.routes() == []


# --- asking


async def test_a_file_is_read_in_two_steps(adapter: TelegramAdapter, server: FakeTelegram) -> None:
    """getFile names the path, the content comes from the same server."""
    server.files["F"] = b"content"

    file = await adapter.read(
        Attachment(Media.DOCUMENT, "F", "telegram", name="a.pdf", mime="application/pdf")
    )

    assert (file.content, file.name, file.mime) == (b"content", "a.pdf", "application/pdf")


async def test_files_that_cannot_be_read(adapter: TelegramAdapter, server: FakeTelegram) -> None:
    """Too big, gone, empty: refused. A lost answer: later."""
    with pytest.raises(Refused):
        await adapter.read(Attachment(Media.VIDEO, "F", "telegram", size=21 * 1024 * 1024))
    with pytest.raises(Refused):
        await adapter.read(Attachment(Media.VIDEO, "", "telegram"))
    server.refuse("getFile", 400, "Bad Request: file is too big")
    with pytest.raises(Refused):
        await adapter.read(Attachment(Media.VIDEO, "F", "telegram"))
    server.cut("getFile")
    with pytest.raises(RetryLater):
        await adapter.read(Attachment(Media.VIDEO, "F", "telegram"))
    with pytest.raises(Refused):
        await adapter.read(Attachment(Media.VIDEO, "missing", "telegram"))


async def test_files_that_cannot_be_read_have_a_code(adapter: TelegramAdapter, server: FakeTelegram) -> None:
    """Operators are told in words, by the code: too large whoever says it, not there any more."""
    with pytest.raises(Refused) as large:
        await adapter.read(Attachment(Media.VIDEO, "F", "telegram", size=21 * 1024 * 1024))
    server.refuse("getFile", 400, "Bad Request: file is too big")
    with pytest.raises(Refused) as larger:
        await adapter.read(Attachment(Media.VIDEO, "F", "telegram"))
    with pytest.raises(Refused) as empty:
        await adapter.read(Attachment(Media.VIDEO, "", "telegram"))

    assert (large.value.code, larger.value.code, empty.value.code) == (
        "file_large",
        "file_large",
        "file_gone",
    )


async def test_a_server_of_ones_own_names_its_disk(
    adapter: TelegramAdapter, server: FakeTelegram, tmp_path: Path
) -> None:
    """With --local the path is on the disk that both share; where they do not, the error says what to do."""
    (tmp_path / "a.pdf").write_bytes(b"content")
    server.results["getFile"] = {"file_path": str(tmp_path / "a.pdf")}
    shared = await adapter.read(Attachment(Media.DOCUMENT, "F", "telegram"))
    server.results["getFile"] = {"file_path": "/no/such/file.pdf"}

    with pytest.raises(Refused, match="--local"):
        await adapter.read(Attachment(Media.DOCUMENT, "F", "telegram"))

    assert (shared.content, shared.name) == (b"content", "a.pdf")


async def test_the_desk_is_looked_at(adapter: TelegramAdapter, server: FakeTelegram) -> None:
    """A forum is told from a group, and each missing right is named with the way to give it."""
    server.results["getChat"] = {"id": -1, "type": "supergroup", "title": "Поддержка", "is_forum": True}
    server.results["getChatMember"] = {
        "status": "administrator",
        "can_pin_messages": True,
        "can_delete_messages": True,
    }
    forum = await adapter.chat_info("-1")
    server.results["getChat"] = {"id": -1, "type": "group", "title": "Поддержка"}
    server.results["getChatMember"] = {"status": "member"}
    group = await adapter.chat_info("-1")
    server.results["getChat"] = {"id": 1001, "type": "private", "first_name": "Анна"}
    private = await adapter.chat_info("1001")

    assert (forum.kind, forum.title, [p.code for p in forum.problems]) == ("forum", "Поддержка", ["TG013"])
    assert (group.kind, [p.code for p in group.problems]) == ("group", ["TG012"])
    assert (private.kind, private.problems) == ("private", ())
    assert all(p.hint for p in (*forum.problems, *group.problems))


async def test_a_chat_that_cannot_be_seen(adapter: TelegramAdapter, server: FakeTelegram) -> None:
    """A wrong id, or a group the bot was put out of."""
    server.refuse("getChat", 400, "Bad Request: chat not found")
    with pytest.raises(PeerGone):
        await adapter.chat_info("-1")
    server.results |= {"getChat": {"id": -1, "type": "group"}, "getChatMember": {"status": "left"}}
    with pytest.raises(PeerGone):
        await adapter.chat_info("-1")


async def test_a_stranger_is_asked_about_once_and_again_after_a_change(
    adapter: TelegramAdapter, server: FakeTelegram, kept: Kept
) -> None:
    """The answer is remembered for a minute, and dropped when Telegram tells of a change."""
    server.results["getChatMember"] = {"status": "left"}
    async with running(adapter, kept):
        first = [await adapter.membership("-1", "1002") for _ in range(3)]
        asked = len(server.of("getChatMember"))
        server.results["getChatMember"] = {"status": "member"}
        change = {
            "chat": {"id": -1, "type": "group"},
            "from": {"id": 1},
            "date": 1,
            "old_chat_member": {},
            "new_chat_member": {"status": "member", "user": {"id": 1002}},
        }
        number = server.push("chat_member", change)
        await server.wait_for(lambda: number in server.confirmed)

        assert first == ["none"] * 3 and asked == 1
        assert await adapter.membership("-1", "1002") == "member"


async def test_who_was_put_out_is_a_stranger_also_where_nobody_told_of_it(
    adapter: TelegramAdapter, server: FakeTelegram
) -> None:
    """The change may have been told to another process of the service: a yes is not remembered."""
    server.results["getChatMember"] = {"status": "administrator"}
    before = await adapter.membership("-1", "1002")
    server.results["getChatMember"] = {"status": "kicked"}

    assert (before, await adapter.membership("-1", "1002")) == ("administrator", "none")


async def test_a_stranger_belongs_nowhere(adapter: TelegramAdapter, server: FakeTelegram) -> None:
    """An unknown person or chat is no member; an outage is not an answer."""
    server.refuse("getChatMember", 400, "Bad Request: user not found")
    assert await adapter.membership("-1", "1") == "none"
    assert await adapter.membership("-1", "x") == "none"
    server.refuse("getChatMember", 400, "Bad Request: chat not found")
    assert await adapter.membership("-2", "1") == "none"


async def test_a_profile_is_what_telegram_tells_of_a_person(
    adapter: TelegramAdapter, server: FakeTelegram
) -> None:
    """What Telegram tells of a person, or nothing."""
    server.results["getChat"] = {"id": 1001, "type": "private", "first_name": "Анна", "username": "anna"}
    assert await adapter.profile("1001") == Sender("1001", "Анна", username="anna")
    server.refuse("getChat", 400, "Bad Request: chat not found")
    assert await adapter.profile("1002") is None


async def test_doctor_is_told_everything(adapter: TelegramAdapter, server: FakeTelegram) -> None:
    """A healthy account has only its privacy to mention; each fault has its code and the way to mend it."""
    server.results["getWebhookInfo"] = {"url": ""}
    healthy = [p.code for p in await adapter.check()]
    server.results["getWebhookInfo"] = {"url": "https://old.example", "last_error_message": "x"}
    server.results["getMe"] = {
        "id": BOT_ID,
        "username": "b",
        "can_join_groups": False,
        "can_read_all_group_messages": True,
    }
    faulty = [p.code for p in await adapter.check()]
    server.answer("getMe", 502, "<html>")
    away = await adapter.check()

    assert (healthy, faulty, [p.code for p in away]) == (["TG004"], ["TG003", "TG005"], ["TG002"])
    assert all(p.hint for p in away)


async def test_doctor_and_a_wrong_token(server: FakeTelegram) -> None:
    """The token is named as the fault and not shown."""
    adapter = TelegramAdapter("telegram", TelegramSettings(token="999999:wrong", api_base=server.base))

    (problem,) = await adapter.check()
    await adapter.close()

    assert problem.code == "TG001" and "wrong" not in str(problem)


async def test_commands_are_published_by_scope(adapter: TelegramAdapter, server: FakeTelegram) -> None:
    """Customers see theirs, the desk's group sees the operators'."""
    await adapter.publish_commands(
        (
            CommandMenu("private", (("help", "Помощь"),)),
            CommandMenu("chat", (("take", "Взять"),), chat="-100500", language="ru"),
        )
    )

    first, second = (c.params for c in server.of("setMyCommands"))
    assert first["commands"] == [{"command": "help", "description": "Помощь"}] and first["scope"] == {
        "type": "all_private_chats"
    }
    assert second["scope"] == {"type": "chat", "chat_id": -100500} and second["language_code"] == "ru"


async def test_typing_never_fails(adapter: TelegramAdapter, server: FakeTelegram) -> None:
    """A hint that does not arrive is nobody's business."""
    server.refuse("sendChatAction", 403, "Forbidden")
    await adapter.hint_typing("1001")
    await adapter.hint_typing("-100500", "77")

    assert server.of("sendChatAction")[1].params == {
        "chat_id": -100500,
        "action": "typing",
        "message_thread_id": 77,
    }


async def test_a_new_adapter_says_that_it_is_starting(adapter: TelegramAdapter) -> None:
    """Nothing was tried yet, so nothing is claimed."""
    assert adapter.health == Health(polls=True)


async def test_groups_and_their_topics_are_told_by_the_id(adapter: TelegramAdapter) -> None:
    """Only supergroups have addresses of their topics."""
    assert adapter.is_group("-100500") and adapter.is_group("-1") and not adapter.is_group("1001")
    assert adapter.topic_url("-100500", "7") == "https://t.me/c/500/7"
    assert adapter.topic_url("-1", "7") == adapter.topic_url("1001", "7") == ""
