"""A mention model as a folder: what is in it, and how it becomes a tagger and a decoder.

``config.json``
    Format, labels, shape of the head, the encoder's own configuration, biases of the
    decoder, what it was trained from.
``tagger.safetensors``
    All weights, the encoder's included: they were trained along. Kept in half precision.
``tokenizer.json``, ``tokenizer_config.json``
    The encoder's tokenizer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from clinical_nlp.errors import ModelError
from clinical_nlp.neural.modernbert import LeanShape, ModernBertForInference
from clinical_nlp.neural.tagger.files import CONFIG, WEIGHTS, damaged, model_digest
from clinical_nlp.neural.tagger.labels import LABELS, TAGS
from clinical_nlp.neural.tagger.network import HeadShape, MentionTagger
from clinical_nlp.neural.tagger.viterbi import Decoder

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerFast

FORMAT = 2


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
        """Turns the tagger's emissions into tags."""
        return Decoder(self.transitions, self.biases)


def save_mention_model(
    model: MentionModel, folder: Path, facts: Mapping[str, Any] | None = None
) -> str:
    """Write a mention model; return its digest.

    Parameters
    ----------
    folder
        Made where it is not there.
    facts
        Further plain values for ``config.json``: the encoder it was trained from.
    """
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: t.detach().half() for name, t in model.tagger.state_dict().items()}
    weights["crf.transitions"] = torch.from_numpy(model.transitions)
    save_file({n: t.contiguous().clone() for n, t in weights.items()}, folder / WEIGHTS)
    config = {
        "format": FORMAT,
        "labels": list(LABELS),
        "tags": list(TAGS),
        "context": "sentence",
        "head": model.tagger.head.as_dict(),
        "biases": [round(float(bias), 4) for bias in model.biases],
        "encoder": json.loads(model.tagger.encoder.config.to_json_string(use_diff=True)),
        **(facts or {}),
    }
    (folder / CONFIG).write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", "utf-8")
    model.tokenizer.save_pretrained(folder)
    return model_digest(folder)


def load_mention_model(folder: Path, *, lean: bool = False) -> MentionModel:
    """Load a mention model; nothing but safetensors and JSON is read.

    Parameters
    ----------
    lean
        Build the encoder for reading alone where it can be, without transformers' code for
        it: such a model is not to be trained or saved.

    Raises
    ------
    ModelError
        E461: a file is missing, truncated or damaged. E462: it is of another format or
        other labels, or its weights do not fill its shape.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoTokenizer, PreTrainedTokenizerFast

    digest = model_digest(folder)
    try:
        config = json.loads((folder / CONFIG).read_text("utf-8"))
        weights = load_file(folder / WEIGHTS)
        tokenizer = AutoTokenizer.from_pretrained(
            folder, use_fast=True, local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise damaged(folder) from error
    except Exception as error:
        # The tokenizers library raises bare Exceptions on a broken tokenizer.json.
        raise damaged(folder) from error
    try:
        if config["format"] != FORMAT or config["labels"] != list(LABELS):
            raise ValueError("format")
        if not isinstance(tokenizer, PreTrainedTokenizerFast):
            raise TypeError("tokenizer")
        shape = dict(config["encoder"])
        settings = AutoConfig.for_model(shape.pop("model_type"), **shape)
        tagger = MentionTagger(_encoder(settings, lean), HeadShape(**config["head"]))
        transitions = weights.pop("crf.transitions").float().numpy()
        tagger.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
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


def _encoder(settings: PretrainedConfig, lean: bool) -> PreTrainedModel:
    """An encoder of that shape, its weights still to be loaded."""
    if lean and LeanShape.of(settings) is not None:
        return cast("PreTrainedModel", ModernBertForInference(settings))
    from transformers import AutoModel

    made: PreTrainedModel = AutoModel.from_config(settings)  # type: ignore[no-untyped-call]
    return made
