"""Writes a trained mention model as a shipped folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clinical_nlp.artifacts import METRICS, MODEL_FOLDER, replace_folder, write_manifest
from clinical_nlp.evaluation.mentions import SpanCounts
from clinical_nlp.neural.tagger.model import save_mention_model
from clinical_nlp.training.ner.confusions import confusions
from clinical_nlp.training.ner.train import TrainedMentions


def write_mention_folder(trained: TrainedMentions, folder: Path) -> str:
    """Write ``model/``, ``metrics.json`` and ``manifest.json``; return the model's digest.

    Other files (recipe, card) are left. A run over every document measures nothing and leaves
    an earlier ``metrics.json`` as it is.
    """
    start = trained.recipe.start
    trained_from = {
        "encoder" if start is None else "mentions": Path(start or trained.recipe.encoder).name,
        "digest": trained.base,
    }
    facts = {
        "trained_from": trained_from,
        "trained_on_every_document": trained.measures is None,
    }
    with replace_folder(folder / MODEL_FOLDER) as fresh:
        save_mention_model(trained.model, fresh, facts)
    if trained.measures is not None:
        text = json.dumps(metrics_of(trained), indent=2, ensure_ascii=False)
        (folder / METRICS).write_text(text + "\n", "utf-8")
    return write_manifest(folder, licence="Apache-2.0")


def metrics_of(trained: TrainedMentions) -> dict[str, Any]:
    """Measures, learning curve and counts of a run; no text of any document."""
    scores = trained.measures
    return {
        "documents": trained.documents,
        "held_out": {}
        if scores is None
        else {"strict": _rounded(scores.strict), "character": _rounded(scores.character)},
        "loss_by_epoch": [round(loss, 4) for loss in trained.progress.losses],
        "validation_strict_f1_by_epoch": [round(s, 4) for s in trained.progress.scores],
        "confusions": dict(sorted(confusions(trained.pairs).items())),
    }


def _rounded(table: Mapping[str, SpanCounts]) -> dict[str, dict[str, float]]:
    return {label: counts.rounded() for label, counts in table.items()}
