"""Logs the training of encoders, mention models and readers to MLflow.

Counts, measures, hashes and the model are logged, and no text of any document. Examples of
confusions are logged only if the caller passes them, which a caller who trains on private
notes does not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from clinical_nlp.registry.energy import log_energy
from clinical_nlp.registry.store import DIGEST_TAG, open_run, upload_folder


def log_mentions(
    folder: Path,
    digest: str,
    *,
    parameters: Mapping[str, Any],
    metrics: Mapping[str, float],
    losses: Sequence[float],
    scores: Sequence[float],
    confusions: Mapping[str, int],
    examples: Path | None = None,
    energy: Mapping[str, Any] | None = None,
    tracking_uri: str | None = None,
) -> str:
    """Log the training of a mention model.

    Parameters
    ----------
    folder
        The model's folder, as it is shipped.
    digest
        Of the model.
    parameters, metrics
        The recipe, flat; measures on the documents held out.
    losses, scores
        By epoch: training loss, and validation strict F1.
    confusions
        Counts by kind.
    examples
        File of confusions with their words, or ``None`` to keep them off the store.
    energy
        What the training used (:meth:`clinical_nlp.registry.energy.Energy.report`).

    Returns
    -------
    str
        Id of the MLflow run.

    Raises
    ------
    ModelError
        E401: the store cannot be reached.
    """
    with open_run("mentions", parameters, _tags(digest), tracking_uri) as (client, run):
        for name, value in metrics.items():
            client.log_metric(run, name, value)
        for name, values in (("train_loss", losses), ("validation_strict_f1", scores)):
            for epoch, value in enumerate(values, start=1):
                client.log_metric(run, name, value, step=epoch)
        client.log_text(run, json.dumps(dict(confusions), indent=2), "confusions.json")
        log_energy(client, run, energy)
        upload_folder(client, run, folder)
        if examples is not None:
            client.log_artifact(run, str(examples))
    return run


def log_reader(
    folder: Path,
    digest: str,
    *,
    parameters: Mapping[str, Any],
    metrics: Mapping[str, float],
    losses: Sequence[float],
    confusions: Mapping[str, int],
    energy: Mapping[str, Any] | None = None,
    tracking_uri: str | None = None,
) -> str:
    """Log the training of a reader: recipe, scores by hand left out, learning curve, model.

    Parameters
    ----------
    folder
        The model's folder, as it is shipped; of its corpus nothing is logged.
    confusions
        Counts of right and wrong flags.

    Raises
    ------
    ModelError
        E401: the store cannot be reached.
    """
    with open_run("readers", parameters, _tags(digest), tracking_uri) as (client, run):
        for name, value in metrics.items():
            client.log_metric(run, name, value)
        for epoch, loss in enumerate(losses, start=1):
            client.log_metric(run, "train_loss", loss, step=epoch)
        client.log_text(run, json.dumps(dict(confusions), indent=2), "confusions.json")
        log_energy(client, run, energy)
        upload_folder(client, run, folder)
    return run


def log_encoder(
    folder: Path,
    digest: str,
    *,
    parameters: Mapping[str, Any],
    losses: Sequence[float],
    every: int = 20,
    energy: Mapping[str, Any] | None = None,
    tracking_uri: str | None = None,
) -> str:
    """Log the training of an encoder: its recipe, the mean loss of every 20 steps, the model.

    ``energy`` is what it used (:meth:`clinical_nlp.registry.energy.Energy.report`).

    Raises
    ------
    ModelError
        E401: the store cannot be reached.
    """
    with open_run("encoders", parameters, _tags(digest), tracking_uri) as (client, run):
        for begin in range(0, len(losses), every):
            part = losses[begin : begin + every]
            client.log_metric(run, "loss", sum(part) / len(part), step=begin + len(part))
        log_energy(client, run, energy)
        upload_folder(client, run, folder)
    return run


def _tags(digest: str) -> dict[str, str]:
    return {"clinical_nlp.version": version("clinical-nlp"), DIGEST_TAG: digest}
