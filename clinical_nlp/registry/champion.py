"""Resolves the model of a run once, verifies it, pins it to version and digest."""

from __future__ import annotations

import logging
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clinical_nlp.artifacts import CARD, MODEL_FOLDER, shipped_folder
from clinical_nlp.errors import ModelError
from clinical_nlp.records import ModelReference
from clinical_nlp.registry.artifact import load_model
from clinical_nlp.registry.cache import cache_model, last_verified
from clinical_nlp.registry.local_store import database, is_local, only_process
from clinical_nlp.registry.manifest import verified_digest
from clinical_nlp.registry.promotion_log import (
    PromotionDecision,
    log_decision,
    read_decisions,
)
from clinical_nlp.registry.store import (
    CHAMPION,
    DEFAULT_URI,
    DIGEST_TAG,
    NAME,
    open_store,
    store_uri,
)
from clinical_nlp.registry.versions import (
    aliased,
    evidence_file,
    find_version,
    has_versions,
    model_files,
    register,
)
from clinical_nlp.risk.model import RiskModel

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """A model ready to score, and how it was found.

    Parameters
    ----------
    model
        Its ``reference`` pins version and digest.
    asked
        The URI that was resolved.
    source
        ``"registry"``; ``"last verified"`` where the registry could not be reached; ``"shipped"``
        where there is none and none can be made.
    verified
        When the registry last confirmed it (ISO 8601, UTC); empty for the shipped model.
    card
        Its card in Markdown; empty where it has none, or one that was changed.
    """

    model: RiskModel
    asked: str
    source: str
    verified: str
    card: str = ""

    @property
    def warning(self) -> str | None:
        """Sentence for the user where the registry did not answer, else ``None``."""
        if self.source == "registry":
            return None
        reference = self.model.reference
        if self.source == "shipped":
            return (
                "E401 No model registry can be made in the working folder, which cannot be "
                f"written: using the shipped model (digest {reference.digest[:16]}), "
                "trained on a simulated cohort. Name a registry with MLFLOW_TRACKING_URI."
            )
        return (
            f"E401 The registry cannot be reached: using {reference.uri} (digest "
            f"{reference.digest[:16]}), the last model verified for {self.asked}, "
            f"on {self.verified}. A promotion or a withdrawal since is not seen: "
            "check MLFLOW_TRACKING_URI and the server, and run again where that matters."
        )

    def resolution(self) -> dict[str, str]:
        """Return how the model was found, for ``run.json`` and the report."""
        warning = self.warning
        return {
            "asked": self.asked,
            "source": self.source,
            "verified": self.verified,
            "trained_pipeline": self.model.spec.pipeline,
            **({} if warning is None else {"warning": warning}),
        }


def ensure_champion(tracking_uri: str | None = None) -> str:
    """Register the shipped model as champion where no champion has been set.

    Parameters
    ----------
    tracking_uri
        MLflow store; else ``MLFLOW_TRACKING_URI``, else ``sqlite:///mlflow.db`` in the
        working folder. Nothing is registered on a server without being asked.

    Returns
    -------
    str
        The URI of the champion, by alias.

    Raises
    ------
    ModelError
        E401: the store cannot be reached. E402: a server has no champion. E403, E411,
        E412: the shipped model is missing or not as shipped. E405: the registry holds
        versions, or a history of decisions, and none of them is the champion.
    """
    with open_store(tracking_uri) as client:
        if aliased(client, CHAMPION) is not None:
            return DEFAULT_URI
        with only_process(client.tracking_uri):  # several first runs at once seed one model
            _seed(client)
    return DEFAULT_URI


def _seed(client: MlflowClient) -> None:
    """Register the shipped model as champion of an empty local store, and say so."""
    if aliased(client, CHAMPION) is not None:
        return
    local = is_local(client.tracking_uri)
    if has_versions(client) or (local and read_decisions(client)):
        # Somebody's model was the champion, or waits to be: the shipped one, trained on a
        # simulated cohort, must not take its place unasked.
        raise ModelError(
            "E405",
            f"the registry knows the model '{NAME}', but no version has the alias '{CHAMPION}': "
            "see 'clinical-nlp registry list' and 'clinical-nlp registry history', and name the "
            "version that scores patients with 'clinical-nlp registry promote'",
        )
    if not local:
        raise ModelError(
            "E402",
            f"the registry has no model '{NAME}' with the alias '{CHAMPION}': register one "
            "with 'clinical-nlp registry register' and promote it with 'clinical-nlp "
            "registry promote'",
        )
    shipped = shipped_folder(NAME)
    digest = verified_digest(shipped)
    text = "Shipped with the package: trained on a simulated cohort, not for clinical use."
    version = str(register(client, shipped, digest, text).version)
    client.set_registered_model_alias(NAME, CHAMPION, version)
    why = "first use of a local store: the shipped model"
    log_decision(client, PromotionDecision("promote", version, None, "clinical-nlp", why, digest))
    _log.warning(
        "The registry was empty: the shipped model, trained on a simulated cohort and not for "
        "clinical use, is now version %s and the champion.",
        version,
    )


def load_champion(uri: str = DEFAULT_URI, tracking_uri: str | None = None) -> RiskModel:
    """Resolve a model URI as :func:`resolve_model` does and return the model alone."""
    return resolve_model(uri, tracking_uri).model


def resolve_model(uri: str = DEFAULT_URI, tracking_uri: str | None = None) -> ResolvedModel:
    """Resolve a model URI once, verify the model, and return it ready to score.

    Parameters
    ----------
    uri
        ``models:/name@alias`` or ``models:/name/version``. For the default URI the shipped
        model is registered first where a local store has no champion.
    tracking_uri
        As in :func:`ensure_champion`.

    Returns
    -------
    ResolvedModel
        From the registry; where that cannot be reached, the last model that was verified
        for this URI, verified again.

    Raises
    ------
    ModelError
        E401: the registry cannot be reached and nothing was verified before. E402: no such
        model, alias or version. E404: the URI is of another form. E411-E417: the model
        cannot be trusted or used; an earlier one never stands in for it.
    """
    store = store_uri(tracking_uri)
    with tempfile.TemporaryDirectory(prefix="model-") as scratch:
        try:
            if uri == DEFAULT_URI:
                ensure_champion(tracking_uri)
            reference, folder, card = _from_registry(store, uri, Path(scratch))
        except ModelError as error:
            kept = last_verified(store, uri) if error.code == "E401" else None
            if kept is None and error.code == "E401" and _cannot_be_made(store, uri):
                return _shipped(uri)
            if kept is None:
                raise
            parts = load_model(kept.folder, kept.reference.digest)
            model = RiskModel(parts, kept.reference)
            return ResolvedModel(model, uri, "last verified", kept.verified, kept.card)
        parts = load_model(folder, reference.digest)
        model = RiskModel(parts, reference)
        try:
            verified = cache_model(store, uri, reference, folder, card)
        except OSError as error:
            # This run has its model; only a later one without a registry would not.
            _log.warning("The verified model cannot be kept for later (%s).", error.strerror)
            verified = ""
    return ResolvedModel(model, uri, "registry", verified, card)


def _cannot_be_made(store: str, uri: str) -> bool:
    """Whether the shipped model was asked for and the local store of a read-only folder is not.

    A store that is there and cannot be used may know another champion: that is an error.
    """
    return uri == DEFAULT_URI and is_local(store) and not database(store).exists()


def _shipped(uri: str) -> ResolvedModel:
    """Return the model that the package ships."""
    shipped = shipped_folder(NAME)
    digest = verified_digest(shipped)
    parts = load_model(shipped / MODEL_FOLDER, digest)
    model = RiskModel(parts, ModelReference(NAME, "shipped", f"shipped:{NAME}", digest))
    return ResolvedModel(model, uri, "shipped", "", (shipped / CARD).read_text("utf-8"))


def _from_registry(store: str, uri: str, scratch: Path) -> tuple[ModelReference, Path, str]:
    """Return a version's reference, the folder of its model, and its card."""
    with open_store(store) as client:
        version = find_version(client, uri)
        digest = version.tags[DIGEST_TAG]
        folder = model_files(client, version, scratch)
        card = _card(client, version, scratch)
    pinned = f"models:/{version.name}/{version.version}"
    return ModelReference(version.name, str(version.version), pinned, digest), folder, card


def _card(client: MlflowClient, version: ModelVersion, scratch: Path) -> str:
    """Return a version's card; a card that is not the registered one is not shown."""
    from mlflow.exceptions import MlflowException

    try:
        path = evidence_file(client, version, CARD, scratch)
    except (ModelError, MlflowException, OSError) as error:
        _log.warning("The model's card is left out of the output (%s).", type(error).__name__)
        return ""
    return "" if path is None else path.read_text("utf-8", errors="replace")


def load_champion_for_comparison(tracking_uri: str | None = None) -> dict[str, RiskModel]:
    """Return the registry's champion by digest; nothing where there is no local store.

    It scores a training run's test patients, so that promotion can compare the two on them.

    Raises
    ------
    ModelError
        As :func:`resolve_model`, but the last verified model is never used instead.
    """
    store = store_uri(tracking_uri)
    if is_local(store) and not database(store).is_file():
        return {}  # asking would make an empty one
    with tempfile.TemporaryDirectory(prefix="model-") as scratch:
        reference, folder, _ = _from_registry(store, DEFAULT_URI, Path(scratch))
        parts = load_model(folder, reference.digest)
        return {reference.digest: RiskModel(parts, reference)}


def fetch_verified(asked: str, into: Path, tracking_uri: str | None = None) -> ModelReference:
    """Copy a version's MLflow model into a new folder, if its files are as registered.

    Raises
    ------
    ModelError
        As :func:`load_champion_for_comparison`. E410: the folder exists or cannot be written.
    """
    store = store_uri(tracking_uri)
    with tempfile.TemporaryDirectory(prefix="model-") as scratch:
        reference, folder, _ = _from_registry(store, asked, Path(scratch))
        load_model(folder, reference.digest)
        try:
            shutil.copytree(folder, into)
        except OSError as error:
            raise ModelError(
                "E410",
                f"the model cannot be put into '{into}' ({error.strerror}): give a folder that "
                "does not exist yet, where you may write",
            ) from None
    return reference
