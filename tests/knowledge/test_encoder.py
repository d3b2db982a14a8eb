"""Texts become vectors: our own encoder with no network, and any sentence-transformers folder the owner
names.
"""

from __future__ import annotations

import gzip
import io
import json
import shutil
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import WordLevel
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from bot.knowledge.encoder.base import Encoder, EncoderUnavailable
from bot.knowledge.encoder.loader import load
from bot.knowledge.encoder.navec import read_navec
from bot.knowledge.encoder.own_encoder import keep, rows_from
from bot.knowledge.encoder.rows import (
    EnglishRows,
    TrainedRows,
    learn_pieces,
    read_trained,
    save_trained,
    vocabulary_of,
)
from bot.knowledge.encoder.static import SupportWords
from bot.knowledge.encoder.text import pieces_of

# --- a navec file of a few words
# --------------------------------------------------------------------------------------

VOCABULARY = {
    "деньги": 900,
    "деньгами": 300,
    "возврат": 500,
    "средства": 400,
    "погода": 200,
    "погоду": 100,
    "курьер": 250,
    "и": 5000,
}


def _navec(path: Path, protocol: int = 1) -> Path:
    words, rng = list(VOCABULARY), np.random.default_rng(0)
    indexes = rng.integers(0, 8, (len(words), 4)).astype(np.uint8)
    codes = rng.normal(size=(4, 8, 3)).astype(np.float32)
    counts = (
        np.array([len(words)], np.uint32).tobytes() + np.array(list(VOCABULARY.values()), np.uint32).tobytes()
    )
    parts = {
        "meta.json": json.dumps({"id": "tiny", "protocol": protocol}).encode(),
        "vocab.bin": gzip.compress(counts + "\n".join(words).encode()),
        "pq.bin": np.array([len(words), 12, 4, 8], np.uint32).tobytes() + indexes.tobytes() + codes.tobytes(),
    }
    with tarfile.open(path, "w") as tar:
        for name, content in parts.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def _trained() -> TrainedRows:
    rng = np.random.default_rng(1)
    shift = np.zeros((2, 12), np.float32)
    shift[0], shift[1] = 30.0, 30.0  # training brought «возврат» and «средства» together
    projection = rng.normal(size=(12, 12)).astype(np.float32)
    return TrainedRows(projection, ("возврат", "средство"), shift, np.zeros(2, np.float32), "tiny")


def _english() -> EnglishRows:
    rows = np.random.default_rng(2).normal(size=(3, 12)).astype(np.float32)
    rows[1] = rows[0] + 0.01
    return EnglishRows(("refund", "money", "delivery"), rows)


@pytest.fixture
def words(tmp_path: Path) -> SupportWords:
    return SupportWords(rows_from(_navec(tmp_path / "tiny.tar"), _trained(), _english()))


def _vectors(words: SupportWords, *texts: str) -> np.ndarray:
    return SentenceTransformer(modules=[words, Normalize()], device="cpu").encode(
        list(texts), show_progress_bar=False
    )


def test_the_reader_gives_back_the_quantised_vectors(tmp_path: Path) -> None:
    """Words, counts and vectors come out of the tar as they were put in; another protocol is refused."""
    found = read_navec(_navec(tmp_path / "tiny.tar"))

    assert dict(zip(found.words, found.counts.tolist(), strict=True)) == VOCABULARY
    assert np.array_equal(found.rows(np.array([2]))[0, 3:6], found.codes[1, found.indexes[2, 1]])
    with pytest.raises(ValueError, match="protocol"):
        read_navec(_navec(tmp_path / "other.tar", protocol=2))


def test_forms_share_half_of_their_lemma(tmp_path: Path) -> None:
    """A form's base is half its own vector and half its lemma's, and its rarity is its lemma's."""
    vectors = read_navec(_navec(tmp_path / "tiny.tar"))
    vocabulary = vocabulary_of(vectors)
    place, parent = vocabulary.forms.index("погоду"), vocabulary.forms.index("погода")
    own = vectors.rows(np.array([vectors.words.index(w) for w in ("погоду", "погода")]))

    assert np.allclose(vocabulary.base[place], own.mean(0))
    assert vocabulary.lemma[place] == vocabulary.lemma[parent]


def test_latin_words_are_english_only_in_english_texts(words: SupportWords) -> None:
    """Near words of the English list are near, one with a slip is guessed; in a Russian text the same letters
    say nothing.
    """
    refund, money, delivery, slip, mixed, russian = _vectors(
        words, "refund", "Money!", "delivery", "delivry", "возврат refund", "возврат"
    )

    assert refund @ money > 0.99 > 0.9 > refund @ delivery
    assert slip @ delivery > 0.5 > slip @ refund
    assert np.allclose(mixed, russian)


def test_training_moves_words_together(words: SupportWords) -> None:
    """Two words that were trained on one another's texts are near, an untrained one is not."""
    refund, funds, weather = _vectors(words, "возврат", "средства", "погода")

    assert refund @ funds > 0.9 > refund @ weather


def test_an_unlisted_form_is_found_by_its_lemma(words: SupportWords) -> None:
    """«курьерами» is not in the list; its lemma is."""
    listed, unlisted = _vectors(words, "курьер", "курьерами")

    assert np.allclose(listed, unlisted)


def test_nothing_known_is_the_zero_vector(words: SupportWords) -> None:
    """An empty text and a text in another script say nothing, rather than something random."""
    assert not _vectors(words, "", "?!", "zzz qqq").any()


ODD = ["деньги", "", "?!", "zzz", "возврат средства погода и курьерами", "вазврат дениг", "refund Money!"]


def test_the_bot_serves_the_vectors_that_the_module_gives(words: SupportWords) -> None:
    """Without torch, alone and in a batch: what sentence-transformers gives, zero vectors included."""
    expected = _vectors(words, *ODD)

    assert np.allclose(words.words.vectors(ODD), expected, atol=1e-6)
    assert np.allclose(np.vstack([words.words.vectors([t]) for t in ODD]), expected, atol=1e-6)


@pytest.mark.parametrize(
    "text", ["\ud800деньги", "\x00", "а" * 100_000, "деньги" + "\u0301" * 5_000, "🔥" * 3_000, "ё " * 50_000]
)
def test_odd_texts_take_bounded_time(words: SupportWords, text: str) -> None:
    """Lone surrogates, zero bytes, blobs and heaps of marks: a row, and no more work than for a long page."""
    (row,) = words.words.vectors([text])

    assert np.isfinite(row).all()
    assert len(words.words.places([text]).rows) <= 4_000 * 3


def test_the_order_of_texts_is_kept(words: SupportWords) -> None:
    """Texts of any length in one batch give the vectors they give alone, in their order."""
    texts = ["деньги", "", "возврат средства погода и курьер", "погоду"]

    assert np.allclose(_vectors(words, *texts), np.vstack([_vectors(words, t) for t in texts]), atol=1e-6)


def test_what_the_bot_keeps_is_a_model_of_sentence_transformers(words: SupportWords, tmp_path: Path) -> None:
    """The folder in the cache is written without torch, and opens with it."""
    keep(words.words, tmp_path / "kept")
    opened = SentenceTransformer(str(tmp_path / "kept"), device="cpu", trust_remote_code=True)

    assert np.allclose(opened.encode(ODD), words.words.vectors(ODD), atol=1e-6)


def test_the_module_is_saved_and_read_by_sentence_transformers(words: SupportWords, tmp_path: Path) -> None:
    """It is a real SentenceTransformer: a saved folder gives the same vectors."""
    SentenceTransformer(modules=[words, Normalize()], device="cpu").save(
        str(tmp_path / "saved"), create_model_card=False
    )
    again = SentenceTransformer(str(tmp_path / "saved"), device="cpu", trust_remote_code=True)

    assert np.allclose(again.encode(["возврат денег и погода"]), _vectors(words, "возврат денег и погода"))


def test_pieces_learn_to_spell() -> None:
    """The table of pieces brings a misspelt word near the word it was meant to be."""
    known = ["доставка", "возврат", "оплата", "курьер", "магазин", "размер", "скидка", "гарантия"]
    rows = np.eye(8, dtype=np.float32)
    table = learn_pieces(known, rows, rounds=40)

    assert int(np.argmax(table[pieces_of("достафка")].mean(0))) == 0
    assert int(np.argmax(table[pieces_of("гарантея")].mean(0))) == 7


def test_the_trained_part_survives_its_file(tmp_path: Path) -> None:
    """What ships is small and rounds little; another training has another version."""
    trained = _trained()
    save_trained(tmp_path / "a.npz", trained)
    read = read_trained(tmp_path / "a.npz")

    assert read.lemmas == trained.lemmas
    assert np.allclose(read.projection, trained.projection, atol=2e-3)
    assert np.allclose(read.shift, trained.shift, atol=0.03)
    save_trained(
        tmp_path / "b.npz",
        TrainedRows(trained.projection * 2, trained.lemmas, trained.shift, trained.emphasis, ""),
    )
    assert read_trained(tmp_path / "b.npz").version != read.version


def test_without_word_vectors_the_reason_says_what_to_install(tmp_path: Path) -> None:
    """No navec file, or a broken one: the reason names the command that mends it."""
    broken = tmp_path / "broken.tar"
    broken.write_bytes(b"not a tar")

    for path in (None, broken):
        with pytest.raises(EncoderUnavailable, match="pip install --no-deps"):
            rows_from(path, _trained(), _english())


# --- our own, whole
# ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def own(encoders: Path) -> Encoder:
    return load("light", encoders)


def test_our_own_understands_customers_words(own: Encoder) -> None:
    """Wordings that share no word are nearer to their meaning than to another, also with typing mistakes."""
    refund, parcel, login = own.encode(
        ["Возврат денег за товар", "Где мой заказ, отследить посылку", "Не получается войти в аккаунт"]
    )
    for text, meant in (
        ("бабки когда отдадите", refund),
        ("компенсируйте мне потраченное", refund),
        ("чё там с моей коробкой, едет?", parcel),
        ("забыла пароль не пускает", login),
        ("пасылка гдеее", parcel),
    ):
        near = own.encode([text], query=True)[0]
        assert max((refund, parcel, login), key=lambda v: float(v @ near)) is meant, text


def test_our_own_gives_unit_rows(own: Encoder) -> None:
    """(n, dimensions) float32, rows of length one, and no row for no text."""
    found = own.encode(["как вернуть деньги", "", "доставка"])

    assert found.shape == (3, own.dimensions)
    assert found.dtype == np.float32
    assert np.allclose(np.linalg.norm(found, axis=1), [1, 0, 1], atol=1e-3)
    assert own.encode([]).shape == (0, own.dimensions)


def test_our_own_is_loaded_from_its_cache(own: Encoder, encoders: Path) -> None:
    """The second load reads what the first built, and gives the same vectors."""
    start = time.perf_counter()
    again = load("light", encoders)

    assert time.perf_counter() - start < 2
    assert again.id == own.id
    assert np.array_equal(again.encode(["где мой заказ"]), own.encode(["где мой заказ"]))


# --- any other model
# --------------------------------------------------------------------------------------------------


def _transformer(folder: Path, prompts: dict[str, str] | None = None) -> Path:
    torch.manual_seed(0)
    vocabulary = {
        w: i
        for i, w in enumerate(
            ["[PAD]", "[UNK]", "query", "passage", ":", "где", "мой", "заказ", "возврат", "денег", "погода"]
        )
    }
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    inner = folder.with_name(folder.name + "-inner")
    BertModel(
        BertConfig(
            vocab_size=len(vocabulary),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
        )
    ).save_pretrained(inner)
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call] # as transformers has it
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]"
    )
    fast.save_pretrained(inner)
    transformer = Transformer(str(inner))
    model = SentenceTransformer(modules=[transformer, Pooling(16)], device="cpu", prompts=prompts or {})
    model.save(str(folder), create_model_card=False)
    return folder


def test_any_folder_goes_through_the_same_code(tmp_path: Path) -> None:
    """A tiny transformer on disk is loaded by its folder and gives unit rows; the id follows its content."""
    folder = _transformer(tmp_path / "tiny")
    found = load(str(folder), None)
    vectors = found.encode(["где мой заказ", "возврат денег"])

    assert vectors.shape == (2, found.dimensions) == (2, 16)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert load(str(folder), None).id == found.id
    (folder / "README.md").write_text("changed", encoding="utf-8")
    assert load(str(folder), None).id != found.id


def test_a_family_that_wants_prefixes_gets_them(tmp_path: Path) -> None:
    """Models of the e5 family are told questions from passages; a model of no such family is not."""
    plain = load(str(_transformer(tmp_path / "plain")), None)
    e5 = load(str(_transformer(tmp_path / "multilingual-e5-tiny")), None)

    assert np.allclose(plain.encode(["где мой заказ"], query=True), plain.encode(["где мой заказ"]))
    assert np.allclose(
        e5.encode(["где мой заказ"], query=True), plain.encode(["query: где мой заказ"]), atol=1e-5
    )
    assert np.allclose(e5.encode(["где мой заказ"]), plain.encode(["passage: где мой заказ"]), atol=1e-5)


def test_a_models_own_prompts_come_first(tmp_path: Path) -> None:
    """What the model itself says goes in front of its texts."""
    plain = load(str(_transformer(tmp_path / "plain")), None)
    own = load(str(_transformer(tmp_path / "prompted", {"query": "погода ", "document": ""})), None)

    assert np.allclose(
        own.encode(["где мой заказ"], query=True), plain.encode(["погода где мой заказ"]), atol=1e-5
    )
    assert np.allclose(own.encode(["где мой заказ"]), plain.encode(["где мой заказ"]), atol=1e-5)


def test_what_cannot_be_loaded_says_why(tmp_path: Path) -> None:
    """No folder, a name that is no name, a folder with nothing in it: each with what to do."""
    for model in (str(tmp_path / "nothing"), "./nothing", "nonsense"):
        with pytest.raises(EncoderUnavailable, match="bot model pull"):
            load(model, None)
    broken = _transformer(tmp_path / "broken")
    shutil.rmtree(broken / "1_Pooling", ignore_errors=True)
    for file in broken.glob("*.safetensors"):
        file.write_bytes(b"torn")
    with pytest.raises(EncoderUnavailable, match="не открылась"):
        load(str(broken), None)
