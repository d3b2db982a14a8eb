"""Each thing Telegram can say instead of "done" means one thing to us."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
from aiohttp import ClientConnectionResetError

from bot.adapters.telegram.adapter import TelegramAdapter
from bot.adapters.telegram.errors import ROWS, CallResult, FileRefused, judge, judge_network
from bot.adapters.telegram.settings import TelegramSettings
from bot.errors import (
    AccountError,
    BadFormat,
    BotError,
    ChatMoved,
    PeerGone,
    Refused,
    RetryLater,
    TopicGone,
    TopicRefused,
    Uncertain,
)
from bot.model import Outbound, OutboundKind, Peer, RichText, Sent
from tests.fakes.telegram_server import TOKEN, FakeTelegram

SAY = Outbound(Peer("telegram", "1001"), RichText("привет"))
EDIT = Outbound(Peer("telegram", "1001"), RichText("привет"), kind=OutboundKind.EDIT, edits="card:1")

# One line for each row of the table, in its order.
SAID: list[tuple[int, str, type[BotError]]] = [
    (429, "Too Many Requests: retry after 7", RetryLater),
    (401, "Unauthorized", AccountError),
    (404, "Not Found: method not found", Refused),
    (404, "Not Found", AccountError),
    (409, "Conflict: terminated by other getUpdates request", RetryLater),
    (400, "Bad Request: BUSINESS_PEER_USAGE_MISSING", Refused),
    (400, "Bad Request: business connection not found", PeerGone),
    (403, "Forbidden: bot was blocked by the user", PeerGone),
    (400, "Bad Request: group chat was upgraded to a supergroup chat", PeerGone),
    (400, "Bad Request: TOPIC_NOT_MODIFIED", BotError),
    (400, "Bad Request: query is too old and response timeout expired or query ID is invalid", BotError),
    (400, "Bad Request: message to delete not found", BotError),
    (400, "Bad Request: chat not found", PeerGone),
    (400, "Bad Request: message thread not found", TopicGone),
    (400, "Bad Request: TOPIC_CLOSED", TopicRefused),
    (400, "Bad Request: can't parse entities: entity bold is outside of the text", BadFormat),
    (400, "Bad Request: there is no text in the message to edit", Refused),
    (413, "Request Entity Too Large", FileRefused),
    (400, "Bad Request: file is too big", FileRefused),
    (400, "Bad Request: wrong file identifier/HTTP URL specified", FileRefused),
    (400, "Bad Request: not enough rights to send text messages to the chat", Refused),
    (400, "Bad Request: message to edit not found", Refused),
    (400, "Bad Request: message is too long", Refused),
    (400, "Bad Request: something new", Refused),
]


def test_every_row_has_its_test() -> None:
    """The lines above are met by the rows of the table one by one, in order."""
    met = [
        next(i for i, row in enumerate(ROWS) if row.fits(CallResult(status, description)))
        for status, description, _ in SAID
    ]

    assert met == list(range(len(ROWS)))


@pytest.mark.parametrize(("status", "description", "kind"), SAID)
def test_a_refusal_is_judged(status: int, description: str, kind: type[BotError]) -> None:
    """Each row gives the error that it stands for, with Telegram's own words in it."""
    error = judge(status, {"ok": False, "error_code": status, "description": description})

    assert isinstance(error, kind)
    assert description in str(error)


@pytest.mark.parametrize(
    "description",
    [
        "Forbidden: user is deactivated",
        "Forbidden: bot can't initiate conversation with a user",
        "Forbidden: bot was kicked from the supergroup chat",
    ],
)
async def test_people_who_cannot_be_reached(server: FakeTelegram, say: Any, description: str) -> None:
    """Deleted, never started, put out: the peer is gone."""
    server.refuse("sendMessage", 403, description)

    with pytest.raises(PeerGone):
        await say(SAY)


@pytest.mark.parametrize("description", ["Bad Request: TOPIC_DELETED", "Bad Request: TOPIC_ID_INVALID"])
async def test_a_deleted_topic(server: FakeTelegram, say: Any, description: str) -> None:
    """Each wording of a deleted topic means that it must be made again."""
    server.refuse("sendMessage", 400, description)

    with pytest.raises(TopicGone):
        await say(SAY)


async def test_flood_says_how_long_to_wait(server: FakeTelegram, say: Any) -> None:
    """429 pauses this peer for as long as Telegram says, and does not count as a try."""
    server.refuse("sendMessage", 429, "Too Many Requests: retry after 7", retry_after=7)

    with pytest.raises(RetryLater) as caught:
        await say(SAY)

    assert (caught.value.after, caught.value.scope, caught.value.counts) == (7, "peer", False)


async def test_a_moved_group_tells_its_new_id(server: FakeTelegram, say: Any) -> None:
    """The group became a supergroup: its new id comes with the error."""
    server.refuse(
        "sendMessage",
        400,
        "Bad Request: group chat was upgraded to a supergroup chat",
        migrate_to_chat_id=-1009,
    )

    with pytest.raises(ChatMoved) as caught:
        await say(SAY)

    assert caught.value.chat == "-1009"


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_servers_failure_leaves_it_open(server: FakeTelegram, say: Any, status: int) -> None:
    """5xx, as JSON or as a gateway's page: nobody can tell whether it was sent."""
    server.refuse("sendMessage", status, "Internal Server Error")
    server.answer("sendMessage", status, "<html><h1>Bad Gateway</h1></html>")

    for _ in range(2):
        with pytest.raises(Uncertain):
            await say(SAY)


@pytest.mark.parametrize("text", ["<html>hello</html>", '{"ok": true, "resul', "[]", ""])
async def test_an_unreadable_answer_leaves_it_open(server: FakeTelegram, say: Any, text: str) -> None:
    """200 with something that is not an answer: nobody can tell."""
    server.answer("sendMessage", 200, text)

    with pytest.raises(Uncertain):
        await say(SAY)


async def test_a_gateways_refusal_is_tried_again(server: FakeTelegram, say: Any) -> None:
    """A 403 page of a proxy is not Telegram's word: the customer is not given up for it."""
    server.answer("sendMessage", 403, "<html>denied</html>")

    with pytest.raises(RetryLater):
        await say(SAY)


async def test_nobody_sends_us_elsewhere(server: FakeTelegram, say: Any) -> None:
    """A redirect is not followed: whoever answers it would get the token and the words."""
    server.redirect("sendMessage", to="getMe")

    with pytest.raises(RetryLater):
        await say(SAY)

    assert server.of("getMe") == []


async def test_a_cut_connection_leaves_it_open(server: FakeTelegram, say: Any) -> None:
    """The connection broke while the call was under way."""
    server.cut("sendMessage")

    with pytest.raises(Uncertain):
        await say(SAY)


async def test_a_silent_server_leaves_it_open(server: FakeTelegram, say: Any) -> None:
    """No answer in time: the call may have been carried out."""
    server.hang("sendMessage", 5)

    with pytest.raises(Uncertain):
        await say(SAY)


async def test_no_connection_is_certainly_not_sent(files: Any) -> None:
    """Nobody listens there: try again later, for the whole account, without counting."""
    adapter = TelegramAdapter("telegram", TelegramSettings(token=TOKEN, api_base="http://127.0.0.1:9"))

    with pytest.raises(RetryLater) as caught:
        await adapter.send(SAY, nonce=1, target="", files=files)
    await adapter.close()

    assert (caught.value.scope, caught.value.counts) == ("account", False)


async def test_an_unknown_host_is_certainly_not_sent(files: Any) -> None:
    """A name that does not resolve is an outage of the network, not of the message."""
    adapter = TelegramAdapter(
        "telegram", TelegramSettings(token=TOKEN, api_base="http://no-such-host.invalid")
    )

    with pytest.raises(RetryLater):
        await adapter.send(SAY, nonce=1, target="", files=files)
    await adapter.close()


async def test_an_unreachable_proxy_is_certainly_not_sent(files: Any) -> None:
    """The proxy is away: nothing went out."""
    adapter = TelegramAdapter(
        "telegram", TelegramSettings(token=TOKEN, api_base="http://127.0.0.1:9", proxy="socks5://127.0.0.1:9")
    )

    with pytest.raises(RetryLater):
        await adapter.send(SAY, nonce=1, target="", files=files)
    await adapter.close()


async def test_repeatable_calls_are_simply_repeated(server: FakeTelegram, say: Any) -> None:
    """An edit whose answer was lost may be made again without harm."""
    server.cut("editMessageText")

    with pytest.raises(RetryLater):
        await say(EDIT, target="17")


@pytest.mark.parametrize(
    ("outbound", "method", "description"),
    [
        (EDIT, "editMessageText", "Bad Request: message is not modified: specified new message content …"),
        (
            Outbound(Peer("t", "1"), kind=OutboundKind.ACKNOWLEDGE, quotes="q"),
            "answerCallbackQuery",
            "Bad Request: query is too old",
        ),
        (
            Outbound(Peer("t", "-1", "5"), kind=OutboundKind.CLOSE_TOPIC),
            "closeForumTopic",
            "Bad Request: TOPIC_NOT_MODIFIED",
        ),
        (
            Outbound(Peer("t", "-1", "5"), kind=OutboundKind.REOPEN_TOPIC),
            "reopenForumTopic",
            "Bad Request: TOPIC_NOT_MODIFIED",
        ),
        (
            Outbound(Peer("t", "-1", "5"), RichText("х"), kind=OutboundKind.RENAME_TOPIC),
            "editForumTopic",
            "Bad Request: TOPIC_NOT_MODIFIED",
        ),
        (
            Outbound(Peer("t", "1"), kind=OutboundKind.DELETE),
            "deleteMessage",
            "Bad Request: message to delete not found",
        ),
    ],
)
async def test_already_so_is_success(
    server: FakeTelegram, say: Any, outbound: Outbound, method: str, description: str
) -> None:
    """What is as it should be needs no error."""
    server.refuse(method, 400, description)

    assert await say(outbound, target="17") == Sent("17")


async def test_a_wrong_token_concerns_the_account(server: FakeTelegram, files: Any) -> None:
    """A token that Telegram does not know, and one that is no token at all, concern the account."""
    for token in ("999:wrong", "", "no token"):
        adapter = TelegramAdapter("telegram", TelegramSettings(token=token, api_base=server.base))
        with pytest.raises(AccountError) as caught:
            await adapter.send(SAY, nonce=1, target="", files=files)
        await adapter.close()
        assert "BotFather" in caught.value.hint


async def test_no_error_holds_the_token(server: FakeTelegram, files: Any) -> None:
    """However a call fails, its traceback does not show the token, even where the server repeats it."""
    secret = TOKEN.partition(":")[2]
    adapter = TelegramAdapter("telegram", TelegramSettings(token=TOKEN, api_base=server.base, timeout=0.3))
    nowhere = TelegramAdapter("telegram", TelegramSettings(token=TOKEN, api_base="http://127.0.0.1:9"))
    bad_address = TelegramAdapter("telegram", TelegramSettings(token=TOKEN, api_base="http://"))
    server.refuse("sendMessage", 400, f"Bad Request: /bot{TOKEN}/sendMessage")
    server.cut("sendMessage")
    server.hang("sendMessage", 3)
    server.answer("sendMessage", 502, f"<html>{TOKEN}</html>")
    server.answer("sendMessage", 302, f"{TOKEN}")

    shown = []
    for one in (adapter, adapter, adapter, adapter, adapter, nowhere, bad_address):
        with pytest.raises(BotError) as caught:
            await one.send(SAY, nonce=1, target="", files=files)
        shown.append("".join(traceback.format_exception(caught.value)))
    for one in (adapter, nowhere, bad_address):
        await one.close()

    assert len(shown) == 7 and not any(secret in s for s in shown)


@pytest.mark.parametrize(
    "said",
    ["not enough rights to create a topic", "not enough rights to manage topics", "the chat is not a forum"],
)
def test_without_topics_there_is_another_way(said: str) -> None:
    """What may not be said in a topic is said in the chat itself: these are told apart from what is refused
    for good.
    """
    assert isinstance(
        judge(400, {"ok": False, "error_code": 400, "description": f"Bad Request: {said}"}), TopicRefused
    )


async def test_an_outage_puts_words_in_doubt_once(server: FakeTelegram, say: Any) -> None:
    """After a break something harmless is asked until it is answered; while it is not, nothing was sent and
    nothing is in doubt.
    """
    server.cut("sendMessage")
    server.cut("getMe", times=2)
    server.answer("getMe", 502, "<html>Bad Gateway</html>")

    with pytest.raises(Uncertain):
        await say(SAY)
    for _ in range(3):
        with pytest.raises(RetryLater) as caught:
            await say(SAY)
        assert caught.value.scope == "account" and not caught.value.counts
    assert await say(SAY)

    assert len(server.of("sendMessage")) == 2
    assert await say(SAY) and len(server.of("getMe")) == 4, "a line that stands is not asked again"


def test_what_certainly_never_left_is_no_doubt() -> None:
    """The kept connection was closed before the request was on it: it is tried again; a connection lost
    afterwards stays a doubt.
    """
    gone, lost = (
        ClientConnectionResetError("Cannot write to closing transport"),
        ClientConnectionResetError("Connection lost"),
    )

    assert isinstance(judge_network(gone), RetryLater)
    assert isinstance(judge_network(lost), Uncertain)
