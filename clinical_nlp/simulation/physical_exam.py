"""The physical examination of a note, its measurements, and test results."""

from __future__ import annotations

from clinical_nlp.simulation.drafting import Draft

_VITALS = ("sbp", "hr", "spo2", "rr", "temp", "weight", "height", "bmi", "glucose")
#: Grammar rules of the vital signs that have another name there.
_RULES = {
    "sbp": "blood_pressure",
    "hr": "heart_rate",
    "rr": "respiratory_rate",
    "temp": "temperature",
}
_LUNGS = ("crackles", "wheeze", "low_breath_sounds")
_RARE = ("hepatojugular_reflux", "third_sound", "hepatomegaly", "heavy_legs")
_RESPIRATORY = frozenset({"bronchitis", "copd_flare", "cold"})


def write_vitals(draft: Draft) -> list[str]:
    """Write the measurements in one clause."""
    taken = [name for name in _VITALS if name in draft.visit.vitals]
    clauses = [draft.expand(f"vital.{_RULES.get(name, name)}") for name in taken]
    return [", ".join(clauses)] if clauses else []


def write_exam(draft: Draft, full: bool = False) -> list[str]:
    """Write the examination; a ``full`` one covers every organ."""
    visit, rng = draft.visit, draft.rng
    cardiac = full or draft.cardiac or visit.asks
    own = draft.optional(f"{draft.topic}.exam", 0.8)
    if visit.kind == "nurse" and not full:
        legs = [_sign_finding(draft, "oedema")] if cardiac and rng.random() < 0.4 else []
        return [*legs, *own]
    out = [draft.expand("exam.general")] if cardiac and rng.random() < 0.3 + 0.5 * full else []
    out += own
    p_lungs = 0.62 if cardiac else 0.8 * (visit.topic in _RESPIRATORY)
    if rng.random() < max(p_lungs, float(full)):
        out += _auscultation(draft, with_heart=cardiac)
    p_legs = 0.6 if cardiac else 0.25 * ("oedema" in visit.signs)
    if rng.random() < max(p_legs, 0.9 * full):
        out.append(_sign_finding(draft, "oedema"))
    if cardiac and rng.random() < 0.22 + 0.4 * full:
        out.append(_sign_finding(draft, "raised_jvp"))
    if cardiac:
        out += [_sign_finding(draft, s) for s in _RARE if s in visit.signs and rng.random() < 0.4]
        if rng.random() < 0.12:
            out.append(draft.expand("exam.abdomen"))
    return list(dict.fromkeys(out))


def write_tests(draft: Draft) -> list[str]:
    """Write the results of electrocardiograms and chest X-rays."""
    if "film_congested" in draft.visit.tests:
        draft.affirmed.add("cardiomegaly")
    return [draft.expand(f"test.{name}") for name in draft.visit.tests]


def write_labs(draft: Draft) -> list[str]:
    """Write the laboratory's numbers, and the echocardiogram's."""
    labs = draft.visit.labs
    clauses = [draft.expand(f"lab.{name}") for name in labs if name != "lvef"]
    if "lvef" in labs and draft.visit.kind != "hospital":
        clauses.append("eco: " + draft.expand("lab.lvef_low" if labs["lvef"] < 50 else "lab.lvef"))
    return [", ".join(clauses)] if clauses else []


def _auscultation(draft: Draft, with_heart: bool) -> list[str]:
    out: list[str] = []
    day, rng = draft.visit.day, draft.rng
    if with_heart and rng.random() < 0.75:
        if draft.patient.has("atrial_fibrillation", day):
            out.append(draft.expand("exam.heart_irregular"))
        elif draft.patient.has("valve_disease", day) and rng.random() < 0.7:
            out.append(draft.expand("exam.heart_murmur"))
        else:
            out.append(draft.expand("exam.heart_regular"))
    findings = [_sign_finding(draft, sign) for sign in _LUNGS if sign in draft.visit.signs]
    return out + (findings or [draft.expand("sign.crackles.unseen")])


def _sign_finding(draft: Draft, sign: str) -> str:
    if sign not in draft.visit.signs:
        return draft.expand(f"sign.{sign}.unseen")
    draft.affirmed.add(sign)
    return draft.expand(f"sign.{sign}.seen")
