"""Health services of the second simulator, drawn at random."""

from __future__ import annotations

from clinical_nlp.simulation.services import apply_numbers, draw_numbers
from clinical_nlp.simulation.stages.parameters import (
    PACKAGE,
    StagesParameters,
    parse_stages,
    shipped_stages,
)


def draw_stages_parameters(seed: int) -> StagesParameters:
    """Return the parameters of one service of the second simulator, drawn at random.

    As :func:`clinical_nlp.simulation.draw_service` does for the first one: the same seed gives
    the same service on every machine.
    """
    name = f"stages-{seed}"
    raw = shipped_stages()
    return parse_stages(
        apply_numbers(raw, {"staff.staff": name, **draw_numbers(name, raw, PACKAGE)})
    )
