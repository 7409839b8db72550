"""The component ``es_layout``: answered labels and tables of a note."""

from __future__ import annotations

import re
from itertools import chain
from typing import Any

from spacy.tokens import Doc

from clinical_nlp.pipeline.document_layout import Layout, set_layout
from clinical_nlp.pipeline.layout.answers import Answers, words_pattern
from clinical_nlp.pipeline.layout.boxes import BoxReader
from clinical_nlp.pipeline.layout.choices import read_choices
from clinical_nlp.pipeline.layout.diaries import mark_past_lines
from clinical_nlp.pipeline.layout.fields import FieldReader, add_blank_labels
from clinical_nlp.pipeline.layout.lines import lines_of
from clinical_nlp.pipeline.layout.marks import read_marks
from clinical_nlp.pipeline.layout.markup_tables import markup_blocks
from clinical_nlp.pipeline.layout.page import Page
from clinical_nlp.pipeline.layout.pairs import PairReader
from clinical_nlp.pipeline.layout.table_items import TableItems
from clinical_nlp.pipeline.layout.table_reader import TableReader
from clinical_nlp.pipeline.layout.tables import find_blocks, may_hold
from clinical_nlp.pipeline.rules import RuleComponent, text_of


class LayoutReader(RuleComponent):
    r"""Sets ``doc._.layout``: forms, lists and tables.

    Reads the text alone, before sentences and findings. The words are in ``layout.toml``.

    Examples
    --------
    >>> from clinical_nlp.pipeline.assembly import build
    >>> doc = build()("[x] Ortopnea [ ] Edemas\nPrueba | Valor | Referencia\nK | 5,9 | 3,5-5,1\n")
    >>> [(doc.text[slice(*item.label)], item.verdict) for item in doc._.layout.items]
    [('Ortopnea', 'affirmed'), ('Edemas', 'negated')]
    >>> [column.role for column in doc._.layout.tables[0].columns]
    ['label', 'value', 'range']
    """

    def compile_rules(self, rules: dict[str, Any]) -> None:
        """Build the readers."""
        self._answers = Answers(rules["answers"], rules["leads"])
        self._tables = TableReader(rules["columns"], self._answers)
        self._table_items = TableItems(rules["columns"])
        self._boxes = BoxReader(words_pattern(rules["options"]["words"]))
        self._fields = FieldReader(rules["prose"]["cues"], rules["columns"]["today"])
        relatives = words_pattern(rules["relatives"]["words"])
        self._relatives = re.compile(rf"\b(?:{relatives})\b", re.IGNORECASE)
        denials = words_pattern(rules["prose"]["denials"])
        self._denials = re.compile(rf"(?:{denials})\s", re.IGNORECASE)
        self._pairs = PairReader(rules["heads"])

    def __call__(self, doc: Doc) -> Doc:
        """Read the layout of ``doc``."""
        text = text_of(doc)
        page = Page(text, lines_of(text), self._answers, self._relatives, self._denials)
        self._answers.read_legend(text)
        self._boxes.read(page)
        read_choices(page)
        tables = []
        plain = find_blocks(page.lines) if may_hold(text) else ()
        for block in chain(plain, markup_blocks(text)):
            page.tabled.update(page.lines[number].start for number in block.lines)
            table = self._tables.read(text, block)
            self._table_items.read(page, table)
            tables.append(table)
        mark_past_lines(page)
        read_marks(page)
        self._fields.read(page)
        add_blank_labels(page)
        self._pairs.read(page)
        set_layout(doc, Layout(tuple(page.all_items()), tuple(tables)))
        return doc
