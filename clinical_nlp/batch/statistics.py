"""Counts of a run's results: the numbers of the report.

Nothing of a single patient is kept: memory is bounded by the lexicon and the number of bins.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal, TypeAlias

from clinical_nlp.records import (
    FLAGS,
    EstimateStatus,
    Finding,
    PatientResult,
    RunContext,
    is_on_worklist,
)
from clinical_nlp.risk.bands import Bands, load_bands

#: Assertion of a finding, for the counts by concept: ``other`` is uncertain, historical,
#: hypothetical or of a relative, and not negated.
Stance: TypeAlias = Literal["affirmed", "negated", "other"]
PATIENT_COUNTS = (
    "seen",
    "with_notes",
    "with_text",
    "with_findings",
    *(status.value for status in EstimateStatus),
    "worklist",  # every written suspicion, and who is at or above the threshold
    "worklist_unsure",  # on the list, and the interval reaches below the threshold
    "below_unsure",  # not on it, and the interval reaches the threshold
    "without_interval",
)
NOTE_COUNTS = ("seen", "with_text", "with_findings")
#: ``measured`` carry a value; a finding may carry several flags.
FINDING_COUNTS = ("seen", "affirmed", "measured", *FLAGS)
# Two neighbouring bins of the histogram differ by about this factor: four or five bins
# a decade show the shape and leave most bins with patients in an export of hundreds.
_BIN_RATIO = 1.6
# The first band starts at 0, which a logarithmic axis has no place for: its bins start
# five halvings below its upper bound and the first one takes all that is lower.
_FIRST_BAND_SPAN = 32


#: Fields of :class:`Counts` that are counters.
_COUNTERS = ("patients", "notes", "findings", "bands", "abstentions")


@dataclass(slots=True)
class Counts:
    """What one patient adds to :class:`RunStatistics`, by its attributes' names.

    Parameters
    ----------
    bin
        Bin of the histogram; ``None`` for a patient without a probability.
    """

    patients: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    bands: Counter[str] = field(default_factory=Counter)
    abstentions: Counter[str] = field(default_factory=Counter)
    concepts: dict[str, Counter[str]] = field(default_factory=dict)
    bin: int | None = None

    def add_finding(self, finding: Finding) -> None:
        """Count one finding."""
        self.findings["seen"] += 1
        self.findings["affirmed"] += finding.affirmed
        self.findings["measured"] += finding.value is not None
        for flag, is_set in zip(FLAGS, finding.flags, strict=True):
            self.findings[flag] += is_set
        self.concepts.setdefault(finding.concept, Counter())[stance(finding)] += 1


class RunStatistics:
    """A sink that counts results.

    Parameters
    ----------
    context
        The run's threshold.
    bands
        The published bands; the histogram's bins never straddle a bound.

    Attributes
    ----------
    patients, notes, findings
        Counts by the names of :data:`PATIENT_COUNTS`, :data:`NOTE_COUNTS` and
        :data:`FINDING_COUNTS`; zeros are kept.
    concepts
        Findings by concept and stance (:data:`Stance`).
    bands
        Scored patients by band.
    abstentions
        Patients on whom the model abstained, by its sentence on why.
    edges, histogram
        Bin edges (probabilities, rising, first 0, last 1) and scored patients in each of
        the ``len(edges) - 1`` bins.
    """

    def __init__(self, context: RunContext, bands: Bands | None = None) -> None:
        scale = bands or load_bands()
        self._threshold = context.worklist_threshold
        self.patients = Counter(dict.fromkeys(PATIENT_COUNTS, 0))
        self.notes = Counter(dict.fromkeys(NOTE_COUNTS, 0))
        self.findings = Counter(dict.fromkeys(FINDING_COUNTS, 0))
        self.concepts: dict[str, Counter[str]] = {}
        self.bands: Counter[str] = Counter()
        self.abstentions: Counter[str] = Counter()
        self.edges = histogram_edges(scale)
        self.histogram = [0] * (len(self.edges) - 1)

    def render(self, result: PatientResult) -> Counts:
        """Count one patient."""
        estimate = result.estimate
        texts = sum(bool(n.note.text.strip()) for n in result.notes)
        found = sum(bool(n.findings) for n in result.notes)
        counts = Counts()
        counts.patients.update(
            {
                "seen": 1,
                "with_notes": bool(result.notes),
                "with_text": bool(texts),
                "with_findings": bool(found),
                estimate.status.value: 1,
                "worklist": is_on_worklist(estimate, self._threshold),
            }
        )
        counts.notes.update({"seen": len(result.notes), "with_text": texts, "with_findings": found})
        if estimate.status is EstimateStatus.SCORED and estimate.probability is not None:
            last = len(self.histogram) - 1
            counts.bin = min(bisect_right(self.edges, estimate.probability) - 1, last)
            if estimate.band is not None:
                counts.bands[estimate.band] += 1
            self._count_interval(estimate.interval, estimate.probability, counts.patients)
        elif estimate.status is EstimateStatus.ABSTAINED and estimate.abstention is not None:
            counts.abstentions[estimate.abstention] += 1
        for note in result.notes:
            for finding in note.findings:
                counts.add_finding(finding)
        return counts

    def append(self, rendered: Counts) -> None:
        """Add one patient's counts."""
        for name in _COUNTERS:
            getattr(self, name).update(getattr(rendered, name))
        for concept, stances in rendered.concepts.items():
            self.concepts.setdefault(concept, Counter()).update(stances)
        if rendered.bin is not None:
            self.histogram[rendered.bin] += 1

    def write(self, result: PatientResult) -> None:
        """Count and add one patient."""
        self.append(self.render(result))

    def dump(self, rendered: Counts) -> bytes:
        """Return one patient's counts as JSON."""
        return json.dumps({f.name: getattr(rendered, f.name) for f in fields(Counts)}).encode()

    def load(self, data: bytes) -> Counts:
        """Read one patient's counts."""
        return Counts(**json.loads(data))

    def close(self) -> Mapping[str, int]:
        """Return nothing: no file is written here."""
        return {}

    def _count_interval(
        self, interval: tuple[float, float] | None, probability: float, patients: Counter[str]
    ) -> None:
        if interval is None:
            patients["without_interval"] += 1
            return
        low, high = interval
        listed = probability >= self._threshold
        patients["worklist_unsure"] += listed and low < self._threshold
        patients["below_unsure"] += not listed and high >= self._threshold


def summarise(patients: Mapping[str, int]) -> str:
    """Return how many patients are in each state, as a phrase for people who run a batch.

    Parameters
    ----------
    patients
        Counts by the names of :data:`PATIENT_COUNTS`.
    """
    at_risk = patients["worklist"] - patients["suspected"]
    return (
        f"{patients['seen']} patients: {patients['suspected']} suspected in writing without a "
        f"conclusive test, {patients['scored']} with an estimate ({at_risk} at or above the "
        f"threshold), {patients['diagnosed']} with known heart failure, {patients['abstained']} "
        "on whom the model abstained"
    )


def stance(finding: Finding) -> Stance:
    """Return how a finding counts."""
    if finding.affirmed:
        return "affirmed"
    return "negated" if finding.negated and not finding.family else "other"


def histogram_edges(bands: Bands) -> tuple[float, ...]:
    """Return bin edges that rise by an even ratio and hold every bound of the bands.

    Risks of a year lie mostly under 5%: bins of equal width would put nearly everyone in
    the first one.
    """
    edges = [0.0]
    for band in bands:
        low = band.lower or band.upper / _FIRST_BAND_SPAN
        count = max(1, round(math.log(band.upper / low) / math.log(_BIN_RATIO)))
        ratio = (band.upper / low) ** (1 / count)
        edges.extend(low * ratio**step for step in range(1, count))
        edges.append(band.upper)
    return tuple(edges)
