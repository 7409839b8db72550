from __future__ import annotations

import hashlib

import pytest

from clinical_nlp.evaluation.splits import Half, Part, assign_part, hash_fraction, in_first_of

IDS = [f"patient-{i}-ñ" for i in range(5000)]


@pytest.mark.parametrize("parts", [2, 5])
def test_in_first_of_parts_takes_its_share(parts):
    assert sum(in_first_of(parts, name) for name in IDS) / 5000 == pytest.approx(
        1 / parts, abs=0.03
    )


def test_hash_fraction_is_that_of_the_first_eight_bytes():
    for name in IDS[:50]:
        digest = hashlib.sha256(f"salt|{name}".encode()).hexdigest()
        assert hash_fraction(f"salt|{name}") == int(digest[:16], 16) / 2**64


def test_assign_part_gives_each_part_its_share():
    parts = [assign_part(name, {"train": 0.5, "calibration": 0.2}, rest="test") for name in IDS]
    for part, share in (("train", 0.5), ("calibration", 0.2), ("test", 0.3)):
        assert parts.count(part) / 5000 == pytest.approx(share, abs=0.03)


def test_parts_of_a_gold_set_are_disjoint_and_complete():
    for name in IDS[:200]:
        assert Part.ALL.holds(name) and Part.TUNE.holds(name) != Part.HELD_OUT.holds(name)
        assert Half.ALL.holds(name) and Half.TUNE.holds(name) != Half.REPORT.holds(name)
