"""The MLflow model registry: finds the champion and verifies it before use.

Importing this package does not import MLflow; the functions do, when called.
"""

from clinical_nlp.privacy import silence_telemetry

silence_telemetry()

from clinical_nlp.registry.champion import (  # noqa: E402  # telemetry goes off first
    ResolvedModel,
    ensure_champion,
    load_champion,
    resolve_model,
)
from clinical_nlp.registry.store import DEFAULT_URI  # noqa: E402

__all__ = ["DEFAULT_URI", "ResolvedModel", "ensure_champion", "load_champion", "resolve_model"]
