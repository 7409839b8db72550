"""The desk a note is written at: who, when, with which words, and what has been said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random

from clinical_nlp.simulation.grammar import Grammar
from clinical_nlp.simulation.identity import Identity
from clinical_nlp.simulation.parameters import Parameters
from clinical_nlp.simulation.patient_course import Life
from clinical_nlp.simulation.treatments import Prescription
from clinical_nlp.simulation.visits import CARDIAC, Visit

_DECIMAL = frozenset({"weight", "bmi", "temp", "creatinine", "potassium", "hemoglobin", "hba1c"})


@dataclass(slots=True)
class Memory:
    """What earlier notes of the same patient said, for follow-up and copying forward.

    Parameters
    ----------
    signs
        Signs that were there at the last visit.
    story, background, treatment
        Texts that a later note may repeat word for word.
    suspected
        A suspicion of heart failure that is still open.
    family
        Key of the family history, ``None`` where there is none.
    """

    family: str | None = None
    signs: frozenset[str] = frozenset()
    story: str = ""
    background: tuple[str, ...] = ()
    treatment: tuple[str, ...] = ()
    suspected: bool = False


@dataclass(slots=True)
class Draft:
    """One note in the making.

    Parameters
    ----------
    wordy
        How much this clinician writes, about 1.
    affirmed
        Grows with every sign that the text says is there.
    """

    dice: Random
    visit: Visit
    life: Life
    p: Parameters
    words: Grammar
    memory: Memory
    prescriptions: Sequence[Prescription]
    slots: dict[str, str]
    wordy: float = 1.0
    affirmed: set[str] = field(default_factory=set)

    @property
    def topic(self) -> str:
        """Rule prefix of what the visit is about."""
        return f"topic.{self.visit.topic}"

    @property
    def cardiac(self) -> bool:
        """Whether the visit is one at which hearts are thought of."""
        return self.visit.topic in CARDIAC

    def say(self, rule: str) -> str:
        """Expand a rule of the grammar."""
        return self.words.say(rule, self.dice, self.slots)

    def some(self, rule: str, share: float) -> list[str]:
        """Expand a rule in a share of the notes; nothing where there is no such rule."""
        if rule not in self.words or not self.chance(share):
            return []
        said = self.say(rule)
        return [said] if said else []

    def chance(self, share: float) -> bool:
        """Return whether to write something optional: more often in wordy notes."""
        return self.dice.random() < share * self.wordy

    def noun(self, sign: str) -> str:
        """Return a noun phrase for a sign, without a list inside."""
        return self.say(f"sign.{sign}.noun").split(" ni ", 1)[0]


def make_slots(visit: Visit, life: Life, identity: Identity) -> dict[str, str]:
    """Return what the grammar may fill in: numbers as they are written, and names."""
    woman = life.female
    slots = {
        "given": identity.given,
        "surname": identity.surnames,
        "nhc": identity.nhc,
        "cip": identity.cip,
        "phone": identity.phone,
        "relative": identity.relation,
        "companion": f"{identity.relation} {identity.relative}",
        "relative_name": identity.relative,
        "doctor": identity.doctor,
        "born": date.fromordinal(life.birth).strftime("%d/%m/%Y"),
        "age": str(int(life.age(visit.day))),
        "o": "a" if woman else "o",
        "a": "a" if woman else "",
        "pron": "ella" if woman else "él",
        "sex_noun": "mujer" if woman else "varón",
        "sbp": str(round(life.body["sbp"])),
        "dbp": str(round(life.body["dbp"])),
        "hr": str(round(life.body["hr"])),
        "lvef": "60",
    }
    _numbers(slots, visit.vitals)
    _numbers(slots, visit.labs)
    if "sbp" in visit.vitals:
        slots["sbp_cm"] = _centimetres(visit.vitals["sbp"])
        slots["dbp_cm"] = _centimetres(visit.vitals["dbp"])
    if "nt_probnp" in visit.labs:
        slots["nt_probnp_dot"] = f"{int(visit.labs['nt_probnp']):,}".replace(",", ".")
    return slots


def sentences(dice: Random, clauses: Sequence[str], terse: bool) -> str:
    """Join clauses: full sentences, or a run of commas where the writer is terse."""
    if terse:
        text = (", " if dice.random() < 0.55 else ". ").join(clauses)
        return text if text.endswith((".", "?")) else text + "."
    return " ".join([c[0].upper() + c[1:] + ("" if c[-1] in ".?" else ".") for c in clauses])


def _numbers(slots: dict[str, str], values: Mapping[str, float]) -> None:
    for name, value in values.items():
        slots[name] = f"{value:g}".replace(".", ",") if name in _DECIMAL else str(int(value))


def _centimetres(value: float) -> str:
    """Write a pressure the old way: 142 mmHg is 14, sometimes 14,5."""
    return f"{round(value / 5) / 2:g}".replace(".", ",")
