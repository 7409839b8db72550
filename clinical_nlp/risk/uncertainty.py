"""How sure an estimate is, as a sentence that a clinician understands."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from clinical_nlp.risk.wording import number_es, templates

#: From here on a percentage is written without decimals: "entre 12 % y 31 %".
_WHOLE_FROM = 10
_TENTH, _UNIT = Decimal("0.1"), Decimal(1)


def between_es(low: float, high: float) -> str:
    """Write the bounds of an interval (probabilities) as percentages.

    They are rounded outwards, so that the estimate never seems to lie outside of them.

    Examples
    --------
    >>> between_es(0.0391, 0.0714), between_es(0.0002, 0.1204)
    ('entre 3,9 % y 7,2 %', 'entre menos de 0,1 % y 13 %')
    """
    words: str = templates()["interval"]["between"]
    return words.format(low=_percent(low, ROUND_FLOOR), high=_percent(high, ROUND_CEILING))


def uncertainty_es(interval: tuple[float, float] | None, level: float) -> str:
    """Return the sentence on an estimate's interval, or that there is none and why.

    Parameters
    ----------
    interval
        Bounds (0..1); ``None`` where the model has no bootstrap members to tell them.
    level
        Of the interval (0..1).
    """
    words: dict[str, str] = templates()["interval"]
    if interval is None:
        return words["none"]
    return words["sentence"].format(level=number_es(100 * level, 0), between=between_es(*interval))


def _percent(probability: float, rounding: str) -> str:
    # Through the shortest text of the float: 0.07 * 100 is not 7 in binary.
    percent = Decimal(repr(probability)) * 100
    step = _UNIT if percent >= _WHOLE_FROM else _TENTH
    shown = percent.quantize(step, rounding=rounding)
    if not shown:
        return "menos de 0,1 %"
    return f"{shown.normalize():f} %".replace(".", ",")
