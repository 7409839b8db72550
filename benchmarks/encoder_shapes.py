"""Encoders of published shapes with random weights, for benchmarks where no hub is at hand.

Speed does not depend on what the weights are; a tokenizer learnt from the notes themselves
cuts them into about as many pieces as a published Spanish one.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, normalizers, processors, trainers
from transformers import ModernBertConfig, ModernBertForMaskedLM, PreTrainedTokenizerFast

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]

#: MrBERT-es: its shape, its vocabulary, its context.
MRBERT_ES = {
    "vocab_size": 51_200,
    "hidden_size": 768,
    "intermediate_size": 1152,
    "num_hidden_layers": 22,
    "num_attention_heads": 12,
    "max_position_embeddings": 8192,
}


def learn_tokenizer(texts: Iterable[str], size: int) -> PreTrainedTokenizerFast:
    """Byte-pair pieces over "▁", as SentencePiece makes them, filled up to ``size``."""
    inner = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))  # noqa: S106
    inner.normalizer = normalizers.Replace(" ", "▁")
    inner.decoder = decoders.Metaspace()
    words = (piece for text in texts for piece in text.replace(" ", " ▁").split(" "))
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=SPECIAL, show_progress=False)
    inner.train_from_iterator(words, trainer)
    inner.add_tokens([f"<unused{n}>" for n in range(size - inner.get_vocab_size())])
    inner.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    names = ("cls_token", "pad_token", "sep_token", "unk_token", "mask_token")
    return PreTrainedTokenizerFast(tokenizer_object=inner, **dict(zip(names, SPECIAL, strict=True)))


def write_modernbert(folder: Path, texts: Iterable[str], shape: dict[str, int]) -> Path:
    """Write a ModernBERT with its masked language model's head, in bfloat16, as published."""
    config = ModernBertConfig(
        **shape, pad_token_id=1, bos_token_id=0, cls_token_id=0, eos_token_id=2, sep_token_id=2
    )
    with torch.device("meta"):
        shapes = ModernBertForMaskedLM(config).state_dict()
    drawn = torch.Generator().manual_seed(1)
    weights = {}
    for name, meta in shapes.items():
        if "decoder" in name:
            continue  # tied to the embeddings
        if meta.dim() == 1:
            fill = torch.zeros if name.endswith("bias") else torch.ones
            weights[name] = fill(meta.shape, dtype=torch.bfloat16)
        else:
            numbers = torch.empty(meta.shape).normal_(0, 0.02, generator=drawn)
            weights[name] = numbers.to(torch.bfloat16)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config.save_pretrained(folder)
    learn_tokenizer(texts, shape["vocab_size"]).save_pretrained(folder)
    return folder
