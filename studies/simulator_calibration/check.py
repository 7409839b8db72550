"""Measure a simulated cohort against what the literature reports.

``python -m studies.simulator_calibration.check --patients 20000 --seed 1`` prints the
tables of ``docs/explanation/simulation.md``. Nothing here is read by the simulator.
"""

from __future__ import annotations

import argparse
import math
import sys
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from clinical_nlp.records import EventKind, PatientRecord, Sex
from clinical_nlp.simulation.parameters import Parameters, load_parameters
from clinical_nlp.simulation.simulator import SimulatedPatient, simulate_patients
from clinical_nlp.simulation.structured import codes
from studies.simulator_calibration.targets import load_targets, missed, targets_markdown

#: Signs of notes/signs.toml that are Framingham criteria (McKee 1971).
FRAMINGHAM = frozenset(
    {
        "exertional_dyspnea",
        "oedema",
        "orthopnea",
        "nocturnal_dyspnea",
        "night_cough",
        "crackles",
        "raised_jvp",
        "hepatojugular_reflux",
        "third_sound",
        "hepatomegaly",
        "cardiomegaly",
    }
)
_YEAR = timedelta(days=365)
#: An age band in which age itself tells little (years, the upper excluded).
OLD = (75.0, 85.0)
_TESTS = ("33762-6", "62238-1", "8480-6", "8867-4", "59408-5", "29463-7", "718-7")


@dataclass(frozen=True, slots=True)
class Person:
    """What the tables need of one patient; the texts are let go.

    ``gone``: day of death or of moving away; a diagnosis made after moving is not counted.
    """

    sex: Sex
    birth: date
    joined: date
    diagnosed: date | None
    gone: date | None
    conditions: dict[str, date]
    problems: tuple[tuple[date, str], ...]
    signs: tuple[tuple[date, tuple[str, ...]], ...]
    tests: tuple[tuple[date, str, float], ...]
    diuretic: date | None
    languages: tuple[str, ...]
    words: int

    def age(self, day: date) -> float:
        """Return the age in years."""
        return (day - self.birth).days / 365.25

    def here(self, day: date) -> bool:
        """Whether alive and not moved away on ``day``."""
        return self.gone is None or self.gone > day

    def free(self, day: date) -> bool:
        """Whether here and without a diagnosis of heart failure on ``day``."""
        return self.here(day) and (self.diagnosed is None or self.diagnosed > day)


def summarise(patient: SimulatedPatient, start: date) -> Person:
    """Keep what the tables need."""
    record, truth = patient.record, patient.truth
    problems, tests, diuretic = _coded(record)
    assert record.birth_date is not None  # noqa: S101 - the simulator always gives one
    days = [n.written.date() for n in record.notes if n.written is not None]
    gone = min((day for day in (truth.died, truth.left) if day is not None), default=None)
    seen = truth.diagnosed is not None and (gone is None or truth.diagnosed <= gone)
    return Person(
        sex=record.sex,
        birth=record.birth_date,
        joined=min([*days, start + _YEAR]),
        diagnosed=truth.diagnosed if seen else None,
        gone=gone,
        conditions=dict(truth.conditions),
        problems=problems,
        signs=tuple(
            (n.written.date(), patient.affirmed[n.key])
            for n in record.notes
            if n.written is not None
        ),
        tests=tests,
        diuretic=diuretic,
        languages=tuple(n.language or "" for n in record.notes),
        words=sum(len(n.text.split()) for n in record.notes),
    )


def _coded(
    record: PatientRecord,
) -> tuple[tuple[tuple[date, str], ...], tuple[tuple[date, str, float], ...], date | None]:
    problems: list[tuple[date, str]] = []
    tests: list[tuple[date, str, float]] = []
    diuretic: date | None = None
    for event in record.events:
        code = event.codings[0].code
        if event.kind is EventKind.CONDITION and event.recorded is not None:
            problems.append((event.recorded, code))
        elif event.kind is EventKind.OBSERVATION and event.start and event.value is not None:
            tests.append((event.start, code, event.value))
        elif event.kind is EventKind.MEDICATION and code.startswith("C03CA") and event.start:
            diuretic = min(diuretic or event.start, event.start)
    return tuple(problems), tuple(tests), diuretic


def incidence(people: Sequence[Person], first: date, last: date) -> dict[str, float]:
    """Return first diagnoses per 1,000 person-years, by age band and in all."""
    cases: Counter[str] = Counter()
    years: Counter[str] = Counter()
    for person in people:
        day = first
        while day < last and person.free(day):
            until = min(day + _YEAR, last)
            band = f"{int(person.age(day) // 10) * 10}s"
            for name in ("all", "45+" if person.age(day) >= 45 else "", band):
                years[name] += (until - day).days / 365.25  # type: ignore[assignment]
                if person.diagnosed is not None and day < person.diagnosed <= until:
                    cases[name] += 1
            day = until
    return {name: 1000 * cases[name] / total for name, total in sorted(years.items()) if name}


def prevalence(people: Iterable[Person], day: date) -> dict[str, dict[str, float]]:
    """Return the share of each condition in per cent, by sex and age band."""
    have: defaultdict[str, Counter[str]] = defaultdict(Counter)
    total: Counter[str] = Counter()
    for person in people:
        if not person.here(day):
            continue
        group = f"{person.sex.value[0]}{min(int(person.age(day) // 15) * 15, 75)}"
        total.update((group, "all"))
        known = dict(person.conditions)
        if person.diagnosed is not None:
            known["heart_failure"] = person.diagnosed
        for name, begun in known.items():
            if begun <= day:
                have[name].update((group, "all"))
    return {
        name: {group: 100 * count[group] / total[group] for group in sorted(total)}
        for name, count in sorted(have.items())
    }


def registered(people: Iterable[Person], day: date, condition: str) -> dict[str, float]:
    """Return the share with a condition on the problem list in per cent: what registers count.

    Returns
    -------
    dict
        Of ``all``, ``women``, ``men`` and those of ``80-84`` years.
    """
    entry = codes()["conditions"][condition]
    known = {*entry["icd10"], entry["icpc2"], entry.get("snomed")}
    total: Counter[str] = Counter()
    have: Counter[str] = Counter()
    for person in people:
        if not person.here(day):
            continue
        groups = ["all", "men" if person.sex is Sex.MALE else "women"]
        groups += ["80-84"] if 80 <= person.age(day) < 85 else []
        total.update(groups)
        if any(at <= day and code in known for at, code in person.problems):
            have.update(groups)
    return {group: 100 * have[group] / total[group] for group in sorted(total)}


def signs_before(people: Sequence[Person], first: date, last: date) -> dict[str, float]:
    """Return the share with a Framingham criterion noted in the year before, cases and controls.

    Controls are of the same sex and age (within two years), without heart failure, with a
    note in that year, looked at on the case's day; ten for each case (Vijayakrishnan 2014).
    """
    cases = [p for p in people if p.diagnosed and first < p.diagnosed <= last]
    pools: dict[Sex, list[Person]] = {
        sex: sorted((p for p in people if p.sex is sex), key=lambda p: p.birth) for sex in Sex
    }
    births = {sex: [p.birth for p in pool] for sex, pool in pools.items()}
    seen = {"case": [0, 0], "control": [0, 0]}
    by_sign: dict[str, Counter[str]] = {"case": Counter(), "control": Counter()}
    for case in cases:
        day = case.diagnosed
        assert day is not None  # noqa: S101 - chosen above
        at = bisect_left(births[case.sex], case.birth)
        near = pools[case.sex][max(0, at - 15) : at + 16]
        controls = [
            p
            for p in near
            if p is not case and p.free(day + _YEAR) and abs((p.birth - case.birth).days) < 730
        ][:10]
        for name, who in (("case", [case]), ("control", controls)):
            for person in who:
                noted = _noted(person, day)
                if noted is None:
                    continue
                seen[name][1] += 1
                found = noted & FRAMINGHAM
                seen[name][0] += bool(found)
                by_sign[name].update(found)
    out = {f"any, {name}s": 100 * hit / max(1, total) for name, (hit, total) in seen.items()}
    out["cases"] = len(cases)
    for sign in sorted(FRAMINGHAM):
        for name, (_, total) in seen.items():
            out[f"{sign}, {name}s"] = 100 * by_sign[name][sign] / max(1, total)
    return out


def _noted(person: Person, day: date) -> set[str] | None:
    """Signs noted in the year before ``day`` (that day excluded); ``None`` without a note."""
    year = [signs for at, signs in person.signs if day - _YEAR <= at < day]
    return {sign for signs in year for sign in signs} if year else None


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
    rows: list[list[float]] = []
    target: list[int] = []
    group: list[int] = []
    for day in landmarks:
        for number, person in enumerate(people):
            gap = day + timedelta(days=30)
            if not person.free(gap) or person.joined > day or person.age(day) < 40:
                continue
            rows.append(_row(person, day, kinds, codes))
            end = gap + _YEAR
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
    notes = 2 + len(codes) + 1 + len(_TESTS)
    return {
        "examples": len(y),
        "outcomes": int(y.sum()),
        "age alone": float(roc_auc_score(y, x[:, 0])),
        **auc("age and sex", LogisticRegression(max_iter=500), slice(0, 2)),
        **auc("structured", boosting, slice(0, notes)),
        **auc("all that is written", boosting, slice(0, None)),
    }


def _row(person: Person, day: date, kinds: Sequence[str], codes: Sequence[str]) -> list[float]:
    known = {code[:3] for at, code in person.problems if at <= day}
    last = {code: value for at, code, value in person.tests if at <= day}
    recent: Counter[str] = Counter()
    older: Counter[str] = Counter()
    notes = 0
    for at, signs in person.signs:
        if day - _YEAR < at <= day:
            recent.update(signs)
            notes += 1
        elif at <= day:
            older.update(signs)
    row: list[float] = [person.age(day), float(person.sex is Sex.MALE)]
    row += [float(code in known) for code in codes]
    row.append(float(person.diuretic is not None and person.diuretic <= day))
    row += [last.get(code, float("nan")) for code in _TESTS]
    row.append(float(notes))
    row += [float(recent[kind]) for kind in kinds]
    row += [float(older[kind]) for kind in kinds]
    return row


def curves(
    people: Iterable[Person], day: date, p: Parameters
) -> list[tuple[str, str, float, float]]:
    """Compare the prevalence of each condition by sex and age with the curve it was given.

    Returns
    -------
    list of tuple
        Condition, group (``f60``: women of 60 to 74), the curve's and the cohort's per cent.
    """
    groups: defaultdict[str, list[Person]] = defaultdict(list)
    for person in people:
        if person.here(day):
            band = min(int(person.age(day) // 15) * 15, 75)
            groups[f"{person.sex.value[0]}{band}"].append(person)
    rows = []
    for condition in p.conditions:
        for group, some in sorted(groups.items()):
            curve = condition.women if group[0] == "f" else condition.men
            given = [1 / (1 + math.exp(-curve.at(person.age(day)))) for person in some]
            have = sum(person.conditions.get(condition.name, date.max) <= day for person in some)
            rows.append(
                (condition.name, group, 100 * sum(given) / len(some), 100 * have / len(some))
            )
    return rows


def main() -> None:
    """Print every table; exit with 1 where ``--strict`` and a target is missed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--patients", type=int, default=20000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--strict", action="store_true", help="fail where a target is missed")
    chosen = options.parse_args()
    shipped = load_parameters()
    p = shipped.as_of(shipped.end)
    people = [summarise(x, p.start) for x in simulate_patients(chosen.patients, chosen.seed, p)]
    notes = sum(len(person.signs) for person in people)
    print(f"patients {len(people)}, notes {notes}, {notes / len(people):.1f} a patient")
    print(f"words a note {sum(q.words for q in people) / notes:.0f}")
    languages = Counter(name for person in people for name in person.languages)
    print("languages", {k: f"{100 * v / notes:.1f}%" for k, v in sorted(languages.items())})
    measured: dict[str, float] = {}
    print("\nincidence of heart failure per 1,000 and year")
    for name, rate in incidence(people, p.start, p.end).items():
        measured[f"incidence {name}"] = rate
        print(f"  {name:<6}{rate:8.1f}")
    ages = [q.age(q.diagnosed) for q in people if q.diagnosed and q.diagnosed > p.start]
    measured["age at diagnosis"] = sum(ages) / max(1, len(ages))
    print(f"mean age at diagnosis {measured['age at diagnosis']:.1f}")
    print("\nprevalence on the first day, %")
    for name, row in prevalence(people, p.start).items():
        measured |= {f"prevalence {name} {group}": value for group, value in row.items()}
        cells = "".join(f"{group}:{value:5.1f}  " for group, value in row.items())
        print(f"  {name:<24}{cells}")
    print("\nCOPD on the problem list, a year on, %")
    for group, value in registered(people, p.start + _YEAR, "copd").items():
        measured[f"registered copd {group}"] = value
        print(f"  {group:<24}{value:7.1f}")
    print("\nprevalence by sex and age on the first day, %: the curve given, and simulated")
    for name, group, given, found in curves(people, p.start, p):
        print(f"  {name:<24}{group:<5}{given:7.1f}{found:7.1f}")
    print("\nFramingham criteria noted in the year before, %")
    for name, value in signs_before(people, p.start + _YEAR, p.end).items():
        measured[name] = value
        print(f"  {name:<34}{value:7.1f}")
    print("\nAUROC for heart failure within 31 to 395 days")
    landmarks = [date(2022, 6, 30), date(2023, 6, 30), date(2024, 6, 30)]
    for name, value in discrimination(people, landmarks).items():
        measured[f"auroc {name}"] = value
        print(f"  {name:<32}{value:9.3f}")
    print("\nagainst the literature\n")
    print(targets_markdown(load_targets(), measured), end="")
    if chosen.strict and missed(load_targets(), measured):
        sys.exit(1)


if __name__ == "__main__":
    main()
