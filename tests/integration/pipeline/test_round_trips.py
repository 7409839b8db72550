"""A saved, loaded, multiplied or stored pipeline finds the same. Three peers fail this."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin

TEXTS = (
    "AP: HTA, FA anticoagulada, EPOC. AF: padre IAM.\nTTO: furosemida 40, bisoprolol 2,5.\n"
    "Refiere disnea de esfuerzo y ortopnea. No edemas ni dolor torácico. TA 13/8, FC80.",
    "Niega disnea. Se descarta IC. ¿Derrame pleural? Si aumenta la disnea acudir a urgencias.",
    "NT-proBNP 3.450 pg/ml, FEVI 35-40%, FG >60. MMII: edemas con fóvea. 😀 IY no.",
    "",
    "Sin nada que reseñar.",
)


@pytest.fixture(scope="module")
def expected(nlp: Language) -> list[object]:
    found = [nlp(text)._.findings for text in TEXTS]
    assert sum(map(len, found)) > 12, "the texts must exercise the pipeline"
    assert any(f.negated for fs in found for f in fs)
    assert any(f.family for fs in found for f in fs)
    assert any(f.value for fs in found for f in fs)
    return found


def test_pipeline_round_trips_through_to_disk(
    nlp: Language, expected: list[object], tmp_path: Path
) -> None:
    nlp.to_disk(tmp_path / "saved")
    again = spacy.load(tmp_path / "saved")
    assert [again(text)._.findings for text in TEXTS] == expected


def test_pipeline_round_trips_through_to_bytes(nlp: Language, expected: list[object]) -> None:
    again = spacy.blank("es").from_config(nlp.config).from_bytes(nlp.to_bytes())
    assert [again(text)._.findings for text in TEXTS] == expected


def test_pipe_with_two_processes_gives_same_findings(nlp: Language, expected: list[object]) -> None:
    docs = nlp.pipe(TEXTS, n_process=2, batch_size=2)
    assert [doc._.findings for doc in docs] == expected


def test_doc_bin_keeps_findings(nlp: Language, expected: list[object]) -> None:
    stored = DocBin(docs=list(nlp.pipe(TEXTS)), store_user_data=True).to_bytes()
    restored = DocBin(store_user_data=True).from_bytes(stored).get_docs(nlp.vocab)
    assert [doc._.findings for doc in restored] == expected


def test_doc_to_bytes_keeps_findings_and_sections(nlp: Language) -> None:
    doc = nlp(TEXTS[0])
    again = Doc(nlp.vocab).from_bytes(doc.to_bytes())
    assert again._.findings == doc._.findings
    assert [(s.start, s.end, s.label_) for s in again.spans["sections"]] == [
        (s.start, s.end, s.label_) for s in doc.spans["sections"]
    ]


def test_saved_pipeline_loads_in_fresh_process_without_our_import(
    nlp: Language, expected: list[object], tmp_path: Path
) -> None:
    """``spacy.load`` alone finds the factories, by their entry points."""
    nlp.to_disk(tmp_path / "saved")
    code = (
        "import spacy, sys\n"
        f"nlp = spacy.load({str(tmp_path / 'saved')!r})\n"
        f"print(len(nlp({TEXTS[0]!r})._.findings))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == len(expected[0])  # type: ignore[arg-type]


def test_pipeline_never_changes_the_text(nlp: Language) -> None:
    text = "  Disnea\r\n\r\n\tde  esfuerzo e\u0301 ﬁbrilación 👩‍⚕️ \u200b TA 13/8 \x00 "
    assert nlp(text).text == text
