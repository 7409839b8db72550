from __future__ import annotations

import csv
from pathlib import Path

import pytest

from clinical_nlp.errors import PipelineError
from clinical_nlp.lexicon import Lexicon, load_lexicon

DYSPNEA = '[dyspnea]\ndisplay = { es = "disnea" }\n'


def test_lexicon_loads_concepts_and_terms() -> None:
    lexicon = Lexicon(
        {
            "concepts/symptom.toml": DYSPNEA
            + 'es = ["disnea", { text = "eupneico", negated = true }]\neu = ["disnea"]\n',
            "decoys.toml": 'es = ["edema macular"]\n',
        }
    )
    assert lexicon.concepts["dyspnea"].category == "symptom"
    assert [(t.language, t.text, t.negated) for t in lexicon.terms] == [
        ("es", "disnea", False),
        ("es", "eupneico", True),
        ("eu", "disnea", False),
        ("es", "edema macular", False),
    ]
    assert lexicon.terms[-1].concept == ""


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        ({"concepts/a.toml": "[dyspnea\n"}, "E310"),
        ({"concepts/a.toml": "[dyspnea]\n"}, "E311"),
        ({"concepts/a.toml": DYSPNEA + 'colour = "blue"\n'}, "E311"),
        ({"concepts/a.toml": DYSPNEA + "es = [3]\n"}, "E312"),
        ({"concepts/a.toml": DYSPNEA + 'es = [{ text = "x", gates = "y" }]\n'}, "E312"),
        ({"concepts/a.toml": DYSPNEA, "concepts/b.toml": DYSPNEA}, "E313"),
    ],
)
def test_lexicon_broken_file_raises_its_code(texts: dict[str, str], code: str) -> None:
    with pytest.raises(PipelineError) as caught:
        Lexicon(texts)
    assert caught.value.code == code


def test_fingerprint_changes_with_the_content() -> None:
    one = Lexicon({"concepts/a.toml": DYSPNEA})
    same = Lexicon({"concepts/a.toml": DYSPNEA})
    other = Lexicon({"concepts/a.toml": DYSPNEA + 'es = ["disnea"]\n'})
    assert one.fingerprint == same.fingerprint != other.fingerprint


def test_shipped_lexicon_is_complete() -> None:
    lexicon = load_lexicon()
    assert len(lexicon.concepts) == 233
    named = {term.concept for term in lexicon.terms}
    for key, concept in lexicon.concepts.items():
        assert concept.display["en"] and concept.display["es"], key
        # measurements are the measurement component's, found with their values
        assert (key in named) == (concept.category != "measurement"), key
        assert set(concept.code_status) <= {"none", *concept.codes} or concept.code_status, key


def test_shipped_codes_equal_the_catalogue(shared: Path) -> None:
    lexicon = load_lexicon()
    with (shared / "data" / "hf_catalogue.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            concept = lexicon.concepts[row["concept_key"]]
            assert concept.category == row["category"]
            assert concept.unit == (row["ucum_unit"] or None)
            for system in ("snomed", "icd10", "loinc", "atc", "icpc2"):
                assert concept.codes.get(system, "") == row[system]
