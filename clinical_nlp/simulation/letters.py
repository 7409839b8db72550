"""Discharge letters: of the heart-failure diagnosis, or of another admission."""

from __future__ import annotations

from clinical_nlp.simulation import assessment_plan, physical_exam
from clinical_nlp.simulation.drafting import Draft, sentences


def write_letter(draft: Draft) -> str:
    """Return the text of a letter."""
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
