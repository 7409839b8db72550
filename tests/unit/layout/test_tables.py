"""Tables of plain text: cells, headers, roles and dates of columns."""

from __future__ import annotations

import pytest
from spacy.language import Language

from clinical_nlp.pipeline.document_layout import Table


def table_of(nlp: Language, text: str) -> tuple[Table, list[list[str]]]:
    doc = nlp.get_pipe("es_layout")(nlp.make_doc(text))
    (table,) = doc._.layout.tables
    return table, [[text[c[0] : c[1]] if c else "" for c in row] for row in table.rows]


@pytest.mark.parametrize(
    "text",
    [
        "Prueba | Valor | Unidad | Referencia\nK | 5,9 | mmol/L | 3,5-5,1",
        "| Prueba | Valor | Unidad | Referencia |\n|---|---|\n| K | 5,9 | mmol/L | 3,5-5,1 |",
        "Prueba\tValor\tUnidad\tReferencia\nK\t5,9\tmmol/L\t3,5-5,1",
        "Prueba     Valor   Unidad   Referencia\nK          5,9     mmol/L   3,5-5,1",
    ],
)
def test_table_of_results_has_the_roles_of_its_columns(nlp: Language, text: str) -> None:
    table, rows = table_of(nlp, text)
    assert [c.role for c in table.columns] == ["label", "value", "unit", "range"]
    assert table.header_rows == 1
    assert rows[1] == ["K", "5,9", "mmol/L", "3,5-5,1"]


def test_columns_of_dates_have_them(nlp: Language) -> None:
    text = "    15/11/23  mar-24  (2025)\nK   4,6       4,9     5,8\nNa  140       138     139"
    table, _ = table_of(nlp, text)
    assert [c.date for c in table.columns] == [None, "2023-11-15", "2024-03", "2025"]


def test_rows_of_a_diary_have_their_day(nlp: Language) -> None:
    table, _ = table_of(nlp, "Fecha | Peso | Pies\n03/04/2024 | 76,0 | no\n04/04/2024 | 76,9 | sí")
    assert table.row_dates == (None, "2024-04-03", "2024-04-04")
    assert [c.role for c in table.columns] == ["date", "value", "answer"]


def test_empty_cells_keep_their_column(nlp: Language) -> None:
    text = "            Sí    No\n¿Mareo?           X\n¿Tos seca?  X\n¿Fiebre?          X"
    table, rows = table_of(nlp, text)
    assert rows[1:] == [["¿Mareo?", "", "X"], ["¿Tos seca?", "X", ""], ["¿Fiebre?", "", "X"]]
    assert table.header_rows == 1


def test_prose_is_no_table(nlp: Language) -> None:
    doc = nlp.get_pipe("es_layout")(nlp.make_doc("Refiere disnea.  No edemas.\nAcude sola."))
    assert not doc._.layout.tables
