"""Each row of the error table, as the outbox sees it."""

from __future__ import annotations

import logging

import pytest

from bot.adapters.vk.adapter import VkAdapter
from bot.adapters.vk.errors import TABLE, VkRefusal, VkSilence, to_delivery_error
from bot.errors import AccountError, BadFormat, DeliveryError, PeerGone, Refused, RetryLater
from bot.testing.fakes import FakeFiles
from tests.adapters.vk.conftest import make, say
from tests.fakes.vk_server import BAD_GATEWAY, CHAT, CUT, HTML, TOKEN, FakeVk

LATER = {
    1: (2.0, "peer", True),
    6: (0.7, "account", False),
    9: (60.0, "peer", True),
    10: (2.0, "peer", True),
    14: (3600.0, "account", False),
    29: (3600.0, "account", False),
}
GONE = (
    18,
    113,
    900,
    901,
    902,
    917,
    922,
    927,
    932,
    936,
    939,
    945,
    946,
    950,
    962,
    983,
    984,
    985,
    986,
    987,
    988,
    1012,
)
REFUSED = (3, 7, 8, 15, 23, 909, 910, 913, 914, 920, 921, 924)
ACCOUNT = (5, 27, 28, 42, 1117)
FORMAT = (911, 912)


def test_every_row_of_the_table_is_tested() -> None:
    """A code added to the table must be added here too."""
    assert set(TABLE) == {*LATER, *GONE, *REFUSED, *ACCOUNT, *FORMAT, 100}


@pytest.mark.parametrize("code", LATER)
def test_what_passes_by_waiting_is_tried_again(code: int) -> None:
    """Errors of the moment are RetryLater with their own pause, scope and counting."""
    error = to_delivery_error(VkRefusal(code, "x"))

    assert isinstance(error, RetryLater)
    assert (error.after, error.scope, error.counts) == LATER[code]


@pytest.mark.parametrize("code", GONE)
def test_who_cannot_be_written_to_is_gone(code: int) -> None:
    """Black lists, privacy, lost chats: the peer is unreachable until it writes again."""
    assert isinstance(to_delivery_error(VkRefusal(code, "x")), PeerGone)


@pytest.mark.parametrize("code", REFUSED)
def test_what_never_passes_is_refused(code: int) -> None:
    """What no repeat can cure goes to a person."""
    assert isinstance(to_delivery_error(VkRefusal(code, "x")), Refused)


@pytest.mark.parametrize("code", ACCOUNT)
def test_a_dead_token_concerns_the_account(code: int) -> None:
    """The hint says what the owner has to do."""
    error = to_delivery_error(VkRefusal(code, "x"))

    assert isinstance(error, AccountError)
    assert "ключ" in error.hint


@pytest.mark.parametrize("code", FORMAT)
def test_keyboards_are_a_matter_of_form(code: int) -> None:
    """A refused keyboard does not make the words undeliverable."""
    assert isinstance(to_delivery_error(VkRefusal(code, "x")), BadFormat)


def test_wrong_parameters_are_form_only_where_there_was_some() -> None:
    """Error 100 on a plain message is final, on a styled one the plain words may pass."""
    assert isinstance(to_delivery_error(VkRefusal(100, "x"), styled=True), BadFormat)
    assert isinstance(to_delivery_error(VkRefusal(100, "x")), Refused)


def test_an_unknown_error_is_met_with_patience() -> None:
    """What the table does not know is tried again, slowly and counted."""
    error = to_delivery_error(VkRefusal(4242, "x"))

    assert isinstance(error, RetryLater)
    assert error.counts and error.after >= 10


def test_silence_is_tried_again() -> None:
    """With random_id a repeat is harmless, so nothing is ever uncertain."""
    assert isinstance(to_delivery_error(VkSilence("x")), RetryLater)


@pytest.mark.parametrize("fault", [HTML, BAD_GATEWAY, CUT, 10])
async def test_a_broken_answer_is_no_second_message(
    vk: FakeVk, adapter: VkAdapter, files: FakeFiles, fault: int | str
) -> None:
    """A send whose answer was lost is repeated with the same random_id and ends as one message."""
    vk.fail("messages.send", fault, after=True)
    with pytest.raises(RetryLater):
        await adapter.send(say("раз"), nonce=7, target="", files=files)

    again = await adapter.send(say("раз"), nonce=7, target="", files=files)

    assert [m.params["message"] for m in vk.sent] == ["раз"]
    assert again.message == f"m{vk.sent[0].id}"


async def test_too_many_calls_are_not_repeated_by_the_library(
    vk: FakeVk, adapter: VkAdapter, files: FakeFiles
) -> None:
    """vk_api would sleep and recurse on error 6; here it is one call and RetryLater for the account."""
    vk.fail("messages.send", 6)
    with pytest.raises(RetryLater) as caught:
        await adapter.send(say("раз"), nonce=7, target="", files=files)

    assert caught.value.scope == "account" and not caught.value.counts
    assert len(vk.called("messages.send")) == 1


async def test_a_captcha_is_shown_to_people(vk: FakeVk, adapter: VkAdapter, files: FakeFiles) -> None:
    """Captcha waits long and stands in the health with what to do."""
    vk.fail("messages.send", 14)
    with pytest.raises(RetryLater) as caught:
        await adapter.send(say("раз"), nonce=7, target="", files=files)

    assert caught.value.after >= 600
    assert "картинки" in adapter.health.details["vk-14"]

    await adapter.send(say("раз"), nonce=7, target="", files=files)
    assert "vk-14" not in adapter.health.details


async def test_an_error_of_one_peer_inside_the_answer_counts(
    vk: FakeVk, adapter: VkAdapter, files: FakeFiles
) -> None:
    """Group chats answer 200 with an error per peer: it is not taken for success."""
    vk.peer_errors[CHAT] = 917
    with pytest.raises(PeerGone):
        await adapter.send(say("раз", chat=CHAT), nonce=7, target="", files=files)


async def test_the_token_never_shows(
    vk: FakeVk, files: FakeFiles, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """VK's text repeats the token, the library's exceptions hold it: neither errors, health, checks nor logs
    do.
    """
    caplog.set_level(logging.DEBUG)
    wrong = make(vk, token="vk1.a.WRONG-and-secret")
    with pytest.raises(AccountError) as caught:
        await wrong.send(say("раз"), nonce=1, target="", files=files)
    problems = await wrong.check()
    await wrong.close()

    printed = capsys.readouterr()
    seen = " ".join(
        map(
            str,
            (
                caught.value,
                caught.value.hint,
                caught.value.__cause__,
                problems,
                wrong.health,
                caplog.text,
                printed.err,
                printed.out,
            ),
        )
    )
    assert "WRONG" not in seen and TOKEN not in seen


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (7, "rights"),
        (15, "rights"),
        (909, "not_editable"),
        (910, "too_long"),
        (914, "too_long"),
        (901, "peer_gone"),
        (23, ""),
    ],
)
def test_a_refusal_has_a_code_for_people(code: int, told: str) -> None:
    """The desk says it in its own words; what has no code gets a neutral sentence."""
    error = to_delivery_error(VkRefusal(code, "x"))

    assert isinstance(error, DeliveryError) and error.code == told
