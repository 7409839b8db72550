"""The rules of ``measurements.toml``: units, limits and names, compiled for look-up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from clinical_nlp.pipeline.measurements.numbers import Number, NumberReader
from clinical_nlp.pipeline.measurements.phrases import PhraseIndex, phrase_norms

T = TypeVar("T")

SYSTOLIC = "systolic_bp"
DIASTOLIC = "diastolic_bp"
PRESSURE = "pressure"
#: Key of the units that name a blood pressure.
UNNAMED_PRESSURE = "blood_pressure"
_OTHER = "other"


@dataclass(frozen=True, slots=True)
class Unit:
    """Conversion of a number in this unit to the concept's unit."""

    factor: float
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class ImplicitUnit:
    """A range of numbers that, without a unit, are in another unit than the concept's."""

    first: float
    last: float
    unit: Unit


@dataclass(frozen=True, slots=True)
class Parts:
    """How a number is continued after its unit: ``1 m 65``, ``70 kilos y 300 gramos``.

    ``digits`` is how many the second part has, ``small`` its units; ``bare`` is whether it may
    stand without one.
    """

    units: frozenset[str]
    small: frozenset[str]
    digits: int
    bare: bool


@dataclass(frozen=True)
class Measure:
    """One measurement: its unit, its limits, and the words that lead to its values.

    Limits are inclusive and in ``unit`` (UCUM).
    """

    key: str
    unit: str
    low: float
    high: float
    decimals: int
    units: Mapping[tuple[str, ...], Unit]
    bare: tuple[ImplicitUnit, ...]
    fillers: frozenset[str]
    more: frozenset[str]
    levels_only: bool
    labelled: bool = False
    thousands: bool = False
    no_pair: bool = False
    references: frozenset[float] = frozenset()
    parts: Parts | None = None
    alone: frozenset[str] = frozenset()

    def value(self, number: Number, unit: Unit | None, name: Name | None = None) -> float | None:
        """Return the number in this measurement's unit; ``None`` where it is implausible.

        ``name`` is the name read, which may have limits of its own.
        A unit that makes it implausible is ignored as a slip where the number alone is
        plausible ("Hb 12,3 mg/dl").
        """
        low = self.low if name is None or name.low is None else name.low
        high = self.high if name is None or name.high is None else name.high
        readings = number.values(whole_expected=self.decimals == 0)
        if unit is not None:
            for reading in readings:
                value = self._convert(reading, unit)
                if low <= value <= high:
                    return value
        for reading in readings:
            if low <= reading <= high and not self._in_implicit_unit(reading, unit):
                return reading
        for bare in self.bare if unit is None else ():
            for reading in readings:
                if bare.first <= reading <= bare.last:
                    value = self._convert(reading, bare.unit)
                    if low <= value <= high:
                        return value
        return None

    def _in_implicit_unit(self, reading: float, unit: Unit | None) -> bool:
        return unit is None and any(bare.first <= reading <= bare.last for bare in self.bare)

    def _convert(self, reading: float, unit: Unit) -> float:
        if unit.factor == 1 and not unit.offset:
            return reading
        return round(reading * unit.factor + unit.offset, self.decimals)


@dataclass(frozen=True)
class Name:
    """A name of a measurement, with the conditions on the words around it."""

    concept: str
    needs_unit: bool = False
    needs_pair: bool = False
    millimetres: bool = False
    needs_link: frozenset[str] = frozenset()
    after: str | None = None
    then: frozenset[str] = frozenset()
    near: frozenset[str] = frozenset()
    not_near: frozenset[str] = frozenset()
    low: float | None = None
    high: float | None = None
    series: bool = False
    decimals: bool | None = None

    @property
    def is_other(self) -> bool:
        """Whether it names a test that is not in the catalogue."""
        return self.concept == _OTHER


@dataclass(frozen=True, slots=True)
class PressureRules:
    """Limits and joining words of the two numbers of a blood pressure."""

    centimetres_systolic: tuple[float, float]
    centimetres_diastolic: tuple[float, float]
    least_pulse_pressure: float
    joins: frozenset[str]
    temperature: tuple[float, float]
    usual_systolic: tuple[float, float]
    usual_diastolic: float
    usual_difference: float

    def is_usual(self, systolic: float, diastolic: float) -> bool:
        """Whether two numbers, in mm Hg, cannot be two doses, as 160/25 is."""
        low, high = self.usual_systolic
        return (
            low <= systolic <= high
            and diastolic >= self.usual_diastolic
            and systolic - diastolic >= self.usual_difference
        )


class MeasurementRules:
    """Everything that the readers look up.

    Parameters
    ----------
    rules
        The content of ``measurements.toml``.
    """

    def __init__(self, rules: Mapping[str, Any]) -> None:
        self.measures = {key: _measure(key, entry) for key, entry in rules["concepts"].items()}
        self.numbers = NumberReader(rules["numbers"])
        self.names: PhraseIndex[Name] = PhraseIndex()
        self.units: PhraseIndex[tuple[str, ...]] = PhraseIndex()
        self.comparators: PhraseIndex[str] = PhraseIndex()
        self.comparators_after: PhraseIndex[str] = PhraseIndex()
        self.standalone: PhraseIndex[str] = PhraseIndex()
        self.pressure = PressureRules(
            tuple(rules["pressure"]["centimetres_systolic"]),
            tuple(rules["pressure"]["centimetres_diastolic"]),
            rules["pressure"]["least_pulse_pressure"],
            frozenset(rules["pressure"]["joins"]),
            tuple(rules["pressure"]["temperature"]),
            tuple(rules["pressure"]["usual_systolic"]),
            rules["pressure"]["usual_diastolic"],
            rules["pressure"]["usual_difference"],
        )
        words = rules["words"]
        self.between = frozenset(words["between"])
        self.again = frozenset(words["again"])
        self.months = frozenset(words["months"])
        self.days = frozenset(words["days"])
        self.given = frozenset(words["given"])
        self.ago = frozenset(words["ago"])
        self.answers = frozenset(words["answers"])
        self.in_time = frozenset(words["in_time"])
        self.series = frozenset(words["series"])
        self.conditions = frozenset(words["conditions"])
        self.near_conditions = frozenset(words["near_conditions"])
        self.direct_conditions = frozenset(words["direct_conditions"])
        self.conditions_after = frozenset(words["conditions_after"])
        self.actions = frozenset(words["actions"])
        self.aims = frozenset(words["aims"])
        self.pair_limits = frozenset(words["pair_limits"])
        self.aims_between = frozenset(words["aims_between"])
        self.taken_at = frozenset(words["taken_at"])
        self.flags = frozenset(words["flags"])
        self.reference_labels = frozenset(words["reference_labels"])
        tables = rules["tables"]
        self.no_values = frozenset(tables["no_values"])
        self.table_limits = frozenset(tables["limits"])
        self.table_results = frozenset(tables["results"])
        self.table_sides: dict[str, str] = {
            **dict.fromkeys(tables["systolic"], SYSTOLIC),
            **dict.fromkeys(tables["diastolic"], DIASTOLIC),
        }
        self.aims_after = frozenset(words["aims_after"])
        self.changes = frozenset(words["changes"])
        self.to = frozenset(words["to"])
        self.moves = frozenset(words["moves"])
        self.not_after = {
            key: frozenset(entry) for key, entry in rules["standalone"]["not_after"].items()
        }
        self.standalone_low: dict[str, float] = dict(rules["standalone"]["low"])
        self.phrases: PhraseIndex[None] = PhraseIndex()
        self._add(self.phrases, words["phrases"], None)
        self.corrections: PhraseIndex[None] = PhraseIndex()
        self._add(self.corrections, words["corrections"], None)
        self._add_names(rules)
        self._add_units(rules)
        for sign, forms in rules["comparators"].items():
            self._add(self.comparators, forms, sign)
        for sign, forms in rules["comparators_after"].items():
            self._add(self.comparators_after, forms, sign)

    def _add_names(self, rules: Mapping[str, Any]) -> None:
        for key, entry in rules["concepts"].items():
            series = frozenset(entry.get("series", ()))
            for name in entry.get("names", ()):
                for form in {name, name.replace("2", "\u2082")}:  # 'SatO₂'
                    self.names.add(phrase_norms(form), Name(key, series=name in series))
            for guard in entry.get("guarded", ()):
                self._add(self.names, guard["names"], _guarded(key, guard))
        pressure = rules["pressure"]
        pair_only = frozenset(pressure["pair_only"])
        for name in pressure["names"]:
            self.names.add(phrase_norms(name), Name(PRESSURE, needs_pair=name in pair_only))
        self._add(
            self.names, pressure["pair_names"], Name(PRESSURE, needs_pair=True, millimetres=True)
        )
        self._add(self.names, pressure["systolic"], Name(SYSTOLIC))
        self._add(self.names, pressure["diastolic"], Name(DIASTOLIC))
        self._add(self.names, rules["others"]["names"], Name(_OTHER))

    @staticmethod
    def _add(index: PhraseIndex[T], forms: Iterable[str], value: T) -> None:
        for form in forms:
            index.add(phrase_norms(form), value)

    def _add_units(self, rules: Mapping[str, Any]) -> None:
        forms = {form for measure in self.measures.values() for form in measure.units}
        self.passing_units = {*map(phrase_norms, rules["foreign_units"]["passing"])}
        foreign = self.passing_units.union(map(phrase_norms, rules["foreign_units"]["final"]))
        # A letter that is a unit of one measurement is no unit after another's number.
        self.weak_units = {f for f in forms - foreign if len(f) == 1 and len(f[0]) == 1}
        forms.update(foreign)
        for form in sorted(forms):
            self.units.add(form, form)
        for key, units in rules["standalone"].items():
            if key not in ("not_after", "low"):
                self._add(self.standalone, units, key)


def _measure(key: str, entry: Mapping[str, Any]) -> Measure:
    units = {phrase_norms(unit): Unit(factor) for unit, factor in entry.get("units", {}).items()}
    for unit, (factor, offset) in entry.get("affine", {}).items():
        units[phrase_norms(unit)] = Unit(factor, offset)
    bare = tuple(
        ImplicitUnit(b["from"], b["to"], Unit(b["factor"], b.get("offset", 0.0)))
        for b in entry.get("bare", ())
    )
    return Measure(
        key=key,
        unit=entry["unit"],
        low=entry["low"],
        high=entry["high"],
        decimals=entry["decimals"],
        units=units,
        bare=bare,
        fillers=frozenset(entry.get("fillers", ())),
        more=frozenset(entry.get("more", ())),
        levels_only=entry.get("levels_only", False),
        labelled=entry.get("labelled", False),
        thousands=entry.get("thousands", False),
        no_pair=entry.get("no_pair", False),
        references=frozenset(map(float, entry.get("references", ()))),
        parts=_parts(entry["parts"]) if "parts" in entry else None,
        alone=frozenset(entry.get("alone", ())),
    )


def _parts(entry: Mapping[str, Any]) -> Parts:
    units, small = frozenset(entry["units"]), frozenset(entry["small"])
    return Parts(units, small, entry["digits"], entry["bare"])


def _guarded(key: str, guard: Mapping[str, Any]) -> Name:
    conditions = {field: value for field, value in guard.items() if field != "names"}
    for field in ("needs_link", "then", "near", "not_near"):
        conditions[field] = frozenset(guard.get(field, ()))
    return Name(key, **conditions)
