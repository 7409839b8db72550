"""Discharge letters: of the first heart failure, of a later one, of something else."""

from __future__ import annotations

from clinical_nlp.simulation import assessment_plan, physical_exam
from clinical_nlp.simulation.drafting import Draft, sentences


def write_letter(draft: Draft) -> str:
    """Return the text of a letter."""
    say, words, visit = draft.say, draft.words, draft.visit
    failure = visit.topic == "hf_diagnosis"
    kind = "hf" if failure else "other"
    if failure:
        told = [s for s in visit.signs if f"sign.{s}.told" in words] or ["exertional_dyspnea"]
        told.sort(key=lambda sign: sign not in ("exertional_dyspnea", "oedema", "orthopnea"))
        draft.affirmed |= set(told[:2])
        draft.slots["told"] = say(f"sign.{told[0]}.told")
        draft.slots["told2"] = say(f"sign.{told[min(1, len(told) - 1)]}.told")
        draft.slots["denied"] = say("sign.chest_pain.denied")
    else:
        draft.slots["other_motive"] = say("letter.other_motive")
    rows = [say("letter.heading"), say("letter.identity"), say(f"letter.motive_{kind}")]
    rows.append(
        say("letter.label_background") + _prose(draft, assessment_plan.write_background(draft))
    )
    treatment = assessment_plan.write_treatment(draft)
    if treatment:
        rows.append(say("letter.label_treatment") + _prose(draft, treatment))
    rows.append(say(f"letter.story_{kind}"))
    found = physical_exam.write_vitals(draft) + physical_exam.write_exam(draft, full=True)
    rows.append(say("letter.label_exam") + _prose(draft, found))
    results = physical_exam.write_tests(draft) + physical_exam.write_labs(draft)
    if results:
        rows.append(say("letter.label_tests") + _prose(draft, results))
    if failure and draft.life.course is not None:
        preserved = draft.life.course.preserved
        rows.append(say("letter.echo_preserved" if preserved else "letter.echo_reduced"))
    rows += [say(f"letter.{part}_{kind}") for part in ("course", "diagnosis", "plan")]
    return "\n".join(rows)


def _prose(draft: Draft, clauses: list[str]) -> str:
    return sentences(draft.dice, clauses, terse=False)
