"""The state of one note while it is written, and what the grammar may fill in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random

from clinical_nlp.simulation.grammar import Grammar
from clinical_nlp.simulation.identity import Identity
from clinical_nlp.simulation.parameters import Parameters
from clinical_nlp.simulation.patient_course import PatientCourse
from clinical_nlp.simulation.treatments import Prescription
from clinical_nlp.simulation.visits import CARDIAC, Visit

_DECIMAL = frozenset({"weight", "bmi", "temp", "creatinine", "potassium", "hemoglobin", "hba1c"})


@dataclass(slots=True)
class PreviousNotes:
    """Content of the patient's earlier notes, for follow-up and copying forward.

    Parameters
    ----------
    signs
        Signs that were there at the last visit.
    narrative, background
        Texts that a later note may repeat word for word.
    suspected
        Whether a suspicion of heart failure is still open.
    family
        Key of the family history, ``None`` where there is none.
    """

    family: str | None = None
    signs: frozenset[str] = frozenset()
    narrative: str = ""
    background: tuple[str, ...] = ()
    suspected: bool = False


@dataclass(slots=True)
class Draft:
    """One note while it is written.

    Parameters
    ----------
    rng
        The note's own random stream.
    slots
        Values that the grammar may fill in; see :func:`make_slots`.
    verbosity
        How much this clinician writes, about 1.
    affirmed
        Signs that the text states are present; the ``write_*`` functions add to it.
    """

    rng: Random
    visit: Visit
    patient: PatientCourse
    p: Parameters
    grammar: Grammar
    previous: PreviousNotes
    prescriptions: Sequence[Prescription]
    slots: dict[str, str]
    verbosity: float = 1.0
    affirmed: set[str] = field(default_factory=set)

    @property
    def topic(self) -> str:
        """Rule prefix of what the visit is about."""
        return f"topic.{self.visit.topic}"

    @property
    def cardiac(self) -> bool:
        """Whether a clinician asks about the heart at this visit anyway."""
        return self.visit.topic in CARDIAC

    def expand(self, rule: str) -> str:
        """Expand a rule of the grammar."""
        return self.grammar.expand(rule, self.rng, self.slots)

    def optional(self, rule: str, share: float) -> list[str]:
        """Expand a rule with probability ``share``; nothing where there is no such rule."""
        if rule not in self.grammar or not self.chance(share):
            return []
        text = self.expand(rule)
        return [text] if text else []

    def chance(self, share: float) -> bool:
        """Return whether to write something optional: more often in verbose notes."""
        return self.rng.random() < share * self.verbosity

    def noun(self, sign: str) -> str:
        """Return a noun phrase for a sign, without a list inside."""
        return self.expand(f"sign.{sign}.noun").split(" ni ", 1)[0]


def make_slots(visit: Visit, patient: PatientCourse, identity: Identity) -> dict[str, str]:
    """Return the slots of the grammar: numbers as they are written, and names."""
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
        "born": date.fromordinal(patient.birth).strftime("%d/%m/%Y"),
        "age": str(int(patient.age(visit.day))),
        "o": "a" if patient.female else "o",
        "a": "a" if patient.female else "",
        "pron": "ella" if patient.female else "él",
        "sex_noun": "mujer" if patient.female else "varón",
        "sbp": str(round(patient.baselines["sbp"])),
        "dbp": str(round(patient.baselines["dbp"])),
        "hr": str(round(patient.baselines["hr"])),
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


def sentences(rng: Random, clauses: Sequence[str], terse: bool) -> str:
    """Join clauses: full sentences, or one comma-separated line where the style is terse."""
    if terse:
        text = (", " if rng.random() < 0.55 else ". ").join(clauses)
        return text if text.endswith((".", "?")) else text + "."
    return " ".join([c[0].upper() + c[1:] + ("" if c[-1] in ".?" else ".") for c in clauses])


def _numbers(slots: dict[str, str], values: Mapping[str, float]) -> None:
    for name, value in values.items():
        slots[name] = f"{value:g}".replace(".", ",") if name in _DECIMAL else str(int(value))


def _centimetres(value: float) -> str:
    """Write a pressure in centimetres of mercury: 142 mmHg is 14, 145 is 14,5."""
    return f"{round(value / 5) / 2:g}".replace(".", ",")
