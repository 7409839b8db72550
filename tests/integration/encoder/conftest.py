"""Checkpoints of the real shapes with random weights, as their owners publish them."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import (
    BertConfig,
    BertModel,
    ModernBertConfig,
    ModernBertForMaskedLM,
    ModernBertModel,
    PretrainedConfig,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForMaskedLM,
    XLMRobertaConfig,
    XLMRobertaModel,
)

NOTES = [
    "Paciente de 78 años con HTA, DM2 y fibrilación auricular. Refiere disnea de esfuerzo.",
    "TA 130/80, FC80, NT-proBNP 3.450 pg/ml. No edemas ni dolor torácico.\r\nTTO: furosemida.",
    "e\u0301stasis, ﬁbrilación 😀 y 👩‍⚕️; niega ortopnea.",
]
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def sentencepiece(size: int) -> PreTrainedTokenizerFast:
    """BPE over "▁" with byte fallback, as MrBERT's; filled up to ``size`` pieces."""
    inner = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    inner.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    inner.decoder = decoders.Metaspace()
    inner.train_from_iterator(
        [note.replace(" ", "▁") for note in NOTES],
        trainers.BpeTrainer(vocab_size=400, special_tokens=SPECIAL),
    )
    return finished(inner, size)


def byte_level(size: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE as RoBERTa's."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    inner.train_from_iterator(
        NOTES,
        trainers.BpeTrainer(vocab_size=600, special_tokens=SPECIAL, initial_alphabet=alphabet),
    )
    return finished(inner, size)


def unigram(size: int) -> PreTrainedTokenizerFast:
    """Unigram over "▁" as XLM-R's."""
    inner = Tokenizer(models.Unigram())
    inner.normalizer = normalizers.NFKC()
    inner.pre_tokenizer = pre_tokenizers.Metaspace()
    inner.train_from_iterator(
        NOTES,
        trainers.UnigramTrainer(vocab_size=200, special_tokens=SPECIAL, unk_token="<unk>"),
    )
    return finished(inner, size)


def wordpiece(size: int) -> PreTrainedTokenizerFast:
    """WordPiece as BERT's."""
    inner = Tokenizer(models.WordPiece(unk_token="<unk>"))
    inner.normalizer = normalizers.BertNormalizer(lowercase=True)
    inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    inner.train_from_iterator(
        NOTES, trainers.WordPieceTrainer(vocab_size=300, special_tokens=SPECIAL)
    )
    return finished(inner, size)


def finished(inner: Tokenizer, size: int) -> PreTrainedTokenizerFast:
    inner.add_tokens([f"<unused{n}>" for n in range(size - inner.get_vocab_size())])
    inner.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
    )


def modernbert(size: int, **shape: int) -> ModernBertConfig:
    return ModernBertConfig(
        vocab_size=size,
        pad_token_id=1,
        bos_token_id=0,
        cls_token_id=0,
        eos_token_id=2,
        sep_token_id=2,
        **shape,
    )


SMALL = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}


def small(kind: str, folder: Path) -> Path:
    """Write a small checkpoint: ModernBERT, RoBERTa (with its head), XLM-R or BERT."""
    torch.manual_seed(5)
    match kind:
        case "modernbert":
            shape = {"intermediate_size": 96, "max_position_embeddings": 256}
            model = ModernBertModel(modernbert(500, **SMALL, **shape))
            tokenizer = sentencepiece(500)
        case "roberta":
            shape = {"intermediate_size": 96, "max_position_embeddings": 130}
            config = RobertaConfig(vocab_size=700, pad_token_id=1, **SMALL, **shape)
            model, tokenizer = RobertaForMaskedLM(config), byte_level(700)
        case "xlm-roberta":
            shape = {"intermediate_size": 96, "max_position_embeddings": 130}
            config = XLMRobertaConfig(vocab_size=300, pad_token_id=1, **SMALL, **shape)
            model, tokenizer = XLMRobertaModel(config), unigram(300)
        case _:
            shape = {"intermediate_size": 96, "max_position_embeddings": 128}
            model = BertModel(BertConfig(vocab_size=400, pad_token_id=1, **SMALL, **shape))
            tokenizer = wordpiece(400)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Small checkpoints by kind; not to be changed."""
    folder = tmp_path_factory.mktemp("checkpoints")
    kinds = ("modernbert", "roberta", "xlm-roberta", "bert")
    return {kind: small(kind, folder / kind) for kind in kinds}


@pytest.fixture
def broken_copy(checkpoints: dict[str, Path], tmp_path: Path) -> Callable[[], Path]:
    """Copies the small ModernBERT to where it may be broken."""

    def copy() -> Path:
        folder = tmp_path / "broken"
        folder.mkdir()
        for file in checkpoints["modernbert"].iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
        return folder

    return copy


def publish(kind: type, config: PretrainedConfig, tokenizer: object, folder: Path) -> Path:
    """Write a large checkpoint as it is published: with the head it was trained by, in bfloat16.

    Drawing the numbers ourselves takes a tenth of the time of transformers' own initialisation.
    """
    with torch.device("meta"):
        shapes = kind(config).state_dict()
    drawn = torch.Generator().manual_seed(5)
    weights = {}
    for name, meta in shapes.items():
        if "decoder" in name or not meta.is_floating_point():
            continue  # tied to the embeddings, or made anew when the model is built
        if meta.dim() == 1:
            fill = torch.zeros if name.endswith("bias") else torch.ones
            weights[name] = fill(meta.shape, dtype=torch.bfloat16)
        else:
            numbers = torch.empty(meta.shape).normal_(0, 0.02, generator=drawn)
            weights[name] = numbers.to(torch.bfloat16)
    folder.mkdir()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config.architectures = [kind.__name__]
    config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)  # type: ignore[attr-defined]
    return folder


@pytest.fixture(scope="session")
def mrbert_es(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MrBERT-es's shape, 150M random weights: 22 layers x 768, vocabulary 51,200, context 8,192."""
    config = modernbert(
        51_200,
        hidden_size=768,
        intermediate_size=1152,
        num_hidden_layers=22,
        num_attention_heads=12,
        max_position_embeddings=8192,
    )
    folder = tmp_path_factory.mktemp("mrbert") / "MrBERT-es"
    return publish(ModernBertForMaskedLM, config, sentencepiece(51_200), folder)


@pytest.fixture(scope="session")
def roberta_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """bsc-bio-ehr-es's shape: RoBERTa-base with a byte-level vocabulary of 52,000."""
    config = RobertaConfig(vocab_size=52_000, max_position_embeddings=514, pad_token_id=1)
    folder = tmp_path_factory.mktemp("roberta") / "bsc-bio-ehr-es"
    return publish(RobertaForMaskedLM, config, byte_level(52_000), folder)


@pytest.fixture(scope="session")
def long_note() -> str:
    """3,000 words of note."""
    chosen = random.Random(3)
    words = " ".join(NOTES).split(" ")
    return " ".join(chosen.choice(words) for _ in range(3000))
