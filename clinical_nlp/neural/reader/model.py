"""Save a reader to a folder, and load it.

``config.json``
    Format, names of concepts and sections, sizes of the head, the decision rule, configuration of
    the encoder, and which encoder it was trained from.
``reader.safetensors``
    All weights, the fine-tuned encoder's included, in half precision.
``tokenizer.json``, ``tokenizer_config.json``
    The encoder's tokenizer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clinical_nlp.neural.reader.files import (
    CONFIG,
    WEIGHTS,
    damaged,
    model_digest,
    other_format,
)
from clinical_nlp.neural.saved_encoder import build_encoder, load_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from clinical_nlp.neural.reader.network import ReaderNetwork

FORMAT = 1


@dataclass(frozen=True)
class ReaderModel:
    """A loaded reader.

    Attributes
    ----------
    network
        In evaluation mode, float32.
    tokenizer
        The encoder's.
    config
        The content of ``config.json``.
    """

    network: ReaderNetwork
    tokenizer: PreTrainedTokenizerFast
    config: Mapping[str, Any]


def save_reader(
    network: ReaderNetwork,
    tokenizer: PreTrainedTokenizerFast,
    folder: Path,
    facts: Mapping[str, Any],
) -> str:
    """Write a reader; return its digest.

    Parameters
    ----------
    folder
        Created if it does not exist.
    facts
        ``concepts``, ``sections``, ``decision``, and further plain values for ``config.json``.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights = {n: t.detach().half().contiguous() for n, t in network.state_dict().items()}
    save_file(weights, folder / WEIGHTS)
    config = {
        "format": FORMAT,
        **facts,
        "shape": asdict(network.shape),
        "encoder": json.loads(network.encoder.config.to_json_string(use_diff=True)),
    }
    (folder / CONFIG).write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", "utf-8")
    tokenizer.save_pretrained(folder)
    return model_digest(folder)


def read_config(folder: Path) -> dict[str, Any]:
    """Read ``config.json``.

    Raises
    ------
    ModelError
        E471: it is missing or damaged. E472: it is of another format.
    """
    try:
        config = json.loads((folder / CONFIG).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise damaged(folder) from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise other_format(folder)
    return config


def load_reader(folder: Path, *, for_inference: bool = False) -> ReaderModel:
    """Load a reader from safetensors and JSON.

    Parameters
    ----------
    for_inference
        Build a ModernBERT as :class:`~clinical_nlp.neural.modernbert.ModernBertForInference`,
        without importing transformers' modelling code. Such a model cannot be trained or saved.

    Raises
    ------
    ModelError
        E471: a file is missing, truncated or damaged. E472: its format or shape are not those
        of this version.
    """
    import torch
    from safetensors.torch import load_file

    from clinical_nlp.neural.reader.network import ReaderNetwork, ReaderShape

    config = read_config(folder)
    try:
        weights = load_file(folder / WEIGHTS)
        tokenizer = load_tokenizer(folder)
    except Exception as error:
        # The tokenizers library raises bare Exceptions on a broken tokenizer.json.
        raise damaged(folder) from error
    try:
        encoder = build_encoder(config["encoder"], for_inference=for_inference)
        network = ReaderNetwork(encoder, ReaderShape(**config["shape"]))
        network.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
        if not all(torch.isfinite(tensor).all() for tensor in weights.values()):
            raise ValueError("weights")
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise other_format(folder) from error
    return ReaderModel(network.eval(), tokenizer, config)
