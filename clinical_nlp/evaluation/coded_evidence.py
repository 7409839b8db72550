"""Recall of coded evidence: the share of coders' evidence that findings cover.

Coders mark the text spans that are evidence for an ICD-10 code. A span counts as found where
a finding of any concept of the same code family overlaps it. Precision cannot be estimated:
coders leave other mentions unmarked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clinical_nlp.errors import InputError
from clinical_nlp.evaluation.annotated_notes import Rows, parse_rows
from clinical_nlp.evaluation.splits import Half
from clinical_nlp.records import Concept

#: Chapters whose three-character categories are too broad: R06 holds apnoea and hiccup beside
#: dyspnoea, Z95 pacemakers beside stents (ICD-10-CM, chapters XVIII and XXI).
_BROAD = frozenset("RZ")
_CATEGORY, _SUBCATEGORY = 3, 4
_DIAGNOSIS = "DIAGNOSTICO"

COLUMNS = ("codes", "concepts", "recall", "95% interval", "found", "marked")


@dataclass(frozen=True, slots=True)
class CodedCase:
    """A case with its coded evidence: codes with their text spans (start, end)."""

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


def parse_cases(rows: Rows, path: str, half: Half) -> list[CodedCase]:
    """Parse the cases of one half of a file.

    Raises
    ------
    InputError
        E263: a line is not a coded case; E264: no case is left.
    """
    expected = (
        'coded case; each line needs "id", "text" and "codes" with "kind", "code" and "fragments"'
    )
    cases = [c for c in parse_rows(rows, coded_case, path, expected) if half.holds(c.id)]
    if not cases:
        raise InputError("E264", f"'{path}' has no case of the half asked for; widen it.")
    return cases


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


def recall_rows(
    recalls: Mapping[str, Recall], concepts_of: Mapping[str, frozenset[str]]
) -> list[tuple[str, ...]]:
    """Return the cells of a table of recalls, with :data:`COLUMNS`."""
    return [
        (
            name,
            ", ".join(sorted(concepts_of.get(name, ()))),
            f"{r.recall:.3f}",
            f"{r.low:.3f}–{r.high:.3f}",
            str(r.found),
            str(r.gold),
        )
        for name, r in recalls.items()
    ]
