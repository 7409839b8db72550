"""Scores by hand, of the rules alone and of rules and reader together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from clinical_nlp.evaluation.annotated_notes import AnnotatedNote, Annotation
from clinical_nlp.evaluation.finding_scores import WRONGLY_FLAGGED, score_assertion, score_findings
from clinical_nlp.pipeline.reader.decision import DecisionRule, Names
from clinical_nlp.records import FLAGS, Finding
from clinical_nlp.training.reader.corpus import ReadNote, gold_note
from clinical_nlp.training.reader.readings import Reading
from clinical_nlp.training.reader.tuning import NEVER, decided_findings

#: Columns of a table, and the measures that they show.
MEASURES = {
    "findings": "findings, overlap",
    "flags": "findings, all flags right",
    "facts": "note-level facts",
    "measurements": "measurements",
    **{name: f"flag {name}" for name in FLAGS},
    "affirmed_wrongly_flagged": WRONGLY_FLAGGED,
}

Table = dict[str, dict[str, Any]]


def by_hand(readings: Sequence[Reading], rule: DecisionRule, names: Names) -> Table:
    """F1 by hand and over all hands, of ``rules`` and of ``reader``; counts of notes."""
    hands: dict[str, list[Reading]] = {}
    for reading in readings:
        hands.setdefault(reading.note.hand, []).append(reading)
    table = {hand: _scores(part, rule, names) for hand, part in sorted(hands.items())}
    whole = [r for r in readings if r.note.has_concepts]
    return {**table, "all": _scores(whole, rule, names)}


def _scores(readings: Sequence[Reading], rule: DecisionRule, names: Names) -> dict[str, Any]:
    kept = replace(rule, dropped=NEVER, renamed=NEVER, found=NEVER, measured=NEVER)

    def by_reader(reading: Reading) -> Iterable[Finding]:
        # Given targets are asserted, whatever they are.
        return decided_findings(rule if reading.note.has_concepts else kept, reading, names)

    return {
        "notes": len(readings),
        "rules": _measures(readings, lambda reading: reading.note.findings),
        "reader": _measures(readings, by_reader),
    }


def _measures(
    readings: Sequence[Reading], find: Callable[[Reading], Iterable[Finding]]
) -> dict[str, float]:
    gold = [gold_note(reading.note) for reading in readings]
    found = {r.note.id: predicted_note(r.note, find(r)) for r in readings}
    if readings and not readings[0].note.has_concepts:
        tables, _ = score_assertion(gold, found)
    else:
        tables, _ = score_findings(gold, found, _NoCategories())
    scores = tables["measure"]
    return {
        name: round(scores[m].recall if m == WRONGLY_FLAGGED else scores[m].f1, 4)
        for name, m in MEASURES.items()
        if m in scores
    }


def predicted_note(note: ReadNote, findings: Iterable[Finding]) -> AnnotatedNote:
    """Findings as the scores take them."""
    annotations = tuple(
        Annotation(
            f.start,
            f.end,
            f.concept,
            f.value,
            tuple((name, bool(getattr(f, name))) for name in FLAGS),
        )
        for f in findings
    )
    return AnnotatedNote(note.id, note.doc.text, note.language, annotations)


class _NoCategories(Mapping[str, str]):
    """Gives every concept one category."""

    def __getitem__(self, key: str) -> str:
        return "all"

    def __iter__(self) -> Any:  # noqa: ANN401
        return iter(())

    def __len__(self) -> int:
        return 0
