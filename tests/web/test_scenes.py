"""Scenes are scripts that are read strictly and played the way everything else goes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.model import Outbound, Peer, RichText
from bot.web.playground.customers import PlaygroundCustomers
from bot.web.playground.samples import photo, silence
from bot.web.playground.scene_player import FOLDER, Scene, ScenePlayer, SceneStep, read_scenes
from tests.web.conftest import Page
from tests.web.test_playground import deliver


def test_the_expected_scenes_are_there() -> None:
    """Where is my order, return, angry customer, typos, night, outage: each in both languages."""
    scenes = read_scenes()

    assert list(scenes) == ["order", "refund", "upset", "typos", "night", "outage"]
    for scene in scenes.values():
        assert set(scene.title) == set(scene.about) == {"ru", "en"}


@pytest.mark.parametrize(
    ("steps", "word"),
    [
        ("- {by: bob, says: да}", "bob"),
        ("- {by: anna, shouts: да}", "shouts"),
        ("- нет", "script.yaml"),
        ("}{", "script.yaml"),
    ],
    ids=["stranger", "key", "text", "yaml"],
)
def test_a_broken_script_is_named(tmp_path: Path, steps: str, word: str) -> None:
    """With its file, and what is wrong."""
    head = (
        "title: {ru: а, en: a}\nabout: {ru: а, en: a}\nwho: {anna: {channel: telegram, name: Анна}}\nsteps:\n"
    )
    (tmp_path / "script.yaml").write_text(head + steps, "utf-8")

    with pytest.raises(ConfigError, match=word):
        read_scenes(tmp_path)


async def test_a_scene_says_hears_and_presses(page: Page) -> None:
    """A new customer plays it; the words arrive as any other; the answer is waited for."""
    customers = PlaygroundCustomers(page.store, page.services.messengers)
    steps = (
        SceneStep(by="anna", says="привет"),
        SceneStep(hears="anna"),
        SceneStep(by="anna", sends="photo"),
    )
    scene = Scene("x", {}, {}, {"anna": {"channel": "telegram", "name": "Анна"}}, steps)
    moved: list[str] = []

    async def move(to: str) -> None:
        moved.append(to)

    playing = asyncio.create_task(ScenePlayer(page.services, customers, move).play(scene, speed=50))
    turn = None
    for _ in range(500):
        turn = turn or await page.store.take_turn(page.services.clock())
        await asyncio.sleep(0 if turn else 0.01)
    assert turn is not None
    assert (turn.text, turn.inbounds[0].sender.name) == ("привет", "Анна")
    assert not playing.done()
    await page.store.release_turn(turn)
    await deliver(
        page, Outbound(Peer("play-telegram", turn.conversation.peer.chat), RichText("Здравствуйте"))
    )
    await asyncio.wait_for(playing, 5)

    assert moved == ["open"]
    assert (await page.store.counts())["inbounds_waiting"] == 2


async def test_a_new_scene_ends_the_old_one(page: Page) -> None:
    """Only one plays at a time; an unknown one is refused."""
    assert (await page.post("/scene", id="order", speed=50)).status == 200
    assert (await (await page.client.get("/state")).json())["playing"] is True
    assert (await page.post("/scene", id="nothing")).status == 404
    assert (await page.post("/scene", id="")).status == 200
    await asyncio.sleep(0.05)

    assert (await (await page.client.get("/state")).json())["playing"] is False


def test_the_samples_are_real_files() -> None:
    """A PNG and a WAV, small enough to send anywhere."""
    assert photo().startswith(b"\x89PNG") and len(photo()) < 20_000
    assert silence().startswith(b"RIFF") and len(silence()) < 20_000


def test_every_scene_file_is_played() -> None:
    """No script lies in the folder without being shown."""
    assert {p.stem for p in FOLDER.glob("*.yaml")} == set(read_scenes())
