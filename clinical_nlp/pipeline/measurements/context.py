"""Whether a number after a name is a measured level: no threshold, target or change."""

from __future__ import annotations

from clinical_nlp.pipeline.measurements.measurement_rules import MeasurementRules, Name
from clinical_nlp.pipeline.measurements.quantity_reader import Quantity
from clinical_nlp.pipeline.measurements.text import Words

# Words before (or around) a name within which a word of each kind counts.
_CLAUSE = 20
_AIM = 4
_CHANGE = 3
_NEAR = 12
_TOWARDS = frozenset({"a", "hasta", "ata", "fins"})
_FROM = frozenset({"de", "desde"})
_DENIALS = frozenset({"no", "sin", "ni", "non", "ez"})
_BREAKS = frozenset({",", "("})


class Context:
    """Decides by the words around names and values."""

    def __init__(self, rules: MeasurementRules) -> None:
        self._rules = rules

    def conditions_met(self, words: Words, name: Name, start: int, end: int) -> bool:
        """Whether a name's required words are near it and its excluded words are not."""
        if not name.near and not name.not_near:
            return True
        around = {*words.before(start, _NEAR), *words.after(end, _NEAR)}
        if name.near and name.near.isdisjoint(around):
            return False
        return name.not_near.isdisjoint(around)

    def is_change(self, words: Words, start: int, value: Quantity) -> bool:
        """Whether the value is an amount gained or lost: 'perdida de peso'.

        'ha cogido peso: a 64 kg' and 'de 61,2 a 64,8' state levels all the same.
        """
        if self._rules.changes.isdisjoint(words.before(start, _CHANGE)):
            return False
        if not _DENIALS.isdisjoint(words.before(start, _AIM)):
            return False  # 'no ha perdido peso: 70,4 hoy'
        before, following = words.at(value.first - 1), words.at(value.after)
        from_to = (
            before in _FROM and following in _TOWARDS and words.at(value.after + 1)[:1].isdigit()
        )
        return before not in _TOWARDS and not from_to

    def is_threshold(
        self, words: Words, start: int, comparator: str | None, number: int, after: int
    ) -> bool:
        """Whether the number is a threshold or a target: 'si sat < 90', 'objetivo < 70'."""
        rules = self._rules
        aims = words.before(start, _AIM)
        for sign in _BREAKS:
            if sign in aims:
                aims = aims[: aims.index(sign)]
        if not rules.aims.isdisjoint(aims):
            return True
        bracketed = words.at(after) == "(" and words.at(after + 2) == ")"
        if words.at(after + bracketed) in rules.aims_after:
            return True
        between = words.norms[start:number]
        if not rules.aims.isdisjoint(between) or not rules.aims_between.isdisjoint(between):
            return True
        if not rules.conditions_after.isdisjoint(words.after(after, 3)):
            return True
        before = words.before(start, _CLAUSE)
        if comparator is not None:
            if not rules.conditions.isdisjoint(before):
                return True
            if not rules.actions.isdisjoint(words.after(after, 3)):
                return True
            if not rules.near_conditions.isdisjoint(before[:_AIM]):
                return True
        if words.at(number - 1) == "(" and start < number - 1:
            return False  # 'si la creatinina (1,9) vuelve a su sitio'
        # 'si TA 160/100', 'si la fiebre es de 38': the condition is at the name.
        return not rules.direct_conditions.isdisjoint(before[:2]) and "," not in before[:2]
