"""The history of a note: reason for the visit, reported signs, denied signs."""

from __future__ import annotations

from clinical_nlp.simulation.drafting import Draft
from clinical_nlp.simulation.rng import pick
from clinical_nlp.simulation.visits import CONSULTATION_WEIGHT

#: Signs that a clinician asks about; twice those asked about most.
SCREENED_SIGNS = (
    "exertional_dyspnea",
    "exertional_dyspnea",
    "orthopnea",
    "nocturnal_dyspnea",
    "oedema",
    "chest_pain",
    "chest_pain",
    "palpitations",
    "syncope",
    "dizziness",
    "night_cough",
    "weight_gain",
)
#: Most signs reported in one note: clinicians do not write all of them down.
MAX_REPORTED_SIGNS = 3


def write_narrative(draft: Draft, brief: bool) -> tuple[list[str], list[str]]:
    """Return the reason for the visit and the clauses of its history."""
    visit, rng, grammar = draft.visit, draft.rng, draft.grammar
    reported = [sign for sign in visit.signs if f"sign.{sign}.told" in grammar]
    rng.shuffle(reported)
    reason: list[str] = []
    if visit.topic == "complaint":
        main = max(reported, key=lambda sign: CONSULTATION_WEIGHT.get(sign, 0.1), default="fatigue")
        reported = [sign for sign in reported if sign != main]
        reason = [_present(draft, main)]
    elif f"{draft.topic}.reason" in grammar:
        reason = [draft.expand(f"{draft.topic}.reason")]
    share = _report_probability(draft)
    most = 1 if brief else MAX_REPORTED_SIGNS + 2 * (visit.topic == "hf_diagnosis")
    reported = [sign for sign in reported if rng.random() < share][:most]
    narrative = [_present(draft, sign) for sign in reported]
    own = draft.optional(f"{draft.topic}.history", 0.85)
    if own and not brief:
        for share_of_more in (0.6, 0.3):
            own += draft.optional(f"{draft.topic}.history", share_of_more)
    narrative = [*own, *narrative]
    if draft.cardiac and not brief:
        narrative += _follow_up(draft)
    if visit.asks and not brief:
        narrative += _denied(draft)
    elif not brief and rng.random() < 0.1:
        narrative += _denied(draft)[:1]
    if not brief and rng.random() < 0.04:
        narrative += _past_episode(draft)
    narrative = list(dict.fromkeys(c for c in narrative if c))
    return reason, narrative if brief else _copy_forward(draft, narrative)


def _report_probability(draft: Draft) -> float:
    visit, care = draft.visit, draft.p.care
    if visit.asks or visit.topic == "hf_diagnosis":
        return 0.9
    if visit.topic == "complaint":
        return 0.7
    return care["mention_unasked"] * (1.0 if draft.cardiac else 0.45)


def _present(draft: Draft, sign: str) -> str:
    """State that a sign is present: an idiom, or a frame around its noun."""
    roll, noun = draft.rng.random(), f"sign.{sign}.noun" in draft.grammar
    if noun and roll > 0.96:
        draft.slots["noun"] = draft.noun(sign)
        return draft.expand("frame.uncertain")
    draft.affirmed.add(sign)
    if noun and (roll < 0.2 or (sign in draft.previous.signs and roll < 0.3)):
        draft.slots["noun"] = draft.noun(sign)
        known = sign in draft.previous.signs
        return draft.expand("frame.persists" if known else "frame.onset")
    return draft.expand(f"sign.{sign}.told")


def _follow_up(draft: Draft) -> list[str]:
    """State that a sign of the last visit has gone, or that a suspicion was dismissed."""
    rng, previous = draft.rng, draft.previous
    out: list[str] = []
    resolved = sorted(previous.signs - set(draft.visit.signs))
    if resolved and rng.random() < 0.28:
        sign = pick(rng, resolved)
        if f"sign.{sign}.eased" in draft.grammar:
            out.append(draft.expand(f"sign.{sign}.eased"))
        elif f"sign.{sign}.noun" in draft.grammar:
            draft.slots["noun"] = draft.noun(sign)
            out.append(draft.expand("frame.eased"))
    if previous.suspected and not draft.patient.diagnosed(draft.visit.day) and rng.random() < 0.15:
        out.append(draft.expand("suspicion.dismissed"))
    return out


def _denied(draft: Draft) -> list[str]:
    """Deny some of the absent signs, in a list or one by one."""
    rng = draft.rng
    absent = [sign for sign in SCREENED_SIGNS if sign not in draft.visit.signs]
    chosen = list(dict.fromkeys(rng.sample(absent, min(len(absent), 1 + int(rng.random() * 4)))))
    if len(chosen) > 1 and rng.random() < 0.72:
        nouns = [draft.noun(sign) for sign in chosen]
        draft.slots["ni_list"] = ", ".join(nouns[:-1]) + draft.expand("and_not") + nouns[-1]
        draft.slots["no_list"] = ", ".join(f"{noun} no" for noun in nouns)
        draft.slots["no_no_list"] = ", no ".join(nouns)
        draft.slots["form_list"] = ". ".join(f"{noun[0].upper()}{noun[1:]}: no" for noun in nouns)
        return [draft.expand("frame.denied_list")]
    return [draft.expand(f"sign.{sign}.denied") for sign in chosen]


def _past_episode(draft: Draft) -> list[str]:
    sign = pick(draft.rng, ("palpitations", "chest_pain", "syncope", "oedema", "dizziness"))
    draft.slots["noun"] = draft.noun(sign)
    return [draft.expand("frame.past")]


def _copy_forward(draft: Draft, narrative: list[str]) -> list[str]:
    """Repeat the narrative of an earlier note word for word, as templates make easy."""
    previous, rng = draft.previous, draft.rng
    if previous.narrative and draft.cardiac and rng.random() < draft.p.care["copied_forward"]:
        return [previous.narrative, *narrative]
    if narrative and draft.cardiac:
        previous.narrative = ", ".join(narrative[:2])
    return narrative
