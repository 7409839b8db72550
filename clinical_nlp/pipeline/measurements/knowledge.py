"""What ``measurements.toml`` holds, compiled for looking up words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

import spacy

from clinical_nlp.pipeline.measurements.numbers import Number, NumberReader
from clinical_nlp.pipeline.measurements.text import Words
from clinical_nlp.pipeline.tokenizer import ClinicalTokenizer

T = TypeVar("T")

SYSTOLIC = "systolic_bp"
DIASTOLIC = "diastolic_bp"
PRESSURE = "pressure"
_OTHER = "other"


@lru_cache(maxsize=1)
def _tokenizer() -> ClinicalTokenizer:
    return ClinicalTokenizer(spacy.blank("es").vocab)


def phrase(text: str) -> tuple[str, ...]:
    """Norms of the words of ``text``, cut as the pipeline cuts notes."""
    return tuple(token.norm_ for token in _tokenizer()(text) if not token.is_space)


class Phrases(Generic[T]):
    """Phrases as a tree of their words; finds the longest that stands at a place."""

    def __init__(self) -> None:
        self._next: dict[str, Phrases[T]] = {}
        self._values: list[T] = []

    @property
    def first_words(self) -> Mapping[str, object]:
        """The words that phrases begin with."""
        return self._next

    def add(self, words: Sequence[str], value: T) -> None:
        """Take a phrase in; one phrase may have several values."""
        if not words:
            raise ValueError("a phrase without words")
        place = self
        for word in words:
            place = place._next.setdefault(word, Phrases())
        place._values.append(value)

    def at(self, words: Words, position: int) -> tuple[int, Sequence[T]]:
        """Length of the longest phrase at ``position`` and its values; 0 where there is none."""
        length, values = 0, self._values
        place, read = self._next.get(words.at(position)), 1
        while place is not None:
            if place._values:
                length, values = read, place._values
            place, read = place._next.get(words.at(position + read)), read + 1
        return length, values


@dataclass(frozen=True, slots=True)
class Unit:
    """How a number in this unit comes to the concept's."""

    factor: float
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Bare:
    """A stretch of numbers that, without a unit, were written in another one."""

    first: float
    last: float
    unit: Unit


@dataclass(frozen=True)
class Measure:
    """One measurement: its unit, its limits, and what leads to its values.

    Limits are inclusive and in ``unit`` (UCUM).
    """

    key: str
    unit: str
    low: float
    high: float
    decimals: int
    units: Mapping[tuple[str, ...], Unit]
    bare: tuple[Bare, ...]
    fillers: frozenset[str]
    more: frozenset[str]
    levels_only: bool

    def value(
        self,
        number: Number,
        unit: Unit | None,
        *,
        low: float | None = None,
        high: float | None = None,
    ) -> float | None:
        """The number in this measurement's unit, ``None`` where no reading is plausible.

        A unit that makes it implausible is taken as a slip where the number alone is
        plausible ("Hb 12,3 mg/dl").
        """
        low = self.low if low is None else low
        high = self.high if high is None else high
        readings = number.values(whole_expected=self.decimals == 0)
        if unit is not None:
            for reading in readings:
                value = self._convert(reading, unit)
                if low <= value <= high:
                    return value
        for reading in readings:
            if low <= reading <= high and not self._written_otherwise(reading, unit):
                return reading
        for bare in self.bare if unit is None else ():
            for reading in readings:
                if bare.first <= reading <= bare.last:
                    value = self._convert(reading, bare.unit)
                    if low <= value <= high:
                        return value
        return None

    def _written_otherwise(self, reading: float, unit: Unit | None) -> bool:
        return unit is None and any(bare.first <= reading <= bare.last for bare in self.bare)

    def _convert(self, reading: float, unit: Unit) -> float:
        if unit.factor == 1 and not unit.offset:
            return reading
        return round(reading * unit.factor + unit.offset, self.decimals)


@dataclass(frozen=True)
class Name:
    """A way to say a measurement, with what must hold around it."""

    concept: str
    needs_unit: bool = False
    needs_pair: bool = False
    millimetres: bool = False
    needs_link: frozenset[str] = frozenset()
    after: str | None = None
    near: frozenset[str] = frozenset()
    not_near: frozenset[str] = frozenset()
    low: float | None = None
    high: float | None = None
    series: bool = False

    @property
    def is_other(self) -> bool:
        """Whether it names a test that is none of ours."""
        return self.concept == _OTHER


@dataclass(frozen=True, slots=True)
class Pressure:
    """How the two numbers of a blood pressure are read."""

    centimetres_systolic: tuple[float, float]
    centimetres_diastolic: tuple[float, float]
    least_difference: float
    joins: frozenset[str]
    temperature: tuple[float, float]


class Knowledge:
    """All that the readers look up.

    Parameters
    ----------
    rules
        The content of ``measurements.toml``.
    """

    def __init__(self, rules: Mapping[str, Any]) -> None:
        self.measures = {key: _measure(key, entry) for key, entry in rules["concepts"].items()}
        self.numbers = NumberReader(rules["numbers"])
        self.names: Phrases[Name] = Phrases()
        self.units: Phrases[tuple[str, ...]] = Phrases()
        self.comparators: Phrases[str] = Phrases()
        self.standalone: Phrases[str] = Phrases()
        self.pressure = _pressure(rules["pressure"])
        words = rules["words"]
        self.between = frozenset(words["between"])
        self.again = frozenset(words["again"])
        self.months = frozenset(words["months"])
        self.series = frozenset(words["series"])
        self.conditions = frozenset(words["conditions"])
        self.near_conditions = frozenset(words["near_conditions"])
        self.direct_conditions = frozenset(words["direct_conditions"])
        self.conditions_after = frozenset(words["conditions_after"])
        self.actions = frozenset(words["actions"])
        self.aims = frozenset(words["aims"])
        self.taken_at = frozenset(words["taken_at"])
        self.aims_after = frozenset(words["aims_after"])
        self.changes = frozenset(words["changes"])
        self.to = frozenset(words["to"])
        self.moves = frozenset(words["moves"])
        self.not_after = {
            key: frozenset(entry) for key, entry in rules["standalone"]["not_after"].items()
        }
        self.standalone_low: dict[str, float] = dict(rules["standalone"]["low"])
        self.phrases: Phrases[None] = Phrases()
        for form in words["phrases"]:
            self.phrases.add(phrase(form), None)
        self._add_names(rules)
        self._add_units(rules)
        for sign, forms in rules["comparators"].items():
            for form in forms:
                self.comparators.add(phrase(form), sign)

    def _add_names(self, rules: Mapping[str, Any]) -> None:
        for key, entry in rules["concepts"].items():
            series = frozenset(entry.get("series", ()))
            for name in entry.get("names", ()):
                self.names.add(phrase(name), Name(key, series=name in series))
            for guard in entry.get("guarded", ()):
                self._add(guard["names"], _guarded(key, guard))
        pressure = rules["pressure"]
        pair_only = frozenset(pressure["pair_only"])
        for name in pressure["names"]:
            self.names.add(phrase(name), Name(PRESSURE, needs_pair=name in pair_only))
        self._add(pressure["pair_names"], Name(PRESSURE, needs_pair=True, millimetres=True))
        self._add(pressure["systolic"], Name(SYSTOLIC))
        self._add(pressure["diastolic"], Name(DIASTOLIC))
        self._add(rules["others"]["names"], Name(_OTHER))

    def _add(self, names: Iterable[str], name: Name) -> None:
        for form in names:
            self.names.add(phrase(form), name)

    def _add_units(self, rules: Mapping[str, Any]) -> None:
        forms = {form for measure in self.measures.values() for form in measure.units}
        self.passing_units = {phrase(unit) for unit in rules["foreign_units"]["passing"]}
        foreign = self.passing_units | {phrase(unit) for unit in rules["foreign_units"]["final"]}
        # A letter that is a unit of one measurement is no unit after another's number.
        self.weak_units = {f for f in forms - foreign if len(f) == 1 and len(f[0]) == 1}
        forms.update(foreign)
        for form in sorted(forms):
            self.units.add(form, form)
        for key, units in rules["standalone"].items():
            if key not in ("not_after", "low"):
                for unit in units:
                    self.standalone.add(phrase(unit), key)


def _measure(key: str, entry: Mapping[str, Any]) -> Measure:
    units = {phrase(unit): Unit(factor) for unit, factor in entry.get("units", {}).items()}
    for unit, (factor, offset) in entry.get("affine", {}).items():
        units[phrase(unit)] = Unit(factor, offset)
    bare = tuple(
        Bare(b["from"], b["to"], Unit(b["factor"], b.get("offset", 0.0)))
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
    )


def _guarded(key: str, guard: Mapping[str, Any]) -> Name:
    return Name(
        key,
        needs_unit=guard.get("needs_unit", False),
        needs_link=frozenset(guard.get("needs_link", ())),
        after=guard.get("after"),
        near=frozenset(guard.get("near", ())),
        not_near=frozenset(guard.get("not_near", ())),
        low=guard.get("low"),
        high=guard.get("high"),
    )


def _pressure(rules: Mapping[str, Any]) -> Pressure:
    return Pressure(
        centimetres_systolic=tuple(rules["centimetres_systolic"]),
        centimetres_diastolic=tuple(rules["centimetres_diastolic"]),
        least_difference=rules["least_pulse_pressure"],
        joins=frozenset(rules["joins"]),
        temperature=tuple(rules["temperature"]),
    )
