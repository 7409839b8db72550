"""How many people a threshold of the work list gives a family doctor to see.

Bands and thresholds can be set from published cut-points or from this: what a list can see.
"""

from __future__ import annotations

from collections.abc import Sequence

#: People on a usual list of a Spanish family doctor; a service sets its own.
LIST_SIZE = 1_500


def people_a_month(
    probabilities: Sequence[float | None],
    threshold: float,
    list_size: int = LIST_SIZE,
    review_months: int = 12,
) -> float:
    """Return how many people of a list a threshold gives a month, once it runs.

    Parameters
    ----------
    probabilities
        12-month probability (0..1) of each person of a sample of the list; ``None`` for those
        without an estimate, who are people of the list as well.
    threshold
        Probability (0..1) from which a patient enters the work list.
    list_size
        People on the list.
    review_months
        A patient on the work list is seen once in as many months. The first month, when
        nobody has been seen, gives all of them.

    Returns
    -------
    float
        People a month; 0 for an empty sample.

    Examples
    --------
    >>> people_a_month([0.01] * 96 + [0.2] * 4, 0.03)
    5.0
    """
    reached = sum(p is not None and p >= threshold for p in probabilities)
    return monthly_load(reached, len(probabilities), list_size, review_months)


def monthly_load(
    reached: int, people: int, list_size: int = LIST_SIZE, review_months: int = 12
) -> float:
    """Return how many people of a list a month are seen, where so many of a sample are to be.

    Parameters
    ----------
    reached, people
        People of the sample to be seen, and all of them.
    list_size, review_months
        As in :func:`people_a_month`.

    Returns
    -------
    float
        People a month; 0 for an empty sample.
    """
    return reached / people * list_size / review_months if people else 0.0


def threshold_for(
    probabilities: Sequence[float | None],
    people: float,
    list_size: int = LIST_SIZE,
    review_months: int = 12,
) -> float:
    """Return the lowest threshold that gives a list at most ``people`` a month.

    Parameters
    ----------
    probabilities, list_size, review_months
        As in :func:`people_a_month`.
    people
        People a month that can be seen.

    Returns
    -------
    float
        Probability, 0..1; 1.0 where no lower threshold is enough.

    Examples
    --------
    >>> threshold_for([0.01] * 96 + [0.2] * 4, 5.0)
    0.2
    """
    known = sorted({p for p in probabilities if p is not None})
    for threshold in known:
        if people_a_month(probabilities, threshold, list_size, review_months) <= people:
            return threshold
    return 1.0
