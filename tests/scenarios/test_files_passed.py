"""How far a message travels through the code, traced while it is decided."""

from __future__ import annotations

from pathlib import Path

from benchmarks.walk import Step, Walk, faults, walks


async def test_a_message_passes_each_file_once(articles: Path) -> None:
    """A reader who follows a question or an operator's reply opens few files, and none of them twice."""
    question, replies = await walks(articles)

    assert question.frames_to("dialogs", "faq")[-1].name == "Faq.__call__"
    assert all("handoff/operators/router.py" in reply.files for reply in replies.values())
    assert faults(question, replies) == []


def test_a_detour_is_found() -> None:
    """Too many files, and one that two layers enter."""
    there = Step("dialogs/faq.py", "Faq.__call__", "dialogs/flow.py", 2, carries=True)
    detour = [
        Step("handoff/card.py", "card", f"handoff/{n}.py", 3, carries=True) for n in ("desk", "relay")
    ] + [Step(f"handoff/f{n}.py", "f", "handoff/desk.py", 3, carries=True) for n in range(10)]

    assert faults(Walk([there]), {"A reply": Walk(detour)}) == [
        "A reply passes 11 files; 10 are allowed",
        "A reply: handoff/card.py is entered from 2 files: handoff/desk.py, handoff/relay.py",
    ]
