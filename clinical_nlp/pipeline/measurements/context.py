"""Whether a number after a name is a level that was measured: no threshold, aim or change."""

from __future__ import annotations

from clinical_nlp.pipeline.measurements.knowledge import Knowledge, Name
from clinical_nlp.pipeline.measurements.reading import Value
from clinical_nlp.pipeline.measurements.text import Words

_CLAUSE = 20  # words before a name within which a condition reaches it
_AIM = 4
_CHANGE = 3
_NEAR = 12
_TOWARDS = frozenset({"a", "hasta", "ata", "fins"})
_FROM = frozenset({"de", "desde"})
_BREAKS = frozenset({",", "("})


class Context:
    """Looks around names and values."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge

    def holds(self, words: Words, name: Name, start: int, end: int) -> bool:
        """Whether the words that a name must (not) stand near are (not) there."""
        if not name.near and not name.not_near:
            return True
        around = {*words.before(start, _NEAR), *words.after(end, _NEAR)}
        if name.near and name.near.isdisjoint(around):
            return False
        return name.not_near.isdisjoint(around)

    def is_change(self, words: Words, start: int, value: Value) -> bool:
        """Whether the name at ``start`` is of something gained or lost: 'perdida de peso'.

        'ha cogido peso: a 64 kg' and 'de 61,2 a 64,8' tell levels all the same.
        """
        if self._knowledge.changes.isdisjoint(words.before(start, _CHANGE)):
            return False
        before, following = words.at(value.first - 1), words.at(value.after)
        from_to = (
            before in _FROM and following in _TOWARDS and words.at(value.after + 1)[:1].isdigit()
        )
        return before not in _TOWARDS and not from_to

    def is_threshold(
        self, words: Words, start: int, comparator: str | None, number: int, after: int
    ) -> bool:
        """Whether the number is one to act upon or to reach: 'si sat < 90', 'objetivo < 70'."""
        knowledge = self._knowledge
        aims = words.before(start, _AIM)
        for sign in _BREAKS:
            if sign in aims:
                aims = aims[: aims.index(sign)]
        if not knowledge.aims.isdisjoint(aims):
            return True
        bracketed = words.at(after) == "(" and words.at(after + 2) == ")"
        if words.at(after + bracketed) in knowledge.aims_after:
            return True
        between = words.norms[start:number]
        if not knowledge.aims.isdisjoint(between):
            return True
        if not knowledge.conditions_after.isdisjoint(words.after(after, 3)):
            return True
        before = words.before(start, _CLAUSE)
        if comparator is not None:
            if not knowledge.conditions.isdisjoint(before):
                return True
            if not knowledge.actions.isdisjoint(words.after(after, 3)):
                return True
            if not knowledge.near_conditions.isdisjoint(before[:_AIM]):
                return True
        # 'si TA 160/100', 'si la fiebre es de 38': the condition stands at the name.
        return not knowledge.direct_conditions.isdisjoint(before[:2]) and "," not in before[:2]
