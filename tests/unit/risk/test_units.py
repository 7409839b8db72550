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
        (0.3, "ng/mL", "pg/mL", "nt_probnp", 300.0),
        (0.3, "µg/L", "pg/mL", "nt_probnp", 300.0),
        (236.5, "pmol/L", "pg/mL", "nt_probnp", 2000.0),  # NICE NG106 gives both
        (400.0, "ng/L", "pg/mL", "nt_probnp", 400.0),
        (28.87, "pmol/L", "pg/mL", "bnp", 100.0),
        (0.1, "ng/mL", "pg/mL", "bnp", 100.0),
        (14.0, "ng/mL", "pg/mL", "troponin_t", None),  # a factor is a substance's own
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
