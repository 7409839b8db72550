"""Runs ConText over sentences: cues, then the graph, then the verdict on each target."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from clinical_nlp.matching.cues import END, START, CueMatcher, prune
from clinical_nlp.pipeline.assertion.assertion import Assertion
from clinical_nlp.pipeline.assertion.context import ConTextModifier, ConTextRule
from clinical_nlp.pipeline.assertion.enumeration import asides, item_commas
from clinical_nlp.pipeline.assertion.graph import SILENT, SentenceGraph, Target, modifier
from clinical_nlp.pipeline.assertion.rules import AssertionRules
from clinical_nlp.pipeline.assertion.sentence import Sentence

_FAMILY = "FAMILY"
#: Categories of the signs that an enumeration may hold.
_MARKS = frozenset(("COMMA", "BRACKET"))


class Engine:
    """ConText on our rules, for one sentence at a time.

    Parameters
    ----------
    rules
        The compiled rules.
    """

    def __init__(self, rules: AssertionRules) -> None:
        self._all = rules
        self._matcher = CueMatcher([cue.pattern for cue in rules.cues])
        self._rules_of: dict[frozenset[str], dict[tuple[int, ...], tuple[ConTextRule, ...]]] = {}
        self._alone: dict[tuple[str, str | None], Assertion] = {}

    def modifiers(self, sentence: Sentence) -> list[ConTextModifier]:
        """Find the cues of a sentence that can reach one of its targets, and their bounds.

        Without a cue that reaches anything there is nothing to bound: the list is empty.
        """
        rules = self._rules(frozenset(target.label_ for target in sentence.targets))
        matches = prune(self._matcher.find([START, *sentence.words, END], rules))
        chosen = [(rule, match) for match in matches for rule in rules(match.patterns)]
        if all(rule.direction in SILENT for rule, _ in chosen):
            return []
        length = len(sentence.words)
        found = [
            modifier(rule, max(match.start - 1, 0), min(match.end - 1, length), length)
            for rule, match in chosen
        ]
        found = self._all.ambiguous_cues.apply(sentence, found)
        inside = item_commas(sentence, self._all.list_breakers, self._all.list_runners)
        cues = {m.modifier_span[0] for m in found if m.direction not in SILENT}
        inside |= asides(sentence, self._all.ambiguous_cues.carriers, cues)
        if not inside:
            return found
        return [m for m in found if m.category not in _MARKS or m.modifier_span[0] not in inside]

    def _rules(self, kinds: frozenset[str]) -> Callable[[tuple[int, ...]], tuple[ConTextRule, ...]]:
        """Give the rules behind the forms of a match that may reach targets of some kinds.

        A cue that can reach none of a sentence's targets must not hide one that can.
        """
        known = self._rules_of.setdefault(kinds, {})
        cues = self._all.cues

        def rules(forms: tuple[int, ...]) -> tuple[ConTextRule, ...]:
            found = known.get(forms)
            if found is None:
                named = {cues[f].rule.literal: cues[f].rule for f in forms}
                found = known[forms] = tuple(r for r in named.values() if _reaches(r, kinds))
            return found

        return rules

    def edges(self, sentence: Sentence) -> list[tuple[Target, ConTextModifier]]:
        """Run ConText: pairs of a target and a cue that reaches it."""
        modifiers = self.modifiers(sentence)
        if not modifiers:
            return []
        graph = SentenceGraph(targets=sentence.targets, modifiers=modifiers)
        graph.update_scopes()
        graph.apply_modifiers()
        edges: list[tuple[Target, ConTextModifier]] = graph.edges
        return edges

    def verdicts(self, sentence: Sentence) -> dict[int, Assertion]:
        """Assertions by the index of the target; targets no cue reaches are left out."""
        answered = self._all.questions.answer(sentence)
        if answered is not None:
            return {target.index: answered for target in sentence.targets}
        reached: dict[int, list[tuple[int, ConTextModifier]]] = {}
        for target, cue in self.edges(sentence):
            start, end = cue.modifier_span
            gap = target.start - end if end <= target.start else start - target.end
            reached.setdefault(target.index, []).append((gap, cue))
        verdicts = {index: self._verdict(cues) for index, cues in reached.items()}
        if len(verdicts) < len(sentence.targets):
            unreached = [t for t in sentence.targets if t.index not in verdicts]
            for index, category in self._all.passages.categories(sentence, unreached).items():
                verdicts[index] = self._verdict_of(category, None)
        if "(" in sentence.words:
            _share_with_short_forms(sentence, verdicts)
        return verdicts

    def _verdict(self, cues: Iterable[tuple[int, ConTextModifier]]) -> Assertion:
        nearest: dict[str, tuple[int, ConTextModifier]] = {}
        for gap, cue in cues:
            if cue.category not in nearest or gap < nearest[cue.category][0]:
                nearest[cue.category] = (gap, cue)
        if len(nearest) == 1:
            return self._verdict_of(next(iter(nearest)), _relation(nearest))
        return self.settle({c: g for c, (g, _) in nearest.items()}, _relation(nearest))

    def _verdict_of(self, category: str, relation: str | None) -> Assertion:
        """What one category says when it stands alone, as most do."""
        verdict = self._alone.get((category, relation))
        if verdict is None:
            verdict = self._alone[category, relation] = self.settle({category: 0}, relation)
        return verdict

    def settle(self, gaps: dict[str, int], relation: str | None = None) -> Assertion:
        """Decide between categories that reach one target.

        Parameters
        ----------
        gaps
            Words between the target and the nearest cue, by category.
        relation
            RoleCode that the nearest family cue names.
        """
        standing = set(gaps)
        for winner, losers in self._all.overrides.items():
            if winner in standing:
                standing.difference_update(losers)
        for rivals in self._all.rivals:
            present = [c for c in rivals if c in standing]
            if len(present) > 1:  # the first of equals stays
                standing.difference_update(set(present) - {min(present, key=gaps.__getitem__)})
        flags = {flag for c in standing for flag in self._all.flags.get(c, ())}
        return Assertion(
            negated="negated" in flags,
            uncertain="uncertain" in flags,
            historical="historical" in flags,
            family="family" in flags,
            hypothetical="hypothetical" in flags,
            relation=(relation or "FAMMEMB") if "family" in flags else None,
        )


def _share_with_short_forms(sentence: Sentence, verdicts: dict[int, Assertion]) -> None:
    """Let a name and its short form in brackets share what is said of either.

    'se descarta tromboembolismo pulmonar (TEP)': brackets end most scopes, but these hold
    the same thing again.
    """
    words, ending = sentence.words, {target.end: target for target in sentence.targets}
    for short in sentence.targets:
        name = ending.get(short.start - 1)
        if (
            name is None
            or words[short.start - 1] != "("
            or words[short.end : short.end + 1] != [")"]
        ):
            continue
        for one, other in ((name, short), (short, name)):
            if one.index in verdicts and other.index not in verdicts:
                verdicts[other.index] = verdicts[one.index]


def _reaches(rule: ConTextRule, kinds: frozenset[str]) -> bool:
    """Whether a rule may modify a target of any of the kinds, or bounds others."""
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
