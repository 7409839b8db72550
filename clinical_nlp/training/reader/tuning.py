"""Chooses the decision rule on readings of hands that the network had not seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import isclose

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

from clinical_nlp.neural.reader.network import FLAG_COUNT
from clinical_nlp.pipeline.reader.decision import (
    LEAST_TO_OVERRULE,
    DecisionRule,
    FlagRule,
    Names,
    decide,
)
from clinical_nlp.records import FLAGS, Finding
from clinical_nlp.training.reader.corpus import gold_flags, pair_with_gold
from clinical_nlp.training.reader.readings import Reading

Floats = npt.NDArray[np.float64]

#: A threshold that no probability reaches.
NEVER = 1.1

#: Thresholds that are tried.
_FLAG_GRID = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8)
_DROP_GRID = (LEAST_TO_OVERRULE, 0.95, 0.98, NEVER)
_RENAME_GRID = (LEAST_TO_OVERRULE, 0.95, NEVER)
_FIND_GRID = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, NEVER)

#: A new threshold must be better than 0.5 by so many right flags in 10,000.
_LEAST_GAIN = 2e-4


def tune(readings: Sequence[Reading], names: Names) -> DecisionRule:
    """Return the rule with the most right flags, then the best F1 of findings.

    Only whole notes count: passages with given targets are cut from reports of another kind.
    """
    readings = [reading for reading in readings if reading.note.has_concepts]
    logits, by_rules, gold = matched_flags(readings)
    flags = tuple(_flag_rule(logits[:, n], by_rules[:, n], gold[:, n]) for n in range(FLAG_COUNT))
    return _finding_rule(DecisionRule(flags=flags), readings, names)


def matched_flags(readings: Sequence[Reading]) -> tuple[Floats, Floats, Floats]:
    """Logits, the rules' flags and the gold flags of matched findings, each float [N, 5]."""
    rows = list(_matched(readings))
    parts = zip(*rows, strict=True) if rows else ([], [], [])
    logits, by_rules, gold = (
        np.array(part, dtype=np.float64).reshape(-1, FLAG_COUNT) for part in parts
    )
    return logits, by_rules, gold


def _matched(
    readings: Sequence[Reading],
) -> Iterator[tuple[npt.NDArray[np.float32], tuple[bool, ...], tuple[float, ...]]]:
    for reading in readings:
        pairs = pair_with_gold(reading.note)
        for finding, index in zip(reading.note.findings, pairs, strict=True):
            first, stop = reading.words.span(finding.start, finding.end)
            if index is None or finding.value is not None or first == stop:
                continue
            logits = reading.rows[first:stop, :FLAG_COUNT].mean(axis=0)
            yield logits, finding.flags, gold_flags(reading.note.gold[index])


def _flag_rule(logits: Floats, by_rules: Floats, gold: Floats) -> FlagRule:
    known = gold >= 0
    logits, by_rules_flag, is_set = logits[known], by_rules[known] > 0, gold[known] > 0
    scale, shift = _calibration(logits, is_set)
    rule = FlagRule(scale=round(scale, 4), shift=round(shift, 4))
    probability = expit(rule.scale * logits + rule.shift)
    return replace(
        rule,
        least_new=_threshold(probability[~by_rules_flag], is_set[~by_rules_flag]),
        least_kept=_threshold(probability[by_rules_flag], is_set[by_rules_flag]),
    )


def _calibration(logits: Floats, gold: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Scale and shift of the least log loss (Platt, 1999)."""

    def loss(at: Floats) -> float:
        values = at[0] * logits + at[1]
        return float(np.mean(np.logaddexp(0, values) - gold * values))

    found = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead").x
    return float(found[0]), float(found[1])


def _threshold(probability: Floats, gold: npt.NDArray[np.bool_]) -> float:
    """The threshold with most right decisions; 0.5 unless another is clearly better."""
    if not len(gold):
        return 0.5
    right = {t: float(np.mean((probability >= t) == gold)) for t in _FLAG_GRID}
    best = max(right, key=lambda t: (right[t], -abs(t - 0.5)))
    return best if right[best] > right[0.5] + _LEAST_GAIN else 0.5


def _finding_rule(rule: DecisionRule, readings: Sequence[Reading], names: Names) -> DecisionRule:
    """Choose the three thresholds of findings one after the other, by their F1."""
    rule = replace(rule, dropped=NEVER, renamed=NEVER, found=NEVER, measured=NEVER)
    for name, grid in (("found", _FIND_GRID), ("dropped", _DROP_GRID), ("renamed", _RENAME_GRID)):
        tried = [DecisionRule.from_dict(rule.as_dict() | {name: value}) for value in grid]
        scores = [findings_f1(each, readings, names) for each in tried]
        rule = tried[max(range(len(grid)), key=lambda n: (scores[n], grid[n]))]
    tried = [replace(rule, measured=value) for value in _FIND_GRID]
    scores = [measurements_f1(each, readings, names) for each in tried]
    return tried[max(range(len(tried)), key=lambda n: (scores[n], _FIND_GRID[n]))]


def measurements_f1(rule: DecisionRule, readings: Sequence[Reading], names: Names) -> float:
    """F1 of measurements: concept, overlapping place and value."""
    right = found = gold = 0
    for reading in readings:
        wanted = [mark for mark in reading.note.gold if mark.value is not None]
        gold += len(wanted)
        for finding in decided_findings(rule, reading, names):
            if finding.value is None:
                continue
            found += 1
            right += any(
                mark.concept == finding.concept
                and mark.start < finding.end
                and finding.start < mark.end
                and isclose(mark.value or 0.0, finding.value, rel_tol=1e-6)
                for mark in wanted
            )
    return 2 * right / max(1, found + gold)


def findings_f1(rule: DecisionRule, readings: Sequence[Reading], names: Names) -> float:
    """F1 of findings without values: concept and overlapping place."""
    right = found = gold = 0
    for reading in readings:
        decided = decided_findings(rule, reading, names)
        note = replace(reading.note, findings=tuple(f for f in decided if f.value is None))
        right += sum(index is not None for index in pair_with_gold(note))
        found += len(note.findings)
        gold += sum(mark.value is None for mark in note.gold)
    return 2 * right / max(1, found + gold)


def decided_findings(rule: DecisionRule, reading: Reading, names: Names) -> list[Finding]:
    """The findings of a note by rules and network together."""
    note = reading.note
    return decide(rule, names, reading.words, reading.rows, note.findings, note.doc)


assert len(FLAGS) == FLAG_COUNT  # noqa: S101 - both name the same flags
