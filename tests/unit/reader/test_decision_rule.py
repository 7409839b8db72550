"""The decision rule between the rules and the reader."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from spacy.language import Language

from clinical_nlp.neural.reader.decode import BEST, BEST_SCORE, OUTSIDE
from clinical_nlp.neural.reader.network import FLAG_COUNT
from clinical_nlp.pipeline.document import get_findings
from clinical_nlp.pipeline.reader.decision import READER, DecisionRule, FlagRule, Names, decide
from clinical_nlp.pipeline.reader.features import Words
from clinical_nlp.pipeline.reader.numbers import Measure, read_value
from clinical_nlp.records import Finding

NAMES = Names(["dyspnea", "orthopnea", "heart_rate"], {"heart_rate": Measure("/min", 20, 260)})
RULE = DecisionRule(dropped=0.9, renamed=0.9, found=0.6, measured=0.6)


class Case:
    """A note, its words, and what the reader says of each: nothing, to begin with."""

    def __init__(self, nlp: Language, text: str) -> None:
        doc = nlp(text)
        self.text, self.doc = text, doc
        self.words, self.findings = Words(doc), get_findings(doc)
        self.rows = np.zeros((len(self.words), FLAG_COUNT + 3), dtype=np.float32)
        self.rows[:, :FLAG_COUNT] = -6.0
        self.rows[:, OUTSIDE] = 0.5
        self.rows[:, BEST] = 1

    def say(self, words: str, **columns: float) -> None:
        start = self.text.index(words)
        first, stop = self.words.span(start, start + len(words))
        for name, value in columns.items():
            self.rows[first:stop, COLUMNS[name]] = value

    def decide(self, rule: DecisionRule = RULE) -> list[Finding]:
        return decide(rule, NAMES, self.words, self.rows, self.findings, self.doc)


COLUMNS = {"negated": 0, "family": 3, "outside": OUTSIDE, "best": BEST, "score": BEST_SCORE}


def test_reader_sets_a_flag_that_the_rules_did_not(nlp: Language) -> None:
    case = Case(nlp, "De disnea no quiere ni oir hablar desde hace meses")
    case.findings = (replace(case.findings[0], negated=False),)
    case.say("disnea", negated=3.0)
    (found,) = case.decide()
    assert found.negated
    assert found.source == READER
    assert found.probability == pytest.approx(0.9526, abs=1e-3)


def test_reader_takes_back_a_flag_and_the_relative_with_it(nlp: Language) -> None:
    case = Case(nlp, "Su padre tuvo disnea.")
    assert case.findings[0].family
    (found,) = case.decide()
    assert not found.family
    assert found.relation is None


def test_thresholds_depend_on_what_the_rules_said(nlp: Language) -> None:
    keen = FlagRule(least_new=0.9, least_kept=0.2)
    rule = replace(RULE, flags=(keen,) * FLAG_COUNT)
    new, kept = Case(nlp, "Refiere disnea."), Case(nlp, "No disnea.")
    for case in (new, kept):
        case.say("disnea", negated=0.0)
        case.rows[:, 1:FLAG_COUNT] = -6.0
    assert not new.decide(rule)[0].negated
    assert kept.decide(rule)[0].negated


def test_measurements_of_the_rules_are_not_touched(nlp: Language) -> None:
    case = Case(nlp, "FC 88.")
    case.rows[:, OUTSIDE] = 1.0
    assert case.decide() == list(case.findings)


def test_finding_is_dropped_where_the_reader_is_nearly_sure(nlp: Language) -> None:
    case = Case(nlp, "Refiere disnea.")
    case.say("disnea", outside=0.95)
    assert case.decide() == []
    case.say("disnea", outside=0.85)
    assert len(case.decide()) == 1


def test_finding_gets_another_concept_where_the_reader_is_nearly_sure(nlp: Language) -> None:
    case = Case(nlp, "Refiere disnea.")
    case.say("disnea", outside=0.0, best=2, score=0.95)
    assert [f.concept for f in case.decide()] == ["orthopnea"]


def test_words_without_a_finding_become_one(nlp: Language) -> None:
    case = Case(nlp, "Por la noche se queda en el sillon de la sala.")
    case.say("se queda en el sillon", outside=0.1, best=2, score=0.8)
    (found,) = case.decide()
    assert (found.text, found.concept, found.source) == (
        "se queda en el sillon",
        "orthopnea",
        READER,
    )
    assert found.probability == pytest.approx(0.8)
    assert case.decide(replace(RULE, found=0.9)) == []


def test_words_beside_a_finding_of_their_concept_belong_to_it(nlp: Language) -> None:
    case = Case(nlp, "Refiere disnea tremenda.")
    case.say("tremenda", outside=0.1, best=1, score=0.9)
    assert len(case.decide()) == 1


def test_mention_ends_with_its_sentence(nlp: Language) -> None:
    case = Case(nlp, "Acaba siempre en la butaca. Se queda ahí, hasta el alba.")
    case.say("en la butaca. Se queda ahí,", outside=0.1, best=2, score=0.8)
    assert [f.text for f in case.decide()] == ["en la butaca", "Se queda ahí"]


def test_number_becomes_a_measurement_only_where_plausible(nlp: Language) -> None:
    case = Case(nlp, "Al rato 88, luego 999.")
    for number in ("88", "999"):
        case.say(number, outside=0.0, best=3, score=0.9)
    (found,) = [f for f in case.decide() if f.source == READER]
    assert (found.text, found.value, found.unit) == ("88", 88.0, "/min")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("38,6", 38.6),
        ("38.6", 38.6),
        ("105-115", None),
        ("", None),
        ("ocho", None),
        ("1.250", None),
        ("\u0663\u0668", None),
    ],
)
def test_plain_numbers_are_read(text: str, value: float | None) -> None:
    read = read_value(text, "t", {"t": Measure("Cel", 30, 45)})
    assert (read.value if read else None) == value


def test_pressures_in_centimetres_and_thousands_are_read() -> None:
    measures = {"systolic_bp": Measure("mm[Hg]", 55, 280), "nt_probnp": Measure("pg/mL", 5, 1e5)}
    twelve, many = (
        read_value("12", "systolic_bp", measures),
        read_value("1.250", "nt_probnp", measures),
    )
    assert twelve is not None and twelve.value == 120
    assert many is not None and many.value == 1250


def test_rule_survives_as_plain_values() -> None:
    assert DecisionRule.from_dict(RULE.as_dict()) == RULE


def test_answer_of_a_form_stands_whatever_the_reader_says(nlp: Language) -> None:
    case = Case(nlp, "[ ] Disnea [x] Ortopnea")
    case.rows[:, 0] = 6.0
    case.say("Disnea", negated=-6.0)
    assert [(f.concept, f.negated) for f in case.decide()] == [
        ("dyspnea", True),
        ("orthopnea", False),
    ]


def test_target_after_a_slash_is_no_measurement(nlp: Language) -> None:
    names = Names(["heart_rate"], {"heart_rate": Measure("/min", 20, 260)})
    case = Case(nlp, "Objetivo TA 130/80.")
    case.say("80", outside=0.0, best=1, score=0.99)
    assert decide(RULE, names, case.words, case.rows, case.findings, case.doc) == []


def test_found_words_lose_the_signs_around_them(nlp: Language) -> None:
    case = Case(nlp, "Por la noche: se queda en el sillon.")
    case.say(": se queda en el sillon.", outside=0.1, best=2, score=0.8)
    assert [f.text for f in case.decide()] == ["se queda en el sillon"]
