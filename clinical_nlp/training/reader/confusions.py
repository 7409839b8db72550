"""How the flags of notes left out were confused: counts, without a word of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from clinical_nlp.pipeline.reader.decision import DecisionRule
from clinical_nlp.records import FLAGS
from clinical_nlp.training.reader.readings import Reading
from clinical_nlp.training.reader.tuning import matched_flags

#: Names of the four outcomes, by whether a flag is annotated and whether it was decided.
_OUTCOMES = {
    (True, True): "set rightly",
    (True, False): "missed",
    (False, True): "set wrongly",
    (False, False): "left rightly",
}


def flag_confusions(readings: Sequence[Reading], rule: DecisionRule) -> Counter[str]:
    """Count right and wrong flags of the findings that the rules found and the notes confirm.

    Returns
    -------
    Counter
        By who decided, flag and outcome: ``"rules negated missed"``, ``"reader family set
        wrongly"``. Flags that are not annotated do not count.
    """
    counts: Counter[str] = Counter()
    for logits, rule_flags, gold in zip(*matched_flags(readings), strict=True):
        by_rules = [value > 0 for value in rule_flags.tolist()]
        by_reader, _ = rule.decide_flags(logits.tolist(), by_rules)
        for who, decided in (("rules", by_rules), ("reader", by_reader)):
            for name, is_set, wanted in zip(FLAGS, decided, gold.tolist(), strict=True):
                if wanted >= 0:
                    counts[f"{who} {name} {_OUTCOMES[wanted > 0, is_set]}"] += 1
    return counts
