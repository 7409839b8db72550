"""Strict and character agreement, by hand."""

from __future__ import annotations

from clinical_nlp.evaluation.mentions import score_mentions


def test_score_mentions_counts_agree_with_counts_by_hand() -> None:
    gold = [("DISEASE", 0, 10), ("SYMPTOM", 20, 30)]
    found = [("DISEASE", 0, 10), ("SYMPTOM", 20, 25), ("DISEASE", 40, 45)]
    measures = score_mentions([(gold, found)])
    assert measures.strict["DISEASE"].f1 == 2 * 1 / (2 + 1)
    assert measures.strict["SYMPTOM"].f1 == 0
    assert measures.strict["micro"].f1 == 2 * 1 / (3 + 2)
    assert measures.character["SYMPTOM"].recall == 0.5
    assert measures.character["micro"].predicted == 20
    assert measures.strict["MEDICATION"].f1 == 0


def test_score_mentions_same_span_with_another_label_is_wrong() -> None:
    measures = score_mentions([([("DISEASE", 0, 4)], [("SYMPTOM", 0, 4)])])
    assert measures.strict["micro"].f1 == measures.character["micro"].f1 == 0
