"""Random tables and diaries give exactly their values; random numbers are read back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import spacy
from hypothesis import given, settings
from hypothesis import strategies as st

from clinical_nlp.pipeline.document import get_findings

_CONFIG = {"nlp": {"tokenizer": {"@tokenizers": "clinical_nlp.ClinicalTokenizer.v1"}}}


def _pipeline() -> spacy.language.Language:
    nlp = spacy.blank("es", config=_CONFIG)
    for name in ("es_layout", "es_sentences", "es_sections", "hf_measurements"):
        nlp.add_pipe(name)
    return nlp


_FINDER = _pipeline()


@dataclass(frozen=True)
class _Test:
    """A test: its names, its unit, its limits, its decimals, its reference range."""

    concept: str
    names: tuple[str, ...]
    unit: str
    low: int
    high: int
    decimals: int
    limits: str


_TESTS = (
    _Test("creatinine", ("Creatinina", "Cr", "Creat."), "mg/dL", 1, 4, 2, "0,70-1,20"),
    _Test("potassium", ("Potasio", "K"), "mmol/L", 3, 6, 1, "3,5-5,1"),
    _Test("sodium", ("Sodio", "Na"), "mmol/L", 120, 150, 0, "135-145"),
    _Test("nt_probnp", ("NT-proBNP", "proBNP"), "pg/mL", 130, 9000, 0, "<125"),
    _Test("hemoglobin", ("Hb", "Hemoglobina"), "g/dL", 8, 16, 1, "12,0-16,0"),
    _Test("lvef", ("FEVI",), "%", 20, 70, 0, ">50"),
    _Test("glucose", ("Glucosa", "Glucemia basal"), "mg/dL", 70, 300, 0, "70-110"),
    _Test("body_weight", ("Peso", "Peso actual"), "kg", 45, 120, 1, ""),
    _Test("heart_rate", ("FC", "Pulso"), "lpm", 50, 120, 0, ""),
    _Test("hba1c", ("HbA1c",), "%", 5, 11, 1, "<6,5"),
)


@dataclass(frozen=True)
class _Grid:
    """Rows of cells, header first, and the values that they hold, in order of place."""

    rows: list[list[str]]
    values: list[tuple[str, float, str | None]]


def _written(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}".replace(".", ",")
    whole, _, rest = text.partition(",")
    if len(whole) > 3:
        whole = f"{whole[:-3]}.{whole[-3:]}"
    return f"{whole},{rest}" if rest else whole


def _value(draw: st.DrawFn, test: _Test) -> float:
    scale = 10**test.decimals
    return draw(st.integers(test.low * scale, test.high * scale)) / scale


def _days(draw: st.DrawFn, count: int) -> list[date]:
    first = draw(st.dates(date(2019, 1, 1), date(2024, 1, 1)))
    steps = draw(st.lists(st.integers(1, 200), min_size=count, max_size=count))
    days, day = [], first
    for step in steps:
        day += timedelta(step)
        days.append(day)
    return days


@st.composite
def _pivot(draw: st.DrawFn) -> _Grid:
    """Names in rows, a day for each column, unit and range beside them or not."""
    tests = draw(st.lists(st.sampled_from(_TESTS), min_size=2, max_size=5, unique=True))
    days = _days(draw, draw(st.integers(1, 4)))
    shape = draw(st.sampled_from(["%d/%m/%y", "%d/%m/%Y", "%Y-%m-%d"]))
    units = draw(st.sampled_from(["label", "column", "none"]))
    ranges = draw(st.booleans())
    header = ["Prueba", *(["Unidad"] if units == "column" else [])]
    header += [day.strftime(shape) for day in days] + (["Referencia"] if ranges else [])
    rows, values = [header], []
    for test in tests:
        name = draw(st.sampled_from(test.names))
        row = [f"{name} ({test.unit})" if units == "label" else name]
        row += [test.unit] if units == "column" else []
        for day in days:
            if draw(st.integers(0, 9)) == 0:
                row.append(draw(st.sampled_from(["--", "n/d"])))
                continue
            value = _value(draw, test)
            row.append(_written(value, test.decimals) + draw(st.sampled_from(["", "", " *"])))
            values.append((test.concept, value, day.isoformat()))
        rows.append(row + ([test.limits or "-"] if ranges else []))
    return _Grid(rows, values)


@st.composite
def _diary(draw: st.DrawFn) -> _Grid:
    """Names in the header, a day for each row, units in the header or the first row."""
    tests = draw(st.lists(st.sampled_from(_TESTS), min_size=1, max_size=3, unique=True))
    pressure = draw(st.booleans())
    days = _days(draw, draw(st.integers(2, 5)))
    units = draw(st.sampled_from(["header", "row", "none"]))
    header = ["Fecha"]
    for test in tests:
        name = draw(st.sampled_from(test.names))
        header.append(f"{name} ({test.unit})" if units == "header" else name)
    rows: list[list[str]] = [header + (["TA"] if pressure else [])]
    values: list[tuple[str, float, str | None]] = []
    if units == "row":
        rows.append(["", *(test.unit for test in tests), *(["mmHg"] if pressure else [])])
    for day in days:
        row = [day.strftime("%d/%m/%Y")]
        for test in tests:
            value = _value(draw, test)
            row.append(_written(value, test.decimals))
            values.append((test.concept, value, day.isoformat()))
        if pressure:
            high, low = draw(st.integers(100, 200)), draw(st.integers(45, 79))
            row.append(f"{high}/{low}")
            values += [
                ("systolic_bp", high, day.isoformat()),
                ("diastolic_bp", low, day.isoformat()),
            ]
        rows.append(row)
    return _Grid(rows, values)


def _laid_out(grid: _Grid, layout: str) -> str:
    if layout == "pipes":
        return "\n".join(f"| {' | '.join(row)} |" for row in grid.rows)
    if layout == "bare pipes":
        return "\n".join(" | ".join(row) for row in grid.rows)
    if layout == "tabs":
        return "\n".join("\t".join(row) for row in grid.rows)
    widths = [max(len(row[i]) for row in grid.rows) + 3 for i in range(len(grid.rows[0]))]
    return "\n".join(
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in grid.rows
    )


_LAYOUTS = st.sampled_from(["pipes", "bare pipes", "tabs", "blanks"])


@settings(max_examples=200, deadline=None)
@given(grid=st.one_of(_pivot(), _diary()), layout=_LAYOUTS, around=st.booleans())
def test_random_table_gives_exactly_its_values(grid: _Grid, layout: str, around: bool) -> None:
    table = _laid_out(grid, layout)
    text = f"Evolución del paciente.\n\n{table}\n\nSigue igual." if around else f"{table}\n"
    found = [(f.concept, f.value, f.measured_on) for f in get_findings(_FINDER(text))]
    assert found == grid.values, text


@settings(max_examples=150, deadline=None)
@given(
    value=st.integers(130, 69_999),
    shape=st.sampled_from(["{}", "{:,}", "thin", "narrow", "no-break", "blank", "mil"]),
    sign=st.sampled_from(["", "<", ">", "≤"]),
    unit=st.sampled_from(["", " pg/mL", "pg/ml", " ng/L"]),
)
def test_number_in_any_notation_is_read_back(value: int, shape: str, sign: str, unit: str) -> None:
    blanks = {"thin": "\u2009", "narrow": "\u202f", "no-break": "\u00a0", "blank": " "}
    if shape == "mil":
        value -= value % 1000
        written, unit = f"{max(value, 1000) // 1000} mil", f" {unit.strip()}"
        value = max(value, 1000)
    elif shape in blanks:
        written = f"{value:,}".replace(",", blanks[shape])
    else:
        written = shape.format(value).replace(",", ".")
    (found,) = get_findings(_FINDER(f"NT-proBNP {sign}{written}{unit}"))
    assert found.value == value
    assert found.comparator == ({"≤": "<="}.get(sign, sign) or None)
    assert found.text == written


@settings(max_examples=100, deadline=None)
@given(
    systolic=st.integers(90, 220),
    diastolic=st.integers(40, 69),
    shape=st.sampled_from(
        [
            "TA {}/{}",
            "TA {}-{}",
            "TA {} {}",
            "TA {}\u2044{}",
            "TA {}\u2215{} mmHg",
            "S {} D {}",
            "TAS {} TAD {}",
            "TA max {} min {}",
            "BP {}/{}",
            "Coge peso. {}/{}",
            "tensión de {} con {}",
            "Máx/mín {}/{}",
            "{}/{} de tensión",
        ]
    ),
)
def test_pressure_in_any_notation_is_read_back(systolic: int, diastolic: int, shape: str) -> None:
    found = get_findings(_FINDER(shape.format(systolic, diastolic)))
    assert [(f.concept, f.value) for f in found] == [
        ("systolic_bp", systolic),
        ("diastolic_bp", diastolic),
    ]


@settings(max_examples=60, deadline=None)
@given(
    centimetres=st.integers(130, 210),
    shape=st.sampled_from(
        [
            "{m}m{c:02d}",
            "{m},{c:02d} m",
            "{m}.{c:02d}",
            "{t} cm",
            "{t}cms",
            "{m} m {c:02d} cm",
            "{m} {c:02d}",
        ]
    ),
)
def test_height_in_any_notation_is_read_back(centimetres: int, shape: str) -> None:
    metres, rest = divmod(centimetres, 100)
    written = shape.format(m=metres, c=rest, t=centimetres)
    (found,) = get_findings(_FINDER(f"Talla {written}, estable"))
    assert (found.concept, found.value) == ("body_height", centimetres)
