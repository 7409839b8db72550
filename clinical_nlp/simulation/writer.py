"""From a visit to the note that a clinician writes about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

from clinical_nlp.simulation import assessment_plan, physical_exam
from clinical_nlp.simulation.drafting import Draft, PreviousNotes, make_slots, sentences
from clinical_nlp.simulation.grammar import Grammar, grammar
from clinical_nlp.simulation.identity import Identity
from clinical_nlp.simulation.narrative import write_narrative
from clinical_nlp.simulation.parameters import Parameters
from clinical_nlp.simulation.patient_course import PatientCourse
from clinical_nlp.simulation.rng import pick
from clinical_nlp.simulation.treatments import Prescription
from clinical_nlp.simulation.visits import Visit
from clinical_nlp.simulation.writing_style import STAFF, WritingStyle, layouts, writing_style

#: Rules of ``[systems]`` that a full note draws from.
SYSTEMS = ("digestive", "urinary", "mood", "function", "fever")


@dataclass(frozen=True, slots=True)
class WrittenNote:
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
        patient: PatientCourse,
        identity: Identity,
        parameters: Parameters,
        prescriptions: Sequence[Prescription],
        family: str | None,
        doctor: int,
    ) -> None:
        self._patient, self._identity, self._p = patient, identity, parameters
        self._prescriptions, self._doctor = prescriptions, doctor
        self._previous = PreviousNotes(family=family)

    def write(self, rng: Random, visit: Visit) -> WrittenNote:
        """Write the note of one visit.

        Parameters
        ----------
        rng
            A stream of this note's own.
        """
        patient = self._patient
        other = rng.random() < patient.other_language_share and visit.kind != "hospital"
        language = patient.other_language if other else "es"
        writing = self._p.habits.writing
        style = self._choose_style(rng, visit.kind)
        draft = Draft(
            rng=rng,
            visit=visit,
            patient=patient,
            p=self._p,
            grammar=grammar(language, writing.phrases, writing.staff),
            previous=self._previous,
            prescriptions=self._prescriptions,
            slots=make_slots(visit, patient, self._identity),
            verbosity=style.verbosity,
        )
        text = _letter(draft) if visit.kind == "hospital" else _lay_out(draft, style)
        self._previous.signs = frozenset(visit.signs)
        self._previous.suspected = visit.suspects or (
            self._previous.suspected and rng.random() < 0.5
        )
        return WrittenNote(style.apply(rng, text), language, tuple(sorted(draft.affirmed)))

    def _choose_style(self, rng: Random, kind: str) -> WritingStyle:
        """Return the style of who writes: mostly the patient's own doctor or nurse."""
        own = kind not in ("urgent", "hospital") and rng.random() < 0.75
        number = self._doctor if own else int(rng.random() * STAFF[kind])
        return writing_style(kind, number % STAFF[kind], self._p.habits.writing)


def _lay_out(draft: Draft, style: WritingStyle) -> str:
    rng, layout = draft.rng, style.layout
    if rng.random() < 0.2:
        fitting = [entry for entry in layouts() if draft.visit.kind in entry["kinds"]]
        layout = pick(rng, fitting) if fitting else layout
    terse = bool(layout.get("terse", False))
    parts = _parts(draft, layout)
    lines: list[str] = []
    for line in layout["lines"]:
        clauses = [clause for part in line["parts"] for clause in parts.get(part, ()) if clause]
        if clauses:
            label = line["label"]
            heading = _label_grammar(label).expand("label", rng, {}) if label else ""
            lines.append(heading + sentences(rng, clauses, terse))
    return str(layout["join"]).join(lines)


def _letter(draft: Draft) -> str:
    """Write a discharge letter: of the heart-failure diagnosis, or of another admission."""
    expand, grammar, visit = draft.expand, draft.grammar, draft.visit
    failure = visit.topic == "hf_diagnosis"
    kind = "hf" if failure else "other"
    if failure:
        reported = [s for s in visit.signs if f"sign.{s}.told" in grammar] or ["exertional_dyspnea"]
        reported.sort(key=lambda sign: sign not in ("exertional_dyspnea", "oedema", "orthopnea"))
        draft.affirmed |= set(reported[:2])
        draft.slots["told"] = expand(f"sign.{reported[0]}.told")
        draft.slots["told2"] = expand(f"sign.{reported[min(1, len(reported) - 1)]}.told")
        draft.slots["denied"] = expand("sign.chest_pain.denied")
    else:
        draft.slots["other_motive"] = expand("letter.other_motive")
    rows = [expand("letter.heading"), expand("letter.identity"), expand(f"letter.motive_{kind}")]
    rows.append(
        expand("letter.label_background") + _prose(draft, assessment_plan.write_background(draft))
    )
    treatment = assessment_plan.write_treatment(draft)
    if treatment:
        rows.append(expand("letter.label_treatment") + _prose(draft, treatment))
    rows.append(expand(f"letter.story_{kind}"))
    exam = physical_exam.write_vitals(draft) + physical_exam.write_exam(draft, full=True)
    rows.append(expand("letter.label_exam") + _prose(draft, exam))
    results = physical_exam.write_tests(draft) + physical_exam.write_labs(draft)
    if results:
        rows.append(expand("letter.label_tests") + _prose(draft, results))
    if failure and draft.patient.heart_failure is not None:
        preserved = draft.patient.heart_failure.preserved
        rows.append(expand("letter.echo_preserved" if preserved else "letter.echo_reduced"))
    rows += [expand(f"letter.{part}_{kind}") for part in ("course", "diagnosis", "plan")]
    return "\n".join(rows)


def _prose(draft: Draft, clauses: list[str]) -> str:
    return sentences(draft.rng, clauses, terse=False)


def _parts(draft: Draft, layout: dict[str, Any]) -> dict[str, list[str]]:
    visit, brief = draft.visit, bool(layout.get("brief", False))
    everything = bool(layout.get("full", False))
    # Only what the layout has room for: what is left out must not count as affirmed.
    room = {part for line in layout["lines"] for part in line["parts"]}
    reason, narrative = write_narrative(draft, brief)
    parts = {
        "reason": reason,
        "story": narrative,
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
    parts["opening"] = draft.optional(f"{visit.kind}.opening", 0.7)
    parts["aside"] = draft.optional("aside.name", 0.06)
    if everything:
        systems = draft.rng.sample(SYSTEMS, 3)
        parts["systems"] = [draft.expand(f"systems.{name}") for name in systems]
    usual = 0.8 if layout["name"] == "headed" else 0.27
    if everything or draft.chance(usual):
        parts["background"] = assessment_plan.write_background(draft)
        if draft.chance(0.5):
            parts["habits"] = [draft.expand(f"background.{draft.patient.smoking}")]
        if draft.chance(0.6):
            parts["treatment"] = assessment_plan.write_treatment(draft)
        if draft.chance(0.6 if everything else 0.2):
            parts["family"] = [draft.expand(f"family.{draft.previous.family or 'none'}")]
    return parts


@lru_cache(maxsize=256)
def _label_grammar(label: str) -> Grammar:
    """Return a line's label as a grammar, compiled once."""
    return Grammar({"label": [label]})
