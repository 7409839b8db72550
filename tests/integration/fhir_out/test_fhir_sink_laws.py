"""Laws that hold for any result."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinical_nlp.records import Finding, Note, NoteFindings, PatientRecord, PatientResult
from fhir_adapters.writing import FhirSink

FINDINGS = st.builds(
    Finding,
    start=st.integers(0, 40),
    end=st.integers(41, 60),
    text=st.just("x"),
    concept=st.sampled_from(["crackles", "lvef", "furosemide", "heart_failure", "unheard_of"]),
    negated=st.booleans(),
    uncertain=st.booleans(),
    historical=st.booleans(),
    family=st.booleans(),
    hypothetical=st.booleans(),
    value=st.none() | st.floats(),
    unit=st.none() | st.just("%"),
    low=st.none() | st.floats(0, 10),
    high=st.none() | st.floats(0, 10),
    comparator=st.none() | st.sampled_from(["<", "<=", ">=", ">"]),
    relation=st.none() | st.sampled_from(["FTH", "MTH", "SIS", "OTHER"]),
)
NOTES = st.lists(
    st.tuples(
        st.sampled_from(["DocumentReference", "Composition"]), st.lists(FINDINGS, max_size=6)
    ),
    max_size=3,
)


def patient(estimate_of: Callable[..., Any], notes: list[Any], risk: float | None) -> PatientResult:
    made = tuple(
        NoteFindings(
            Note(f"{kind}/{i}", "p", "x" * 60, datetime(2024, 1, 1, tzinfo=UTC) if i else None),
            tuple(findings),
        )
        for i, (kind, findings) in enumerate(notes)
    )
    record = PatientRecord("p", notes=tuple(n.note for n in made))
    return PatientResult(record, made, estimate_of("p", risk))


@given(notes=NOTES, risk=st.none() | st.floats(0, 1))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_sink_any_result_is_valid_unique_and_reproducible(
    make_sink: Callable[..., FhirSink],
    read: Callable[[Path], list[dict[str, Any]]],
    estimate_of: Callable[..., Any],
    notes: list[Any],
    risk: float | None,
) -> None:
    result = patient(estimate_of, notes, risk)
    with tempfile.TemporaryDirectory() as place:
        runs = []
        for name in ("a", "b"):
            sink = make_sink(Path(place) / name, check_every=name == "a")
            sink.write(result)
            sink.close()
            runs.append({f.name: f.read_bytes() for f in (Path(place) / name).iterdir()})
        resources = read(Path(place) / "a")
    assert runs[0] == runs[1]
    names = [f"{r['resourceType']}/{r['id']}" for r in resources]
    assert len(set(names)) == len(names)
    targets = [t["reference"] for r in resources for t in r.get("target", [])]
    assert set(targets) <= set(names)
