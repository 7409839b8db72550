"""The layout on a doc: it survives bytes, and finds the item of a place."""

from __future__ import annotations

import spacy
from spacy.tokens import Doc, DocBin

from clinical_nlp.pipeline.document_layout import (
    AFFIRMED,
    NEGATED,
    Column,
    Item,
    Layout,
    Table,
    get_layout,
    set_layout,
)

LAYOUT = Layout(
    items=(
        Item((0, 6), (8, 10), NEGATED),
        Item((12, 18), None, AFFIRMED, past=True, relative=True),
    ),
    tables=(
        Table(
            rows=((None, (0, 3)), ((4, 5), (6, 9))),
            columns=(Column("label"), Column("value", (0, 3), "2024-03-12")),
            header_rows=1,
            row_dates=(None, "--03-12"),
        ),
    ),
)


def doc_with_layout() -> Doc:
    doc = Doc(spacy.blank("es").vocab, words=["Disnea", ":", "No"])
    set_layout(doc, LAYOUT)
    return doc


def test_layout_survives_docbin_and_bytes() -> None:
    doc = doc_with_layout()
    stored = DocBin(docs=[doc], store_user_data=True).to_bytes()
    (again,) = DocBin().from_bytes(stored).get_docs(doc.vocab)
    assert get_layout(again) == LAYOUT == again._.layout
    assert get_layout(Doc(doc.vocab).from_bytes(doc.to_bytes())) == LAYOUT


def test_doc_without_layout_gives_an_empty_one() -> None:
    assert get_layout(Doc(spacy.blank("es").vocab, words=["Disnea"])) == Layout()


def test_item_at_returns_the_item_whose_label_holds_the_place() -> None:
    assert LAYOUT.item_at(5) == LAYOUT.items[0]
    assert LAYOUT.item_at(6) is None
    assert LAYOUT.item_at(12) == LAYOUT.items[1]
    assert Layout().item_at(0) is None


def test_extent_covers_label_and_answer() -> None:
    assert Item((12, 18), (8, 10), NEGATED).extent == (8, 18)
    assert Item((12, 18), None, AFFIRMED).extent == (12, 18)
