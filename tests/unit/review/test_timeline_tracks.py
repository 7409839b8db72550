from __future__ import annotations

from datetime import date, timedelta

import pytest

from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.records import (
    EstimateStatus,
    EventKind,
    Evidence,
    ModelReference,
    Reason,
    RiskEstimate,
    Sex,
)
from clinical_nlp.review.plot import describe, draw
from clinical_nlp.review.timeline_tracks import MAX_FINDINGS, MAX_SERIES, select_tracks
from clinical_nlp.risk.timeline import Entry, Origin, Presence, Timeline

AS_OF = date(2026, 3, 31)
CONCEPTS = load_lexicon().concepts


def entry(concept: str, days_ago: int, **said) -> Entry:
    day = AS_OF - timedelta(days=days_ago)
    given = {"origin": Origin.NOTE, "presence": Presence.PRESENT, **said}
    evidence = Evidence("DocumentReference/1", concept, day, 0, 1)
    return Entry(concept, day, day, evidence=evidence, **given)


def tracks(*entries: Entry, reasons: tuple[str, ...] = (), **said):
    timeline = Timeline("p", AS_OF, Sex.FEMALE, entries=tuple(sorted(entries, key=lambda e: e.day)))
    estimate = RiskEstimate(
        "p",
        EstimateStatus.SCORED,
        AS_OF,
        365,
        ModelReference("m", "1", "u", "d"),
        0.1,
        reasons=tuple(Reason(c, 1.0, (Evidence("s", c),)) for c in reasons),
    )
    return select_tracks(timeline, estimate, CONCEPTS, **said)


def test_each_kind_has_its_place():
    chosen = tracks(
        entry("dyspnea", 10),
        entry("dyspnea", 40, presence=Presence.ABSENT),
        entry("hypertension", 2000, origin=Origin.STRUCTURED, kind=EventKind.CONDITION),
        entry("furosemide", 30),
        entry("nt_probnp", 20, value=900.0, unit="pg/mL"),
    )
    assert [(track.name, len(track.marks)) for track in chosen.findings] == [("disnea", 2)]
    assert [span.drug for span in chosen.spans] == [False, True]
    assert [(s.unit, s.points[0].value) for s in chosen.series] == [("pg/mL", 900.0)]
    assert chosen.hidden == 0


def test_a_coded_problem_lasts_and_a_told_one_as_long_as_it_is_told():
    coded = tracks(entry("hypertension", 2000, origin=Origin.STRUCTURED, kind=EventKind.CONDITION))
    assert coded.spans[0].bars[0].end == AS_OF and coded.spans[0].bars[0].open
    told = tracks(entry("hypertension", 300), entry("hypertension", 100))
    (bar,) = told.spans[0].bars
    assert (bar.end - bar.start).days == 200


def test_long_silence_breaks_a_bar_and_a_resolved_problem_ends():
    broken = tracks(entry("furosemide", 1000), entry("furosemide", 100))
    assert len(broken.spans[0].bars) == 2
    resolved = tracks(
        entry(
            "anemia",
            400,
            origin=Origin.STRUCTURED,
            kind=EventKind.CONDITION,
            end=AS_OF - timedelta(days=300),
        )
    )
    (bar,) = resolved.spans[0].bars
    assert (bar.end - bar.start).days == 100 and not bar.open


def test_denied_problems_and_old_findings_are_not_drawn():
    chosen = tracks(entry("hypertension", 10, presence=Presence.ABSENT), entry("dyspnea", 5000))
    assert not chosen.spans and not chosen.findings


def test_reasons_come_first_when_room_is_short():
    keys = [c.key for c in CONCEPTS.values() if c.category == "symptom"][: MAX_FINDINGS + 3]
    entries = [entry(key, 10 + i) for key in keys for i in range(3)]
    entries = [e for e in entries if e.concept != keys[-1]] + [entry(keys[-1], 5)]
    chosen = tracks(*entries, reasons=(keys[-1],))
    assert chosen.findings[0].name == CONCEPTS[keys[-1]].name_es
    assert len(chosen.findings) == MAX_FINDINGS and chosen.hidden == 3


def test_one_natriuretic_peptide_beats_many_weights():
    often = [
        entry(key, i, value=80.0)
        for key in ("temperature", "height", "body_weight", "glucose", "total_cholesterol")
        if key in CONCEPTS
        for i in range(9)
    ]
    chosen = tracks(*often, entry("nt_probnp", 3, value=1200.0))
    assert chosen.series[0].name == CONCEPTS["nt_probnp"].name_es
    assert len(chosen.series) <= MAX_SERIES


@pytest.mark.parametrize("empty", [True, False])
def test_the_drawing_is_repeatable_and_can_be_heard(empty):
    given = [] if empty else [entry("dyspnea", 10), entry("lvef", 9, value=38.5, comparator="<")]
    chosen = tracks(*given)
    svg = draw(chosen)
    assert svg == draw(chosen)
    assert svg.startswith("<svg role='img' aria-label='Cronología. ")
    assert "Nada en el periodo" in svg
    if not empty:
        assert "disnea: 1 menciones" in describe(chosen) and "&lt;38,5" in svg
