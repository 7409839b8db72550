"""What is recognised of an export's codes, before anything is trained or scored.

An event counts as recognised where one of its codes stands for a concept of the catalogue or
for heart failure, as the timeline reads it. The others are classified: their code system is
read and the code is none of our concepts (a sprained ankle), or the system itself is unknown.
What fewer than :data:`SMALLEST` patients have is reported as a sum only.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from clinical_nlp.lexicon import Lexicon
from clinical_nlp.lexicon.codes import code_systems, system_name
from clinical_nlp.records import CodedEvent, Coding, EventKind
from clinical_nlp.risk.diagnosis import codes_heart_failure

#: Code system shown of events that have words and no usable code.
WORDS_ALONE = "(words alone)"

#: Fewest patients of a code, a system or a display that is named.
SMALLEST = 5
#: Codes named at most.
MOST_CODES = 25
#: What the timeline reads codes of; relatives and reasons for a visit are left aside.
KINDS = (EventKind.CONDITION, EventKind.OBSERVATION, EventKind.MEDICATION, EventKind.PROCEDURE)

_SystemKey = tuple[str, str]  # kind, system
_CodeKey = tuple[str, str, str]  # kind, system, code


@dataclass(slots=True)
class _Tally:
    """Events, those recognised, and up to :data:`SMALLEST` of their patients."""

    events: int = 0
    recognised: int = 0
    patients: set[str] = field(default_factory=set)
    displays: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, patient: str, recognised: bool, display: str | None = None) -> None:
        self.events += 1
        self.recognised += recognised
        if len(self.patients) < SMALLEST:
            self.patients.add(patient)
        if display and len(self.displays[display]) < SMALLEST:
            self.displays[display].add(patient)

    @property
    def is_reported(self) -> bool:
        return len(self.patients) >= SMALLEST

    def display(self) -> str | None:
        """The display that enough patients have: a rare one may say who it is."""
        return next((d for d, seen in self.displays.items() if len(seen) >= SMALLEST), None)


def report_codes(
    events: Iterable[tuple[str, CodedEvent]], lexicon: Lexicon, concept_map: str = ""
) -> dict[str, Any]:
    """Count what is recognised, by kind of event and code system.

    Parameters
    ----------
    events
        Each with the id of its patient, translated already where there is a ConceptMap.
    concept_map
        Digest of the ConceptMap files.

    Returns
    -------
    dict
        ``kinds``: by kind, ``events``, ``recognised``, ``unmapped`` (system read, code no
        concept), ``unknown`` (system not read) and ``words`` (no usable code, words
        alone); ``systems``: the same by kind and system;
        ``unrecognised``: the commonest codes that are not, with ``events``; ``heart_failure``:
        events that code it, by system; ``suppressed``: codes and events not named, since
        fewer than ``smallest`` patients have them.
    """
    verdicts = ("events", "recognised", "unmapped", "unknown", "words")
    kinds = {kind.value: Counter(dict.fromkeys(verdicts, 0)) for kind in KINDS}
    systems: defaultdict[_SystemKey, _Tally] = defaultdict(_Tally)
    codes: defaultdict[_CodeKey, _Tally] = defaultdict(_Tally)
    outcome: defaultdict[_SystemKey, _Tally] = defaultdict(_Tally)
    for patient, event in events:
        if event.kind not in KINDS or not event.codings:
            continue
        kind, first = event.kind.value, event.codings[0]
        recognised = is_recognised(event, lexicon)
        kinds[kind]["events"] += 1
        kinds[kind][_verdict(event.codings, recognised)] += 1
        systems[kind, _shown_system(first)].add(patient, recognised)
        if not recognised:
            # Words without a code are the service's own: they are counted, never shown.
            display = first.display if first.system else None
            codes[kind, _shown_system(first), first.code.strip()].add(patient, False, display)
        if codes_heart_failure(event):
            outcome[kind, _shown_system(first)].add(patient, True)
    named = sorted(
        (key for key, tally in codes.items() if tally.is_reported),
        key=lambda key: (-codes[key].events, key),
    )
    hidden = [tally for tally in codes.values() if not tally.is_reported]
    return {
        "smallest": SMALLEST,
        "concept_map": concept_map or None,
        "kinds": {kind: dict(counts) for kind, counts in kinds.items()},
        "systems": [
            {"kind": kind, "system": system, "events": t.events, "recognised": t.recognised}
            for (kind, system), t in sorted(systems.items())
            if t.is_reported
        ],
        "unrecognised": [
            {
                "kind": key[0],
                "system": key[1],
                "code": key[2],
                "display": codes[key].display(),
                "events": codes[key].events,
            }
            for key in named[:MOST_CODES]
        ],
        "heart_failure": {
            system: tally.events if tally.is_reported else f"fewer than {SMALLEST} patients"
            for (_, system), tally in sorted(outcome.items())
            if tally.is_reported or system in code_systems()
        },
        "suppressed": {"codes": len(hidden), "events": sum(t.events for t in hidden)},
    }


def is_recognised(event: CodedEvent, lexicon: Lexicon) -> bool:
    """Return whether the timeline reads a concept, or heart failure, from an event's codes."""
    return codes_heart_failure(event) or any(
        lexicon.by_code(coding.system, coding.code) is not None
        for coding in (*event.value_codings, *event.codings)
    )


def remedy(report: dict[str, Any]) -> str | None:
    """Return what to do about codes of unknown systems; ``None`` where there are none."""
    unknown = sum(counts["unknown"] for counts in report["kinds"].values())
    total = sum(counts["events"] for counts in report["kinds"].values())
    if not unknown:
        return None
    return (
        f"{unknown} of {total} coded events are in code systems that are not read, so they count "
        "as nothing: give a FHIR ConceptMap from them to CIE-10-ES, CIAP-2, SNOMED CT, ATC or "
        "LOINC with --concept-map."
    )


def _verdict(codings: Sequence[Coding], recognised: bool) -> str:
    if recognised:
        return "recognised"
    if not any(coding.system for coding in codings):
        return "words"
    known = any(system_name(coding.system) is not None for coding in codings)
    return "unmapped" if known else "unknown"


def _shown_system(coding: Coding) -> str:
    return system_name(coding.system) or coding.system.strip() or WORDS_ALONE
