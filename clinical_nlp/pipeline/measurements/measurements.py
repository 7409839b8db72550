"""The component ``hf_measurements``: numbers of a note with concept and unit."""

from __future__ import annotations

from typing import Any

from spacy.tokens import Doc

from clinical_nlp.pipeline.document import HEADINGS, Sections, get_findings, set_findings
from clinical_nlp.pipeline.document_layout import Layout, get_layout
from clinical_nlp.pipeline.measurements.dating import Dating
from clinical_nlp.pipeline.measurements.measurement_rules import MeasurementRules
from clinical_nlp.pipeline.measurements.quantity_reader import Quantity
from clinical_nlp.pipeline.measurements.scanner import Scanner
from clinical_nlp.pipeline.measurements.text import Words
from clinical_nlp.pipeline.rules import RuleComponent
from clinical_nlp.records import Finding

_SOURCE = "measurement"
_EXAMINATION = "examination"
_OPENING_TOKENS = 3  # after the heading of an examination


class MeasurementFinder(RuleComponent):
    """Adds a :class:`~clinical_nlp.records.Finding` for each value of a measurement.

    A finding covers the number alone (a range as a whole); its ``value`` is in the UCUM
    ``unit`` of its concept, ``low`` and ``high`` are the bounds of a range, ``comparator``
    that of a bounded value, ``measured_on`` the day that the note gives for it. Doses, dates,
    thresholds and targets are left out. Findings
    already on the doc are kept.

    Names, units, plausible limits and their sources are in ``measurements.toml``. Uses
    sections (``es_sections``) where the doc has them.

    Examples
    --------
    >>> from clinical_nlp.pipeline.assembly import build
    >>> doc = build()("TA 14/8, FC80, Cr 1,41 (previa 1,22), FG >60, FEVI 35-40%")
    >>> [(f.concept, f.value) for f in doc._.findings if f.value is not None]
    ... # doctest: +NORMALIZE_WHITESPACE
    [('systolic_bp', 140.0), ('diastolic_bp', 80.0), ('heart_rate', 80.0),
     ('creatinine', 1.41), ('creatinine', 1.22), ('egfr', 60.0), ('lvef', 37.5)]
    """

    def compile_rules(self, rules: dict[str, Any]) -> None:
        """Build the look-up tables."""
        self._compiled = MeasurementRules(rules)

    def __call__(self, doc: Doc) -> Doc:
        """Find the measurements of ``doc``."""
        words = Words(doc)
        openings = _examination_openings(doc)
        scanner = Scanner(
            self._compiled, words, lambda position: words.tokens[position] in openings
        )
        layout = get_layout(doc)
        values = scanner.scan(layout)
        if layout.items:
            values = [v for v in values if not _is_criterion(words, v, layout)]
        if values:
            sections = Sections(doc)
            days = Dating(words).days(values)
            new = [
                self._finding(words, value, day, sections)
                for value, day in zip(values, days, strict=True)
            ]
            set_findings(doc, [*get_findings(doc), *new])
        return doc

    def _finding(
        self, words: Words, value: Quantity, day: str | None, sections: Sections
    ) -> Finding:
        start, text = words.text_of(value.first, value.end)
        return Finding(
            start=start,
            end=start + len(text),
            text=text,
            concept=value.concept,
            value=value.value,
            unit=self._compiled.measures[value.concept].unit,
            low=value.low,
            high=value.high,
            comparator=value.comparator,
            section=sections.at(words.tokens[value.first]),
            source=_SOURCE,
            measured_on=day,
        )


def _is_criterion(words: Words, value: Quantity, layout: Layout) -> bool:
    """Whether a bound is part of a form's label that has an answer: 'IMC > 35 .... NO'."""
    if value.comparator is None:
        return False
    start = words.text_of(value.first, value.end)[0]
    item = layout.item_at(start)
    return item is not None and item.answer is not None and start >= item.label[0]


def _examination_openings(doc: Doc) -> frozenset[int]:
    """Return the first tokens after the headings of examinations."""
    headings = doc.spans.get(HEADINGS, ())
    ends = [span.end for span in headings if span.label_ == _EXAMINATION]
    return frozenset(end + step for end in ends for step in range(_OPENING_TOKENS))
