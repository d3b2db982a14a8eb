"""What files, addresses and settings may try: bombs, paths out of the folder, addresses inside, secrets in
the open.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.sanitize import clean_file_name
from bot.adapters.url_safety import PublicResolver, check_address
from bot.app import read_local
from bot.config.loader import read_config
from bot.errors import ConfigError, Refused
from bot.model import Peer
from bot.storage.sqlite.store import SqliteStore, copy_beside_owner
from bot.testing import open_test_bot

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "x: [&a a, *a]",
        "x: {<<: *a}",
        "a: " + "[" * 20_000,
        "a: " + "{a: " * 5000,
        "- " * 20_000,
        "!!python/object/apply:os.system ['id']",
        "x" * 1_100_000,
    ],
)
def test_a_bomb_in_the_config_is_refused_at_once(tmp_path: Path, text: str) -> None:
    """Aliases, depth, size and foreign tags end in a problem with a place, within a second."""
    (tmp_path / "config.yaml").write_text(text, "utf-8")
    began = time.perf_counter()
    with pytest.raises(ConfigError):
        read_config(tmp_path / "config.yaml")
    assert time.perf_counter() - began < 1


def test_no_path_leads_out_of_the_folder(tmp_path: Path) -> None:
    """Up, absolute, by link, by percent signs, with NUL: refused."""
    root = tmp_path / "kb"
    root.mkdir()
    (tmp_path / "secret.txt").write_text("тайна", "utf-8")
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    (root / "good.txt").write_text("ага", "utf-8")
    assert read_local(str(root / "good.txt"), [root]).content
    for ref in (
        "../secret.txt",
        str(root / "../secret.txt"),
        str(tmp_path / "secret.txt"),
        "/etc/passwd",
        str(root / "link.txt"),
        f"{root}/%2e%2e/secret.txt",
        f"{root}/a\x00b",
    ):
        with pytest.raises((Refused, ValueError)):
            read_local(ref, [root])


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://a/b",
        "http://127.0.0.1/x",
        "http://[::1]/",
        "http://169.254.169.254/latest",
        "http://10.0.0.5/",
        "http://[::ffff:10.0.0.1]/",
        "http://0.0.0.0/",
        "http:///x",
        "gopher://x",
    ],
)
def test_addresses_inside_are_refused(url: str) -> None:
    """A file's address may lead out, never in."""
    with pytest.raises(Refused):
        check_address(url)


async def test_a_name_that_stands_for_this_machine_is_refused() -> None:
    """The connection goes to the address that was judged."""
    with pytest.raises(OSError, match="public"):
        await PublicResolver().resolve("localhost", 80)


@given(st.text(max_size=300))
def test_a_file_name_is_safe_whatever_it_was(name: str) -> None:
    """No path, control or direction character passes, the end of a name stays its end."""
    cleaned = clean_file_name(name)
    assert not set(cleaned) & set('/\\:*?"<>|\x00\n\r\u202e\u2066\u200b') and len(cleaned) <= 120


async def test_words_kept_long_enough_are_blanked(articles: Path, tmp_path: Path) -> None:
    """After the term no word of an ended conversation is found in the file; open tickets keep
    theirs.
    """
    file = tmp_path / "bot.db"
    async with open_test_bot(articles, storage=str(file)) as testbot:
        await testbot.customer("Примета").says("Примета-вопрос и Примета-тайна")
        await testbot.customer("Борис", chat="1002").says("позовите оператора, Открытка")
        later = datetime.now(UTC) + timedelta(days=3650)
        assert await testbot.service.store.purge(later) > 3
        assert await testbot.service.store.purge(later) == 0
        assert await testbot.service.store.check() == ()
        conversation = await testbot.service.store.conversation(Peer("telegram", "1002"))
        assert conversation is not None
        assert any("Открытка" in line.text for line in await testbot.service.store.history(conversation.id))
    assert "Примета-тайна".encode() not in file.read_bytes()


async def test_a_copy_is_made_while_another_process_writes(tmp_path: Path, articles: Path) -> None:
    """`bot db backup` beside a running bot: whole, as of one moment, for its owner's eyes only."""
    file = tmp_path / "bot.db"
    async with open_test_bot(articles, storage=str(file)) as testbot:
        await testbot.customer().says("Сколько идёт доставка?")
        copy_beside_owner(file, tmp_path / "copy.db")
        await testbot.customer().says("как вернуть товар")
    assert os.stat(tmp_path / "copy.db").st_mode & 0o077 == 0  # noqa: PTH116
    copied = SqliteStore.open(tmp_path / "copy.db")
    try:
        assert await copied.check() == ()
        assert [t.result for t in await copied.turns()] == ["answered"]
    finally:
        await copied.close()
