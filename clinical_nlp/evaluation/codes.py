"""Recall of coded evidence: how much of what coders marked in real cases the findings cover.

A coder's mark says that a stretch of text is the evidence for an ICD-10 code. It counts as
found where a finding of any concept of the same code family overlaps it. Only recall can be
told: coders mark what they code, and leave other mentions unmarked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from clinical_nlp.evaluation.splits import in_first_of
from clinical_nlp.records import Concept

#: Chapters whose three-character categories are too broad: R06 holds apnoea and hiccup beside
#: dyspnoea, Z95 pacemakers beside stents (ICD-10-CM, chapters XVIII and XXI).
_BROAD = frozenset("RZ")
_CATEGORY, _SUBCATEGORY = 3, 4
_DIAGNOSIS = "DIAGNOSTICO"


class Half(StrEnum):
    """Which half of the cases: that whose misses may be read, or that to report."""

    ALL = "all"
    TUNE = "tune"
    REPORT = "report"

    def holds(self, note_id: str) -> bool:
        """Whether a case belongs to this half, by a hash of its id."""
        return self is Half.ALL or in_first_of(2, note_id) == (self is Half.TUNE)


@dataclass(frozen=True, slots=True)
class CodedCase:
    """A case with its coded evidence: code, and the stretches (start, end) of its text."""

    id: str
    text: str
    evidence: tuple[tuple[str, tuple[tuple[int, int], ...]], ...]


@dataclass(frozen=True, slots=True)
class Recall:
    """Share of evidence found, with its 95% percentile bootstrap interval over cases."""

    recall: float
    low: float
    high: float
    found: int
    gold: int


def coded_case(row: Mapping[str, Any]) -> CodedCase:
    """Read a row: ``id``, ``text``, ``codes`` with ``kind``, ``code`` and ``fragments``."""
    evidence = tuple(
        (str(code["code"]).upper(), tuple((int(a), int(b)) for a, b in code["fragments"]))
        for code in row["codes"]
        if code["kind"] == _DIAGNOSIS
    )
    return CodedCase(str(row["id"]), str(row["text"]), evidence)


def family(code: str) -> str:
    """Return the code family of an ICD-10 code: ``I50`` of I50.23, ``R06.0`` of R06.02."""
    plain = code.replace(".", "").upper()
    if plain[:1] not in _BROAD:
        return plain[:_CATEGORY]
    short = plain[:_SUBCATEGORY]
    return f"{short[:_CATEGORY]}.{short[_CATEGORY:]}" if len(short) > _CATEGORY else short


def families(concepts: Iterable[Concept]) -> dict[str, frozenset[str]]:
    """Return the concepts of each code family."""
    of: dict[str, set[str]] = {}
    for concept in concepts:
        if "icd10" in concept.codes:
            of.setdefault(family(concept.codes["icd10"]), set()).add(concept.key)
    return {name: frozenset(keys) for name, keys in of.items()}


def found_in(
    case: CodedCase,
    findings: Iterable[tuple[int, int, str]],
    concepts_of: Mapping[str, frozenset[str]],
) -> dict[str, tuple[int, int]]:
    """Count, per code family, the evidence of a case that is found, and all of it.

    Parameters
    ----------
    case
        The case.
    findings
        (start, end, concept) of what was found in its text.
    concepts_of
        As :func:`families` gives it; evidence of other codes is left out.
    """
    spans = list(findings)
    counts: dict[str, tuple[int, int]] = {}
    for code, fragments in case.evidence:
        name = family(code)
        if name not in concepts_of:
            continue
        hit = any(
            start < b and a < end and concept in concepts_of[name]
            for start, end, concept in spans
            for a, b in fragments
        )
        found, gold = counts.get(name, (0, 0))
        counts[name] = (found + hit, gold + 1)
    return counts


def recall(cases: Sequence[tuple[int, int]], samples: int = 1000, seed: int = 0) -> Recall:
    """Pool (found, gold) of cases; the interval is over cases (Efron & Tibshirani 1993, ch. 13)."""
    table = np.asarray(cases, dtype=np.float64).reshape(-1, 2)
    found, gold = (int(n) for n in table.sum(axis=0))
    if not gold:
        return Recall(0.0, 0.0, 0.0, found, gold)
    draw = np.random.default_rng(seed).integers(0, len(table), (samples, len(table)))
    sums = table[draw].sum(axis=1)
    shares = sums[:, 0] / np.maximum(sums[:, 1], 1)
    low, high = np.percentile(shares[sums[:, 1] > 0], [2.5, 97.5])
    return Recall(found / gold, float(low), float(high), found, gold)


def recall_all(counts: Sequence[Mapping[str, tuple[int, int]]]) -> dict[str, Recall]:
    """Recall over all families, under ``all``, then by family, the commonest first."""
    totals = [
        (sum(f for f, _ in each.values()), sum(g for _, g in each.values())) for each in counts
    ]
    names = {name for each in counts for name in each}
    rows = {
        name: recall([each[name] for each in counts if name in each], samples=500) for name in names
    }
    return {"all": recall(totals)} | dict(
        sorted(rows.items(), key=lambda row: (-row[1].gold, row[0]))
    )
