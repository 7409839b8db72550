"""From a code of the structured record to the concept it stands for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from clinical_nlp.records import Concept

#: Fragments by which a FHIR system URI or OID names each code system. Spanish exports
#: write ICD-10 in a dozen ways (HL7's sid URIs, ministry URIs, OIDs), hence fragments.
_SYSTEMS: Mapping[str, tuple[str, ...]] = {
    name: tuple(fragments.split())
    for name, fragments in {
        "snomed": "snomed.info/sct 2.16.840.1.113883.6.96",
        "loinc": "loinc.org 2.16.840.1.113883.6.1",
        "icd10": "icd-10 icd10 cie-10 cie10 2.16.840.1.113883.6.3 2.16.840.1.113883.6.4 "
        "2.16.840.1.113883.6.90",
        "atc": "whocc.no/atc /atc 2.16.840.1.113883.6.73",
        "icpc2": "icpc ciap 2.16.840.1.113883.6.139",
        "rxnorm": "rxnorm 2.16.840.1.113883.6.88",
    }.items()
}

#: Systems whose codes are paths in a tree: a longer code is a kind of the shorter one.
_HIERARCHICAL = frozenset({"icd10", "atc"})


def system_name(uri: str) -> str | None:
    """Return the short name of a code system, ``None`` for one the lexicon lacks.

    Parameters
    ----------
    uri
        ``Coding.system``: URI, or OID with or without ``urn:oid:``.
    """
    plain = uri.strip().lower().removeprefix("urn:oid:").rstrip("/")
    for name, fragments in _SYSTEMS.items():
        for fragment in fragments:
            # An OID must match whole: "…6.3" is a prefix of other arcs.
            if plain == fragment if fragment[0].isdigit() else fragment in plain:
                return name
    return None


def _canonical(system: str, code: str) -> str:
    """Spell a code one way: case and dots differ between exports."""
    code = code.strip().upper()
    return code.replace(".", "") if system == "icd10" else code


class CodeIndex:
    """Looks concepts up by code.

    A code of only one concept means that concept. Codes that several share, codes broader
    than their concept (R94.31 "abnormal ECG" is not Q waves), and other codes for the same
    idea are mapped by hand in ``data/codes.toml``.

    Parameters
    ----------
    concepts
        The lexicon's concepts.
    overrides
        ``data/codes.toml``: system, then code, then concept key; an empty key means that
        the code alone means no concept.
    """

    def __init__(
        self, concepts: Mapping[str, Concept], overrides: Mapping[str, Mapping[str, str]]
    ) -> None:
        uses: Counter[tuple[str, str]] = Counter()
        for concept in concepts.values():
            for system, code in concept.codes.items():
                uses[system, _canonical(system, code)] += 1
        self._index: dict[tuple[str, str], str] = {}
        for key, concept in concepts.items():
            for system, code in concept.codes.items():
                name = (system, _canonical(system, code))
                # ICPC-2 rubrics are broader than our concepts: only by hand.
                if uses[name] == 1 and system != "icpc2":
                    self._index[name] = key
        for system, codes in overrides.items():
            for code, key in codes.items():
                self._index[system, _canonical(system, code)] = key

    def find(self, system: str, code: str) -> str | None:
        """Return the concept key for a code, as :meth:`Lexicon.by_code` does.

        An ICD-10 or ATC code that is not listed counts as its nearest listed ancestor
        (``I50.43`` as ``I50``).
        """
        name = system_name(system)
        if name is None:
            return None
        code = _canonical(name, code)
        shortest = 3 if name in _HIERARCHICAL else len(code)
        for end in range(len(code), shortest - 1, -1):
            key = self._index.get((name, code[:end]))
            if key is not None:
                return key or None
        return None
