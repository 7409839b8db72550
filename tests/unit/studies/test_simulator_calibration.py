from __future__ import annotations

from clinical_nlp.simulation.parameters import load_parameters
from studies.simulator_calibration.epidemiology import curves
from studies.simulator_calibration.targets import load_targets, missed, targets_markdown


def test_load_targets_each_has_a_source_and_a_range_that_can_be_missed():
    for target in load_targets():
        assert target.source and target.low < target.high
        assert target.met((target.low + target.high) / 2)
        assert not target.met(target.high * 1.01) and not target.met(float("nan"))


def test_missed_target_without_a_measurement_is_reported():
    targets = load_targets()
    measured = {t.key: t.low for t in targets[1:]}
    assert missed(targets, measured) == [targets[0]]
    table = targets_markdown(targets, measured)
    assert table.count("**missed**") == 1 and table.count("\n") == len(targets) + 2


def test_curves_without_patients_are_empty():
    p = load_parameters()
    assert curves([], p.start, p) == []
