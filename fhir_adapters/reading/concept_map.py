"""A service's own codes, translated to standard ones by a FHIR ConceptMap that it gives.

R4 says of each target how it relates to the source. Only those that claim no more than the
source said are followed: the same meaning, or a wider one (``codes.toml``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from clinical_nlp.artifacts import read_toml
from clinical_nlp.errors import InputError
from clinical_nlp.records import CodedEvent, Coding
from fhir_adapters.reading.codings import codes_mean_absent

_RULES: Mapping[str, Sequence[str]] = read_toml("fhir_adapters.reading", "codes.toml")[
    "equivalence"
]
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ConceptMap:
    """Standard codes of a service's own codes.

    Parameters
    ----------
    targets
        Standard codes by system and code of the source, spelled as :func:`_key` does.
    digest
        Hex SHA-256 of the files, in the order given; empty without any.
    """

    targets: Mapping[_Key, tuple[Coding, ...]]
    digest: str = ""

    def translate(self, codings: Sequence[Coding]) -> tuple[Coding, ...]:
        """Return the codes, each followed by the standard codes that it is mapped to."""
        return tuple(
            code
            for coding in codings
            for code in (coding, *self.targets.get(_key(coding.system, coding.code), ()))
        )

    def translate_event(self, event: CodedEvent) -> CodedEvent:
        """Return an event with the standard codes of its codes and of its coded value."""
        codings = self.translate(event.codings)
        values = self.translate(event.value_codings)
        if len(codings) == len(event.codings) and len(values) == len(event.value_codings):
            return event
        # A service's own "no" denies, once it is mapped to a code that means absent.
        negated = event.negated or codes_mean_absent(values)
        return replace(event, codings=codings, value_codings=values, negated=negated)


def read_concept_maps(
    paths: Sequence[Path], known_system: Callable[[str], bool] = lambda uri: True
) -> ConceptMap:
    """Read ConceptMap resources (JSON, R4; ``relationship`` of R5 is understood).

    Parameters
    ----------
    known_system
        Whether a target's code system is one that the software reads.

    Raises
    ------
    InputError
        E294: a file is no ConceptMap, or lacks a part. E295: a mapping claims more than its
        source says, or depends on a condition. E296: a target's system is not read.

    References
    ----------
    https://hl7.org/fhir/R4/conceptmap.html; of each equivalence:
    https://hl7.org/fhir/R4/valueset-concept-map-equivalence.html
    """
    targets: dict[_Key, list[Coding]] = {}
    digest = hashlib.sha256()
    for path in paths:
        content, resource = _load(path)
        digest.update(content)
        for number, group in enumerate(_objects(resource, "group", path), start=1):
            place = f"group {number} of '{path.name}'"
            source, target_system = group.get("source"), group.get("target")
            if not isinstance(source, str) or not isinstance(target_system, str):
                _not_one(path, f"group {number} lacks source or target, the two code systems")
            if not known_system(target_system):
                raise InputError(
                    "E296",
                    f"{place} maps to '{target_system}', a code system that is not read: map to "
                    "SNOMED CT, CIE-10-ES, CIE-9-MC, CIAP-2, ATC or LOINC.",
                )
            for element in _objects(group, "element", path):
                code = element.get("code")
                if not isinstance(code, str):
                    _not_one(path, f"an element of group {number} has no code")
                key = _key(source, code)
                known = targets.setdefault(key, [])
                for coding in _targets(element, target_system, code, place, path):
                    if coding not in known:
                        known.append(coding)
    kept = {key: tuple(codings) for key, codings in targets.items() if codings}
    return ConceptMap(kept, digest.hexdigest() if paths else "")


def _targets(
    element: Mapping[str, Any], system: str, source: str, place: str, path: Path
) -> Iterator[Coding]:
    """Yield the standard codes of one source code."""
    for target in _objects(element, "target", path):
        relation = target.get("equivalence", target.get("relationship"))
        if relation in _RULES["none"]:
            continue
        if relation not in _RULES["followed"] or target.get("dependsOn"):
            said = (
                "under a condition (dependsOn)" if target.get("dependsOn") else f"as '{relation}'"
            )
            raise InputError(
                "E295",
                f"{place} maps '{source}' {said}, which may say more than the source did: give "
                f"a target that is {', '.join(_RULES['followed'])}, or take the mapping out.",
            )
        code, display = target.get("code"), target.get("display")
        if not isinstance(code, str) or not code.strip():
            _not_one(path, f"'{source}' has a target without a code")
        yield Coding(system, code, display if isinstance(display, str) else None)


def _load(path: Path) -> tuple[bytes, Mapping[str, Any]]:
    try:
        content = path.read_bytes()
        resource = json.loads(content)
    except OSError as error:
        _not_one(path, f"it cannot be read ({error.strerror})")
    except UnicodeDecodeError:
        _not_one(path, "it is not in UTF-8")
    except ValueError:
        _not_one(path, "it is no JSON")
    except RecursionError:
        _not_one(path, "it is nested too deep")
    if not isinstance(resource, dict) or resource.get("resourceType") != "ConceptMap":
        _not_one(path, "its resourceType is not ConceptMap")
    if not resource.get("group"):
        _not_one(path, "it has no group")
    return content, resource


def _objects(parent: Mapping[str, Any], field: str, path: Path) -> list[Mapping[str, Any]]:
    value = parent.get(field, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        _not_one(path, f"'{field}' is no list of objects")
    return value


def _not_one(path: Path, why: str) -> NoReturn:
    raise InputError(
        "E294",
        f"'{path.name}' is not the ConceptMap it should be: {why}. Give one FHIR R4 ConceptMap a "
        "file, as JSON, with group.source, group.target and group.element.target.",
    )


def _key(system: str, code: str) -> _Key:
    """Spell a source one way: an OID may be bare; of a code only blanks around it go.

    A canonical may name a version after "|" (https://hl7.org/fhir/R4/references.html#canonical).
    """
    plain = system.partition("|")[0].strip().lower().removeprefix("urn:oid:").rstrip("/")
    return plain, code.strip()
