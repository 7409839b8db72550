"""The four states in the views of a batch, written by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from clinical_nlp.batch.sinks import EstimatesTable
from clinical_nlp.records import (
    EstimateStatus,
    Evidence,
    ModelReference,
    PatientRecord,
    PatientResult,
    Reason,
    RiskEstimate,
    RunContext,
    Sex,
)
from clinical_nlp.review import BatchOutput, open_batch, show_not_scored, show_states, show_worklist

DAY = date(2026, 3, 31)
MODEL = ModelReference("hf-risk", "3", "models:/hf-risk/3", "ab" * 32)
EARLIER_COLUMNS = ["usual", "frequency", "advice"]


def result(patient: str, status: EstimateStatus, **said: object) -> PatientResult:
    estimate = RiskEstimate(patient, status, DAY, 365, MODEL, **said)  # type: ignore[arg-type]
    return PatientResult(PatientRecord(patient, Sex.FEMALE, date(1948, 1, 15)), (), estimate)


def suspected(patient: str, day: date) -> PatientResult:
    reasons = (
        Reason(f"La sospecha <una> nota de {day}", 0.0, (Evidence("N", "hf", day, 0, 1),)),
        Reason("Ecocardiograma solicitado, sin resultado", 0.0),
    )
    advice = ("Comprobar si el ecocardiograma se ha hecho.",)
    return result(patient, EstimateStatus.SUSPECTED, reasons=reasons, advice=advice)


def scored(patient: str, probability: float) -> PatientResult:
    return result(
        patient,
        EstimateStatus.SCORED,
        probability=probability,
        band="markedly_raised" if probability >= 0.1 else "low",
        usual=0.021,
        frequency="De cada 100 personas así, 20; lo habitual: 2.",
        reasons=(Reason("Disnea en 1 nota", 0.9), Reason("Sin edemas", -0.4)),
        advice=("Valorar NT-proBNP.",),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    context = RunContext(DAY, "0.1.0", "cd" * 32, MODEL, worklist_threshold=0.03)
    sink = EstimatesTable(tmp_path / "estimates.parquet", context)
    for one in (
        scored("risk", 0.2),
        suspected("old", date(2025, 5, 1)),
        result("known", EstimateStatus.DIAGNOSED),
        scored("low", 0.01),
        suspected("new", date(2026, 3, 1)),
        result("young", EstimateStatus.ABSTAINED, abstention="Menor de 40 años."),
    ):
        sink.write(one)
    sink.close()
    return tmp_path


@pytest.fixture
def batch(folder: Path) -> BatchOutput:
    return open_batch(folder)


def test_patients_are_suspected_first_then_by_risk(batch):
    assert batch.patients["patient_id"].tolist() == ["new", "old", "risk", "low", "known", "young"]
    assert batch.patients["on_worklist"].tolist() == [True, True, True, False, False, False]


def test_worklist_has_state_to_filter_by_and_no_number_of_a_suspicion(batch):
    table = batch.worklist()
    assert table["Paciente"].tolist() == ["new", "old", "risk"]
    first = table.query("Estado == 'sospecha escrita'")
    assert first["Paciente"].tolist() == ["new", "old"]
    assert first["Riesgo a 12 meses"].isna().all() and first["Lo habitual"].isna().all()
    assert set(first["Intervalo"]) | set(first["Banda"]) | set(first["En frecuencias"]) == {""}
    assert first["Motivos principales"].iloc[0] == [
        "La sospecha <una> nota de 2026-03-01",
        "Ecocardiograma solicitado, sin resultado",
    ]
    (risk,) = table.query("Estado == 'riesgo estimado'").to_dict("records")
    assert (risk["Riesgo a 12 meses"], risk["Lo habitual"]) == (0.2, 0.021)
    assert (risk["Motivos principales"], risk["Qué valorar"]) == (
        ["Disnea en 1 nota"],
        ["Valorar NT-proBNP."],
    )


def test_show_worklist_lists_suspicions_apart_and_before_any_probability(batch):
    body = str(show_worklist(batch)).split("</style>")[1]
    first, second = body.split("En riesgo")
    assert "Sospecha escrita, sin prueba concluyente" in first and "2 de 2 pacientes" in first
    assert "%" not in first and "La sospecha &lt;una&gt; nota" in first
    assert "Comprobar si el ecocardiograma" in first
    assert "20,0\u00a0%" in second and "habitual: 2,1\u00a0%" in second
    assert "→ Valorar NT-proBNP." in second and "De cada 100 personas" in second
    assert "1 de 2 pacientes" in str(show_worklist(batch, limit=1))


def test_show_worklist_without_advice_says_what_is_missing_of_a_suspicion(tmp_path):
    context = RunContext(DAY, "0.1.0", "cd" * 32, MODEL, worklist_threshold=0.03)
    sink = EstimatesTable(tmp_path / "estimates.parquet", context)
    sink.write(result("a", EstimateStatus.SUSPECTED, missing=("falta NT-proBNP",)))
    sink.close()
    assert "<li>falta NT-proBNP</li>" in str(show_worklist(open_batch(tmp_path)))


def test_show_worklist_without_anyone_at_risk_says_so(tmp_path):
    context = RunContext(DAY, "0.1.0", "cd" * 32, MODEL, worklist_threshold=0.03)
    sink = EstimatesTable(tmp_path / "estimates.parquet", context)
    sink.write(suspected("a", DAY))
    sink.close()
    shown = str(show_worklist(open_batch(tmp_path)))
    assert "Ningún paciente alcanza el umbral" in shown and "sin prueba concluyente" in shown


def test_states_count_every_patient_once(batch):
    table = batch.states()
    assert table["Estado"].tolist() == [
        "sospecha escrita",
        "riesgo estimado",
        "ya diagnosticada",
        "sin estimación",
    ]
    assert table["Pacientes"].tolist() == [2, 2, 1, 1]
    assert table["En la lista"].tolist() == [2, 1, 0, 0]
    shown = str(show_states(batch))
    assert all(meaning in shown for meaning in table["Qué quiere decir"])


def test_not_scored_tells_suspected_known_and_abstained_apart(batch):
    table = batch.not_scored()
    found = dict(zip(table["Estado"], table["Identificadores"], strict=True))
    assert found == {
        "sospecha escrita": ["new", "old"],
        "ya diagnosticada": ["known"],
        "sin estimación": ["young"],
    }
    assert "Menor de 40 años." in str(show_not_scored(batch))


def test_batch_of_earlier_version_is_read_without_advice(folder):
    path = folder / "estimates.parquet"
    table = pq.read_table(path)
    pq.write_table(table.drop(EARLIER_COLUMNS), path)
    earlier = open_batch(folder)
    assert earlier.estimate("risk").advice == ()
    shown = str(show_worklist(earlier))
    assert "20,0\u00a0%" in shown and "habitual:" not in shown
