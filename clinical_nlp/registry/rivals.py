"""The models that a training run is compared with."""

from __future__ import annotations

from pathlib import Path

from clinical_nlp.registry.champion import verified_parts
from clinical_nlp.registry.names import DEFAULT_URI
from clinical_nlp.registry.store import store_uri
from clinical_nlp.risk.model import RiskModel


def champion_as_rival(tracking_uri: str | None = None) -> dict[str, RiskModel]:
    """Return the registry's champion by digest; nothing where there is no local store.

    It scores the run's test patients, so that promotion can compare the two on them.

    Raises
    ------
    ModelError
        As :func:`clinical_nlp.registry.champion.verified_parts`.
    """
    store = store_uri(tracking_uri)
    if store.startswith("sqlite:") and not Path(store.removeprefix("sqlite:///")).is_file():
        return {}  # asking would make an empty one
    reference, parts = verified_parts(store, DEFAULT_URI)
    return {reference.digest: RiskModel(parts, reference)}
