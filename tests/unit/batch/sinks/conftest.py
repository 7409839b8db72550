"""A small run, made of invented patients."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from clinical_nlp.records import (
    Concept,
    EstimateStatus,
    Evidence,
    Finding,
    ModelReference,
    Note,
    NoteFindings,
    PatientRecord,
    PatientResult,
    Reason,
    RiskEstimate,
    RunContext,
    Sex,
)
from clinical_nlp.risk.bands import load_bands
from clinical_nlp.risk.sentences import uncertainty_es

AS_OF = date(2026, 3, 31)
MODEL = ModelReference("hf-risk", "3", "models:/hf-risk/3", "ab" * 32)


@pytest.fixture
def context() -> RunContext:
    return RunContext(AS_OF, "0.1.0", "cd" * 32, MODEL, worklist_threshold=0.03)


@pytest.fixture
def concepts() -> dict[str, Concept]:
    return {
        "dyspnea": Concept(
            "dyspnea", "symptom", {"es": "disnea"}, {"snomed": "267036007", "icd10": "R06.0"}
        ),
        "edema": Concept("edema", "sign", {"es": "edema"}, {"icd10": "R60.9"}),
        "lvef": Concept(
            "lvef",
            "measurement",
            {"es": "FEVI"},
            {"snomed": "250908004", "loinc": "10230-1"},
            unit="%",
        ),
    }


@pytest.fixture
def make_result():
    """Return a function that makes one patient's result."""

    def make(
        patient_id: str,
        probability: float | None = None,
        *,
        status: EstimateStatus | None = None,
        text: str = "Refiere disnea. No edemas. Madre con disnea. FEVI > 60 %.",
        reasons: tuple[Reason, ...] | None = None,
        abstention: str | None = None,
        findings: tuple[Finding, ...] | None = None,
        interval: tuple[float, float] | None = None,
        **said: object,
    ) -> PatientResult:
        note = Note(
            f"DocumentReference/{patient_id}",
            patient_id,
            text,
            written=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
        )
        if findings is None:
            findings = tuple(_findings(text))
        if status is None:
            status = EstimateStatus.DIAGNOSED if probability is None else EstimateStatus.SCORED
        if reasons is None:
            evidence = Evidence(note.key, "dyspnea", date(2026, 3, 1), 8, 14)
            reasons = (
                Reason("Disnea en 1 nota (la última, 01/03/2026).", 0.9, (evidence,)),
                Reason("Sin edemas.", -0.4),
                Reason("78 años.", 0.6),
            )
        estimate = RiskEstimate(
            patient_id,
            status,
            AS_OF,
            365,
            MODEL,
            probability=probability,
            band=None if probability is None else load_bands().of(probability).key,
            reasons=reasons,
            missing=("No consta NT-proBNP.",),
            abstention=abstention,
            interval=interval,
            interval_level=None if interval is None else 0.95,
            uncertainty=None if probability is None else uncertainty_es(interval, 0.95),
            **said,  # type: ignore[arg-type]
        )
        record = PatientRecord(patient_id, Sex.FEMALE, date(1948, 1, 15), notes=(note,))
        return PatientResult(record, (NoteFindings(note, findings),), estimate)

    return make


@pytest.fixture
def make_suspected(make_result):
    """Return a function that makes the result of a patient suspected in writing on a day."""

    def make(patient_id: str, day: date | None = date(2026, 3, 1), **said: object) -> PatientResult:
        evidence = Evidence(f"DocumentReference/{patient_id}", "heart_failure", day, 8, 14)
        reasons = (
            Reason("Sospecha escrita en 1 nota (01/03/2026).", 0.0, (evidence,)),
            Reason("Ecocardiograma solicitado, sin resultado.", 0.0),
        )
        advice = ("Comprobar si el ecocardiograma se ha hecho.",)
        fields = {"reasons": reasons, "advice": advice, **said}
        return make_result(patient_id, status=EstimateStatus.SUSPECTED, **fields)

    return make


def _findings(text: str) -> list[Finding]:
    def at(words: str, concept: str, start: int = 0, **said: object) -> Finding:
        place = text.index(words, start)
        return Finding(place, place + len(words), words, concept, **said)  # type: ignore[arg-type]

    return [
        at("disnea", "dyspnea"),
        at("edemas", "edema", negated=True),
        at("disnea", "dyspnea", text.index("Madre"), family=True, relation="MTH"),
        at("FEVI > 60 %", "lvef", value=60.0, unit="%", comparator=">", source="measurements"),
    ]
