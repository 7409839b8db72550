"""From a visit to the text that a clinician leaves about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from clinical_nlp.simulation import assessment_plan, physical_exam
from clinical_nlp.simulation.drafting import Draft, Memory, make_slots, sentences
from clinical_nlp.simulation.grammar import Grammar, grammar
from clinical_nlp.simulation.identity import Identity
from clinical_nlp.simulation.letters import write_letter
from clinical_nlp.simulation.narrative import write_story
from clinical_nlp.simulation.parameters import Parameters
from clinical_nlp.simulation.patient_course import Life
from clinical_nlp.simulation.rng import pick
from clinical_nlp.simulation.treatments import Prescription
from clinical_nlp.simulation.visits import Visit
from clinical_nlp.simulation.writing_style import STAFF, WritingStyle, layouts, scribe

#: Rules of ``[systems]`` that a complete note looks through.
SYSTEMS = ("digestive", "urinary", "mood", "function", "fever")


@dataclass(frozen=True, slots=True)
class Written:
    """A note's text, the language of its grammar, and the signs that it affirms."""

    text: str
    language: str
    affirmed: tuple[str, ...]


class Writer:
    """Writes the notes of one patient, in order.

    Parameters
    ----------
    family
        Key of the family history (``[family]`` of the grammar), if any.
    doctor
        Number of the patient's own doctor and nurse among the staff.
    """

    def __init__(
        self,
        life: Life,
        identity: Identity,
        parameters: Parameters,
        prescriptions: Sequence[Prescription],
        family: str | None,
        doctor: int,
    ) -> None:
        self._life, self._identity, self._p = life, identity, parameters
        self._prescriptions, self._doctor = prescriptions, doctor
        self._memory = Memory(family=family)

    def write(self, dice: Random, visit: Visit) -> Written:
        """Write the note of one visit.

        Parameters
        ----------
        dice
            A stream of this note's own.
        """
        life = self._life
        other = dice.random() < life.other_language_share and visit.kind != "hospital"
        language = life.other_language if other else "es"
        hand = self._hand(dice, visit.kind)
        draft = Draft(
            dice=dice,
            visit=visit,
            life=life,
            p=self._p,
            words=grammar(language),
            memory=self._memory,
            prescriptions=self._prescriptions,
            slots=make_slots(visit, life, self._identity),
            wordy=hand.wordy,
        )
        text = write_letter(draft) if visit.kind == "hospital" else _lay_out(draft, hand)
        self._memory.signs = frozenset(visit.signs)
        self._memory.suspected = visit.suspects or (self._memory.suspected and dice.random() < 0.5)
        return Written(hand.finish(dice, text), language, tuple(sorted(draft.affirmed)))

    def _hand(self, dice: Random, kind: str) -> WritingStyle:
        """Return who writes: mostly the patient's own doctor or nurse."""
        own = kind not in ("urgent", "hospital") and dice.random() < 0.75
        number = self._doctor if own else int(dice.random() * STAFF[kind])
        return scribe(kind, number % STAFF[kind])


def _lay_out(draft: Draft, hand: WritingStyle) -> str:
    dice, layout = draft.dice, hand.layout
    if dice.random() < 0.2:
        fitting = [entry for entry in layouts() if draft.visit.kind in entry["kinds"]]
        layout = pick(dice, fitting) if fitting else layout
    terse = bool(layout.get("terse", False))
    parts = _parts(draft, layout)
    lines: list[str] = []
    for line in layout["lines"]:
        clauses = [clause for part in line["parts"] for clause in parts.get(part, ()) if clause]
        if clauses:
            label = line["label"]
            heading = _labels(label).say("label", dice, {}) if label else ""
            lines.append(heading + sentences(dice, clauses, terse))
    return str(layout["join"]).join(lines)


def _parts(draft: Draft, layout: dict[str, Any]) -> dict[str, list[str]]:
    visit, brief = draft.visit, bool(layout.get("brief", False))
    everything = bool(layout.get("full", False))
    # Only what the layout has room for: what is left out must not count as affirmed.
    room = {part for line in layout["lines"] for part in line["parts"]}
    reason, story = write_story(draft, brief)
    parts = {
        "reason": reason,
        "story": story,
        "vitals": physical_exam.write_vitals(draft),
        "labs": physical_exam.write_labs(draft),
        "assessment": assessment_plan.write_assessment(draft),
        "plan": assessment_plan.write_plan(draft, brief),
    }
    if "exam" in room and visit.kind != "phone":
        parts["exam"] = physical_exam.write_exam(draft, full=everything)
    if "tests" in room:
        parts["tests"] = physical_exam.write_tests(draft)
    if brief:
        return parts
    parts["opening"] = draft.some(f"{visit.kind}.opening", 0.7)
    parts["aside"] = draft.some("aside.name", 0.06)
    if everything:
        systems = draft.dice.sample(SYSTEMS, 3)
        parts["systems"] = [draft.say(f"systems.{name}") for name in systems]
    usual = 0.8 if layout["name"] == "headed" else 0.27
    if everything or draft.chance(usual):
        parts["background"] = assessment_plan.write_background(draft)
        if draft.chance(0.5):
            parts["habits"] = [draft.say(f"background.{draft.life.smoking}")]
        if draft.chance(0.6):
            parts["treatment"] = assessment_plan.write_treatment(draft)
        if draft.chance(0.6 if everything else 0.2):
            parts["family"] = [draft.say(f"family.{draft.memory.family or 'none'}")]
    return parts


_KNOWN_LABELS: dict[str, Grammar] = {}


def _labels(label: str) -> Grammar:
    """Return a line's label as a grammar, compiled once."""
    if label not in _KNOWN_LABELS:
        _KNOWN_LABELS[label] = Grammar({"label": [label]})
    return _KNOWN_LABELS[label]
