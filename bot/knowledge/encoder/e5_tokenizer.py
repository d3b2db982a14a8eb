"""The tokenizer of XLM-R, which multilingual-e5-small reads with, as sentencepiece wants it."""

from __future__ import annotations

from typing import Any

from bot.knowledge.encoder.e5_weights import E5Weights

BEGIN, PADDING, END, UNKNOWN = range(4)  # the numbers of <s>, <pad>, </s>, <unk>


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
