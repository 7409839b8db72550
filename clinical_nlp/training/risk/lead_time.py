"""How long before the diagnosis an alert would have stood.

Each diagnosed patient of the test part is scored every 30 days up to the diagnosis, as the
nightly batch would have, on what was known each day. Alerts of patients who are never
diagnosed are the price, told by the alerts per 1,000 at the same threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from clinical_nlp.risk.timeline import Timeline
from clinical_nlp.training.risk.dataset import Case
from clinical_nlp.training.risk.measures import Vector, with_intervals

#: Days from one score to the next, and how far back the scores go.
STEP, BACK = 30, 720

#: Days before the diagnosis at which the share already alerted is told.
MARKS = (0, 30, 90, 180, 360)


def past_of(cases: Sequence[Case], first_index: date, min_age: int) -> list[list[Timeline]]:
    """Timelines of each case, from the day of the diagnosis back, every :data:`STEP` days.

    The day itself is left out: what was written on it is the diagnosis.
    """
    pasts = []
    for case in cases:
        past = []
        for days in range(STEP, BACK + 1, STEP):
            day = case.diagnosed - timedelta(days=days)
            timeline = case.timeline.until(day)
            if day < first_index or (timeline.age or 0) < min_age or not timeline.contact_days:
                break
            past.append(timeline)
        pasts.append(past)
    return pasts


def lead_days(
    pasts: Sequence[Sequence[Timeline]],
    score: Callable[[Sequence[Timeline]], Vector],
    threshold: float,
) -> Vector:
    """Days from the first alert to the diagnosis, by case; -1 where there was none.

    Parameters
    ----------
    score
        Probability of each timeline.
    """
    whole = [timeline for past in pasts for timeline in past]
    probability = score(whole)
    result, start = np.full(len(pasts), -1.0), 0
    for number, past in enumerate(pasts):
        above = np.flatnonzero(probability[start : start + len(past)] >= threshold)
        start += len(past)
        if len(above):
            result[number] = STEP * (int(above[-1]) + 1)
    return result


def lead_time(leads: Vector, patients: Sequence[str], resamples: int, seed: int) -> dict[str, Any]:
    """Summarise lead times.

    Returns
    -------
    dict
        ``cases``; ``alerted_<days>``: share with an alert at least that long before the
        diagnosis; ``median_days`` among those ever alerted. Each with its interval.
    """

    def measure(rows: npt.NDArray[np.int_]) -> Mapping[str, float]:
        some = leads[rows]
        hit = some[some >= 0]
        shares = {f"alerted_{mark}": float(np.mean(some >= max(mark, 1))) for mark in MARKS}
        return {**shares, "median_days": float(np.median(hit)) if len(hit) else float("nan")}

    return {"cases": len(leads), **with_intervals(measure, list(patients), resamples, seed)}


def alerted_by(leads: Vector) -> list[dict[str, float]]:
    """Share of the cases with an alert at least so many days before, every 30 days."""
    return [
        {"days": float(days), "share": float(np.mean(leads >= days))}
        for days in range(STEP, BACK + 1, STEP)
    ]
