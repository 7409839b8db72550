"""Puts the components together into one spaCy ``Language``."""

from __future__ import annotations

import hashlib

import spacy
from spacy.language import Language

# Importing the packages registers their factories and the Doc extensions.
from clinical_nlp.pipeline import (  # noqa: F401
    assertion,
    document,
    findings,
    layout,
    measurements,
    sections,
    sentences,
    tokenizer,
)
from clinical_nlp.pipeline import mentions as _mentions  # noqa: F401 - a parameter's name
from clinical_nlp.pipeline import reader as _reader  # noqa: F401 - a parameter's name

#: Order matters: sentences end where items of the layout do, sections need sentences' line
#: breaks, findings must not claim the numbers that measurements took, assertion comes when all
#: targets are known.
COMPONENTS = (
    "es_layout",
    "es_sentences",
    "es_sections",
    "hf_measurements",
    "hf_findings",
    "es_assertion",
)

_CONFIG = {"nlp": {"tokenizer": {"@tokenizers": "clinical_nlp.ClinicalTokenizer.v1"}}}

# Cost is linear in the length of a note; spaCy's limit of 1,000,000 characters guards
# parsers that are not in this pipeline.
_MAX_LENGTH = 50_000_000


def build(*, reader: bool = False, mentions: bool = False, backend: str = "auto") -> Language:
    """Build the pipeline from the package's own data.

    Parameters
    ----------
    reader
        Add the learned reader.
    mentions
        Add the mention model.
    backend
        How these run: see :func:`clinical_nlp.neural.backends.choose`.

    Returns
    -------
    spacy.language.Language
        Spanish pipeline whose docs carry ``doc._.findings``, and ``doc._.mentions``.
    """
    nlp = spacy.blank("es", config=_CONFIG)
    nlp.max_length = _MAX_LENGTH
    for name in COMPONENTS:
        nlp.add_pipe(name)
    if mentions:
        nlp.add_pipe("clinical_mentions", before="es_assertion", config={"backend": backend})
    if reader:
        nlp.add_pipe("es_reader", config={"backend": backend})
    return nlp


def fingerprint(nlp: Language) -> str:
    """Hex SHA-256 of everything that decides what the pipeline finds.

    Two pipelines with the same fingerprint find the same things in the same text: it
    covers the configuration and the data each component serialises.
    """
    digest = hashlib.sha256()
    digest.update(nlp.config.to_str().encode())
    for name, component in nlp.pipeline:
        digest.update(name.encode())
        to_bytes = getattr(component, "to_bytes", None)
        if to_bytes is not None:
            digest.update(to_bytes())
    return digest.hexdigest()
