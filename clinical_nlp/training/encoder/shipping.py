"""What pretraining and distillation have in common: their result, and how it is written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from transformers import PreTrainedModel

from clinical_nlp.artifacts import METRICS, MODEL_FOLDER, replace_folder, write_manifest

#: Steps at the beginning and at the end of a run over which the published losses are averaged.
_FIRST_STEPS, _LAST_STEPS = 20, 50


@dataclass(frozen=True)
class TrainedEncoder:
    """A finished run.

    Attributes
    ----------
    losses
        Of every step: nats a masked token in pretraining, 1 - cosine in distillation.
    digest
        Of the shipped model.
    """

    losses: list[float]
    digest: str

    @property
    def final_loss(self) -> float:
        """Mean loss of the last steps."""
        return float(np.mean(self.losses[-_LAST_STEPS:]))


def loss_facts(losses: list[float], name: str) -> dict[str, Any]:
    """Number of steps, and the mean loss (called ``name``) of the first and last ones."""
    return {
        "steps": len(losses),
        f"{name}_first_steps": round(float(np.mean(losses[:_FIRST_STEPS])), 4),
        f"{name}_last_steps": round(float(np.mean(losses[-_LAST_STEPS:])), 4),
    }


def write_encoder_folder(
    encoder: PreTrainedModel, tokenizer: Path, folder: Path, facts: Mapping[str, Any]
) -> str:
    """Write ``model/``, ``metrics.json`` and ``manifest.json``; return the model's digest."""
    with replace_folder(folder / MODEL_FOLDER) as fresh:
        # Half precision: the folder is half as large, and training can go on from it as well.
        encoder.half()  # type: ignore[no-untyped-call]
        encoder.save_pretrained(fresh)
        # The files as they were made: a loaded tokenizer adds where it was loaded from.
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copyfile(tokenizer / name, fresh / name)
    (folder / METRICS).write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
    return write_manifest(folder, licence="Apache-2.0")
