"""How well a simulated diagnosis can be predicted from what is recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from clinical_nlp.records import Sex
from studies.simulator_calibration.people import YEAR, Person

#: An age band in which age itself discriminates little (years, the upper excluded).
OLD = (75.0, 85.0)
#: Measurements used, as either simulator codes them.
_TESTS = (
    "33762-6",
    *("62238-1", "98979-8"),
    "8480-6",
    "8867-4",
    *("59408-5", "2708-6"),
    *("29463-7", "3141-9"),
    "718-7",
)


def discrimination(people: Sequence[Person], landmarks: Sequence[date]) -> dict[str, float]:
    """Return AUROCs for a diagnosis 31 to 395 days after a landmark.

    ``age and sex``: logistic. ``all that is written``: gradient boosting over age, sex,
    coded problems, loop diuretic, last measurements, and the counts of every sign that the
    notes affirm, read without error; five folds over patients. No reader can do better from
    the same marginals, but it does not see trends. Each also among those of 75 to 84.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GroupKFold, cross_val_predict

    kinds = sorted({s for p in people for _, signs in p.signs for s in signs})
    codes = [c for c, _ in Counter(c[:3] for p in people for _, c in p.problems).most_common(60)]
    codes = [c for c in codes if c not in ("I50", "I11", "K77")]
    measured = {code for person in people for _, code, _ in person.tests}
    tests = [code for code in _TESTS if code in measured]
    rows: list[list[float]] = []
    target: list[int] = []
    group: list[int] = []
    for day in landmarks:
        for number, person in enumerate(people):
            gap = day + timedelta(days=30)
            if not person.at_risk(gap) or person.joined > day or person.age(day) < 40:
                continue
            rows.append(_row(person, day, kinds, codes, tests))
            end = gap + YEAR
            target.append(int(person.diagnosed is not None and person.diagnosed <= end))
            group.append(number)
    x, y, groups = np.array(rows), np.array(target), np.array(group)
    folds = GroupKFold(n_splits=5)

    old = (x[:, 0] >= OLD[0]) & (x[:, 0] < OLD[1])

    def auc(name: str, model: object, columns: slice) -> dict[str, float]:
        p = cross_val_predict(
            model, x[:, columns], y, groups=groups, cv=folds, method="predict_proba"
        )[:, 1]
        return {
            name: float(roc_auc_score(y, p)),
            f"{name}, 75 to 84": float(roc_auc_score(y[old], p[old])),
        }

    boosting = HistGradientBoostingClassifier(
        max_iter=120, learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=40, random_state=0
    )
    notes = 2 + len(codes) + 1 + len(tests)
    return {
        "examples": len(y),
        "outcomes": int(y.sum()),
        "age alone": float(roc_auc_score(y, x[:, 0])),
        **auc("age and sex", LogisticRegression(max_iter=500), slice(0, 2)),
        **auc("structured", boosting, slice(0, notes)),
        **auc("all that is written", boosting, slice(0, None)),
    }


def _row(
    person: Person, day: date, kinds: Sequence[str], codes: Sequence[str], tests: Sequence[str]
) -> list[float]:
    known = {code[:3] for at, code in person.problems if at <= day}
    last = {code: value for at, code, value in person.tests if at <= day}
    recent: Counter[str] = Counter()
    older: Counter[str] = Counter()
    notes = 0
    for at, signs in person.signs:
        if day - YEAR < at <= day:
            recent.update(signs)
            notes += 1
        elif at <= day:
            older.update(signs)
    row: list[float] = [person.age(day), float(person.sex is Sex.MALE)]
    row += [float(code in known) for code in codes]
    row.append(float(person.diuretic is not None and person.diuretic <= day))
    row += [last.get(code, float("nan")) for code in tests]
    row.append(float(notes))
    row += [float(recent[kind]) for kind in kinds]
    row += [float(older[kind]) for kind in kinds]
    return row
