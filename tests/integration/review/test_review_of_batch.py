"""A clinician opens what a real batch wrote."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from clinical_nlp.errors import InputError
from clinical_nlp.lexicon import load_lexicon
from clinical_nlp.records import EstimateStatus
from clinical_nlp.review import (
    BatchOutput,
    open_batch,
    open_patient,
    show_not_scored,
    show_notes,
    show_reasons,
    show_timeline,
    show_worklist,
)
from fhir_adapters.reading import BulkExport


@pytest.fixture(scope="module")
def batch(demo_batch: Path) -> BatchOutput:
    return open_batch(demo_batch / "out")


def test_open_batch_holds_all_patients_and_work_list(batch, demo_batch):
    run = json.loads((demo_batch / "out" / "run.json").read_text())
    assert len(batch.patients) == run["patients"]["seen"]
    assert batch.patients["findings"].sum() == run["findings"]["seen"]
    assert batch.as_of.isoformat() == run["as_of"]
    with (demo_batch / "out" / "worklist.csv").open(encoding="utf-8-sig", newline="") as file:
        listed = [row["patient_id"] for row in csv.DictReader(file)]
    assert listed, "the demonstration must have someone to look at"
    assert batch.worklist()["Paciente"].tolist() == listed
    assert batch.worklist(1).index.tolist() == [1]
    assert all(patient in str(show_worklist(batch)) for patient in listed[:20])


def test_worklist_every_estimate_has_interval(batch):
    table = batch.worklist().query("Estado == 'riesgo estimado'")
    assert table["Intervalo"].str.fullmatch(r"entre .+ % y .+ %").all()
    listed = str(show_worklist(batch))
    for row in table.head(20).itertuples():
        estimate = batch.estimate(row.Paciente)
        low, high = estimate.interval
        assert low <= estimate.probability <= high and estimate.interval_level == 0.95
        assert row.Intervalo in listed and row.Intervalo in estimate.uncertainty
        assert row.Intervalo in str(show_reasons(estimate, {}))


def test_not_scored_lists_reason_of_every_unscored_patient(batch):
    table, page = batch.not_scored(), str(show_not_scored(batch))
    unscored = batch.patients[batch.patients["status"] != "scored"]
    assert table["Pacientes"].sum() == len(unscored) > 0
    assert sorted(i for ids in table["Identificadores"] for i in ids) == sorted(unscored.patient_id)
    assert all(reason in page for reason in table["Motivo"])
    assert set(unscored["abstention"].dropna()) <= set(table["Motivo"])


def test_open_patient_reasons_link_to_marked_words(batch, demo_batch):
    """Every reason of the first patient at risk leads to words marked on a note of theirs."""
    patient = batch.patients.query("status == 'scored'")["patient_id"].iloc[0]
    review = open_patient(batch, BulkExport(demo_batch / "export"), patient)
    concepts = load_lexicon().concepts
    assert review.record.id == patient and not review.changed
    assert review.estimate.status is EstimateStatus.SCORED and review.estimate.reasons
    assert sum(len(n.findings) for n in review.notes) == len(batch.findings(patient))
    for noted in review.notes:
        for finding in noted.findings:
            assert noted.note.text[finding.start : finding.end] == finding.text
    notes = str(show_notes(review.notes, concepts, review.changed))
    links = re.findall("href='#([^']+)'", str(show_reasons(review.estimate, concepts)))
    assert links and all(f"id='{link}'" in notes for link in links)
    drawing = str(show_timeline(review, concepts))
    assert "<svg role='img'" in drawing and "Cronología." in drawing


def test_on_notes_changed_text_has_no_findings(batch, demo_batch):
    patient = batch.patients["patient_id"].iloc[0]
    review = open_patient(batch, BulkExport(demo_batch / "export"), patient)
    found = next(n for n in review.notes if n.findings)
    edited = replace(found.note, text=f" {found.note.text}")
    others = [n.note for n in review.notes if n.note.key != found.note.key]
    on_notes, changed = batch.on_notes(patient, [edited, *others])
    assert on_notes[0].findings == ()
    assert [(c.key, c.findings) for c in changed] == [(found.note.key, len(found.findings))]
    # A note that the export no longer holds has changed, too.
    assert batch.on_notes(patient, others)[1] == changed


def test_open_batch_unreadable_input_raises_coded_error(batch, demo_batch, tmp_path):
    with pytest.raises(InputError, match=r"E251.*--out"):
        open_batch(tmp_path)
    (tmp_path / "estimates.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(InputError, match="E251"):
        open_batch(tmp_path)
    with pytest.raises(InputError, match="E252"):
        batch.estimate("nobody")
    patient = batch.patients["patient_id"].iloc[0]
    (tmp_path / "Patient.ndjson").write_text('{"resourceType":"Patient","id":"other"}\n')
    with pytest.raises(InputError, match="E253"):
        open_patient(batch, BulkExport(tmp_path), patient)
