"""Findings and mentions: what the rules and the mention model find in a note."""

from __future__ import annotations

from dataclasses import dataclass

#: The five assertion axes, in the order in which every table and file names them.
FLAGS = ("negated", "uncertain", "historical", "family", "hypothetical")

#: A finding of a lower probability is uncertain to the risk model and marked in the review: of
#: two readings of it neither is much likelier than the other.
LEAST_CONFIDENCE = 0.6


@dataclass(frozen=True, slots=True)
class Finding:
    """A mention of a concept in one note.

    Offsets are Unicode code points of the note's exact text, 0-based, end exclusive.
    No flag set means: affirmed, current, of the patient.

    Parameters
    ----------
    start, end
        Place in the note's text.
    text
        ``note.text[start:end]``. Patient text: never log it.
    concept
        Key of a :class:`~clinical_nlp.records.Concept`.
    value
        Measurement in the concept's UCUM unit; the mean of a range; else ``None``.
    unit
        UCUM unit of ``value``.
    low, high
        Bounds of a range ("FEVI 35-40%"), in ``unit``; ``None`` otherwise.
    comparator
        FHIR quantity comparator of a bounded value (">60"): ``<``, ``<=``, ``>=``, ``>``.
    relation
        HL7 v3 RoleCode of the relative ("padre" is ``FTH``) for family findings, where stated.
    section
        Key of the section the mention stands in, ``None`` outside any.
    source
        What decided it: ``lexicon`` or ``measurements``, or ``reader`` if the learned reader
        found it, or changed what the rules said of it.
    measured_on
        Day, month or year that the note gives for a value, where it is not the note's:
        ``2024-03-12``, ``2024-03``, ``2024``, ``--03-12`` without a year
        (:mod:`clinical_nlp.records.partial_date`).
    probability
        That the flags are right, by the least sure of them, as the learned reader says
        (0..1, calibrated); for a finding that it found itself also that it is one. ``None``
        for measurements and where the rules alone have read.
    """

    start: int
    end: int
    text: str
    concept: str
    negated: bool = False
    uncertain: bool = False
    historical: bool = False
    family: bool = False
    hypothetical: bool = False
    value: float | None = None
    unit: str | None = None
    low: float | None = None
    high: float | None = None
    comparator: str | None = None
    relation: str | None = None
    section: str | None = None
    source: str = "lexicon"
    measured_on: str | None = None
    probability: float | None = None

    @property
    def flags(self) -> tuple[bool, bool, bool, bool, bool]:
        """The five assertion flags, in the order of :data:`FLAGS`."""
        return (self.negated, self.uncertain, self.historical, self.family, self.hypothetical)

    @property
    def doubtful(self) -> bool:
        """Whether its probability is below :data:`LEAST_CONFIDENCE`."""
        return self.probability is not None and self.probability < LEAST_CONFIDENCE

    @property
    def affirmed(self) -> bool:
        """True where no flag is set: present, now, in this patient."""
        return not any(self.flags)


@dataclass(frozen=True, slots=True)
class Mention:
    """An entity that the mention model found in a note.

    Offsets are Unicode code points of the note's exact text, 0-based, end exclusive.
    Mentions of different labels may overlap, those of one label do not.

    Parameters
    ----------
    start, end
        Place in the note's text.
    text
        ``note.text[start:end]``. Patient text: never log it.
    label
        ``DISEASE``, ``SYMPTOM``, ``PROCEDURE`` or ``MEDICATION``.
    score
        Probability (0..1) of the mention's least probable word. It ranks mentions and is
        not calibrated.
    concept
        Key of the catalogue's concept that it is linked to, ``None`` for none.
    """

    start: int
    end: int
    text: str
    label: str
    score: float
    concept: str | None = None
