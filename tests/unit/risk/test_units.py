import pytest

from clinical_nlp.risk.units import to_unit


@pytest.mark.parametrize(
    ("value", "unit", "target", "concept", "expected"),
    [
        (1.0, "mg/dL", "mg/dL", "creatinine", 1.0),
        (100.0, "µmol/L", "mg/dL", "creatinine", 1.131),
        (100.0, "umol/L", "mg/dL", "urate", None),  # no substance, no conversion
        (60.0, "mL/min/{1.73_m2}", "mL/min/{1.73_m2}", "egfr", 60.0),
        (60.0, "ml/min/1,73 m2", "mL/min/{1.73_m2}", "egfr", 60.0),
        (48.0, "mmol/mol", "%", "hba1c", 6.542),
        (180.0, "[lb_av]", "kg", "body_weight", 81.65),
        (80.0, None, "kg", "body_weight", 80.0),
        (80.0, "stone", "kg", "body_weight", None),
        (140.0, "mEq/L", "mmol/L", "sodium", 140.0),
    ],
)
def test_to_unit_converts_to_catalogue_unit(value, unit, target, concept, expected):
    got = to_unit(value, unit, target, concept)
    assert got == (None if expected is None else pytest.approx(expected, rel=1e-3))


def test_units_toml_every_conversion_targets_catalogue_unit():
    from clinical_nlp.lexicon import load_lexicon
    from clinical_nlp.risk.units import _data

    concepts = load_lexicon().concepts
    for row in _data()["convert"]:
        unit = concepts[row["concept"]].unit
        assert to_unit(1.0, row["from"][0], unit, row["concept"]) is not None, row
