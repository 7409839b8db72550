"""Learning-rate schedules: the factor of the base rate at a step, counted from 0."""

from __future__ import annotations


def linear_decay(step: int, steps: int, warm_up: int, floor: float) -> float:
    """Linear warm-up over ``warm_up`` steps, times a linear decay over all ``steps``.

    Parameters
    ----------
    floor
        Least value of the decay.
    """
    return min(1.0, (step + 1) / max(1, warm_up)) * max(floor, 1 - step / steps)


def warmup_stable_decay(
    step: int, steps: int, warm_up: int, decay: int, floor: float = 0.02
) -> float:
    """Linear warm-up, a plateau, and a linear decay over the last ``decay`` steps.

    References
    ----------
    Hu et al., "MiniCPM", arXiv:2404.06395 (the WSD schedule).
    """
    rise = (step + 1) / max(1, warm_up)
    fall = (steps - step) / max(1, decay)
    return min(1.0, rise, max(floor, fall))
