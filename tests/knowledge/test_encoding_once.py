"""How often a sentence encoder, the slowest part of a turn, is asked: a small real one counts."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from bot.knowledge.base import KnowledgeSettings, QuestionContext
from bot.knowledge.encoder.base import Vectors
from bot.knowledge.encoder.paired import PairedEncoder, PlacedEncoder
from bot.knowledge.encoder.sentence_space import no_space
from bot.knowledge.retrieval.semantic import BATCH
from bot.knowledge.search import Knowledge
from tests.knowledge.shop import write_shop


class Trigrams:
    """Texts that share runs of three letters are near."""

    dimensions, split = 64, 0
    languages: tuple[str, ...] = ()
    backgrounds: Mapping[str, Vectors] = {}

    def __init__(self, id: str) -> None:
        self.id = id
        self.calls: list[tuple[str, ...]] = []

    def encode(self, texts: Sequence[str], *, query: bool = False, language: str = "") -> Vectors:
        self.calls.append(tuple(texts))
        found = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in zip(found, texts, strict=True):
            for i in range(len(text) - 2):
                row[zlib.crc32(text[i : i + 3].lower().encode("utf-8", "replace")) % self.dimensions] += 1
        return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9), np.float32)

    def asked(self) -> list[str]:
        """The texts since it was last asked for them."""
        found = [text for call in self.calls for text in call]
        self.calls.clear()
        return found


def _over(folder: Path) -> tuple[Knowledge, Trigrams]:
    sentences = Trigrams("sentences")
    base = Knowledge.open(folder, settings=KnowledgeSettings(model="off"))
    base.use(PairedEncoder(Trigrams("own"), PlacedEncoder(sentences, no_space(sentences.dimensions)), {}))
    return base, sentences


@pytest.mark.parametrize(
    "question",
    [
        "подскажите, куда пропал мой заказ",
        "Возврат товара",  # the editor's own words
        "пдскажыте куда прапал мой закас фывапр",  # repaired, and read once more as it was typed
        "\ud800как вернуть\x00 товар",
        "как вернуть товар " * 5_000,
        "вернуть" + "\u0301" * 5_000,
    ],
)
def test_a_question_is_encoded_once(question: str, tmp_path: Path) -> None:
    """Whatever is read of it, and however often a turn asks the same."""
    base, sentences = _over(write_shop(tmp_path))
    sentences.asked()
    for _ in range(3):
        base.answer(question, language="ru")

    assert len(sentences.asked()) == 1


def test_a_follow_up_is_encoded_with_what_it_follows(tmp_path: Path) -> None:
    """One more text: the question joined with the title of the article before."""
    base, sentences = _over(write_shop(tmp_path))
    sentences.asked()
    base.answer("а сколько это стоит", language="ru", context=QuestionContext("returns/goods"))

    assert len(sentences.asked()) <= 2


def test_an_edit_encodes_only_what_changed(tmp_path: Path) -> None:
    """Of many articles, which were encoded in batches, an edit of one costs its texts."""
    for n in range(200):
        text = f"---\ntitle: Вопрос {n} о товаре\naliases: [как быть с {n}]\n---\n\nОтвет номер {n}.\n"
        (tmp_path / f"a{n}.md").write_text(text, encoding="utf-8")
    base, sentences = _over(tmp_path)
    sizes = [len(call) for call in sentences.calls]
    assert max(sizes) == BATCH and sum(sizes) == len(set(sentences.asked()))

    file = tmp_path / "a7.md"
    file.write_text(file.read_text("utf-8") + "\nНовая строка.\n", encoding="utf-8")
    base.reload()
    base.examine()
    changed = sentences.asked()
    assert len(changed) == 1 and "Новая строка." in changed[0]
