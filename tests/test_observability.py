"""What is logged holds nothing secret or personal."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from bot.model import Event
from bot.observability import LogObserver, Observers, get_logger, redact, set_up_logging


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """The log of a test ends with it."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:], logging.root.level = handlers, level


MARKED = [
    "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
    "https://api.telegram.org/bot123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/getMe",
    "vk1.a.Zz-0_9abcdefghijklmnop",
    "access_token=deadbeef&v=5.199",
    "anna@example.ru",
    "+7 912 345-67-89",
    "8 (912) 345 67 89",
    "4276 1234 5678 9010",
]


@pytest.mark.parametrize("marked", MARKED)
def test_secrets_and_contacts_do_not_reach_the_log(marked: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Ours and the libraries' lines pass the same filter."""
    set_up_logging(level="info")
    get_logger("test").info("something", detail=f"failed at {marked}")
    logging.getLogger("aiohttp").warning("failed at %s", marked)

    shown = capsys.readouterr().err
    assert "something" in shown and "failed at" in shown
    assert marked not in shown and "AAHdqTcv" not in shown and "deadbeef" not in shown


@pytest.mark.parametrize(
    "kept", ["заказ 48213", "turn=1042", "10:00-20:00", "conversation=17", "2026-11-21T21:16:00"]
)
def test_ids_and_times_stay_readable(kept: str) -> None:
    """A log that hides what an administrator needs is no log."""
    assert redact(kept) == kept


def test_an_observer_that_fails_does_not_stop_the_others() -> None:
    """Watching never breaks the work that is watched."""

    class Broken:
        def seen(self, event: Event) -> None:
            raise RuntimeError("broken")

    class Counting:
        count = 0

        def seen(self, event: Event) -> None:
            self.count += 1

    counting = Counting()
    Observers([Broken(), LogObserver(), counting]).seen(Event("answered"))

    assert counting.count == 1
