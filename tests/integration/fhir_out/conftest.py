"""Invented patients whose notes hold every kind of finding."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from clinical_nlp.records import (
    CodedEvent,
    Coding,
    Concept,
    EstimateStatus,
    EventKind,
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
)
from clinical_nlp.risk.bands import Bands, band_of, load_bands
from clinical_nlp.risk.sentences import uncertainty_es
from fhir_adapters.writing import FhirSink

AS_OF = date(2025, 1, 31)
MODEL = ModelReference("hf-risk", "3", "models:/hf-risk/3", "ab" * 32)
VERIFIED = {name: "verified" for name in ("snomed", "icd10", "loinc", "atc", "icpc2")}
CONCEPTS = {
    c.key: c
    for c in (
        Concept(
            "dyspnea_on_exertion",
            "symptom",
            {"es": "disnea de esfuerzo", "en": "Dyspnea on exertion", "ca": "dispnea d'esforç"},
            {"snomed": "60845006", "icd10": "R06.09", "icpc2": "R02"},
            VERIFIED,
        ),
        Concept("crackles", "sign", {"es": "crepitantes"}, {"snomed": "48409008"}, VERIFIED),
        Concept(
            "hypertension",
            "risk_factor",
            {"es": "hipertensión arterial"},
            {"snomed": "38341003", "icd10": "I10"},
            VERIFIED,
        ),
        Concept(
            "lvef",
            "measurement",
            {"es": "fracción de eyección"},
            {"loinc": "10230-1", "snomed": "250908004"},
            VERIFIED,
            "%",
        ),
        Concept(
            "heart_rate",
            "measurement",
            {"es": "frecuencia cardíaca"},
            {"loinc": "8867-4"},
            VERIFIED,
            "/min",
        ),
        Concept(
            "waist_circumference",
            "measurement",
            {"es": "perímetro abdominal"},
            {"loinc": "8280-0"},
            {"loinc": "recalled"},
            "cm",
        ),
        Concept(
            "nt_probnp",
            "measurement",
            {"es": "NT-proBNP"},
            {"loinc": "33762-6", "icd10": "R79.89"},
            VERIFIED,
            "pg/mL",
        ),
        Concept("furosemide", "drug", {"es": "furosemida"}, {"atc": "C03CA01"}, VERIFIED),
        Concept("crt_device", "device_procedure", {"es": "resincronizador"}),
        Concept("lbbb", "test_finding", {"es": "BRI"}, {"snomed": "63467002"}, VERIFIED),
        Concept(
            "current_smoker",
            "lifestyle",
            {"es": "fumador"},
            {"snomed": "77176002", "loinc": "72166-2"},
            VERIFIED,
        ),
        Concept(
            "heart_failure",
            "hf_diagnosis",
            {"es": "insuficiencia cardíaca"},
            {"snomed": "84114007", "icd10": "I50.9"},
            VERIFIED,
        ),
    )
}
CARD = "---\nlanguage: es\n---\n\n# hf-risk\n\nNo es para uso clínico.\n"
FLAG_SETS = list(product((False, True), repeat=5))


def make_context() -> RunContext:
    return RunContext(AS_OF, "0.1.0", "cd" * 32, MODEL, worklist_threshold=0.03)


def find(note: Note, words: str, concept: str, **more: Any) -> Finding:
    """A finding at the first occurrence of the words in the note."""
    start = note.text.index(words)
    return Finding(start, start + len(words), words, concept, **more)


def estimate_of(patient: str, probability: float | None, **more: Any) -> RiskEstimate:
    status = EstimateStatus.SCORED if probability is not None else EstimateStatus.ABSTAINED
    band = None if probability is None else band_of(probability).key
    return RiskEstimate(
        patient, more.pop("status", status), AS_OF, 365, MODEL, probability, band, **more
    )


def scored() -> PatientResult:
    """High risk; emoji before the findings, the same finding twice, every kind of value."""
    text = (
        "😮‍💨 Se ahoga al subir; se ahoga al subir cuestas. FC 88. FE 35-40%. NT-proBNP >1.250. "
        "Sin crepitantes. Furosemida 40. Su padre, HTA. Si crepitantes, acudir. FE previa 55%."
    )
    note = Note(
        "DocumentReference/n-1",
        "p1",
        text,
        datetime(2025, 1, 20, 9, 30, tzinfo=timezone(timedelta(hours=1))),
    )
    second = text.index("se ahoga al subir cuestas")
    findings = (
        find(note, "Se ahoga al subir", "dyspnea_on_exertion"),
        Finding(second, second + 17, text[second : second + 17], "dyspnea_on_exertion"),
        find(note, "88", "heart_rate", value=88.0, unit="/min"),
        find(note, "35-40", "lvef", value=37.5, unit="%", low=35.0, high=40.0),
        find(note, "1.250", "nt_probnp", value=1250.0, unit="pg/mL", comparator=">"),
        find(note, "crepitantes", "crackles", negated=True),
        find(note, "Furosemida", "furosemide"),
        find(note, "HTA", "hypertension", family=True, relation="FTH"),
        find(note, "Si crepitantes", "crackles", hypothetical=True),
        find(note, "55", "lvef", value=55.0, unit="%", historical=True),
    )
    undated = Note("DocumentReference/n-1", "p1", "¿BRI? Fumador.", None, part=1)
    composition = Note("Composition/c-1", "p1", "HTA. Perímetro 104.", datetime(2024, 5, 2))
    event = CodedEvent(
        EventKind.OBSERVATION,
        "Observation/o-9",
        (Coding("http://loinc.org", "33762-6"),),
        start=date(2025, 1, 10),
        value=1180.0,
        unit="pg/mL",
    )
    reasons = (
        Reason(
            "Disnea de esfuerzo en 1 nota (20-01-2025).",
            0.9,
            (
                Evidence(
                    note.key, "dyspnea_on_exertion", AS_OF, findings[1].start, findings[1].end
                ),
                Evidence("Observation/o-9", "nt_probnp", AS_OF),
            ),
        ),
        Reason(
            "Sin crepitantes", -0.2, (Evidence(note.key, "crackles", AS_OF, *_span(findings[5])),)
        ),
        Reason("Edad de 71 años", 0.0),
    )
    record = PatientRecord("p1", notes=(note, undated, composition), events=(event,))
    return PatientResult(
        record,
        (
            NoteFindings(note, findings),
            NoteFindings(
                undated,
                (
                    find(undated, "BRI", "lbbb", uncertain=True),
                    find(undated, "Fumador", "current_smoker"),
                ),
            ),
            NoteFindings(
                composition,
                (
                    find(composition, "HTA", "hypertension"),
                    find(composition, "104", "waist_circumference", value=104.0, unit="cm"),
                ),
            ),
        ),
        estimate_of(
            "p1",
            0.153,
            reasons=reasons,
            missing=("Falta un NT-proBNP de este año.", "Falta el IMC"),
            advice=("NT-proBNP elevado: valorar ecocardiograma.",),
            usual=0.021,
            frequency="De cada 100 personas así, 15; lo habitual a su edad y sexo: 2.",
            interval=(0.1102, 0.2134),
            interval_level=0.95,
            uncertainty=uncertainty_es((0.1102, 0.2134), 0.95),
        ),
    )


def _span(finding: Finding) -> tuple[int, int]:
    return finding.start, finding.end


def diagnosed() -> PatientResult:
    note = Note("DocumentReference/n-2", "p2", "IC conocida.", datetime(2024, 2, 1, tzinfo=UTC))
    found = find(note, "IC", "heart_failure")
    reason = Reason(
        "Insuficiencia cardíaca en una nota y en la lista de problemas",
        0.0,
        (
            Evidence(note.key, "heart_failure", AS_OF, *_span(found)),
            Evidence("Condition/c-1", "heart_failure", AS_OF),
        ),
    )
    estimate = estimate_of("p2", None, status=EstimateStatus.DIAGNOSED, reasons=(reason,))
    return PatientResult(
        PatientRecord("p2", notes=(note,)), (NoteFindings(note, (found,)),), estimate
    )


def suspected() -> PatientResult:
    """A suspicion in a note; the echocardiogram was asked for and has no answer."""
    text = "Posible IC, pido eco."
    note = Note("DocumentReference/n-6", "p6", text, datetime(2025, 1, 20, tzinfo=UTC))
    found = find(note, "IC", "heart_failure", uncertain=True)
    reasons = (
        Reason(
            "La sospecha una nota del 20/01/2025.",
            0.0,
            (Evidence(note.key, "heart_failure", AS_OF, *_span(found)),),
        ),
        Reason("Ecocardiograma solicitado, sin resultado", 0.0),
    )
    estimate = estimate_of(
        "p6",
        None,
        status=EstimateStatus.SUSPECTED,
        reasons=reasons,
        advice=("Comprobar si el ecocardiograma se ha hecho", "Valorar NT-proBNP."),
    )
    return PatientResult(
        PatientRecord("p6", notes=(note,)), (NoteFindings(note, (found,)),), estimate
    )


def abstained() -> PatientResult:
    return PatientResult(
        PatientRecord("p3"), (), estimate_of("p3", None, abstention="No consta la edad.")
    )


def every_flag() -> PatientResult:
    """Every combination of flags, of every category, with and without a number."""
    text = "x" * (len(FLAG_SETS) * len(CONCEPTS) * 2)
    note = Note("DiagnosticReport/d.1", "p4", text, datetime(1880, 3, 1, 8, 0, 0, 5, tzinfo=UTC))
    every = product(CONCEPTS.values(), FLAG_SETS, (None, 7.25))
    findings = tuple(
        Finding(i, i + 1, "x", c.key, *flags, value=v, unit=None if v is None else c.unit)
        for i, (c, flags, v) in enumerate(every)
    )
    return PatientResult(
        PatientRecord("p4", notes=(note,)),
        (NoteFindings(note, findings),),
        estimate_of("p4", 0.0299),
    )


def odd_names() -> PatientResult:
    """Ids that R4 forbids, a concept outside the catalogue, an unknown relative."""
    note = Note("DocumentReference/n_5", "p_5", "Prima con HTA, gota. 🫀", None)
    found = (
        find(note, "HTA", "hypertension", family=True, relation="NOBODY"),
        find(note, "gota", "not_in_the_catalogue"),
    )
    return PatientResult(
        PatientRecord("p_5", notes=(note,)),
        (NoteFindings(note, found),),
        replace(estimate_of("p_5", 0.03), horizon_days=90),
    )


def rich_results() -> list[PatientResult]:
    return [scored(), diagnosed(), abstained(), every_flag(), odd_names(), suspected()]


def new_sink(
    folder: Path,
    bands: Bands | None = None,
    concepts: Mapping[str, Concept] = CONCEPTS,
    **more: Any,
) -> FhirSink:
    more = {"card": CARD, **more}
    return FhirSink(folder, make_context(), concepts, bands or load_bands(), **more)


def write_all(folder: Path, results: list[PatientResult], **more: Any) -> dict[str, int]:
    sink = new_sink(folder, **more)
    for result in results:
        sink.write(result)
    return dict(sink.close())


def read_all(folder: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(folder.glob("*.ndjson")):
        for line in file.read_text("utf-8").splitlines():
            yield json.loads(line)


class Written:
    """What was written, to look things up in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.resources = list(read_all(folder))

    def of(self, kind: str, patient: str | None = None) -> list[dict[str, Any]]:
        return [
            r
            for r in self.resources
            if r["resourceType"] == kind
            and (patient is None or f'"Patient/{patient}"' in json.dumps(r))
        ]


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The rich results, written and read back; every resource checked on the way."""
    folder = tmp_path_factory.mktemp("out") / "fhir"
    write_all(folder, rich_results(), check_every=True)
    return Written(folder)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Written]:
    """Write some results to a folder of one's own."""

    def to(name: str, results: list[PatientResult], **more: Any) -> Written:
        write_all(tmp_path / name, results, **more)
        return Written(tmp_path / name)

    return to


@pytest.fixture
def results() -> list[PatientResult]:
    return rich_results()


@pytest.fixture(scope="session")
def make_sink() -> Callable[..., FhirSink]:
    return new_sink


@pytest.fixture(scope="session", name="read")
def reader() -> Callable[[Path], list[dict[str, Any]]]:
    return lambda folder: list(read_all(folder))


@pytest.fixture(scope="session", name="estimate_of")
def estimate_maker() -> Callable[..., RiskEstimate]:
    return estimate_of
