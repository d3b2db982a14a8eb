"""How far a message travels through the code, traced while it is decided."""

from __future__ import annotations

from pathlib import Path

from benchmarks.walk import MOST_FRAMES, walks


async def test_a_question_is_near_to_its_dialog(articles: Path) -> None:
    """A reader who follows a question opens few files."""
    question, _ = await walks(articles)

    frames = question.frames_to("dialogs", "faq")
    assert frames[-1].name == "Faq.__call__"
    assert len(frames) <= MOST_FRAMES, [f"{s.file} {s.name}" for s in frames]
