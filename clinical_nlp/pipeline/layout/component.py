"""The component ``es_layout``: answered labels and tables of a note."""

from __future__ import annotations

import re
from typing import Any

from spacy.tokens import Doc

from clinical_nlp.pipeline.document_layout import Layout, set_layout
from clinical_nlp.pipeline.layout.answers import Answers
from clinical_nlp.pipeline.layout.lines import lines_of
from clinical_nlp.pipeline.layout.tables import TableReader, find_blocks
from clinical_nlp.pipeline.rules import RuleComponent

# A note without any of these has no layout.
_ANY = re.compile(r"[|\t]|\S {2,}\S")


class LayoutReader(RuleComponent):
    r"""Sets ``doc._.layout``: forms, lists and tables.

    Reads the text alone, before sentences and findings. The words are in ``layout.toml``.

    Examples
    --------
    >>> from clinical_nlp.pipeline.assembly import build
    >>> doc = build()("Prueba | Resultado | Referencia\nK | 5,9 mmol/L | 3,5-5,1\n")
    >>> [column.role for column in doc._.layout.tables[0].columns]
    ['label', 'value', 'range']
    """

    def compile_rules(self, rules: dict[str, Any]) -> None:
        """Build the readers."""
        self._answers = Answers(rules["answers"])
        self._tables = TableReader(rules["columns"], self._answers)

    def __call__(self, doc: Doc) -> Doc:
        """Read the layout of ``doc``."""
        text = doc.text
        if not _ANY.search(text):
            return doc
        lines = lines_of(text)
        blocks = list(find_blocks(lines))
        set_layout(doc, Layout((), tuple(self._tables.read(text, block) for block in blocks)))
        return doc
