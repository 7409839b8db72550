"""From a code of the structured record to the concept it stands for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from clinical_nlp.artifacts import read_toml
from clinical_nlp.records import Concept

_NOT_ALPHANUMERIC = re.compile(r"[^0-9A-Z]")
_CONCEPT_ID = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """A code system and how exports write it; one table of ``code_systems.toml``.

    Parameters
    ----------
    name, title
        Short name, and the one for people.
    names, fragments, oids
        ``Coding.system`` as a whole, part of its URI, or its OID; in lower case.
    spelling
        ``"bare"``, ``"concept"`` or ``"exact"``: what of a code counts.
    shortest
        Fewest characters of an ancestor that a code may count as; 0 in a flat system.
    """

    name: str
    title: str
    names: tuple[str, ...]
    fragments: tuple[str, ...]
    oids: tuple[str, ...]
    spelling: str
    shortest: int

    def fits(self, plain: str) -> bool:
        """Return whether a URI, OID or word, in lower case, names this system."""
        if plain[:1].isdigit():
            # An OID must match whole: "…6.3" is a prefix of other arcs.
            return plain in self.oids
        return plain in self.names or any(fragment in plain for fragment in self.fragments)

    def canonical(self, code: str) -> str:
        """Spell a code one way: case, dots and blanks differ between exports."""
        code = code.strip().upper()
        if self.spelling == "bare":
            return _NOT_ALPHANUMERIC.sub("", code)
        if self.spelling == "concept":
            found = _CONCEPT_ID.search(code)
            return found[0] if found else code
        return code


@cache
def code_systems() -> Mapping[str, CodeSystem]:
    """Return the systems of ``code_systems.toml`` by short name, in its order."""
    systems = {}
    for row in read_toml("clinical_nlp.lexicon", "code_systems.toml")["system"]:
        columns: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in row.items()
        }
        systems[row["name"]] = CodeSystem(**columns)
    return systems


@cache
def system_name(uri: str) -> str | None:
    """Return the short name of a code system, ``None`` for one the lexicon lacks.

    Parameters
    ----------
    uri
        ``Coding.system``: URI, OID with or without ``urn:oid:``, or the system's bare name.
    """
    plain = uri.strip().lower().removeprefix("urn:").removeprefix("oid:").rstrip("/")
    return next((name for name, system in code_systems().items() if system.fits(plain)), None)


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
        ``data/codes.toml`` and ``record_codes.toml``: system, then code, then concept key; an
        empty key means that the code alone means no concept.
    """

    def __init__(
        self, concepts: Mapping[str, Concept], overrides: Mapping[str, Mapping[str, str]]
    ) -> None:
        uses: Counter[tuple[str, str]] = Counter()
        for concept in concepts.values():
            for system, code in concept.codes.items():
                uses[system, code_systems()[system].canonical(code)] += 1
        self._index: dict[tuple[str, str], str] = {}
        for key, concept in concepts.items():
            for system, code in concept.codes.items():
                name = (system, code_systems()[system].canonical(code))
                # ICPC-2 rubrics are broader than our concepts: only by hand.
                if uses[name] == 1 and system != "icpc2":
                    self._index[name] = key
        for system, codes in overrides.items():
            for code, key in codes.items():
                self._index[system, code_systems()[system].canonical(code)] = key

    def find(self, system: str, code: str) -> str | None:
        """Return the concept key for a code, as :meth:`Lexicon.by_code` does.

        A code of a hierarchical system (``code_systems.toml``) that is not listed counts as
        its nearest listed ancestor (``I50.43`` as ``I50``).
        """
        name = system_name(system)
        if name is None:
            return None
        system_of_code = code_systems()[name]
        code = system_of_code.canonical(code)
        for end in range(len(code), (system_of_code.shortest or len(code)) - 1, -1):
            key = self._index.get((name, code[:end]))
            if key is not None:
                return key or None
        return None
