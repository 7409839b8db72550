"""Looks for leakage: tries to predict the outcome from what should carry no signal.

A probe that succeeds means that the cohort, the split or a feature tells the model what it
could not know on the index day. The run then fails, and no model is written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from clinical_nlp.errors import ModelError
from clinical_nlp.evaluation.splits import hash_fraction
from clinical_nlp.lexicon import Lexicon
from clinical_nlp.records import CodedEvent, Coding, EventKind, NoteFindings, PatientRecord
from clinical_nlp.risk.feature_table import FeatureTable
from clinical_nlp.risk.features import feature_row
from clinical_nlp.risk.timeline_builder import build_timeline
from clinical_nlp.training.risk.dataset import Cohort, Data, Matrix
from clinical_nlp.training.risk.measures import Vector, with_intervals

#: A probe succeeds when the lower bound of its AUROC is above this: 0.5 is chance, and with
#: several probes one in forty lies above 0.5 by chance.
CHANCE = 0.53

#: No model of this question is this good without being told the answer (the literature
#: reports 0.76 to 0.83; 0.97 on any cohort means leakage).
TOO_GOOD = 0.95

#: Neither is any single feature.
FEATURE_TOO_GOOD = 0.9

#: Share of test patients who may share long notes with a training patient.
SAME_NOTES = 0.01

_RESAMPLES = 200


@dataclass(frozen=True, slots=True)
class LeakageCheck:
    """One attempt, and whether the cohort withstood it.

    Parameters
    ----------
    figure
        AUROC within age and sex, a share, or a count: ``what`` says which.
    limit
        What ``low`` (the lower bound of ``figure``) must not exceed.
    """

    name: str
    what: str
    figure: float
    low: float
    limit: float

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return not self.low > self.limit


def audit(
    cohort: Cohort,
    data: Data,
    rows: Mapping[str, npt.NDArray[np.int_]],
    table: FeatureTable,
    lexicon: Lexicon,
    refit: Callable[[Data, Data], Vector],
    test_auroc: float,
    seed: int,
) -> list[LeakageCheck]:
    """Run every probe.

    Parameters
    ----------
    data
        The cohort's examples.
    rows
        Row numbers of the parts of the split.
    refit
        Fits the chosen model on some examples and scores others.
    test_auroc
        Of the chosen model, on the test patients.
    """
    order = {patient: place for place, patient in enumerate(dict.fromkeys(data.patients.tolist()))}
    columns = {
        "patient id": _id_columns(data.patients),
        "place in the export": np.array([[order[p]] for p in data.patients], dtype=np.float64),
        "day of the month and week": np.array(
            [[t.as_of.day, t.as_of.weekday()] for t in data.timelines], dtype=np.float64
        ),
        "resources after the index day": _after_index(data),
    }
    probes = [_predicts(name, x, data, seed) for name, x in columns.items()]
    after = float((columns["resources after the index day"] > 0).any(axis=1).mean())
    probes.append(
        LeakageCheck("examples that hold any", "share that knows the future", after, after, 0.0)
    )
    probes.append(_shuffled(data, rows, refit, seed))
    looked_ahead = float(sum(_looks_ahead(cohort, table, lexicon)))
    probes.append(
        LeakageCheck(
            "features with the future cut off or made up",
            "index days whose features change",
            looked_ahead,
            looked_ahead,
            0.0,
        )
    )
    best, name = _best_feature(data, table)
    probes.append(LeakageCheck(f"single feature ({name})", "AUROC", best, best, FEATURE_TOO_GOOD))
    probes.append(
        LeakageCheck("the model itself", "AUROC on test", test_auroc, test_auroc, TOO_GOOD)
    )
    shared = _same_notes(cohort, data, rows)
    probes.append(
        LeakageCheck(
            "same notes in training and test", "share of test patients", shared, shared, SAME_NOTES
        )
    )
    return probes


def require_clean(probes: Sequence[LeakageCheck]) -> None:
    """Stop where a probe found something.

    Raises
    ------
    ModelError
        E422: with the probes that succeeded.
    """
    found = [probe for probe in probes if not probe.passed]
    if found:
        told = "; ".join(f"{p.name}: {p.what} {p.figure:.3f}" for p in found)
        raise ModelError(
            "E422",
            f"the audit found leakage ({told}): find where the cohort or a feature tells the "
            "outcome, mend it, and train again; --no-audit trains all the same, to look into it",
        )


def _predicts(name: str, columns: Matrix, data: Data, seed: int) -> LeakageCheck:
    """Cross-validated AUROC of trees over some columns, within strata of age and sex.

    Within strata, because an id given in order of birth predicts age, which is no secret.
    """
    what = "AUROC within age and sex"
    if np.ptp(columns, axis=0).max() == 0:
        return LeakageCheck(name, what, 0.5, 0.5, CHANCE)
    trees = HistGradientBoostingClassifier(
        max_iter=40, max_leaf_nodes=6, min_samples_leaf=40, random_state=seed
    )
    folds = GroupKFold(5, shuffle=True, random_state=seed)
    score = cross_val_predict(
        trees,
        columns,
        data.outcome,
        groups=data.patients,
        cv=folds,
        method="predict_proba",
        params={"sample_weight": data.weight},
    )[:, 1]
    strata = np.array([_stratum(t.age or 0, str(t.sex)) for t in data.timelines])

    def measure(some: npt.NDArray[np.int_]) -> Mapping[str, float]:
        return {"auroc": _within(data.take_labels(some), score[some], strata[some])}

    found = with_intervals(measure, data.patients, _RESAMPLES, seed)["auroc"]
    return LeakageCheck(name, what, found.value, found.low, CHANCE)


def _within(
    labels: tuple[npt.NDArray[np.int_], Vector], score: Vector, strata: npt.NDArray[np.str_]
) -> float:
    """AUROC over pairs of the same stratum, each stratum weighted by its outcomes."""
    outcome, weight = labels
    total, sum_weights = 0.0, 0.0
    for stratum in np.unique(strata):
        inside = strata == stratum
        y = outcome[inside]
        if 0 < y.sum() < len(y):
            share = float((weight * outcome)[inside].sum())
            total += share * float(roc_auc_score(y, score[inside], sample_weight=weight[inside]))
            sum_weights += share
    return total / sum_weights if sum_weights else math.nan


def _stratum(age: int, sex: str) -> str:
    return f"{sex}{age // 5 * 5}"


def _id_columns(patients: npt.NDArray[np.str_]) -> Matrix:
    """What an id could give away: its order, its length, its digits, its letters."""
    place = {p: i for i, p in enumerate(sorted(set(patients.tolist())))}

    def columns(patient: str) -> list[float]:
        digits = re.sub(r"\D", "", patient)[-9:]
        return [
            float(place[patient]),
            float(len(patient)),
            float(digits or 0),
            float(sum(map(ord, patient)) % 97),
            hash_fraction(f"audit|{patient}"),
        ]

    known = {p: columns(p) for p in place}
    return np.array([known[p] for p in patients.tolist()], dtype=np.float64)


def _after_index(data: Data) -> Matrix:
    """What each example's timeline holds of the days after its index day: all zero."""
    return np.array(
        [
            [
                sum(e.known is None or e.known > t.as_of for e in t.entries),
                sum(day > t.as_of for day in t.note_days),
                sum(day > t.as_of for day in t.contact_days),
                sum(e.end is not None and e.end > t.as_of for e in t.entries),
                len(t.coded_heart_failure) + len(t.undated),
            ]
            for t in data.timelines
        ],
        dtype=np.float64,
    )


def _shuffled(
    data: Data,
    rows: Mapping[str, npt.NDArray[np.int_]],
    refit: Callable[[Data, Data], Vector],
    seed: int,
) -> LeakageCheck:
    """Train on outcomes dealt out at random: nothing can be learnt from them."""
    generator = np.random.default_rng(seed)
    dealt = replace(data, outcome=generator.permutation(data.outcome))
    test = dealt.take(rows["test"])
    score = refit(dealt.take(rows["train"]), test)

    def measure(some: npt.NDArray[np.int_]) -> Mapping[str, float]:
        y = test.outcome[some]
        if not 0 < y.sum() < len(y):
            return {"auroc": math.nan}
        return {"auroc": float(roc_auc_score(y, score[some]))}

    found = with_intervals(measure, test.patients, _RESAMPLES, seed)["auroc"]
    return LeakageCheck(
        "outcomes dealt out at random", "AUROC on test", found.value, found.low, CHANCE
    )


def _looks_ahead(cohort: Cohort, table: FeatureTable, lexicon: Lexicon) -> Iterator[bool]:
    """Compare features with those from a record that has no future, and another future."""
    by_patient: dict[str, list[Any]] = {}
    for example in cohort.examples:
        by_patient.setdefault(example.patient_id, []).append(example.timeline)
    for record, notes in cohort.sample:
        for timeline in by_patient.get(record.id, ()):
            expected = feature_row(timeline, table)
            past = _until(record, notes, timeline.as_of)
            for future in (past, _with_future(*past, timeline.as_of)):
                got = feature_row(build_timeline(*future, lexicon, timeline.as_of), table)
                yield not np.array_equal(expected, got, equal_nan=True)


def _until(
    record: PatientRecord, notes: Sequence[NoteFindings], day: date
) -> tuple[PatientRecord, tuple[NoteFindings, ...]]:
    """The record as an export of that day would have held it."""
    events = []
    for event in record.events:
        known = [at for at in (event.start, event.recorded) if at is not None]
        if known and max(known) <= day:
            ended = event.end is not None and event.end <= day
            events.append(replace(event, end=event.end if ended else None))
    written = tuple(n for n in notes if n.note.written is not None and n.note.written.date() <= day)
    past = replace(record, events=tuple(events), notes=(), deceased=False, died=None)
    return past, written


def _with_future(
    record: PatientRecord, notes: tuple[NoteFindings, ...], day: date
) -> tuple[PatientRecord, tuple[NoteFindings, ...]]:
    """The same with the diagnosis and its treatment inside the gap."""
    snomed, atc = "http://snomed.info/sct", "http://www.whocc.no/atc"
    made_up = [
        (EventKind.CONDITION, snomed, "84114007"),  # heart failure
        (EventKind.MEDICATION, atc, "C09DX04"),  # sacubitril/valsartan
        (EventKind.MEDICATION, atc, "C03CA01"),  # furosemide, the first of them
        (EventKind.OBSERVATION, "http://loinc.org", "33762-6"),  # NT-proBNP
    ]
    events = tuple(
        CodedEvent(
            kind,
            f"Made-up/{number}",
            (Coding(system, code),),
            start=day + timedelta(days=number + 1),
            value=9000.0 if kind is EventKind.OBSERVATION else None,
            unit="pg/mL" if kind is EventKind.OBSERVATION else None,
        )
        for number, (kind, system, code) in enumerate(made_up)
    )
    return replace(record, events=(*record.events, *events), died=day + timedelta(days=90)), notes


def _best_feature(data: Data, table: FeatureTable) -> tuple[float, str]:
    best, name = 0.5, "none"
    if 0 < data.outcome.sum() < len(data):
        for number, feature in enumerate(table.names):
            column = data.features[:, number]
            filled = np.where(np.isnan(column), -1e9, column)
            found = float(roc_auc_score(data.outcome, filled, sample_weight=data.weight))
            if max(found, 1 - found) > best:
                best, name = max(found, 1 - found), feature
    return best, name


def _same_notes(cohort: Cohort, data: Data, rows: Mapping[str, npt.NDArray[np.int_]]) -> float:
    """Share of test patients with two long notes that stand in a training record too."""
    people = {part: set(data.patients[rows[part]].tolist()) for part in ("train", "test")}
    seen: set[bytes] = set()
    for patient in people["train"]:
        seen |= cohort.long_notes.get(patient, set())
    same = sum(len(cohort.long_notes.get(p, set()) & seen) >= 2 for p in people["test"])
    return same / max(1, len(people["test"]))
