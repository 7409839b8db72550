"""Save a mention model to a folder, and load it.

``config.json``
    Format, labels, sizes of the head, configuration of the encoder, biases of the decoder,
    and which encoder it was trained from.
``tagger.safetensors``
    All weights, the fine-tuned encoder's included, in half precision. Their keys are those of
    format 2: see :data:`CHECKPOINT_NAMES`.
``tokenizer.json``, ``tokenizer_config.json``
    The encoder's tokenizer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from clinical_nlp.errors import ModelError
from clinical_nlp.neural.saved_encoder import build_encoder, load_tokenizer
from clinical_nlp.neural.tagger.files import CONFIG, WEIGHTS, damaged, model_digest
from clinical_nlp.neural.tagger.labels import LABELS, TAGS
from clinical_nlp.neural.tagger.network import HeadShape, MentionTagger
from clinical_nlp.neural.tagger.viterbi import Decoder

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerFast

FORMAT = 2

#: Name of a module of :class:`MentionTagger`, and its name in the checkpoints of format 2.
CHECKPOINT_NAMES = {
    "shape_embedding": "shapes",
    "affix_embedding": "affixes",
    "gap_embedding": "gaps",
    "subword_projection": "ends",
    "feature_projection": "told",
    "forward_lstm": "forwards",
    "backward_lstm": "backwards",
    "classifier": "emit",
}


@dataclass(frozen=True)
class MentionModel:
    """A loaded mention model.

    Attributes
    ----------
    tagger
        In evaluation mode, float32.
    tokenizer
        The encoder's.
    transitions
        float32 [labels, tags, tags].
    biases
        float32 [labels].
    digest
        Hex SHA-256 over the folder's files.
    """

    tagger: MentionTagger
    tokenizer: PreTrainedTokenizerFast
    transitions: npt.NDArray[np.float32]
    biases: npt.NDArray[np.float32]
    digest: str

    @property
    def decoder(self) -> Decoder:
        """The decoder of the tagger's emissions."""
        return Decoder(self.transitions, self.biases)


def save_mention_model(
    model: MentionModel, folder: Path, facts: Mapping[str, Any] | None = None
) -> str:
    """Write a mention model; return its digest.

    Parameters
    ----------
    folder
        Created if it does not exist.
    facts
        Further plain values for ``config.json``.
    """
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    state = _renamed(model.tagger.state_dict(), CHECKPOINT_NAMES)
    weights = {name: tensor.detach().half() for name, tensor in state.items()}
    weights["crf.transitions"] = torch.from_numpy(model.transitions)
    save_file({n: t.contiguous().clone() for n, t in weights.items()}, folder / WEIGHTS)
    config = {
        "format": FORMAT,
        "labels": list(LABELS),
        "tags": list(TAGS),
        "context": "sentence",
        "head": asdict(model.tagger.head),
        "biases": [round(float(bias), 4) for bias in model.biases],
        "encoder": json.loads(model.tagger.encoder.config.to_json_string(use_diff=True)),
        **(facts or {}),
    }
    (folder / CONFIG).write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", "utf-8")
    model.tokenizer.save_pretrained(folder)
    return model_digest(folder)


def load_mention_model(folder: Path, *, for_inference: bool = False) -> MentionModel:
    """Load a mention model from safetensors and JSON.

    Parameters
    ----------
    for_inference
        Build a ModernBERT as :class:`~clinical_nlp.neural.modernbert.ModernBertForInference`,
        without importing transformers' modelling code. Such a model cannot be trained or saved.

    Raises
    ------
    ModelError
        E461: a file is missing, truncated or damaged. E462: its format, labels or
        shape are not those of this version.
    """
    import torch
    from safetensors.torch import load_file

    digest = model_digest(folder)
    try:
        config = json.loads((folder / CONFIG).read_text("utf-8"))
        weights = load_file(folder / WEIGHTS)
        tokenizer = load_tokenizer(folder)
    except Exception as error:
        # The tokenizers library raises bare Exceptions on a broken tokenizer.json.
        raise damaged(folder) from error
    try:
        if config["format"] != FORMAT or config["labels"] != list(LABELS):
            raise ValueError("format")
        encoder = build_encoder(config["encoder"], for_inference=for_inference)
        tagger = MentionTagger(encoder, HeadShape(**config["head"]))
        transitions = weights.pop("crf.transitions").float().numpy()
        names = {old: new for new, old in CHECKPOINT_NAMES.items()}
        state = {name: tensor.float() for name, tensor in _renamed(weights, names).items()}
        tagger.load_state_dict(state)
        biases = np.asarray(config["biases"], dtype=np.float32)
        if transitions.shape != (len(LABELS), len(TAGS), len(TAGS)) or len(biases) != len(LABELS):
            raise ValueError("transitions")
        if not all(torch.isfinite(tensor).all() for tensor in weights.values()):
            raise ValueError("weights")
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise ModelError(
            "E462",
            f"the mention model in '{folder.name}' is of another format, other labels or another "
            "shape than this version reads: take the one that came with this version, or train "
            "it again with 'clinical-nlp train mentions'",
        ) from error
    return MentionModel(tagger.eval(), tokenizer, transitions, biases, digest)


def _renamed(weights: Mapping[str, Tensor], names: Mapping[str, str]) -> dict[str, Tensor]:
    """Replace the first part of each key, up to its first dot, where ``names`` has it."""
    parts = {key: key.partition(".") for key in weights}
    return {
        names.get(first, first) + dot + rest: weights[key]
        for key, (first, dot, rest) in parts.items()
    }
