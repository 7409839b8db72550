"""Rebuild the encoder and the tokenizer that are saved with a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from clinical_nlp.neural.modernbert import ModernBertForInference, is_implemented

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


def build_encoder(config: Mapping[str, Any], *, for_inference: bool) -> PreTrainedModel:
    """Return an encoder without weights.

    Parameters
    ----------
    config
        transformers' configuration, as JSON.
    for_inference
        Build a ModernBERT as :class:`~clinical_nlp.neural.modernbert.ModernBertForInference`,
        without importing transformers' modelling code.

    Raises
    ------
    KeyError, TypeError, ValueError, AttributeError
        The configuration is not one.
    """
    from transformers import AutoConfig

    shape = dict(config)
    settings = AutoConfig.for_model(shape.pop("model_type"), **shape)
    if for_inference and is_implemented(settings):
        return cast("PreTrainedModel", ModernBertForInference(settings))
    from transformers import AutoModel

    encoder: PreTrainedModel = AutoModel.from_config(settings)  # type: ignore[no-untyped-call]
    return encoder


def load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Load a tokenizer from a folder, without network and without code of the checkpoint.

    Raises
    ------
    TypeError
        It is no fast tokenizer.
    Exception
        The tokenizers library raises bare ones on a broken ``tokenizer.json``.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    tokenizer = AutoTokenizer.from_pretrained(
        folder, use_fast=True, local_files_only=True, trust_remote_code=False
    )
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise TypeError("tokenizer")
    return tokenizer
