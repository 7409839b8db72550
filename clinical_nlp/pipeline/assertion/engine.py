"""Runs ConText over sentences: cues, then the graph, then the assertion of each target."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence

from clinical_nlp.matching.cues import END, START, CueMatcher, prune
from clinical_nlp.pipeline.assertion.assertion import FLAGS, Assertion
from clinical_nlp.pipeline.assertion.context import ConTextModifier, ConTextRule
from clinical_nlp.pipeline.assertion.coordination import share_in_rows
from clinical_nlp.pipeline.assertion.enumeration import asides, item_commas
from clinical_nlp.pipeline.assertion.graph import SILENT, WIDEST, SentenceGraph, Target, modifier
from clinical_nlp.pipeline.assertion.rules import AssertionRules, Cue
from clinical_nlp.pipeline.assertion.sentence import Sentence

_FAMILY = "FAMILY"
#: Categories of the signs that an enumeration may hold.
_MARKS = frozenset(("COMMA", "BRACKET"))
#: Reach of a rule that bounds others.
_EVERYWHERE = (WIDEST, WIDEST)


#: First token, end and kind of a cue.
CueRow = tuple[int, int, str]


def cue_kind(rule: ConTextRule) -> str:
    """Category and direction of a rule, such as "NEGATED_EXISTENCE forward"."""
    return f"{rule.category} {rule.direction.lower()}"


class ContextEngine:
    """ConText on our rules, for one sentence at a time.

    Parameters
    ----------
    rules
        The compiled rules.
    """

    def __init__(self, rules: AssertionRules) -> None:
        self._data = rules
        self._matcher = CueMatcher([cue.pattern for cue in rules.cues])
        self._rules_of: dict[frozenset[str], dict[tuple[int, ...], tuple[ConTextRule, ...]]] = {}
        self._reach_of: dict[frozenset[str], dict[tuple[int, ...], tuple[int, int]]] = {}
        self._of_category: dict[tuple[str, str | None], Assertion] = {}

    @property
    def cues(self) -> Sequence[Cue]:
        """All cues of the rules."""
        return self._data.cues

    def modifiers(self, sentence: Sentence) -> list[ConTextModifier]:
        """Find the cues of a sentence that may modify one of its targets, and their bounds.

        Empty where no cue may modify any.
        """
        kinds = frozenset([target.label_ for target in sentence.targets])
        rules = self._rules(kinds)
        reaching = self._reaching(sentence, self._reach_of.setdefault(kinds, {}), rules)
        matches = prune(self._matcher.find([START, *sentence.words, END], reaching))
        chosen = [(rule, match) for match in matches for rule in rules(match.patterns)]
        if all(rule.direction in SILENT for rule, _ in chosen):
            return []
        length = len(sentence.words)
        found = [
            modifier(rule, max(match.start - 1, 0), min(match.end - 1, length), length)
            for rule, match in chosen
        ]
        found = self._data.ambiguous_cues.apply(sentence, found)
        inside = item_commas(sentence, self._data.list_breakers, self._data.list_runners)
        cues = {m.modifier_span[0] for m in found if m.direction not in SILENT}
        inside |= asides(sentence, self._data.ambiguous_cues.carriers, cues)
        if not inside:
            return found
        return [m for m in found if m.category not in _MARKS or m.modifier_span[0] not in inside]

    def _rules(self, kinds: frozenset[str]) -> Callable[[tuple[int, ...]], tuple[ConTextRule, ...]]:
        """Return a function from a match's patterns to the rules that may modify some kinds.

        A cue that may modify none of a sentence's targets must not hide one that may.
        """
        known = self._rules_of.setdefault(kinds, {})
        cues = self._data.cues

        def rules(patterns: tuple[int, ...]) -> tuple[ConTextRule, ...]:
            found = known.get(patterns)
            if found is None:
                named = {cues[p].rule.literal: cues[p].rule for p in patterns}
                found = known[patterns] = tuple(r for r in named.values() if _may_modify(r, kinds))
            return found

        return rules

    @staticmethod
    def _reaching(
        sentence: Sentence,
        known: dict[tuple[int, ...], tuple[int, int]],
        rules: Callable[[tuple[int, ...]], tuple[ConTextRule, ...]],
    ) -> Callable[[int, int, tuple[int, ...]], bool]:
        """Return a function that tells whether a match may modify a target where they stand.

        'No ha presentado,' may close a topic before it; where no finding stands before it, it
        must not hide 'no ha presentado', which denies what follows.
        """
        starts = [target.start + 1 for target in sentence.targets]  # the words begin with START
        ends = [target.end + 1 for target in sentence.targets]

        def reaches(start: int, end: int, patterns: tuple[int, ...]) -> bool:
            reach = known.get(patterns)
            if reach is None:
                reach = known[patterns] = _reach(rules(patterns))
            if reach is _EVERYWHERE:
                return True
            left, right = reach
            if right:
                after = bisect_right(ends, end)
                if after < len(starts) and starts[after] < end + right:
                    return True
            if left:
                before = bisect_left(starts, start) - 1
                return before >= 0 and ends[before] > start - left
            return False

        return reaches

    def edges(
        self, sentence: Sentence, seen: list[CueRow] | None = None
    ) -> list[tuple[Target, ConTextModifier]]:
        """Run ConText: pairs of a target and a cue that modifies it; ``seen`` takes all cues."""
        modifiers = self.modifiers(sentence)
        if seen is not None:
            seen.extend((*sentence.tokens(*m.modifier_span), cue_kind(m.rule)) for m in modifiers)
        if not modifiers:
            return []
        graph = SentenceGraph(targets=sentence.targets, modifiers=modifiers)
        graph.update_scopes()
        graph.apply_modifiers()
        edges: list[tuple[Target, ConTextModifier]] = graph.edges
        return edges

    def assertions(
        self, sentence: Sentence, seen: list[CueRow] | None = None
    ) -> dict[int, Assertion]:
        """Return assertions by the index of the target; unmodified targets are left out.

        ``seen`` takes the sentence's cues, whatever they modify.
        """
        answer = self._data.questions.answer(sentence)
        if answer is not None:
            return {target.index: answer for target in sentence.targets}
        cues_of: dict[int, list[tuple[int, ConTextModifier]]] = {}
        for target, cue in self.edges(sentence, seen):
            start, end = cue.modifier_span
            distance = target.start - end if end <= target.start else start - target.end
            cues_of.setdefault(target.index, []).append((distance, cue))
        assertions = {index: self._assertion(cues) for index, cues in cues_of.items()}
        if 0 < len(assertions) < len(sentence.targets):
            rows = {i: any(c.rule.metadata["rows"] for _, c in cues_of[i]) for i in cues_of}
            share_in_rows(sentence, rows, assertions)
        if len(assertions) < len(sentence.targets):
            unmodified = [t for t in sentence.targets if t.index not in assertions]
            for index, category in self._data.passages.categories(sentence, unmodified).items():
                assertions[index] = self._category_assertion(category, None)
        if any(said.uncertain for said in assertions.values()):
            self._data.withdrawals.apply(sentence, assertions)
        if "(" in sentence.words:
            _share_with_short_forms(sentence, assertions)
        return assertions

    def _assertion(self, cues: Iterable[tuple[int, ConTextModifier]]) -> Assertion:
        nearest: dict[str, tuple[int, ConTextModifier]] = {}
        for distance, cue in cues:
            if cue.category not in nearest or distance < nearest[cue.category][0]:
                nearest[cue.category] = (distance, cue)
        if len(nearest) == 1:
            return self._category_assertion(next(iter(nearest)), _relation(nearest))
        return self.resolve({c: d for c, (d, _) in nearest.items()}, _relation(nearest))

    def _category_assertion(self, category: str, relation: str | None) -> Assertion:
        """The assertion of a single category, as most targets have."""
        known = self._of_category.get((category, relation))
        if known is None:
            known = self._of_category[category, relation] = self.resolve({category: 0}, relation)
        return known

    def resolve(self, distances: dict[str, int], relation: str | None = None) -> Assertion:
        """Decide between the categories that modify one target.

        Parameters
        ----------
        distances
            Words between the target and the nearest cue, by category.
        relation
            RoleCode that the nearest family cue names.
        """
        standing = set(distances)
        for winner, losers in self._data.overrides.items():
            if winner in standing:
                standing.difference_update(losers)
        for rivals in self._data.rivals:
            present = [c for c in rivals if c in standing]
            if len(present) > 1:  # the first of equals stays
                standing.difference_update(set(present) - {min(present, key=distances.__getitem__)})
        flags = {flag for c in standing for flag in self._data.flags.get(c, ())}
        return Assertion(
            **{flag: flag in flags for flag in FLAGS},
            relation=(relation or "FAMMEMB") if "family" in flags else None,
        )


def _share_with_short_forms(sentence: Sentence, assertions: dict[int, Assertion]) -> None:
    """Let a name and its short form in brackets share their assertion.

    'se descarta tromboembolismo pulmonar (TEP)': brackets end most scopes, but these repeat
    the target.
    """
    words, ending = sentence.words, {target.end: target for target in sentence.targets}
    for short in sentence.targets:
        name = ending.get(short.start - 1)
        around = words[short.start - 1], words[short.end : short.end + 1]
        if name is None or around != ("(", [")"]):
            continue
        for one, other in ((name, short), (short, name)):
            if one.index in assertions and other.index not in assertions:
                assertions[other.index] = assertions[one.index]


def _reach(rules: Iterable[ConTextRule]) -> tuple[int, int]:
    """Words that the widest of some rules reaches to the left and to the right.

    A rule that only bounds others counts as reaching everywhere.
    """
    left = right = 0
    for rule in rules:
        if rule.direction in SILENT:
            return _EVERYWHERE
        reach = rule.max_scope or WIDEST
        if rule.direction != "FORWARD":
            left = max(left, reach)
        if rule.direction != "BACKWARD":
            right = max(right, reach)
    return left, right


def _may_modify(rule: ConTextRule, kinds: frozenset[str]) -> bool:
    """Whether a rule may modify a target of any of the kinds, or bounds other rules."""
    if rule.direction in SILENT:
        return True
    if rule.allowed_types is not None:
        return not kinds.isdisjoint(rule.allowed_types)
    return rule.excluded_types is None or not kinds <= rule.excluded_types


def _relation(nearest: dict[str, tuple[int, ConTextModifier]]) -> str | None:
    if _FAMILY not in nearest:
        return None
    relation: str | None = nearest[_FAMILY][1].rule.metadata["relation"]
    return relation
