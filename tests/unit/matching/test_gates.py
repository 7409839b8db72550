from __future__ import annotations

import pytest

from clinical_nlp.errors import PipelineError
from clinical_nlp.matching.gates import Context, Gates

GATES = Gates(
    {
        "lists": {"valve": ["severa", "moderada"]},
        "graded": {
            "otherwise": False,
            "rules": [{"accept": True, "after": ["{valve}", "grado #"]}],
        },
        "not_given": {"otherwise": True, "rules": [{"accept": False, "before": ["mg", "vía"]}]},
        "near_heart": {"rules": [{"accept": True, "near": ["cardi*"]}]},
        "in_year": {"rules": [{"accept": True, "after": ["en #year"]}]},
        "in_note": {"rules": [{"accept": True, "note": ["furosemida"]}]},
        "in_history": {"rules": [{"accept": True, "section": ["history"]}]},
        "both": {"rules": [{"accept": True, "before": ["con"], "after": ["leve"]}]},
    }
)


def passes(gate: str, text: str, section: str | None = None) -> bool:
    """Whether the gate lets IM through in a text of plain words."""
    words = [w.lower() for w in text.replace("¶", "\n").split(" ")]
    place = words.index("im")
    return GATES.lets_through(gate, Context(words, lambda unit: section), place, place + 1)


@pytest.mark.parametrize(
    ("gate", "text", "accepted"),
    [
        ("graded", "IM severa", True),
        ("graded", "IM grado 3", True),
        ("graded", "IM y severa", False),
        ("not_given", "75 mg IM", False),
        ("not_given", "via IM", False),
        ("not_given", "tiene IM", True),
        ("near_heart", "IM vista por cardiologia", True),
        ("near_heart", "IM . Ir a cardiologia", False),
        ("near_heart", "IM ¶ cardiologia", False),
        ("near_heart", "IM a a a a a a a a a a cardiologia", False),
        ("in_year", "IM en 2012", True),
        ("in_year", "IM en 3", False),
        ("in_note", "furosemida . a . b . IM", True),
        ("in_note", "a . b . IM", False),
        ("both", "con IM leve", True),
        ("both", "con IM", False),
    ],
)
def test_gate_of_each_condition_accepts_or_rejects(gate: str, text: str, accepted: bool) -> None:
    assert passes(gate, text) is accepted


def test_gate_with_section_accepts_only_that_section() -> None:
    assert passes("in_history", "IM", section="history")
    assert not passes("in_history", "IM", section="plan")
    assert not passes("in_history", "IM", section=None)


@pytest.mark.parametrize("rule", [{"near": ["x"]}, {"accept": True, "nearby": ["x"]}])
def test_gates_invalid_rule_raises_e315(rule: dict[str, object]) -> None:
    with pytest.raises(PipelineError) as caught:
        Gates({"g": {"rules": [rule]}})
    assert caught.value.code == "E315"
