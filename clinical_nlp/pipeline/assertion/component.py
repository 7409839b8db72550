"""The spaCy component ``es_assertion``."""

# No ``from __future__ import annotations`` here: spaCy reads a factory's annotations when
# it validates the config and cannot resolve them as strings.

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from spacy.language import Language
from spacy.tokens import Doc

from clinical_nlp.pipeline.assertion.assertion import AFFIRMED, Assertion
from clinical_nlp.pipeline.assertion.engine import Engine
from clinical_nlp.pipeline.assertion.rules import (
    AssertionRules,
    build_assertion_rules,
    load_assertion_rules,
)
from clinical_nlp.pipeline.assertion.sentence import Page
from clinical_nlp.pipeline.assertion.target_kinds import TargetKinds
from clinical_nlp.pipeline.document import Sections, get_findings, set_findings

_FILE = "assertion.json"
_MOST_WORDS = 200_000  # words remembered between notes; about 30 MB


class EsAssertion:
    """Says of each finding whether it is negated, uncertain, past, a relative's or a plan.

    Parameters
    ----------
    rules
        The compiled rules.
    categories
        Catalogue category by concept key: what a rule may reach depends on the kind of
        finding.

    Notes
    -----
    ``doc._.findings`` is rewritten with the flags set (a flag that a term carries already
    stays); findings with a value are measurements and get none. See
    ``docs/explanation/assertion.md``.
    """

    def __init__(self, rules: AssertionRules, categories: Mapping[str, str]) -> None:
        self._set(rules, dict(categories))

    def _set(self, rules: AssertionRules, categories: dict[str, str]) -> None:
        self._rules = rules
        self._categories = categories
        self._kinds = TargetKinds(rules, categories)
        self._engine = Engine(rules)
        self._words: dict[int, str] = {}

    def __call__(self, doc: Doc) -> Doc:
        """Set the flags of ``doc._.findings``."""
        findings = list(get_findings(doc))
        chosen = [i for i, f in enumerate(findings) if f.value is None]
        if not chosen:
            return doc
        verdicts = self.flags(
            doc,
            [(findings[i].start, findings[i].end) for i in chosen],
            [findings[i].concept for i in chosen],
        )
        changed = False
        for i, verdict in zip(chosen, verdicts, strict=True):
            if verdict != AFFIRMED:
                changed = True
                old = findings[i]
                findings[i] = replace(
                    old,
                    negated=old.negated or verdict.negated,
                    uncertain=old.uncertain or verdict.uncertain,
                    historical=old.historical or verdict.historical,
                    family=old.family or verdict.family,
                    hypothetical=old.hypothetical or verdict.hypothetical,
                    relation=old.relation or verdict.relation,
                )
        if changed:
            set_findings(doc, findings)
        return doc

    def flags(
        self,
        doc: Doc,
        spans: Sequence[tuple[int, int]],
        concepts: Sequence[str | None] | None = None,
    ) -> list[Assertion]:
        """Assert targets that are given, wherever they come from.

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
        """
        out = [AFFIRMED] * len(spans)
        length = doc[-1].idx + len(doc[-1]) if len(doc) else 0
        index = [i for i, (s, e) in enumerate(spans) if 0 <= s < e <= length]
        if not index:
            return out
        if len(self._words) > _MOST_WORDS:
            self._words.clear()
        page = Page(doc, self._words)
        places = page.tokens([spans[i] for i in index])
        kinds = []
        for i, (start, end) in zip(index, places, strict=True):
            concept = concepts[i] if concepts is not None else None
            if concept is not None:
                kinds.append(self._kinds.of_concept(concept))
            else:
                kinds.append(self._kinds.of_words(page.words[start:end]))
        sections = Sections(doc)
        for layer in _layers(places):
            within = page.sentences([places[i] for i in layer], [kinds[i] for i in layer])
            for sentence in within:
                verdicts = self._engine.verdicts(sentence)
                for target in sentence.targets:
                    verdict, place = verdicts.get(target.index), layer[target.index]
                    if verdict is None:
                        section = sections.at(places[place][0])
                        verdict = self._by_section(section, target.label_)
                    out[index[place]] = verdict
        return out

    def _by_section(self, section: str | None, kind: str) -> Assertion:
        """What the section says of a target that no cue reaches."""
        for key in (section or "none", "*"):
            for category, allowed in self._rules.section_flags.get(key, ()):
                if allowed is None or kind in allowed:
                    return self._engine.settle({category: 0})
        return AFFIRMED

    # spaCy saves and loads every component through these four.
    def to_bytes(self, **kwargs: object) -> bytes:
        """Serialise the rules and the concepts' categories as JSON."""
        data = {"rules": self._rules.source, "categories": self._categories}
        return json.dumps(data, ensure_ascii=False, sort_keys=True).encode()

    def from_bytes(self, data: bytes, **kwargs: object) -> Self:
        """Load what :meth:`to_bytes` gave."""
        loaded = json.loads(data)
        self._set(build_assertion_rules(loaded["rules"]), loaded["categories"])
        return self

    def to_disk(self, path: str | Path, **kwargs: object) -> None:
        """Write the rules into the folder ``path``."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _FILE).write_bytes(self.to_bytes())

    def from_disk(self, path: str | Path, **kwargs: object) -> Self:
        """Load what :meth:`to_disk` wrote."""
        return self.from_bytes((Path(path) / _FILE).read_bytes())


def _layers(places: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Part targets that overlap: each layer holds none that do, wider ones first.

    The words of a target are hidden from the rules; a target inside a wider one ('sin
    elevación del ST' inside 'síndrome coronario agudo sin elevación del ST') needs to see
    the words of the wider one around it.
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
