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
from clinical_nlp.risk.plausibility import Cause
from clinical_nlp.risk.timeline import Doubt, Entry, Origin, Presence, Timeline

AS_OF = date(2026, 3, 31)
CONCEPTS = load_lexicon().concepts


def entry(concept: str, days_ago: int, **fields) -> Entry:
    day = AS_OF - timedelta(days=days_ago)
    values = {"origin": Origin.NOTE, "presence": Presence.PRESENT, **fields}
    evidence = Evidence("DocumentReference/1", concept, day, 0, 1)
    return Entry(concept, day, day, evidence=evidence, **values)


def tracks(
    *entries: Entry, reasons: tuple[str, ...] = (), doubts: tuple[Doubt, ...] = (), **options
):
    ordered = tuple(sorted(entries, key=lambda e: e.day))
    timeline = Timeline("p", AS_OF, Sex.FEMALE, entries=ordered, doubts=doubts)
    estimate = RiskEstimate(
        "p",
        EstimateStatus.SCORED,
        AS_OF,
        365,
        ModelReference("m", "1", "u", "d"),
        0.1,
        reasons=tuple(Reason(c, 1.0, (Evidence("s", c),)) for c in reasons),
    )
    return select_tracks(timeline, estimate, CONCEPTS, **options)


def test_select_tracks_sorts_concepts_by_kind():
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


def test_select_tracks_coded_problem_lasts_and_noted_one_ends_at_last_mention():
    coded = tracks(entry("hypertension", 2000, origin=Origin.STRUCTURED, kind=EventKind.CONDITION))
    assert coded.spans[0].bars[0].end == AS_OF and coded.spans[0].bars[0].open
    noted = tracks(entry("hypertension", 300), entry("hypertension", 100))
    (bar,) = noted.spans[0].bars
    assert (bar.end - bar.start).days == 200


def test_select_tracks_long_gap_splits_bar_and_resolved_problem_ends():
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


def test_select_tracks_denied_problems_and_old_findings_are_left_out():
    chosen = tracks(entry("hypertension", 10, presence=Presence.ABSENT), entry("dyspnea", 5000))
    assert not chosen.spans and not chosen.findings


def test_select_tracks_concepts_of_reasons_have_priority():
    keys = [c.key for c in CONCEPTS.values() if c.category == "symptom"][: MAX_FINDINGS + 3]
    entries = [entry(key, 10 + i) for key in keys for i in range(3)]
    entries = [e for e in entries if e.concept != keys[-1]] + [entry(keys[-1], 5)]
    chosen = tracks(*entries, reasons=(keys[-1],))
    assert chosen.findings[0].name == CONCEPTS[keys[-1]].name_es
    assert len(chosen.findings) == MAX_FINDINGS and chosen.hidden == 3


def test_select_tracks_model_measurements_precede_frequent_ones():
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
def test_draw_is_deterministic_and_has_text_alternative(empty):
    given = [] if empty else [entry("dyspnea", 10), entry("lvef", 9, value=38.5, comparator="<")]
    chosen = tracks(*given)
    svg = draw(chosen)
    assert svg == draw(chosen)
    assert svg.startswith("<svg role='img' aria-label='Cronología. ")
    assert "Nada en el periodo" in svg
    if not empty:
        assert "disnea: 1 menciones" in describe(chosen) and "&lt;38,5" in svg


@pytest.mark.parametrize("others", [2, 0])
def test_doubtful_value_is_drawn_and_is_not_the_last_word(others):
    weights = [entry("body_weight", 200 + i, value=70.0) for i in range(others)]
    doubt = Doubt(entry("body_weight", 9, value=152.0), Cause("change"))
    chosen = tracks(*weights, doubts=(doubt,))
    (series,) = chosen.series
    assert [p.doubtful for p in series.points] == [False] * others + [True]
    told = describe(chosen)
    assert ("el último 70" if others else "el último 152 (dudoso)") in told
    assert draw(chosen) == draw(chosen)
