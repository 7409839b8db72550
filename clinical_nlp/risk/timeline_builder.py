"""Builds a patient's timeline from the findings of notes and the structured record.

Left out are:

- findings of relatives and hypothetical ones (a test asked for is kept as context);
- everything known only after the index day;
- values that no body has, which are kept aside as doubts (``plausibility.toml``);
- codes without a catalogue concept (a sprained ankle), which count as a contact only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from clinical_nlp.lexicon import Lexicon
from clinical_nlp.records import (
    CodedEvent,
    Coding,
    Concept,
    EventKind,
    Evidence,
    Finding,
    NoteFindings,
    PatientRecord,
)
from clinical_nlp.records.partial_date import day_of
from clinical_nlp.risk.copy_forward import CopyForwardDetector
from clinical_nlp.risk.diagnosis import codes_heart_failure, diagnosis_concepts
from clinical_nlp.risk.laterality import one_sided
from clinical_nlp.risk.misread import is_attributed, is_of_another
from clinical_nlp.risk.note_context import context_entries
from clinical_nlp.risk.timeline import (
    Entry,
    Origin,
    Presence,
    Timeline,
    known_by,
    order_of,
    without_doubtful,
)
from clinical_nlp.risk.units import plausible_limits, to_unit

# HL7 and SNOMED CT codes of a coded answer "present" / "absent".
_PRESENT, _ABSENT = "52101004", "2667000"

_NOT_LETTER = re.compile(r"[\W\d_]+")

#: Most letters of an abbreviation ("IC", "I.C.", "ICC", "ICFE").
_ABBREVIATION = 4

#: Days after a note within which a day without a year is that of an addendum (assumption).
_ADDENDUM_DAYS = 60


def build_timeline(
    record: PatientRecord, notes: Sequence[NoteFindings], lexicon: Lexicon, as_of: date
) -> Timeline:
    """Merge the notes and structured data of one patient in order of time.

    Parameters
    ----------
    record
        The patient.
    notes
        The findings of the patient's notes, in any order.
    lexicon
        Maps codes to catalogue concepts (``clinical_nlp.lexicon.load_lexicon()``).
    as_of
        Index day.

    Returns
    -------
    Timeline
        Independent of the order of ``notes``.
    """
    dated: list[Entry] = []
    undated: list[Entry] = []
    coded: list[Entry] = []
    context: list[Entry] = []
    contacts: set[date] = set()

    written = [(n.note.written.date(), n) for n in notes if n.note.written is not None]
    written = sorted(
        ((day, n) for day, n in written if day <= as_of),
        key=lambda pair: (pair[0], pair[1].note.key),
    )
    detector = CopyForwardDetector(diagnosis_concepts())
    categories = {key: concept.category for key, concept in lexicon.concepts.items()}
    for day, noted in written:
        dated.extend(_from_note(noted, day, detector, categories))
        context.extend(context_entries(noted, day))
    for noted in notes:
        if noted.note.written is None:
            undated.extend(_from_note(noted, None, detector, categories))
            context.extend(context_entries(noted, None))

    for event in record.events:
        entry = _from_event(event, lexicon)
        known = _known_from(event)
        if codes_heart_failure(event) and _dated_by_interval(event):
            known = event.start  # for certain only later, but who may have it is not scored
        if known is not None and known > as_of:
            continue
        if known is not None and not (entry is None and _is_valueless(event)):
            contacts.add(known)
        if codes_heart_failure(event):
            statement = _statement(event, "heart_failure" if entry is None else entry.concept)
            coded.append(replace(statement, known=known))
        if entry is not None:
            (undated if known is None else dated).append(entry)

    note_days = sorted({day for day, _ in written})
    known_entries = known_by(sorted(dated, key=order_of), as_of)
    entries, doubts = without_doubtful(known_entries, record.birth_date)
    return Timeline(
        patient_id=record.id,
        as_of=as_of,
        sex=record.sex,
        birth_date=record.birth_date,
        entries=entries,
        doubts=doubts,
        undated=tuple(sorted(undated, key=order_of)),
        coded_heart_failure=tuple(sorted(coded, key=order_of)),
        note_days=tuple(note_days),
        contact_days=tuple(sorted(contacts.union(note_days))),
        context=tuple(sorted(context, key=order_of)),
    )


def _is_valueless(event: CodedEvent) -> bool:
    """Whether an observation states no result: ordered, perhaps, but nobody was seen."""
    return (
        event.kind is EventKind.OBSERVATION
        and event.value is None
        and not event.value_codings
        and not event.negated
    )


def _from_note(
    noted: NoteFindings,
    written: date | None,
    detector: CopyForwardDetector,
    categories: Mapping[str, str],
) -> Iterator[Entry]:
    stated = [
        (f, p)
        for f in noted.findings
        if (p := _presence(f)) is not None
        and not is_of_another(f, noted.note.text, categories.get(f.concept) == "drug")
        and not is_attributed(f, noted.note.text, categories.get(f.concept, ""))
    ]
    days = detector.days_of(noted.note.text, [finding for finding, _ in stated], written)
    for (finding, presence), day in zip(stated, days, strict=True):
        if written is None and day is not None:
            continue  # a copy of a dated note says nothing new
        own = None if written is None else _own_day(finding, written)
        if own is not None:
            day = own
            presence = Presence.PRESENT if presence is Presence.PAST else presence
        yield Entry(
            concept=finding.concept,
            day=day,
            known=written,
            origin=Origin.NOTE,
            presence=presence,
            evidence=Evidence(noted.note.key, finding.concept, day, finding.start, finding.end),
            value=finding.value,
            unit=finding.unit,
            low=finding.low,
            high=finding.high,
            comparator=finding.comparator,
            abbreviated=len(_NOT_LETTER.sub("", finding.text)) <= _ABBREVIATION,
            doubted=finding.doubtful,
            document=noted.note.kind,
            one_sided=one_sided(noted.note.text, finding.start, finding.end, finding.concept),
        )


def _own_day(finding: Finding, written: date) -> date | None:
    """Day that the note gives for a value ('300 (2023)', a table's column), where it does.

    A day without a year that comes shortly after the note's is that of an addendum, not of the
    year before; the value is then of the note's day, when the record can first hold it.
    """
    if finding.value is None or finding.measured_on is None:
        return None
    day = day_of(finding.measured_on, written)
    is_without_year = finding.measured_on.startswith("--")
    if day is not None and is_without_year and (written - day).days > 365 - _ADDENDUM_DAYS:
        return written
    return day


def _presence(finding: Finding) -> Presence | None:
    """Presence that a finding states; ``None`` where it states nothing about the patient."""
    if finding.family or finding.hypothetical:
        return None
    if finding.doubtful:
        return Presence.UNCERTAIN  # neither there nor denied: the reader is not sure enough
    if finding.negated:
        return Presence.ABSENT
    if finding.uncertain:
        return Presence.UNCERTAIN
    return Presence.PAST if finding.historical else Presence.PRESENT


def _from_event(event: CodedEvent, lexicon: Lexicon) -> Entry | None:
    if event.kind in (EventKind.FAMILY_HISTORY, EventKind.ENCOUNTER):
        return None  # about a relative, or a reason for the visit
    concept = _concept_of(event.value_codings, lexicon)  # "smoking status: ex-smoker"
    answered = concept is not None
    if concept is None:
        concept = _concept_of(event.codings, lexicon)
    if concept is None:
        return None
    answers = {coding.code for coding in event.value_codings}
    entry = _statement(event, concept.key, absent=_ABSENT in answers)
    if event.value is None:
        if concept.unit is not None:
            return None  # "measured", without what: no value, and no statement either
        # An unknown coded answer neither affirms nor denies the concept.
        unknown = event.value_codings and not answered and answers.isdisjoint({_PRESENT, _ABSENT})
        return None if unknown else entry
    if concept.unit is None:
        return None  # a number for a concept without a unit: another quantity
    value = _value(event, concept.key, concept.unit)
    if value is None:
        return None
    return replace(entry, value=value, unit=concept.unit, comparator=event.comparator)


def _value(event: CodedEvent, concept: str, unit: str) -> float | None:
    """Return an event's value in the catalogue's unit; of two readings the plausible one."""
    if event.value is None:
        return None
    if event.other_value is None:
        return to_unit(event.value, event.unit, unit, concept)
    low, high = plausible_limits(concept)
    readings = (
        to_unit(reading, event.unit, unit, concept) for reading in (event.value, event.other_value)
    )
    return next((r for r in readings if r is not None and low <= r <= high), None)


def _concept_of(codings: Iterable[Coding], lexicon: Lexicon) -> Concept | None:
    """Concept of the first known code; systems put the most specific code first."""
    for coding in codings:
        key = lexicon.by_code(coding.system, coding.code)
        if key is not None:
            return lexicon.concepts[key]
    return None


def _statement(event: CodedEvent, concept: str, absent: bool = False) -> Entry:
    presence = Presence.PRESENT
    if event.negated or absent:
        presence = Presence.ABSENT
    elif event.uncertain:
        presence = Presence.UNCERTAIN
    known = _known_from(event)
    day = known if event.start is None else event.start
    return Entry(
        concept=concept,
        day=day,
        known=known,
        origin=Origin.STRUCTURED,
        presence=presence,
        evidence=Evidence(event.source, concept, day),
        kind=event.kind,
        end=event.end,
    )


def _dated_by_interval(event: CodedEvent) -> bool:
    """Whether an event is dated by a year or month alone: known at its end, not before."""
    start, recorded = event.start, event.recorded
    if start is None or recorded is None or start.day != 1:
        return False
    of_year = start.month == 1 and recorded == date(start.year, 12, 31)
    next_month = (start + timedelta(days=31)).replace(day=1)
    return of_year or recorded == next_month - timedelta(days=1)


def _known_from(event: CodedEvent) -> date | None:
    """Day on which an event is known: the later of its start and its recording."""
    days = [day for day in (event.start, event.recorded) if day is not None]
    return max(days, default=None)
