"""The whole batch over mutated resources and notes: nothing lost, nothing unforeseen."""

from __future__ import annotations

from pathlib import Path

import pytest

from studies.mutated_resources import base_resources
from studies.mutations import Night


@pytest.mark.slow
def test_mutated_resources_are_all_accounted_for(tmp_path: Path) -> None:
    night, resources = Night(), base_resources()
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        folder.mkdir()
        night.run(seed, resources, folder)
    assert night.tally.broken == []
    assert night.tally.lines > 5_000
    assert night.tally.notes > 500
