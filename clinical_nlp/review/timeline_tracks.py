"""Selects the tracks of a patient's timeline to draw.

A record may name a hundred concepts, and a reader takes in about a dozen tracks. Concepts
behind the estimate's reasons come first, then the most frequent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from clinical_nlp.records import Concept, EventKind, RiskEstimate
from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.timeline import Entry, Origin, Presence, Timeline, order_of
from clinical_nlp.spanish import unit_es

#: Most tracks of each kind.
MAX_FINDINGS, MAX_SPANS, MAX_SERIES = 12, 8, 4
#: Days of history drawn by default: three years.
WINDOW_DAYS = 3 * 365
# Mentions of a drug or problem further apart than this begin a new bar: a year and a half,
# as reviews are yearly and may be late.
_BRIDGE_DAYS = 550
_DRUGS = frozenset({"drug"})
_LASTING = frozenset({"risk_factor", "hf_diagnosis"})


@dataclass(frozen=True, slots=True)
class Mark:
    """An entry on a day."""

    day: date
    presence: Presence
    origin: Origin


@dataclass(frozen=True, slots=True)
class Bar:
    """A period in which something held; ``open`` where no end is known."""

    start: date
    end: date
    open: bool


@dataclass(frozen=True, slots=True)
class Point:
    """A measured value; ``comparator`` where it is a bound (">60").

    ``doubtful`` values are shown, and were given to no model.
    """

    day: date
    value: float
    origin: Origin
    comparator: str | None = None
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class FindingTrack:
    """The marks of one symptom, sign or other finding."""

    name: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class SpanTrack:
    """The bars of one problem or drug."""

    name: str
    drug: bool
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one measurement."""

    name: str
    unit: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Tracks:
    """Tracks from ``start`` to ``end``; ``hidden`` concepts are left out."""

    start: date
    end: date
    findings: tuple[FindingTrack, ...]
    spans: tuple[SpanTrack, ...]
    series: tuple[Series, ...]
    note_days: tuple[date, ...]
    hidden: int


def select_tracks(
    timeline: Timeline,
    estimate: RiskEstimate,
    concepts: Mapping[str, Concept],
    window_days: int = WINDOW_DAYS,
) -> Tracks:
    """Select the tracks of a timeline.

    Parameters
    ----------
    timeline
        The patient's timeline, up to its index day.
    estimate
        Its reasons give priority to concepts.
    concepts
        The lexicon's concepts by key.
    window_days
        Days before the index day to draw.
    """
    end = timeline.as_of
    start = end - timedelta(days=window_days)
    priority = [piece.concept for reason in estimate.reasons for piece in reason.evidence]
    by_concept: dict[str, list[Entry]] = {}
    doubtful = {id(doubt.entry) for doubt in timeline.doubts}
    for entry in sorted((*timeline.entries, *(d.entry for d in timeline.doubts)), key=order_of):
        by_concept.setdefault(entry.concept, []).append(entry)

    findings: dict[str, FindingTrack] = {}
    spans: dict[str, SpanTrack] = {}
    series: dict[str, Series] = {}
    for key, entries in by_concept.items():
        concept = concepts.get(key)
        name, category = (concept.name_es, concept.category) if concept else (key, "")
        points = tuple(
            Point(e.day, e.value, e.origin, e.comparator, id(e) in doubtful)
            for e in entries
            if e.value is not None and e.day is not None and e.day >= start
        )
        if category in _DRUGS | _LASTING:
            bars = _bars(entries, start, end)
            if bars:
                spans[key] = SpanTrack(name, category in _DRUGS, bars)
        elif points:
            series[key] = Series(name, unit_es(concept.unit if concept else None), points)
        else:
            marks = _marks(entries, start)
            if marks:
                findings[key] = FindingTrack(name, marks)

    counts = {key: len(entries) for key, entries in by_concept.items()}
    kept_findings = _ranked(findings, priority, counts)[:MAX_FINDINGS]
    kept_spans = _ranked(spans, priority, counts)[:MAX_SPANS]
    # Then the model's features: one NT-proBNP is more informative than thirty weights.
    modelled = [k for t in load_features().topics if t.measured for k in sorted(t.concepts)]
    kept_series = _ranked(series, [*priority, *modelled], counts)[:MAX_SERIES]
    kept = len(kept_findings) + len(kept_spans) + len(kept_series)
    return Tracks(
        start=start,
        end=end,
        findings=tuple(findings[key] for key in kept_findings),
        spans=tuple(
            sorted((spans[key] for key in kept_spans), key=lambda s: (s.drug, s.bars[0].start))
        ),
        series=tuple(series[key] for key in kept_series),
        note_days=tuple(day for day in timeline.note_days if day >= start),
        hidden=len(findings) + len(spans) + len(series) - kept,
    )


def _ranked(keys: Iterable[str], priority: Sequence[str], counts: Mapping[str, int]) -> list[str]:
    rank = {key: place for place, key in reversed(list(enumerate(priority)))}
    return sorted(keys, key=lambda key: (rank.get(key, len(priority)), -counts[key], key))


def _marks(entries: Sequence[Entry], start: date) -> tuple[Mark, ...]:
    marks = {
        Mark(e.day, e.presence, e.origin) for e in entries if e.day is not None and e.day >= start
    }
    return tuple(sorted(marks, key=lambda m: (m.day, m.presence, m.origin)))


def _bars(entries: Sequence[Entry], start: date, end: date) -> tuple[Bar, ...]:
    """Join affirmed entries into periods.

    A coded problem without an end still holds; one only mentioned in notes holds until its
    last mention.
    """
    affirmed = sorted(
        (
            (e.day, e)
            for e in entries
            if e.day is not None and e.presence in (Presence.PRESENT, Presence.PAST)
        ),
        key=lambda pair: pair[0],
    )
    bars: list[Bar] = []
    for day, entry in affirmed:
        lasting = entry.kind is EventKind.CONDITION and entry.presence is Presence.PRESENT
        last = entry.end or (end if lasting else day)
        bar = Bar(day, last, entry.end is None)
        if bars and (day - bars[-1].end).days <= _BRIDGE_DAYS:
            before = bars.pop()
            bar = Bar(before.start, max(before.end, last), before.open or bar.open)
        bars.append(bar)
    return tuple(bar for bar in bars if bar.end >= start)
