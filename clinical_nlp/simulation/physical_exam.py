"""What was measured, seen and heard, and the results that were at hand."""

from __future__ import annotations

from clinical_nlp.simulation.drafting import Draft

_VITALS = {
    "spo2": "spo2",
    "rr": "respiratory_rate",
    "temp": "temperature",
    "weight": "weight",
    "height": "height",
    "bmi": "bmi",
    "glucose": "glucose",
}
_LUNGS = ("crackles", "wheeze", "low_breath_sounds")
_RARE = ("hepatojugular_reflux", "third_sound", "hepatomegaly", "heavy_legs")
_RESPIRATORY = frozenset({"bronchitis", "copd_flare", "cold"})


def write_vitals(draft: Draft) -> list[str]:
    """Write the measurements in one clause."""
    values = draft.visit.vitals
    rules = ["blood_pressure"] if "sbp" in values else []
    rules += ["heart_rate"] if "hr" in values else []
    rules += [rule for name, rule in _VITALS.items() if name in values]
    said = [draft.say(f"vital.{rule}") for rule in rules]
    return [", ".join(said)] if said else []


def write_exam(draft: Draft, full: bool = False) -> list[str]:
    """Write the examination; a ``full`` one looks everywhere."""
    visit, dice = draft.visit, draft.dice
    cardiac = full or draft.cardiac or visit.asks
    own = draft.some(f"{draft.topic}.exam", 0.8)
    if visit.kind == "nurse" and not full:
        legs = [_found(draft, "oedema")] if cardiac and dice.random() < 0.4 else []
        return [*legs, *own]
    out = [draft.say("exam.general")] if cardiac and dice.random() < 0.3 + 0.5 * full else []
    out += own
    listens = 0.62 if cardiac else 0.8 * (visit.topic in _RESPIRATORY)
    if dice.random() < max(listens, float(full)):
        out += _auscultation(draft, with_heart=cardiac)
    looks = 0.6 if cardiac else 0.25 * ("oedema" in visit.signs)
    if dice.random() < max(looks, 0.9 * full):
        out.append(_found(draft, "oedema"))
    if cardiac and dice.random() < 0.22 + 0.4 * full:
        out.append(_found(draft, "raised_jvp"))
    if cardiac:
        out += [_found(draft, s) for s in _RARE if s in visit.signs and dice.random() < 0.4]
        if dice.random() < 0.12:
            out.append(draft.say("exam.abdomen"))
    return list(dict.fromkeys(out))


def write_tests(draft: Draft) -> list[str]:
    """Write the results of tracings and films."""
    if "film_congested" in draft.visit.tests:
        draft.affirmed.add("cardiomegaly")
    return [draft.say(f"test.{name}") for name in draft.visit.tests]


def write_labs(draft: Draft) -> list[str]:
    """Write the laboratory's numbers, and the echocardiogram's."""
    labs = draft.visit.labs
    said = [draft.say(f"lab.{name}") for name in labs if name != "lvef"]
    if "lvef" in labs and draft.visit.kind != "hospital":
        said.append("eco: " + draft.say("lab.lvef_low" if labs["lvef"] < 50 else "lab.lvef"))
    return [", ".join(said)] if said else []


def _auscultation(draft: Draft, with_heart: bool) -> list[str]:
    out: list[str] = []
    day, dice = draft.visit.day, draft.dice
    if with_heart and dice.random() < 0.75:
        if draft.life.has("atrial_fibrillation", day):
            out.append(draft.say("exam.heart_irregular"))
        elif draft.life.has("valve_disease", day) and dice.random() < 0.7:
            out.append(draft.say("exam.heart_murmur"))
        else:
            out.append(draft.say("exam.heart_regular"))
    heard = [_found(draft, sign) for sign in _LUNGS if sign in draft.visit.signs]
    return out + (heard or [draft.say("sign.crackles.unseen")])


def _found(draft: Draft, sign: str) -> str:
    """Say whether a sign was found."""
    if sign not in draft.visit.signs:
        return draft.say(f"sign.{sign}.unseen")
    draft.affirmed.add(sign)
    return draft.say(f"sign.{sign}.seen")
