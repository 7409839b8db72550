"""The MLflow registry: which model is champion, verified before it is used.

Importing this package does not import MLflow; the functions do, when called.
"""

from clinical_nlp.privacy import silence_telemetry

silence_telemetry()

from clinical_nlp.registry.champion import (  # noqa: E402  # telemetry goes off first
    DEFAULT_URI,
    ensure_champion,
    load_champion,
)

__all__ = ["DEFAULT_URI", "ensure_champion", "load_champion"]
