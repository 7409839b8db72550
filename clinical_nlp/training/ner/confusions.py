"""What a mention model got wrong: counts without text, and examples with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from clinical_nlp.evaluation.mentions import MentionSpan
from clinical_nlp.training.ner.corpus import AnnotatedDocument

#: A document and the mentions predicted in it.
Predicted = tuple[AnnotatedDocument, Sequence[MentionSpan]]


def confusions(documents: Iterable[Predicted]) -> Counter[str]:
    """Count errors by kind, without a word of text.

    Returns
    -------
    Counter
        ``"SYMPTOM missed"``, ``"SYMPTOM false alarm"``, ``"SYMPTOM border"`` (overlaps a
        gold mention of its label), ``"SYMPTOM for DISEASE"`` (same span, other label).
    """
    return Counter(
        kind for document, predicted in documents for kind, _ in _errors(document, predicted)
    )


def confusion_examples(documents: Iterable[Predicted], around: int = 40) -> list[dict[str, Any]]:
    """List errors with their words: patient text where the corpus is private.

    Parameters
    ----------
    around
        Characters of context to each side.
    """
    return [
        {
            "id": document.id,
            "kind": kind,
            "label": label,
            "start": start,
            "end": end,
            "before": document.text[max(0, start - around) : start],
            "text": document.text[start:end],
            "after": document.text[end : end + around],
        }
        for document, predicted in documents
        for kind, (label, start, end) in _errors(document, predicted)
    ]


def _errors(
    document: AnnotatedDocument, mentions: Sequence[MentionSpan]
) -> Iterable[tuple[str, MentionSpan]]:
    predicted, gold = set(mentions), document.mentions
    for span in sorted(predicted - gold):
        label, start, end = span
        same_span = {g for g in gold if g[1:] == span[1:] and g not in predicted}
        if same_span:
            yield f"{label} for {min(same_span)[0]}", span
        elif any(g[0] == label and g[1] < end and start < g[2] for g in gold):
            yield f"{label} border", span
        else:
            yield f"{label} false alarm", span
    for span in sorted(gold - predicted):
        label, start, end = span
        if not any(p[0] == label and p[1] < end and start < p[2] for p in predicted):
            yield f"{label} missed", span
