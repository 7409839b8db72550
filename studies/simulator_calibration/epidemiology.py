"""Incidence, prevalence and signs before the diagnosis of a simulated cohort."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from clinical_nlp.records import Sex
from clinical_nlp.simulation.parameters import Parameters
from clinical_nlp.simulation.structured import codes
from studies.simulator_calibration.people import YEAR, Person

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


def incidence(people: Sequence[Person], first: date, last: date) -> dict[str, float]:
    """Return first diagnoses per 1,000 person-years, by age band and in all."""
    cases: Counter[str] = Counter()
    years: Counter[str] = Counter()
    for person in people:
        day = first
        while day < last and person.at_risk(day):
            until = min(day + YEAR, last)
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
        if not person.present(day):
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
        if not person.present(day):
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
    with_criterion = {"case": [0, 0], "control": [0, 0]}
    by_sign: dict[str, Counter[str]] = {"case": Counter(), "control": Counter()}
    for case in cases:
        day = case.diagnosed
        assert day is not None  # noqa: S101 - chosen above
        at = bisect_left(births[case.sex], case.birth)
        near = pools[case.sex][max(0, at - 15) : at + 16]
        controls = [
            p
            for p in near
            if p is not case and p.at_risk(day + YEAR) and abs((p.birth - case.birth).days) < 730
        ][:10]
        for name, who in (("case", [case]), ("control", controls)):
            for person in who:
                noted = _noted(person, day)
                if noted is None:
                    continue
                with_criterion[name][1] += 1
                found = noted & FRAMINGHAM
                with_criterion[name][0] += bool(found)
                by_sign[name].update(found)
    out = {
        f"any, {name}s": 100 * hit / max(1, total) for name, (hit, total) in with_criterion.items()
    }
    out["cases"] = len(cases)
    for sign in sorted(FRAMINGHAM):
        for name, (_, total) in with_criterion.items():
            out[f"{sign}, {name}s"] = 100 * by_sign[name][sign] / max(1, total)
    return out


def _noted(person: Person, day: date) -> set[str] | None:
    """Signs noted in the year before ``day`` (that day excluded); ``None`` without a note."""
    year = [signs for at, signs in person.signs if day - YEAR <= at < day]
    return {sign for signs in year for sign in signs} if year else None


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
        if person.present(day):
            band = min(int(person.age(day) // 15) * 15, 75)
            groups[f"{person.sex.value[0]}{band}"].append(person)
    rows = []
    for condition in p.conditions:
        for group, members in sorted(groups.items()):
            curve = condition.women if group[0] == "f" else condition.men
            expected = [1 / (1 + math.exp(-curve.at(person.age(day)))) for person in members]
            have = sum(person.conditions.get(condition.name, date.max) <= day for person in members)
            rows.append(
                (
                    condition.name,
                    group,
                    100 * sum(expected) / len(members),
                    100 * have / len(members),
                )
            )
    return rows
