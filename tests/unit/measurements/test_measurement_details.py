"""Content of a measurement's finding, and invariants of the reader."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language

from clinical_nlp.errors import PipelineError
from clinical_nlp.pipeline.document import get_findings, set_findings
from clinical_nlp.pipeline.measurements import MeasurementFinder
from clinical_nlp.records import Finding

_CONFIG = {"nlp": {"tokenizer": {"@tokenizers": "clinical_nlp.ClinicalTokenizer.v1"}}}

# Written for these tests; each holds phrasings of its own.
_NOTES = (
    "Motivo: revisión. AP: HTA, DM2. EF: TA 14/8, FC 72 lpm, sat 96% basal, Tª 36,4. AP: limpia.",
    "Último análisis: Cr 1,3 (previa 1,1), FG >60, K 4,7, NT-proBNP 1.250 pg/ml, Hb 12,1 g/dl.",
    "Peso 82,5 → 79,8 kg; tensión arterial en domicilio 135/80, 140/85 y 128/76; pulso 64.",
    "Ecocardiografía: FEVI 40-45%, PSAP 42. Furosemida 40 mg. Si sat <90 acudir a urgencias.",
    "Fiebre de 38,5 desde hace 3 días, frecuencia respiratoria de 22 rpm y 104 latidos por minuto.",
)


@pytest.fixture(scope="module")
def finder() -> Language:
    return _pipeline()


def _pipeline() -> Language:
    nlp = spacy.blank("es", config=_CONFIG)
    for name in ("es_sentences", "es_sections", "hf_measurements"):
        nlp.add_pipe(name)
    return nlp


_FINDER = _pipeline()


def _values(text: str) -> list[tuple[str, float | None, str | None]]:
    return [(f.concept, f.value, f.comparator) for f in get_findings(_FINDER(text))]


def test_finding_has_value_unit_bounds_comparator_and_section(finder: Language) -> None:
    doc = finder("EF: FEVI 35-40%, FG >60")
    ejection, filtration = get_findings(doc)
    assert (ejection.text, ejection.value, ejection.low, ejection.high) == ("35-40", 37.5, 35, 40)
    assert (ejection.unit, ejection.section) == ("%", "examination")
    assert (filtration.comparator, filtration.unit) == (">", "mL/min/{1.73_m2}")


def test_finding_text_equals_note_span(finder: Language) -> None:
    text = "\nPeso  79,300\tkg,  Tª 36'5. FEVI 35 -\n40 %"
    for finding in get_findings(finder(text)):
        assert text[finding.start : finding.end] == finding.text


def test_finder_keeps_existing_findings(finder: Language) -> None:
    doc = finder.make_doc("Disnea. FC 80")
    known = Finding(0, 6, "Disnea", "dyspnea")
    set_findings(doc, [known])
    for _, component in finder.pipeline:
        doc = component(doc)
    assert [f.concept for f in get_findings(doc)] == ["dyspnea", "heart_rate"]


_BLANKS = st.lists(st.sampled_from([" ", "  ", "\n", "\t", " \n"]), min_size=40, max_size=40)


@settings(max_examples=60, deadline=None)
@given(note=st.sampled_from(_NOTES), blanks=_BLANKS)
def test_finder_white_space_changes_no_value(note: str, blanks: list[str]) -> None:
    """A wrapped line, doubled blanks and tabs between any two words."""
    words = note.split(" ")
    spaced = "".join(
        word + (blanks[index % len(blanks)] if index + 1 < len(words) else "")
        for index, word in enumerate(words)
    )
    assert _values(spaced) == _values(note)


@settings(max_examples=40, deadline=None)
@given(note=st.sampled_from(_NOTES), data=st.data())
def test_finder_case_accents_and_unicode_form_change_no_value(
    note: str, data: st.DataObject
) -> None:
    """Each letter in either case, with or without its accent, composed or not."""
    change = data.draw(st.lists(st.booleans(), min_size=len(note), max_size=len(note)))
    changed = "".join(c.swapcase() if flip else c for c, flip in zip(note, change, strict=True))
    if data.draw(st.booleans()):
        marks = unicodedata.normalize("NFD", changed)
        changed = "".join(c for c in marks if not unicodedata.combining(c))
    form = data.draw(st.sampled_from(["NFC", "NFD"]))
    assert _values(unicodedata.normalize(form, changed)) == _values(note)


@settings(max_examples=60, deadline=None)
@given(text=st.text(alphabet="TAFCKNast 0123456789.,/-:()%><\n'ª→", max_size=60))
def test_finder_any_text_gives_exact_ordered_spans(text: str) -> None:
    found = get_findings(_FINDER(text))
    assert all(text[f.start : f.end] == f.text and f.text for f in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


def test_finder_broken_rules_raise_e331() -> None:
    with pytest.raises(PipelineError) as caught:
        MeasurementFinder({"concepts": {}})
    assert caught.value.code == "E331"


def test_finder_rules_round_trip_through_bytes(finder: Language) -> None:
    component = finder.get_pipe("hf_measurements")
    assert isinstance(component, MeasurementFinder)
    data = component.to_bytes()
    fresh = MeasurementFinder(component.rules).from_bytes(data)
    assert fresh.to_bytes() == data
    with pytest.raises(PipelineError, match="E330"):
        component.from_bytes(b"no json")
