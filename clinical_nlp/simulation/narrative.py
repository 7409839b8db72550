"""What the patient comes for and tells, and what is asked and denied."""

from __future__ import annotations

from clinical_nlp.simulation.drafting import Draft
from clinical_nlp.simulation.rng import pick
from clinical_nlp.simulation.visits import TROUBLING

#: What is asked after when the heart is thought of.
ASKED = (
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
#: Told signs in one note, at most: nobody writes them all down.
MOST_TOLD = 3


def write_story(draft: Draft, brief: bool) -> tuple[list[str], list[str]]:
    """Return the reason for the visit and the clauses of its history."""
    visit, dice, words = draft.visit, draft.dice, draft.words
    told = [sign for sign in visit.signs if f"sign.{sign}.told" in words]
    dice.shuffle(told)
    reason: list[str] = []
    if visit.topic == "complaint":
        main = max(told, key=lambda sign: TROUBLING.get(sign, 0.1), default="fatigue")
        told = [sign for sign in told if sign != main]
        reason = [_present(draft, main)]
    elif f"{draft.topic}.reason" in words:
        reason = [draft.say(f"{draft.topic}.reason")]
    share = _share_told(draft)
    most = 1 if brief else MOST_TOLD + 2 * (visit.topic == "hf_diagnosis")
    told = [sign for sign in told if dice.random() < share][:most]
    story = [_present(draft, sign) for sign in told]
    own = draft.some(f"{draft.topic}.history", 0.85)
    if own and not brief:
        own += draft.some(f"{draft.topic}.history", 0.6) + draft.some(f"{draft.topic}.history", 0.3)
    story = [*own, *story]
    if draft.cardiac and not brief:
        story += _followed_up(draft)
    if visit.asks and not brief:
        story += _denied(draft)
    elif not brief and dice.random() < 0.1:
        story += _denied(draft)[:1]
    if not brief and dice.random() < 0.04:
        story += _past(draft)
    story = list(dict.fromkeys(c for c in story if c))
    return reason, story if brief else _copied(draft, story)


def _share_told(draft: Draft) -> float:
    """Return the chance that a sign that is there gets told."""
    visit, care = draft.visit, draft.p.care
    if visit.asks or visit.topic == "hf_diagnosis":
        return 0.9
    if visit.topic == "complaint":
        return 0.7
    return care["mention_unasked"] * (1.0 if draft.cardiac else 0.45)


def _present(draft: Draft, sign: str) -> str:
    """Say that a sign is there: an idiom, or a frame around its noun."""
    roll, noun = draft.dice.random(), f"sign.{sign}.noun" in draft.words
    if noun and roll > 0.96:
        draft.slots["noun"] = draft.noun(sign)
        return draft.say("frame.uncertain")
    draft.affirmed.add(sign)
    if noun and (roll < 0.2 or (sign in draft.memory.signs and roll < 0.3)):
        draft.slots["noun"] = draft.noun(sign)
        known = sign in draft.memory.signs
        return draft.say("frame.persists" if known else "frame.onset")
    return draft.say(f"sign.{sign}.told")


def _followed_up(draft: Draft) -> list[str]:
    """Say what became of a sign of the last visit, and of a suspicion."""
    dice, memory = draft.dice, draft.memory
    out: list[str] = []
    gone = sorted(memory.signs - set(draft.visit.signs))
    if gone and dice.random() < 0.28:
        sign = pick(dice, gone)
        if f"sign.{sign}.eased" in draft.words:
            out.append(draft.say(f"sign.{sign}.eased"))
        elif f"sign.{sign}.noun" in draft.words:
            draft.slots["noun"] = draft.noun(sign)
            out.append(draft.say("frame.eased"))
    if memory.suspected and not draft.life.diagnosed(draft.visit.day) and dice.random() < 0.15:
        out.append(draft.say("suspicion.dismissed"))
    return out


def _denied(draft: Draft) -> list[str]:
    """Deny some of the signs that are not there, in a list or one by one."""
    dice = draft.dice
    absent = [sign for sign in ASKED if sign not in draft.visit.signs]
    chosen = list(dict.fromkeys(dice.sample(absent, min(len(absent), 1 + int(dice.random() * 4)))))
    if len(chosen) > 1 and dice.random() < 0.72:
        nouns = [draft.noun(sign) for sign in chosen]
        draft.slots["ni_list"] = ", ".join(nouns[:-1]) + draft.say("and_not") + nouns[-1]
        draft.slots["no_list"] = ", ".join(f"{noun} no" for noun in nouns)
        draft.slots["no_no_list"] = ", no ".join(nouns)
        draft.slots["form_list"] = ". ".join(f"{noun[0].upper()}{noun[1:]}: no" for noun in nouns)
        return [draft.say("frame.denied_list")]
    return [draft.say(f"sign.{sign}.denied") for sign in chosen]


def _past(draft: Draft) -> list[str]:
    """Tell of something long over."""
    sign = pick(draft.dice, ("palpitations", "chest_pain", "syncope", "oedema", "dizziness"))
    draft.slots["noun"] = draft.noun(sign)
    return [draft.say("frame.past")]


def _copied(draft: Draft, story: list[str]) -> list[str]:
    """Repeat the story of an earlier note word for word, as templates invite to."""
    memory, dice = draft.memory, draft.dice
    if memory.story and draft.cardiac and dice.random() < draft.p.care["copied_forward"]:
        return [memory.story, *story]
    if story and draft.cardiac:
        memory.story = ", ".join(story[:2])
    return story
