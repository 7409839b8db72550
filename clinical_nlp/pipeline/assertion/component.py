"""The spaCy component ``es_assertion``."""

# No ``from __future__ import annotations`` here: spaCy reads a factory's annotations when
# it validates the config and cannot resolve them as strings.

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from clinical_nlp.matching.recent import RecentWords
from clinical_nlp.pipeline.assertion.assertion import AFFIRMED, FLAGS, Assertion
from clinical_nlp.pipeline.assertion.engine import ContextEngine, CueRow, cue_kind
from clinical_nlp.pipeline.assertion.layout import answered, is_dated, is_pending
from clinical_nlp.pipeline.assertion.rules import (
    AssertionRules,
    build_assertion_rules,
    load_assertion_rules,
)
from clinical_nlp.pipeline.assertion.sentence import NoteSentences
from clinical_nlp.pipeline.document import Sections, get_findings, set_cues, set_findings
from clinical_nlp.pipeline.document_layout import get_layout
from clinical_nlp.pipeline.rules import RuleComponent, text_of

_UNKNOWN = "UNKNOWN"  # kind of a target that no rule names


class _TargetKinds:
    """The kind of a target (symptom, drug, event, …), as ``data/kinds.toml`` defines it."""

    def __init__(self, rules: AssertionRules, categories: Mapping[str, str]) -> None:
        by_category = rules.kind_of_category
        self._by_concept = {
            concept: by_category.get(category, _UNKNOWN) for concept, category in categories.items()
        }
        self._by_concept.update(rules.kind_of_concept)
        self._texts = rules.text_kinds

    def of(self, concept: str | None, words: Sequence[str]) -> str:
        """Kind of a concept of the lexicon or, without one, by the normalised words."""
        if concept is not None:
            return self._by_concept.get(concept, _UNKNOWN)
        for kind, known, endings in self._texts:
            for word in words:
                if word in known or (endings and len(word) > 6 and word.endswith(endings)):
                    return kind
        return _UNKNOWN


class EsAssertion(RuleComponent):
    """Sets the assertion of each finding: negated, uncertain, historical, family, hypothetical.

    Parameters
    ----------
    rules
        The compiled rules.
    categories
        Catalogue category by concept key: which targets a rule
        may modify depends on the kind of finding.

    Notes
    -----
    ``doc._.findings`` is rewritten with the flags set (a flag that a term carries already
    stays); findings with a value are measurements and get none. See
    ``docs/explanation/assertion.md``.
    """

    def __init__(self, rules: AssertionRules, categories: Mapping[str, str]) -> None:
        # The rules are compiled already: the base class would compile them again.
        self.rules = {"rules": rules.source, "categories": dict(categories)}
        self._set(rules, categories)

    def compile_rules(self, rules: dict[str, Any]) -> None:
        """Compile the plain rules and categories of a saved component."""
        self._set(build_assertion_rules(rules["rules"]), rules["categories"])

    def _set(self, rules: AssertionRules, categories: Mapping[str, str]) -> None:
        self._section_flags = rules.section_flags
        self._kinds = _TargetKinds(rules, categories)
        self._engine = ContextEngine(rules)
        self._word_cache = RecentWords[int, str]()

    def __call__(self, doc: Doc) -> Doc:
        """Set the flags of ``doc._.findings``."""
        findings = list(get_findings(doc))
        targets = [i for i, f in enumerate(findings) if f.value is None]
        if not targets:
            return doc
        assertions = self.flags(
            doc,
            [(findings[i].start, findings[i].end) for i in targets],
            [findings[i].concept for i in targets],
        )
        layout = get_layout(doc)
        changed, unseen = False, set[int]()
        for i, assertion in zip(targets, assertions, strict=True):
            item = layout.item_at(findings[i].start) if layout.items else None
            if item is not None:
                kind = self._kinds.of(findings[i].concept, ())
                if kind == "SYMPTOM" and is_pending(item):
                    unseen.add(i)
                    continue
                length = findings[i].end - findings[i].start
                assertion = answered(assertion, item, length=length, drug=kind == "DRUG")
                if kind == "EVENT" and is_dated(text_of(doc), item):
                    assertion = replace(assertion, historical=True)
            if assertion != AFFIRMED:
                changed = True
                old = findings[i]
                findings[i] = replace(
                    old,
                    relation=old.relation or assertion.relation,
                    **{flag: getattr(old, flag) or getattr(assertion, flag) for flag in FLAGS},
                )
        if changed or unseen:
            set_findings(doc, (f for i, f in enumerate(findings) if i not in unseen))
        return doc

    def flags(
        self,
        doc: Doc,
        spans: Sequence[tuple[int, int]],
        concepts: Sequence[str | None] | None = None,
    ) -> list[Assertion]:
        """Return the assertion of any spans.

        Parameters
        ----------
        doc
            The note, tokenised; sentences and sections are used where it has them.
        spans
            Targets as code points of ``doc.text`` (start, end exclusive). They need not
            fall on token borders.
        concepts
            Their concepts; ``None`` (for one or for all) where unknown.

        Returns
        -------
        list of Assertion
            One for each span, in the order given.

        Notes
        -----
        The cues beside the spans replace those stored on ``doc``
        (:func:`~clinical_nlp.pipeline.document.get_cues`), for the learned reader.
        """
        out = [AFFIRMED] * len(spans)
        length = doc[-1].idx + len(doc[-1]) if len(doc) else 0
        index = [i for i, (s, e) in enumerate(spans) if 0 <= s < e <= length]
        if not index:
            return out
        note = NoteSentences(doc, self._word_cache)
        places = note.token_spans([spans[i] for i in index])
        kinds = [
            self._kinds.of(concepts[i] if concepts else None, note.words[start:end])
            for i, (start, end) in zip(index, places, strict=True)
        ]
        sections = Sections(doc)
        seen: list[CueRow] = []
        for layer in _layers(places):
            within = note.sentences([places[i] for i in layer], [kinds[i] for i in layer])
            for sentence in within:
                assertions = self._engine.assertions(sentence, seen)
                for target in sentence.targets:
                    assertion, place = assertions.get(target.index), layer[target.index]
                    if assertion is None:
                        section = sections.at(places[place][0])
                        assertion = self._section_assertion(section, target.label_)
                    out[index[place]] = assertion
        set_cues(doc, seen)
        return out

    @property
    def cue_kinds(self) -> list[str]:
        """Kinds of cues that the rules know, in alphabetical order."""
        return sorted({cue_kind(cue.rule) for cue in self._engine.cues})

    def _section_assertion(self, section: str | None, kind: str) -> Assertion:
        """The assertion that a section gives to a target that no cue modifies."""
        for key in (section or "none", "*"):
            for category, allowed in self._section_flags.get(key, ()):
                if allowed is None or kind in allowed:
                    return self._engine.resolve({category: 0})
        return AFFIRMED


def _layers(places: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Split targets into layers without overlaps, wider targets first.

    The words of a target are masked from the rules; a target inside a wider one ('sin
    elevación del ST' inside 'síndrome coronario agudo sin elevación del ST') needs
    the words of the wider one as context.
    """
    layers: list[list[int]] = []
    ends: list[int] = []
    for i in sorted(range(len(places)), key=lambda i: (places[i][0], -places[i][1])):
        start, end = places[i]
        for number, last in enumerate(ends):
            if last <= start:
                layers[number].append(i)
                ends[number] = end
                break
        else:
            layers.append([i])
            ends.append(end)
    return layers


def concept_categories() -> dict[str, str]:
    """Catalogue category of every concept of the lexicon."""
    from clinical_nlp.lexicon import load_lexicon

    return {key: concept.category for key, concept in load_lexicon().concepts.items()}


@Language.factory("es_assertion")
def create_assertion(nlp: Language, name: str) -> EsAssertion:
    """Entry for spaCy's config."""
    return EsAssertion(load_assertion_rules(), concept_categories())
