"""What the clinician makes of it and does about it; the patient's background."""

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
    visit, dice = draft.visit, draft.dice
    if visit.topic != "complaint":
        return draft.some(f"{draft.topic}.assessment", 0.75)
    out = [draft.say("cause.heart_failure.assessment")] if visit.suspects else []
    # Early heart failure is put down to whatever else the patient has.
    blamed = sorted(set(visit.signs.values()) - {"heart_failure"})
    if blamed and dice.random() < 0.6:
        out.append(draft.say(f"cause.{pick(dice, blamed)}.assessment"))
    if not out:
        out = draft.some("topic.complaint.assessment", 1.0)
    return list(dict.fromkeys(out))


def write_plan(draft: Draft, brief: bool) -> list[str]:
    """Say what is done, what was started, and when to come back."""
    visit, dice = draft.visit, draft.dice
    if visit.topic == "complaint":
        others = sorted(set(visit.signs.values()) - {"heart_failure"}) or ["age"]
        cause = "heart_failure" if visit.suspects else pick(dice, others)
        out = [draft.say(f"cause.{cause}.plan"), *draft.some("topic.complaint.plan", 0.5)]
    else:
        rule = f"{draft.topic}.plan"
        if visit.kind == "nurse" and f"{rule}_nurse" in draft.words:
            rule += "_nurse"
        out = draft.some(rule, 0.9)
        if out:
            out += draft.some(rule, 0.6) + draft.some(rule, 0.25)
    new = [rx for rx in draft.prescriptions if 0 <= visit.day - rx.start < 7]
    if new and dice.random() < 0.4:
        out.append(f"{draft.say('starts')} {pick(dice, new[0].drug.names)} {new[0].dose}")
    if not brief and (visit.asks or visit.topic == "complaint"):
        if dice.random() < 0.3:
            one, two = dice.sample(_ALARMING, 2)
            draft.slots["noun"], draft.slots["noun2"] = draft.noun(one), draft.noun(two)
            out.append(draft.say("frame.alarm"))
        elif dice.random() < 0.06:
            out.append(draft.say("frame.watch"))
    return list(dict.fromkeys(out))


def write_background(draft: Draft) -> list[str]:
    """Write the problem list; mostly the one of the last note, word for word."""
    dice, memory, day = draft.dice, draft.memory, draft.visit.day
    if memory.background and dice.random() < 0.6:
        return list(memory.background)
    known = [
        name
        for name in draft.life.ill
        if draft.life.has(name, day - 60) and f"condition.{name}" in draft.words
    ]
    said = [draft.say(f"condition.{name}") for name in known if dice.random() < 0.8]
    dice.shuffle(said)
    if draft.life.diagnosed(day - 1):
        said.insert(0, draft.say("condition.heart_failure"))
    if said:
        out = [", ".join(said)]
        out += draft.some("background.allergy", 0.3) + draft.some("background.surgery", 0.2)
        out += draft.some("background.home", 0.15)
    else:
        out = [draft.say("background.none" if dice.random() < 0.6 else "background.negated")]
    memory.background = tuple(out)
    return out


def write_treatment(draft: Draft) -> list[str]:
    """Write what the patient takes, with doses or without."""
    dice = draft.dice
    dosed = dice.random() < 0.7
    said = [
        f"{pick(dice, rx.drug.names)} {rx.dose} {rx.regimen}"
        if dosed
        else pick(dice, rx.drug.names)
        for rx in draft.prescriptions
        if rx.on(draft.visit.day)
    ]
    return [", ".join(said)] if said else []
