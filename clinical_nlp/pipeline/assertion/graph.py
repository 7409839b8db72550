"""medSpaCy's ConText graph over plain targets, in time linear in the sentence.

medSpaCy builds modifiers from a ``Doc``, compares every pair of them and tries every
target with every modifier. The classes here keep its semantics, running its own
``limit_scope``, ``modifies`` and ``reduce_targets``, but hand it the scope instead of a
``Doc`` and call it only for neighbours that can meet. Nothing of medSpaCy's ever touches
the caller's ``Doc``: its graph would break ``DocBin`` and ``n_process``.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from clinical_nlp.pipeline.assertion.context import ConTextGraph, ConTextModifier, ConTextRule

#: Widest scope of a cue, in words, where its rule names none. A sentence that long is a
#: list or a missing full stop; the bound keeps the cost linear in the note.
WIDEST = 60

#: Directions of rules that modify nothing.
SILENT = frozenset(("TERMINATE", "PSEUDO"))


@dataclass(frozen=True, slots=True)
class Target:
    """A target as ConText sees it: places in the sentence, and its kind as the label.

    The field's name is spaCy's, so that medSpaCy takes a target for a ``Span``.
    """

    start: int
    end: int
    label_: str
    index: int


def modifier(rule: ConTextRule, start: int, end: int, length: int) -> ConTextModifier:
    """Make a ConText modifier in a sentence of ``length`` words.

    The scope is what ``ConTextModifier`` would read from the sentence of a ``Doc``, but
    for rules that modify nothing: medSpaCy gives them the whole sentence, and its overlap
    test then misses that they stand inside a shorter scope. Theirs is their own place.
    """
    if rule.direction in SILENT:
        return ConTextModifier(rule, start, end, None, scope_start=start, scope_end=end)
    reach = rule.max_scope or WIDEST
    left = max(0, start - reach) if rule.direction != "FORWARD" else end
    right = min(length, end + reach) if rule.direction != "BACKWARD" else start
    return ConTextModifier(rule, start, end, None, scope_start=left, scope_end=right)


def _may_limit(other: ConTextRule, rule: ConTextRule, limits: set[str]) -> bool:
    """The cheap part of medSpaCy's ``limit_scope``: most neighbours stop here."""
    return (
        other.direction == "TERMINATE"
        or other.category == rule.category
        or other.category in limits
    )


class SentenceGraph(ConTextGraph):  # type: ignore[misc]  # medSpaCy has no type hints
    """Graph of one sentence; targets and modifiers in order of place."""

    def update_scopes(self) -> None:
        """Let each modifier be limited by the nearest one that may, on either side.

        The nearest limit is the tightest, so the rest need not be tried: the result is
        that of medSpaCy's pairwise pass.
        """
        places = [(m, m.rule, *m.modifier_span) for m in self.modifiers]
        for i, (current, rule, _, _) in enumerate(places):
            if rule.direction in SILENT:
                continue
            limits = rule.terminated_by
            if rule.direction != "BACKWARD":
                reach = current.scope_span[1]
                for j in range(i + 1, len(places)):
                    other, theirs, start, _ = places[j]
                    if start >= reach:
                        break
                    if _may_limit(theirs, rule, limits) and current.limit_scope(other):
                        break
            if rule.direction != "FORWARD":
                reach = current.scope_span[0]
                for j in range(i - 1, -1, -1):
                    other, theirs, _, end = places[j]
                    if end <= reach:
                        break
                    if _may_limit(theirs, rule, limits) and current.limit_scope(other):
                        break

    def apply_modifiers(self) -> None:
        """Make an edge for every target that a modifier reaches."""
        starts = [t.start for t in self.targets]
        longest = max((t.end - t.start for t in self.targets), default=0)
        self.edges: list[tuple[Target, ConTextModifier]] = []
        for current in self.modifiers:
            if current.rule.direction in SILENT:
                continue
            low, high = current.scope_span
            for i in range(bisect_left(starts, low - longest), bisect_left(starts, high)):
                target = self.targets[i]
                if current.modifies(target):
                    current.modify(target)
            current.reduce_targets()
            self.edges.extend((target, current) for target in current._targets)
