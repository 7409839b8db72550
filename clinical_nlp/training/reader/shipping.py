"""Writes a trained reader as a shipped folder."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from clinical_nlp.artifacts import METRICS, MODEL_FOLDER, replace_folder, write_manifest
from clinical_nlp.neural.reader.model import save_reader
from clinical_nlp.training.reader.train import TrainedReader

#: Weights that have learned from NUBes carry its licence on.
_WITH_TARGETS, _WITHOUT = "CC-BY-SA-4.0", "Apache-2.0"

_NOTICE = """\
The weights in this folder were trained on, among others, the NUBes corpus (samples 1 to 8):
Salvador Lima, Naiara Perez, Montse Cuadros and German Rigau, "NUBes: A Corpus of Negation and
Uncertainty in Spanish Clinical Texts", LREC 2020, CC BY-SA 3.0 ES. They are licensed under the
Creative Commons Attribution-ShareAlike 4.0 International licence:
https://creativecommons.org/licenses/by-sa/4.0/
No text of the corpus is in them. The program that trains and runs them is under Apache-2.0.
"""


def write_reader_folder(trained: TrainedReader, folder: Path) -> str:
    """Write ``model/``, ``metrics.json`` and ``manifest.json``; return the model's digest.

    Other files (recipe, card, corpus) are left.
    """
    material, recipe = trained.material, trained.recipe
    facts = {
        "trained_from": {"encoder": Path(recipe.encoder).name, "digest": material.encoder.digest},
        "concepts": list(material.concepts),
        "sections": list(material.sections),
        "cues": list(material.cues),
        "measures": {key: asdict(measure) for key, measure in material.measures.items()},
        "decision": trained.rule.as_dict(),
    }
    with replace_folder(folder / MODEL_FOLDER) as fresh:
        save_reader(trained.network, material.encoder.tokenizer, fresh, facts)
        if recipe.targets is not None:
            (fresh / "NOTICE").write_text(_NOTICE, "utf-8")
    text = json.dumps(metrics_of(trained), indent=2, ensure_ascii=False)
    (folder / METRICS).write_text(text + "\n", "utf-8")
    return write_manifest(folder, licence=_WITHOUT if recipe.targets is None else _WITH_TARGETS)


def metrics_of(trained: TrainedReader) -> dict[str, Any]:
    """Scores by hand, each left out, and the learning curve; no text of any note."""
    return {
        "notes": sum(note.has_concepts for note in trained.material.notes),
        "passages_with_targets": sum(not note.has_concepts for note in trained.material.notes),
        "hands_left_out": trained.table,
        "loss_by_epoch": [round(loss, 4) for loss in trained.progress.losses],
    }


def flat_metrics(trained: TrainedReader) -> dict[str, float]:
    """Scores as MLflow logs them: ``reader.flags.hand_u``, ``rules.findings.all`` and so on."""
    return {
        f"{who}.{measure}.{hand}": value
        for hand, scores in trained.table.items()
        for who in ("rules", "reader")
        for measure, value in scores[who].items()
    }
