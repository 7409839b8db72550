"""What read the notes that a model was trained on: lexicon, rules, encoder, features.

A risk model is only itself together with what finds its features: the same weights behind
another lexicon are another model. This record travels in the MLmodel file and is compared
with the installed package when the model is used.
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


def knowledge(spec: ModelSpec) -> dict[str, Any]:
    """Plain values: versions and hex digests; ``encoder`` is ``None`` where there is none.

    Parameters
    ----------
    spec
        Of the model: its ``pipeline`` is the fingerprint of what read the training notes,
        which need not be the installed one (``reads_alike`` says whether it is).
    """
    table = load_features()
    rules = _installed()
    return {
        "software": version("clinical-nlp"),
        "pipeline": spec.pipeline,
        "reads_alike": spec.pipeline == rules["pipeline"],
        "rules": rules["components"],
        "encoder": rules["encoder"],
        "lexicon": load_lexicon().fingerprint,
        "features": {"version": table.version, "digest": table.digest},
    }


@lru_cache(maxsize=1)
def _installed() -> dict[str, Any]:
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
