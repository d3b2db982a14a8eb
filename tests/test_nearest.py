"""Did you mean."""

from __future__ import annotations

from bot.text.nearest import nearest, nearest_paths

COMMANDS = ("chat", "play", "run", "kb", "test", "report")
PATHS = ("returns/goods", "delivery/cost", "payment/failed")


def test_a_slip_finds_what_was_meant() -> None:
    assert nearest("chta", COMMANDS) == ["chat"]
    assert nearest("REPORT", COMMANDS) == ["report"]
    assert nearest("погода", COMMANDS) == []


def test_the_likest_comes_first_and_a_tie_keeps_the_order() -> None:
    assert nearest("tests", ["rests", "test", "nests"], limit=3) == ["test", "rests", "nests"]


def test_how_like_it_must_be_is_the_callers_choice() -> None:
    assert nearest("playground", COMMANDS) == [] and nearest("playground", COMMANDS, likeness=50) == ["play"]


def test_a_part_of_a_path_is_near() -> None:
    """The file without its folder, and a slip in it."""
    assert nearest_paths("goods", PATHS) == ["returns/goods"]
    assert nearest_paths("delivery/prise", PATHS) == ["delivery/cost"]
    assert nearest_paths("??", PATHS) == []
