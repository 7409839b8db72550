"""The assessment and plan of a note; the patient's background and treatment."""

from __future__ import annotations

from clinical_nlp.simulation.drafting import Draft
from clinical_nlp.simulation.rng import pick

_ALARMING = (
    "exertional_dyspnea",
    "chest_pain",
    "oedema",
    "syncope",
    "rest_dyspnea",
    "palpitations",
    "weight_gain",
)


def write_assessment(draft: Draft) -> list[str]:
    """Name a cause: the true one, another one, or none."""
    visit, rng = draft.visit, draft.rng
    if visit.topic != "complaint":
        return draft.optional(f"{draft.topic}.assessment", 0.75)
    out = [draft.expand("cause.heart_failure.assessment")] if visit.suspects else []
    # Early heart failure is attributed to whatever else the patient has.
    blamed = sorted(set(visit.signs.values()) - {"heart_failure"})
    if blamed and rng.random() < 0.6:
        out.append(draft.expand(f"cause.{pick(rng, blamed)}.assessment"))
    if not out:
        out = draft.optional("topic.complaint.assessment", 1.0)
    return list(dict.fromkeys(out))


def write_plan(draft: Draft, brief: bool) -> list[str]:
    """Write what is done, what was started, and when to come back."""
    visit, rng = draft.visit, draft.rng
    if visit.topic == "complaint":
        others = sorted(set(visit.signs.values()) - {"heart_failure"}) or ["age"]
        cause = "heart_failure" if visit.suspects else pick(rng, others)
        out = [draft.expand(f"cause.{cause}.plan"), *draft.optional("topic.complaint.plan", 0.5)]
    else:
        rule = f"{draft.topic}.plan"
        if visit.kind == "nurse" and f"{rule}_nurse" in draft.grammar:
            rule += "_nurse"
        out = draft.optional(rule, 0.9)
        if out:
            out += draft.optional(rule, 0.6) + draft.optional(rule, 0.25)
    new = [rx for rx in draft.prescriptions if 0 <= visit.day - rx.start < 7]
    if new and rng.random() < 0.4:
        out.append(f"{draft.expand('starts')} {pick(rng, new[0].drug.names)} {new[0].dose}")
    if not brief and (visit.asks or visit.topic == "complaint"):
        if rng.random() < 0.3:
            one, two = rng.sample(_ALARMING, 2)
            draft.slots["noun"], draft.slots["noun2"] = draft.noun(one), draft.noun(two)
            out.append(draft.expand("frame.alarm"))
        elif rng.random() < 0.06:
            out.append(draft.expand("frame.watch"))
    return list(dict.fromkeys(out))


def write_background(draft: Draft) -> list[str]:
    """Write the problem list; mostly the one of the last note, word for word."""
    rng, previous, day = draft.rng, draft.previous, draft.visit.day
    if previous.background and rng.random() < 0.6:
        return list(previous.background)
    known = [
        name
        for name in draft.patient.onsets
        if draft.patient.has(name, day - 60) and f"condition.{name}" in draft.grammar
    ]
    listed = [draft.expand(f"condition.{name}") for name in known if rng.random() < 0.8]
    rng.shuffle(listed)
    if draft.patient.diagnosed(day - 1):
        listed.insert(0, draft.expand("condition.heart_failure"))
    if listed:
        out = [", ".join(listed)]
        out += draft.optional("background.allergy", 0.3) + draft.optional("background.surgery", 0.2)
        out += draft.optional("background.home", 0.15)
    else:
        out = [draft.expand("background.none" if rng.random() < 0.6 else "background.negated")]
    previous.background = tuple(out)
    return out


def write_treatment(draft: Draft) -> list[str]:
    """Write what the patient takes, with doses or without."""
    rng = draft.rng
    dosed = rng.random() < 0.7
    drugs = [
        f"{pick(rng, rx.drug.names)} {rx.dose} {rx.regimen}" if dosed else pick(rng, rx.drug.names)
        for rx in draft.prescriptions
        if rx.active_on(draft.visit.day)
    ]
    return [", ".join(drugs)] if drugs else []
