"""Provenance of a model's features: the lexicon, rules and encoder that read the notes.

The same weights behind another lexicon are another model, so this record is kept in the
MLmodel file.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.model_spec import ModelSpec

#: Factory of the encoder's component in the pipeline.
_ENCODER = "alia_encoder"


def reading_provenance(spec: ModelSpec) -> dict[str, Any]:
    """Return versions and hex digests as JSON values; ``encoder`` is ``None`` without one.

    Parameters
    ----------
    spec
        Of the model: its ``pipeline`` is the fingerprint of the pipeline that read the
        training notes; ``reads_alike`` says whether the installed one is the same.
    """
    table = load_features()
    installed = _installed_pipeline()
    return {
        "software": version("clinical-nlp"),
        "pipeline": spec.pipeline,
        "reads_alike": spec.pipeline == installed["pipeline"],
        "rules": installed["components"],
        "encoder": installed["encoder"],
        "lexicon": load_lexicon().fingerprint,
        "features": {"version": table.version, "digest": table.digest},
    }


@lru_cache(maxsize=1)
def _installed_pipeline() -> dict[str, Any]:
    """Fingerprint of the installed pipeline, of each component, and its encoder."""
    import clinical_nlp
    from clinical_nlp.pipeline.assembly import fingerprint

    nlp = clinical_nlp.load()
    components = {
        name: hashlib.sha256(component.to_bytes()).hexdigest()
        for name, component in nlp.pipeline
        if hasattr(component, "to_bytes")
    }
    encoder = None
    for name in nlp.pipe_names:
        if nlp.get_pipe_meta(name).factory == _ENCODER:
            encoder = {"component": name, **nlp.get_pipe_config(name)}
    return {"pipeline": fingerprint(nlp), "components": components, "encoder": encoder}
