"""Tokenizers of the kinds that encoders come with, learnt from a few sentences."""

from __future__ import annotations

import pytest
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import PreTrainedTokenizerFast

from clinical_nlp.training.encoder.tokenizer import train_tokenizer

SENTENCES = [
    "Paciente de 78 años con HTA, DM2 y fibrilación auricular anticoagulada.",
    "Refiere disnea de esfuerzo y ortopnea; no edemas ni dolor torácico.",
    "TA 130/80, FC 80 lpm, NT-proBNP 3.450 pg/ml, FEVI 35-40%.",
    "Tratamiento: furosemida 40 mg, bisoprolol 2,5 mg, ramipril 5 mg.",
]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def make_tokenizer(kind: str, size: int = 300) -> PreTrainedTokenizerFast:
    """Byte-level BPE as RoBERTa's, Unigram as XLM-R's, WordPiece as BERT's, BPE as MrBERT's;
    and that of the embedded encoder."""
    match kind:
        case "own":
            return train_tokenizer(SENTENCES, size)
        case "byte-level":
            inner = Tokenizer(models.BPE())
            inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
            inner.decoder = decoders.ByteLevel()
            alphabet = pre_tokenizers.ByteLevel.alphabet()
            trainer = trainers.BpeTrainer(
                vocab_size=size + 256, special_tokens=SPECIAL, initial_alphabet=alphabet
            )
        case "unigram":
            inner = Tokenizer(models.Unigram())
            inner.normalizer = normalizers.NFKC()
            inner.pre_tokenizer = pre_tokenizers.Metaspace()
            trainer = trainers.UnigramTrainer(
                vocab_size=size, special_tokens=SPECIAL, unk_token="[UNK]"
            )
        case "wordpiece":
            inner = Tokenizer(models.WordPiece(unk_token="[UNK]"))
            inner.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=True)
            inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
            trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=SPECIAL)
        case _:
            inner = Tokenizer(models.BPE(unk_token="[UNK]", byte_fallback=True, fuse_unk=True))
            inner.pre_tokenizer = pre_tokenizers.Metaspace()
            trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=SPECIAL)
    inner.train_from_iterator(SENTENCES, trainer)
    inner.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )


KINDS = ("byte-level", "unigram", "wordpiece", "bpe", "own")


@pytest.fixture(scope="session")
def tokenizers() -> dict[str, PreTrainedTokenizerFast]:
    return {kind: make_tokenizer(kind) for kind in KINDS}
