"""Findings coordinated with one that a closing cue speaks of.

ConText gives a cue after its finding to the nearest one alone, which is right of 'disnea,
edemas no' and wrong of a row that a conjunction holds together:

    disnea, ortopnea y edemas negados
    palpitaciones o síncope, tampoco

A row is made of targets with nothing between them but commas, conjunctions, articles and
prepositions, and one conjunction at least. A rule says with ``rows = true`` that its cue speaks
of the whole row.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence

from clinical_nlp.pipeline.assertion.assertion import Assertion
from clinical_nlp.pipeline.assertion.graph import Target
from clinical_nlp.pipeline.assertion.sentence import Sentence

_CONJUNCTIONS = frozenset(("y", "e", "i", "o", "u", "ou", "ni", "nin", "eta", "edo", "/"))
_ARTICLES = frozenset(("el", "la", "los", "las", "su", "sus", "l", "els", "les", "as", "os"))
_PREPOSITIONS = frozenset(("de", "del", "al", "d"))
_LINKS = _CONJUNCTIONS | _ARTICLES | _PREPOSITIONS | {","}


def share_in_rows(
    sentence: Sentence, spoken_of: Mapping[int, bool], assertions: MutableMapping[int, Assertion]
) -> None:
    """Give the assertion of a target to the unmodified ones before it in its row.

    Parameters
    ----------
    sentence
        The sentence.
    spoken_of
        Targets that a cue for whole rows modifies, by ``Target.index``.
    assertions
        Assertions by ``Target.index``; those of the rest of the row are added.
    """
    targets = sentence.targets
    for place, target in enumerate(targets):
        if not spoken_of.get(target.index):
            continue
        for other in _row_before(sentence.words, targets[: place + 1], assertions):
            assertions[other.index] = assertions[target.index]


def _row_before(
    words: Sequence[str], targets: Sequence[Target], assertions: Mapping[int, Assertion]
) -> list[Target]:
    """The unmodified targets that stand in one row with the last one."""
    row: list[Target] = []
    held = False
    for before, after in zip(targets[-2::-1], targets[:0:-1], strict=True):
        between = words[before.end : after.start]
        if before.index in assertions or not between or not _LINKS.issuperset(between):
            break
        held = held or not _CONJUNCTIONS.isdisjoint(between)
        row.append(before)
    return row if held else []
