from __future__ import annotations

from clinical_nlp.simulation.parameters import load_parameters
from studies.simulator_calibration.check import curves
from studies.simulator_calibration.targets import load_targets, missed, targets_markdown


def test_every_target_has_a_source_and_a_range_that_can_be_missed():
    for target in load_targets():
        assert target.source and target.low < target.high
        assert target.met((target.low + target.high) / 2)
        assert not target.met(target.high * 1.01) and not target.met(float("nan"))


def test_what_was_not_measured_is_missed_and_told():
    targets = load_targets()
    measured = {t.key: t.low for t in targets[1:]}
    assert missed(targets, measured) == [targets[0]]
    table = targets_markdown(targets, measured)
    assert table.count("**missed**") == 1 and table.count("\n") == len(targets) + 2


def test_nobody_has_no_prevalence():
    p = load_parameters()
    assert curves([], p.start, p) == []
