"""The decision rule between the rules and the reader.

It is small on purpose. For each flag the reader's probability decides, with one threshold where
the rules did not set the flag and another where they did. A finding of the rules is dropped, or
gets another concept, only where the reader is nearly sure; words outside all findings become a
finding where it is sure enough. The thresholds are chosen on notes of hands that the reader had
not seen, and saved with it.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from spacy.tokens import Doc

from clinical_nlp.neural.reader.decode import BEST, BEST_SCORE, OUTSIDE
from clinical_nlp.neural.reader.network import FLAG_COUNT
from clinical_nlp.pipeline.reader.contradictions import is_contradicted
from clinical_nlp.pipeline.reader.features import Words
from clinical_nlp.pipeline.reader.fixed_flags import FixedFlags
from clinical_nlp.pipeline.reader.numbers import Measure, read_value
from clinical_nlp.records import FLAGS, Finding

Floats = npt.NDArray[np.float32]

#: No finding of the rules is dropped or renamed below this probability, whatever was tuned: the
#: notes of a service differ from those that the thresholds were chosen on.
LEAST_TO_OVERRULE = 0.9

#: ``source`` of a finding that the reader found or changed.
READER = "reader"


@dataclass(frozen=True, slots=True)
class FlagRule:
    """How one flag is decided.

    Attributes
    ----------
    scale, shift
        Calibration (Platt): the probability is ``sigmoid(scale * logit + shift)``.
    least_new
        Least probability to set a flag that the rules did not set.
    least_kept
        Least probability to keep one that they did.
    """

    scale: float = 1.0
    shift: float = 0.0
    least_new: float = 0.5
    least_kept: float = 0.5

    def probability(self, logit: float) -> float:
        """Calibrated probability that the flag is set."""
        return 1 / (1 + math.exp(-max(-40.0, min(40.0, self.scale * logit + self.shift))))


@dataclass(frozen=True)
class DecisionRule:
    """All thresholds.

    Attributes
    ----------
    flags
        One rule for each of the five flags.
    dropped
        Least probability, for every word of a finding, of being in no mention.
    renamed
        Least probability of one other concept, for every word of a finding.
    found
        Least mean probability of a concept for words without a finding.
    measured
        The same for a number, of a measurement.
    """

    flags: tuple[FlagRule, ...] = (FlagRule(),) * FLAG_COUNT
    dropped: float = 0.98
    renamed: float = 0.95
    found: float = 0.8
    measured: float = 0.8

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read plain values; raises ``KeyError``, ``TypeError`` if they are not a rule."""
        flags = tuple(FlagRule(**values["flags"][name]) for name in FLAGS)
        return cls(flags, **{k: float(v) for k, v in values.items() if k != "flags"})

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        flags = {name: asdict(rule) for name, rule in zip(FLAGS, self.flags, strict=True)}
        names = ("dropped", "renamed", "found", "measured")
        return {"flags": flags, **{name: getattr(self, name) for name in names}}

    def decide_flags(
        self, logits: Sequence[float], by_rules: Sequence[bool], fixed: Container[int] = ()
    ) -> tuple[tuple[bool, ...], float]:
        """Flags of a span, and the probability of the least sure of them.

        Parameters
        ----------
        logits
            Of the five flags.
        by_rules
            The rules' flags.
        fixed
            Places of the flags that stay as the rules set them.
        """
        flags, least = [], 1.0
        for place, (rule, logit, rules_say) in enumerate(
            zip(self.flags, logits, by_rules, strict=True)
        ):
            if place in fixed:
                flags.append(bool(rules_say))
                continue
            probability = rule.probability(logit)
            is_set = probability >= (rule.least_kept if rules_say else rule.least_new)
            flags.append(is_set)
            least = min(least, probability if is_set else 1 - probability)
        return tuple(flags), least


@dataclass(frozen=True)
class Names:
    """What the numbers of a reader's concepts mean.

    Attributes
    ----------
    concepts
        Their keys; number 1 is the first.
    measures
        Which of them are measurements, with their unit and plausible values.
    """

    concepts: Sequence[str]
    measures: Mapping[str, Measure]


def decide(
    rule: DecisionRule,
    names: Names,
    words: Words,
    rows: Floats,
    findings: Sequence[Finding],
    doc: Doc,
) -> list[Finding]:
    """Findings of a note by rules and reader together.

    Parameters
    ----------
    words, rows
        Words of the note, and what the reader says of each, float32 [words, 8].
    findings
        The rules' findings.
    doc
        The note, with layout and cues.
    """
    decided: list[Finding] = []
    fixed_flags = FixedFlags(doc)
    taken = np.zeros(len(words), dtype=bool)
    for finding in findings:
        first, stop = words.span(finding.start, finding.end)
        if first == stop or finding.value is not None:
            decided.append(finding)
            taken[first:stop] = True
            continue
        part = rows[first:stop]
        if part[:, OUTSIDE].min() >= max(rule.dropped, LEAST_TO_OVERRULE):
            continue
        taken[first:stop] = True
        fixed = fixed_flags.of(finding)
        decided.append(_decided(rule, names.concepts, part, finding, fixed))
    decided.extend(_found(rule, names, words, rows, taken, decided, doc.text))
    return decided


def _decided(
    rule: DecisionRule,
    concepts: Sequence[str],
    part: Floats,
    finding: Finding,
    fixed: Container[int],
) -> Finding:
    """A finding of the rules, with the flags and the concept that are decided on."""
    logits = part[:, :FLAG_COUNT].mean(axis=0)
    flags, probability = rule.decide_flags(logits.tolist(), finding.flags, fixed)
    concept, best = finding.concept, int(part[0, BEST])
    if (part[:, BEST] == best).all() and part[:, BEST_SCORE].min() >= max(
        rule.renamed, LEAST_TO_OVERRULE
    ):
        concept = concepts[best - 1]
    changed = flags != finding.flags or concept != finding.concept
    relation = finding.relation if flags[FLAGS.index("family")] else None
    return replace(
        finding,
        concept=concept,
        negated=flags[0],
        uncertain=flags[1],
        historical=flags[2],
        family=flags[3],
        hypothetical=flags[4],
        relation=relation,
        source=READER if changed else finding.source,
        probability=round(probability, 4),
    )


def _found(
    rule: DecisionRule,
    names: Names,
    words: Words,
    rows: Floats,
    taken: npt.NDArray[np.bool_],
    decided: Sequence[Finding],
    text: str,
) -> Iterator[Finding]:
    """Findings that no rule knows: stretches of words of one concept, with no finding in them."""
    likely = (rows[:, OUTSIDE] < rows[:, BEST_SCORE]) & ~taken
    if not likely.any():
        return
    best_of = np.where(likely, rows[:, BEST].astype(np.int64), 0).tolist()
    # What is said in two sentences is not one mention.
    stretch = list(zip(best_of, words.sentences.tolist(), strict=True))
    known = {(f.concept, w) for f in decided for w in words.span(f.start - 1, f.end + 1)}
    for (best, _), group in groupby(range(len(stretch)), key=stretch.__getitem__):
        places = list(group)
        first, stop = places[0], places[-1] + 1
        if not best:
            continue
        concept, score = names.concepts[best - 1], float(rows[first:stop, BEST_SCORE].mean())
        start, end = _trimmed(text, int(words.starts[first]), int(words.ends[stop - 1]))
        if not text[start].isalnum():
            continue
        if concept in names.measures:
            if score >= rule.measured and not _is_second_of_a_pair(text, start, words, taken):
                yield from _measured(names, concept, start, text[start:end], score)
            continue
        # Beside a finding of the same concept they belong to that one.
        if score >= rule.found and not {(concept, first), (concept, stop)} & known:
            logits = rows[first:stop, :FLAG_COUNT].mean(axis=0)
            finding = _new(rule, concept, (start, end), text, logits, score)
            if not is_contradicted(finding, text):
                yield finding


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """A stretch without the signs and blanks at its ends."""
    while start < end - 1 and not text[start].isalnum():
        start += 1
    while end > start + 1 and not text[end - 1].isalnum():
        end -= 1
    return start, end


def _is_second_of_a_pair(text: str, start: int, words: Words, taken: npt.NDArray[np.bool_]) -> bool:
    """Whether a number stands after "/" and a number that is no measurement: a target, a date."""
    before = text[:start].rstrip()
    if not before.endswith("/"):
        return False
    first = words.span(len(before) - 2, len(before) - 1)[0]
    return first < len(taken) and not taken[first]


def _measured(
    names: Names, concept: str, start: int, words: str, score: float
) -> Iterator[Finding]:
    """A number as a measurement, where it is a plausible value."""
    value = read_value(words, concept, names.measures)
    if value is not None:
        yield Finding(
            start,
            start + len(words),
            words,
            concept,
            value=value.value,
            unit=names.measures[concept].unit,
            low=value.low,
            high=value.high,
            source=READER,
            probability=round(score, 4),
        )


def _new(
    rule: DecisionRule,
    concept: str,
    place: tuple[int, int],
    text: str,
    logits: npt.NDArray[np.float32],
    score: float,
) -> Finding:
    flags, probability = rule.decide_flags(logits.tolist(), (False,) * FLAG_COUNT)
    start, end = place
    return Finding(
        start,
        end,
        text[start:end],
        concept,
        negated=flags[0],
        uncertain=flags[1],
        historical=flags[2],
        family=flags[3],
        hypothetical=flags[4],
        source=READER,
        probability=round(min(probability, score), 4),
    )
