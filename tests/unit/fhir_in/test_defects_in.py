import re
from pathlib import Path

import pytest

from fhir_adapters.reading.defects import Defect, Outcome, Unusable, markdown_table

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "input.md"


def test_defect_codes_are_unique():
    assert len({defect.code for defect in Defect}) == len(Defect)


@pytest.mark.parametrize("defect", Defect)
def test_defect_sentence_ends_in_remedy(defect):
    assert re.fullmatch(r"E2[0-489]\d", defect.code)
    assert defect.sentence.endswith(".")
    assert ":" in defect.sentence  # what happened: what to do


def test_documentation_lists_every_defect():
    assert PAGE.read_text("utf-8").endswith(markdown_table() + "\n"), (
        "docs/reference/input.md is out of date: replace its table by the output of"
        " python -m fhir_adapters.reading.defects"
    )


def test_fatal_defect_stops_and_names_path():
    with pytest.raises(Exception, match=r"E200 The export 'x' does not exist: give"):
        Defect.NO_FOLDER.stop(path="x")
    assert {d.code for d in Defect if d.outcome is Outcome.FATAL} == {
        "E200",
        "E201",
        "E202",
        "E222",
    }


def test_unusable_message_holds_no_details():
    assert "CANARIO" not in str(Unusable(Defect.BAD_DATE, field="CANARIO"))
