"""Features, reasons, suspicion and advice take the same value of several."""

from __future__ import annotations

from datetime import date

from clinical_nlp.risk.feature_table import load_features
from clinical_nlp.risk.features import measured
from clinical_nlp.risk.latest import latest
from clinical_nlp.risk.suspicion import find_suspicion

DAY, WRITTEN = date(2024, 6, 30), date(2024, 6, 1)


def peptide(value):
    return (str(value), "nt_probnp", {"value": float(value), "unit": "pg/mL"})


def test_newer_value_stands_before_the_older_in_a_note(timeline, note):
    text = "Probable insuficiencia cardíaca. NT-proBNP 900 (previo 120)."
    suspected = ("insuficiencia cardíaca", "heart_failure", {"uncertain": True})
    line = timeline(DAY, [note(WRITTEN, text, suspected, peptide(900), peptide(120))])
    table = load_features()
    (topic,) = [t for t in table.topics if "nt_probnp" in t.concepts]
    values = line.of(topic.concepts)
    suspicion = find_suspicion(line)
    assert suspicion is not None and suspicion.peptide is not None
    assert suspicion.peptide.entry.value == 900.0
    assert measured(topic, values, line, table)[-1].value == 900.0
    newest = latest(values)
    assert newest is not None and newest.value == 900.0
