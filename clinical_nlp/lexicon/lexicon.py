"""The lexicon: concepts, the terms that name them, and the codes they bear."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.errors import PipelineError
from clinical_nlp.lexicon.codes import CodeIndex
from clinical_nlp.lexicon.loader import Term, load_concepts, load_terms, parse
from clinical_nlp.records import Concept

_CONCEPTS = "concepts/"
_DECOYS = "decoys.toml"
_CODES = "codes.toml"


class Lexicon:
    """The content of the data files, checked and indexed.

    Parameters
    ----------
    texts
        Content of each data file by its name under ``data/``
        (``"concepts/symptom.toml"``). Kept, so that a saved pipeline holds its own copy.
    record_codes
        Further codes of the structured record (``record_codes.toml``): system, then code, then
        concept key. Not part of the fingerprint: nothing that is read in notes depends on them.

    Attributes
    ----------
    concepts
        Concept by key, in the files' order.
    terms
        Every term, decoys last.
    data
        Parsed content of the files that hold no concepts (gates, word classes …).

    Raises
    ------
    PipelineError
        E310-E313 where a file is not understood or a concept is defined twice.
    """

    def __init__(
        self,
        texts: Mapping[str, str],
        record_codes: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    ) -> None:
        self.texts = MappingProxyType(dict(sorted(texts.items())))
        concepts: dict[str, Concept] = {}
        terms: list[Term] = []
        self.data: dict[str, dict[str, Any]] = {}
        for name, text in self.texts.items():
            parsed = parse(name, text) if name.endswith(".toml") else {}
            if not name.startswith(_CONCEPTS):
                self.data[name] = parsed
                continue
            for concept, own in load_concepts(name, parsed):
                if concept.key in concepts:
                    raise PipelineError(
                        "E313",
                        f"Concept '{concept.key}' stands twice, again in '{name}': keep one.",
                    )
                concepts[concept.key] = concept
                terms.extend(own)
        terms.extend(load_terms(_DECOYS, "", self.data.get(_DECOYS, {})))
        self.concepts: Mapping[str, Concept] = MappingProxyType(concepts)
        self.terms: tuple[Term, ...] = tuple(terms)
        listed = self.data.get(_CODES, {})
        self._codes = CodeIndex(
            concepts,
            {
                system: {**record_codes.get(system, {}), **listed.get(system, {})}
                for system in {**record_codes, **listed}
            },
        )

    def by_code(self, system: str, code: str) -> str | None:
        """Return the key of the concept that a code stands for, ``None`` if for none.

        Parameters
        ----------
        system
            FHIR system URI (``http://snomed.info/sct``) or OID.
        code
            The code, with or without dots. Codes of hierarchical systems fall back to their
            listed ancestors.
        """
        return self._codes.find(system, code)

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 of the data files' content."""
        content = json.dumps(dict(self.texts), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


@lru_cache(maxsize=1)
def load_lexicon() -> Lexicon:
    """Load the package's own lexicon, once a process."""
    root = files("clinical_nlp.lexicon") / "data"
    texts = {path.name: path.read_text("utf-8") for path in root.iterdir() if path.is_file()}
    for path in (root / "concepts").iterdir():
        texts[_CONCEPTS + path.name] = path.read_text("utf-8")
    return Lexicon(texts, read_toml("clinical_nlp.lexicon", "record_codes.toml"))
