"""Writes multilingual-e5-small as an ONNX graph in int8, with its tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.knowledge.encoder.base import Heard
from bot.knowledge.encoder.e5_weights import E5Weights

MODEL, NUMBERS, TOKENIZER = "model.onnx", "numbers.bin", "tokenizer.model"
BEGIN, PADDING, END, UNKNOWN = range(4)  # the numbers of <s>, <pad>, </s>, <unk>
_OPSET, _IR = 20, 9  # what every onnxruntime since 1.17 reads
_LEAST = 1024  # bytes from which an array stands in NUMBERS


def write_onnx(weights: E5Weights, folder: Path, heard: Heard = lambda _: None) -> None:
    """MODEL, NUMBERS and TOKENIZER in *folder*. Needs some 1 GB of memory and 10 s of one core for the real
    weights.

    Inputs of the graph: `ids` and `positions` (batch, tokens) int64, `mask` (batch, 1, 1, tokens) float32, 0
    for a token and a large negative number for padding; output: `tokens` (batch, tokens, hidden). The
    numbers stand in a file of their own, so that only what is used of them comes into memory.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    (folder / TOKENIZER).write_bytes(tokenizer_of(weights))
    whole, packed = folder / "whole.onnx", folder / "packed.onnx"
    heard(0.1)
    onnx.save(_Graph(weights).model(), str(whole))
    heard(0.3)
    quantize_dynamic(whole, packed, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul", "Gather"])
    whole.unlink()
    heard(0.9)
    onnx.save(
        onnx.load(str(packed)),
        str(folder / MODEL),
        save_as_external_data=True,
        location=NUMBERS,
        size_threshold=_LEAST,
    )
    packed.unlink()


def tokenizer_of(weights: E5Weights) -> bytes:
    """The tokenizer of XLM-R as sentencepiece reads it; numbers of pieces are those of the model's rows."""
    from sentencepiece import SentencePieceNormalizer, sentencepiece_model_pb2

    proto: Any = sentencepiece_model_pb2
    characters = SentencePieceNormalizer(rule_name="nmt_nfkc").serialized_model_proto()
    model, kinds = proto.ModelProto(), proto.ModelProto.SentencePiece
    model.normalizer_spec.CopyFrom(proto.ModelProto.FromString(characters).normalizer_spec)
    special = {BEGIN: kinds.CONTROL, PADDING: kinds.CONTROL, END: kinds.CONTROL, UNKNOWN: kinds.UNKNOWN}
    for number, (piece, score) in enumerate(weights.pieces):
        model.pieces.add(piece=piece, score=score, type=special.get(number, kinds.NORMAL))
    trained = model.trainer_spec
    trained.model_type, trained.vocab_size = proto.TrainerSpec.UNIGRAM, len(model.pieces)
    trained.bos_id, trained.pad_id, trained.eos_id, trained.unk_id = BEGIN, PADDING, END, UNKNOWN
    return bytes(model.SerializeToString())


class _Graph:
    """BERT layer by layer: attention and a feed-forward part, each added to what came in and normalised."""

    def __init__(self, weights: E5Weights) -> None:
        self._weights = weights
        self._arrays: list[Any] = []
        self._nodes: list[Any] = []

    def model(self) -> Any:
        from onnx import TensorProto, helper

        self._body()
        value = helper.make_tensor_value_info
        shape = ["b", "t"]
        graph = helper.make_graph(
            self._nodes,
            "e5",
            [
                value("ids", TensorProto.INT64, shape),
                value("positions", TensorProto.INT64, shape),
                value("mask", TensorProto.FLOAT, ["b", 1, 1, "t"]),
            ],
            [value("tokens", TensorProto.FLOAT, [*shape, self._weights.hidden])],
            self._arrays,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)])
        model.ir_version = _IR
        return model

    def _body(self) -> None:
        w = self._weights
        self._array("word", w.packed("emb.word", w.hidden))
        self._array("position", w.plain("emb.pos").reshape(-1, w.hidden))
        self._array("type", w.plain("emb.type").reshape(-1, w.hidden)[0])
        self._array("split", np.array([0, 0, w.heads, w.hidden // w.heads], np.int64))
        self._array("join", np.array([0, 0, w.hidden], np.int64))
        self._array("scale", np.array((w.hidden // w.heads) ** -0.5, np.float32))
        words = self._node("Gather", ["word", "ids"], "word.rows")
        places = self._node("Gather", ["position", "positions"], "position.rows")
        x = self._node("Add", [self._node("Add", [words, places], "placed"), "type"], "summed")
        x = self._norm(x, "emb.ln", "embedded")
        for layer in range(w.layers):
            x = self._layer(x, f"l{layer}")
        self._node("Identity", [x], "tokens")

    def _layer(self, x: str, layer: str) -> str:
        w = self._weights
        q, k, v = (self._heads(self._linear(x, f"{layer}.{part}", w.hidden), part) for part in "qkv")
        scores = self._node("Mul", [self._node("MatMul", [q, k], f"{layer}.qk"), "scale"], f"{layer}.scaled")
        masked = self._node("Add", [scores, "mask"], f"{layer}.masked")
        shares = self._node("Softmax", [masked], f"{layer}.shares", axis=-1)
        mixed = self._node("MatMul", [shares, v], f"{layer}.mixed")
        back = self._node("Transpose", [mixed], f"{layer}.back", perm=[0, 2, 1, 3])
        joined = self._node("Reshape", [back, "join"], f"{layer}.joined")
        out = self._linear(joined, f"{layer}.ao", w.hidden)
        y = self._norm(self._node("Add", [x, out], f"{layer}.attended"), f"{layer}.aln", f"{layer}.y")
        inner = self._node("Gelu", [self._linear(y, f"{layer}.fi", w.hidden)], f"{layer}.gelu")
        fed = self._node("Add", [y, self._linear(inner, f"{layer}.fo", w.inner)], f"{layer}.fed")
        return self._norm(fed, f"{layer}.oln", f"{layer}.x")

    def _heads(self, x: str, part: str) -> str:
        """(batch, tokens, hidden) as (batch, heads, tokens, width); keys lie across for the product."""
        split = self._node("Reshape", [x, "split"], f"{x}.split")
        return self._node(
            "Transpose", [split], f"{x}.heads", perm=[0, 2, 3, 1] if part == "k" else [0, 2, 1, 3]
        )

    def _linear(self, x: str, name: str, columns: int) -> str:
        self._array(f"{name}.w", self._weights.packed(f"{name}.w", columns).T)
        self._array(f"{name}.b", self._weights.plain(f"{name}.b"))
        return self._node(
            "Add", [self._node("MatMul", [x, f"{name}.w"], f"{name}.product"), f"{name}.b"], name
        )

    def _norm(self, x: str, name: str, output: str) -> str:
        self._array(f"{name}.w", self._weights.plain(f"{name}.w"))
        self._array(f"{name}.b", self._weights.plain(f"{name}.b"))
        inputs = [x, f"{name}.w", f"{name}.b"]
        return self._node("LayerNormalization", inputs, output, axis=-1, epsilon=self._weights.epsilon)

    def _array(self, name: str, array: npt.NDArray[Any]) -> None:
        from onnx import numpy_helper

        self._arrays.append(numpy_helper.from_array(np.ascontiguousarray(array), name))

    def _node(self, operation: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        from onnx import helper

        self._nodes.append(helper.make_node(operation, list(inputs), [output], **attributes))
        return output
