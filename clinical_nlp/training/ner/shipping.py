"""Writes a trained mention model as a shipped folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from clinical_nlp.artifacts import METRICS, MODEL_FOLDER, replace_folder, write_manifest
from clinical_nlp.neural.tagger.model import save_mention_model
from clinical_nlp.training.ner.train import TrainedMentions, confusions


def write_mention_folder(trained: TrainedMentions, folder: Path) -> str:
    """Write ``model/``, ``metrics.json`` and ``manifest.json``; return the model's digest.

    What the run makes is replaced, the rest (recipe, card) is left. A run over every document
    has nothing to be measured on and leaves an earlier ``metrics.json`` as it is.
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
    measures = trained.measures
    tables: dict[str, Any] = {}
    if measures is not None:
        for kind, table in (("strict", measures.strict), ("character", measures.character)):
            tables[kind] = {
                label: {
                    "precision": round(a.precision, 4),
                    "recall": round(a.recall, 4),
                    "f1": round(a.f1, 4),
                    "gold": a.gold,
                    "found": a.found,
                }
                for label, a in table.items()
            }
    return {
        "documents": trained.documents,
        "held_out": tables,
        "loss_by_epoch": [round(loss, 4) for loss in trained.progress.losses],
        "validation_strict_f1_by_epoch": [round(s, 4) for s in trained.progress.scores],
        "confusions": dict(sorted(confusions(trained.pairs).items())),
    }
