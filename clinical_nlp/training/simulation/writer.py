"""From a visit to the text that a clinician leaves about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random

from clinical_nlp.training.simulation.dice import pick
from clinical_nlp.training.simulation.grammar import Grammar, Slots, grammar
from clinical_nlp.training.simulation.identity import Identity
from clinical_nlp.training.simulation.life import Life
from clinical_nlp.training.simulation.parameters import Parameters
from clinical_nlp.training.simulation.scribe import STAFF, Scribe, layouts, scribe
from clinical_nlp.training.simulation.treatments import Prescription
from clinical_nlp.training.simulation.visits import Visit

#: What is asked after when the heart is thought of.
ASKED = (
    "exertional_dyspnea",
    "orthopnea",
    "nocturnal_dyspnea",
    "oedema",
    "chest_pain",
    "palpitations",
    "syncope",
    "dizziness",
    "night_cough",
    "weight_gain",
)
#: Topics whose own work includes asking about the heart.
CARDIAC = frozenset({"complaint", "review", "hf_review", "hf_diagnosis"})
_VITALS = ("spo2", "rr", "temp", "weight", "height", "bmi", "glucose")
_DECIMAL = frozenset({"weight", "bmi", "temp", "creatinine", "potassium", "hemoglobin", "hba1c"})


@dataclass(slots=True)
class Memory:
    """What earlier notes of the same patient said, for copying forward and follow-up."""

    story: str = ""
    signs: frozenset[str] = frozenset()
    suspected: bool = False
    family: str | None = None
    surgery: str | None = None
    seen: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Written:
    """A note's text, the language of its grammar, and the signs that it affirms."""

    text: str
    language: str
    affirmed: tuple[str, ...]


class Writer:
    """Writes the notes of one patient, in order."""

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
        draft = _Draft(dice, visit, self, grammar(language))
        if visit.kind == "hospital":
            text = draft.letter()
            hand = scribe("hospital", int(dice.random() * STAFF["hospital"]))
        else:
            hand = self._hand(dice, visit.kind)
            text = draft.lay_out(hand)
        self._memory.signs = frozenset(visit.signs)
        self._memory.suspected = visit.suspects or (self._memory.suspected and dice.random() < 0.5)
        return Written(hand.finish(dice, text), language, tuple(sorted(draft.affirmed)))

    def _hand(self, dice: Random, kind: str) -> Scribe:
        """Return who writes: mostly the patient's own doctor or nurse."""
        own = kind in ("gp", "phone", "home", "nurse") and dice.random() < 0.75
        number = self._doctor % STAFF[kind] if own else int(dice.random() * STAFF[kind])
        return scribe(
            "gp" if own and kind in ("phone", "home") and dice.random() < 0.3 else kind, number
        )


class _Draft:
    """One note in the making: its clauses by part."""

    def __init__(self, dice: Random, visit: Visit, writer: Writer, words: Grammar) -> None:
        self._dice, self._visit, self._words = dice, visit, words
        self._life, self._memory = writer._life, writer._memory
        self._p, self._rx = writer._p, writer._prescriptions
        self._slots = _slots(visit, writer)
        self._wordy = 1.0
        self.affirmed: set[str] = set()

    # ---- putting together ----------------------------------------------------------

    def lay_out(self, hand: Scribe) -> str:
        dice = self._dice
        self._wordy = hand.wordy
        layout = hand.layout
        if dice.random() < 0.2:
            fitting = [entry for entry in layouts() if self._visit.kind in entry["kinds"]]
            layout = pick(dice, fitting) if fitting else layout
        terse, brief = layout.get("terse", False), layout.get("brief", False)
        parts = self._parts(brief)
        lines: list[str] = []
        for line in layout["lines"]:
            clauses = [c for part in line["parts"] for c in parts.get(part, ())]
            if clauses:
                label = _LABELS.say(line["label"], dice, {})
                lines.append(label + _sentences(dice, clauses, terse))
        return str(layout["join"]).join(lines)

    def letter(self) -> str:
        """Return a discharge letter: of heart failure, or of something else."""
        say = self._say
        failure = self._visit.topic == "hf_diagnosis"
        kind = "hf" if failure else "other"
        if failure:
            told = [s for s in self._visit.signs if f"sign.{s}.told" in self._words]
            self.affirmed |= {told[0], told[-1]}
            self._slots["told"] = self._say(f"sign.{told[0]}.told")
            self._slots["told2"] = self._say(f"sign.{told[-1]}.told")
        else:
            self._slots["other_motive"] = say("letter.other_motive")
        rows = [
            say("letter.heading"),
            say("letter.identity"),
            say(f"letter.motive_{kind}"),
            "Antecedentes: " + _sentences(self._dice, self._background() or ["sin interés"], False),
            say(f"letter.story_{kind}"),
            "Exploración: " + _sentences(self._dice, self._vitals() + self._exam(True), False),
        ]
        extra = self._tests() + self._labs()
        if extra:
            rows.append("Pruebas: " + _sentences(self._dice, extra, False))
        if failure and self._life.course is not None:
            rows.append(
                say(
                    "letter.echo_preserved"
                    if self._life.course.preserved
                    else "letter.echo_reduced"
                )
            )
        rows += [
            say(f"letter.course_{kind}"),
            say(f"letter.diagnosis_{kind}"),
            say(f"letter.plan_{kind}"),
        ]
        return "\n".join(rows)

    def _parts(self, brief: bool) -> dict[str, list[str]]:
        visit, topic = self._visit, f"topic.{self._visit.topic}"
        parts: dict[str, list[str]] = {}
        if visit.kind in ("phone", "home", "urgent", "nurse") and not brief:
            opening = self._say(f"{visit.kind}.opening")
            parts["opening"] = [opening] if opening else []
        reason, story = self._story(topic, brief)
        parts["reason"], parts["story"] = reason, story
        parts["vitals"] = self._vitals()
        if visit.kind != "phone":
            parts["exam"] = self._exam(False)
        parts["tests"], parts["labs"] = self._tests(), self._labs()
        parts["assessment"] = self._assessment(topic)
        parts["plan"] = self._plan(topic, brief)
        if not brief and self._chance(0.35):
            parts["background"] = self._background()
            if self._chance(0.35):
                parts["habits"] = [self._say(f"background.{self._life.smoking}")]
            if self._chance(0.3):
                parts["treatment"] = self._treatment()
            if self._chance(0.12):
                parts["family"] = [self._say(f"family.{self._memory.family or 'none'}")]
        if not brief and self._chance(0.06):
            parts["aside"] = [self._say("aside.name")]
        return parts

    # ---- the story -----------------------------------------------------------------

    def _story(self, topic: str, brief: bool) -> tuple[list[str], list[str]]:
        visit, dice = self._visit, self._dice
        cardiac = visit.topic in CARDIAC
        told = [s for s in visit.signs if f"sign.{s}.told" in self._words]
        dice.shuffle(told)
        reason: list[str] = []
        if visit.topic == "complaint":
            main = max(told, key=_weight, default=None)
            if main is None:
                main = "fatigue"
            else:
                told.remove(main)
            reason = [self._present(main)]
        elif f"{topic}.reason" in self._words:
            reason = [self._say(f"{topic}.reason")]
        chance = self._p.care["mention_unasked"] * 0.6
        if visit.asks or visit.topic == "hf_diagnosis":
            chance = 0.92
        elif cardiac:
            chance = 0.8 if visit.topic == "complaint" else self._p.care["mention_unasked"]
        story = [self._present(s) for s in told if dice.random() < chance]
        if f"{topic}.history" in self._words and self._chance(0.8):
            story.insert(0, self._say(f"{topic}.history"))
            if self._chance(0.3):
                story.append(self._say(f"{topic}.history"))
        gone = [s for s in self._memory.signs if s not in visit.signs]
        if gone and cardiac and dice.random() < 0.3:
            story.append(self._eased(pick(dice, sorted(gone))))
        if visit.asks and not brief:
            story += self._denied()
        elif dice.random() < 0.1 and not brief:
            story += self._denied()[:1]
        if self._memory.suspected and not self._life.diagnosed(visit.day) and dice.random() < 0.2:
            story.append(self._say("suspicion.dismissed"))
        if self._memory.story and dice.random() < self._p.care["copied_forward"]:
            story.insert(0, self._memory.story)
        elif story and cardiac:
            self._memory.story = pick(dice, story)
        return reason, story[:3] if brief else story

    def _present(self, sign: str) -> str:
        """Say that a sign is there: an idiom, or a frame around its noun."""
        roll = self._dice.random()
        if sign in self._memory.signs and roll < 0.25:
            self.affirmed.add(sign)
            return self._framed("frame.persists", sign)
        if roll <= 0.77 or roll > 0.8:
            self.affirmed.add(sign)
        if roll > 0.8:
            return self._framed("frame.onset", sign)
        if roll > 0.77:
            return self._framed("frame.uncertain", sign)
        return self._say(f"sign.{sign}.told")

    def _eased(self, sign: str) -> str:
        if f"sign.{sign}.eased" in self._words:
            return self._say(f"sign.{sign}.eased")
        return self._framed("frame.eased", sign) if f"sign.{sign}.noun" in self._words else ""

    def _denied(self) -> list[str]:
        visit, dice = self._visit, self._dice
        absent = [s for s in ASKED if s not in visit.signs]
        count = min(len(absent), 1 + int(dice.random() * 4))
        chosen = dice.sample(absent, count)
        if count > 1 and dice.random() < 0.7:
            nouns = [self._say(f"sign.{s}.noun") for s in chosen]
            plain = [n for n in nouns if " ni " not in n]
            if len(plain) > 1:
                self._slots["ni_list"] = ", ".join(plain[:-1]) + self._say("and_not") + plain[-1]
                self._slots["no_list"] = ", ".join(f"{n} no" for n in plain)
                self._slots["no_no_list"] = ", no ".join(plain)
                return [self._say("frame.denied_list")]
        return [self._say(f"sign.{s}.denied") for s in chosen]

    def _framed(self, frame: str, sign: str) -> str:
        if f"sign.{sign}.noun" not in self._words:
            return self._say(f"sign.{sign}.told")
        self._slots["noun"] = self._say(f"sign.{sign}.noun").split(" ni ")[0]
        return self._say(frame)

    # ---- what was seen and measured --------------------------------------------------

    def _vitals(self) -> list[str]:
        values = self._visit.vitals
        names = ["blood_pressure"] if "sbp" in values else []
        names += ["heart_rate"] if "hr" in values else []
        names += [
            name if name != "rr" else "respiratory_rate" for name in _VITALS if name in values
        ]
        said = [self._say("vital." + ("temperature" if name == "temp" else name)) for name in names]
        return [", ".join(said)] if said else []

    def _exam(self, full: bool) -> list[str]:
        visit, dice, out = self._visit, self._dice, []
        cardiac = full or visit.topic in CARDIAC or visit.asks
        if visit.kind == "nurse" and not full:
            if cardiac and dice.random() < 0.4:
                out.append(self._found("oedema"))
            return [c for c in out if c] + self._topic_exam()
        if cardiac and dice.random() < 0.3 + 0.5 * full:
            out.append(self._say("exam.general"))
        out += self._topic_exam()
        respiratory = visit.topic in ("bronchitis", "copd_flare", "cold")
        if (cardiac and dice.random() < 0.62) or (respiratory and dice.random() < 0.8):
            if cardiac and dice.random() < 0.75:
                out.append(self._heart())
            lungs = [s for s in ("crackles", "wheeze", "low_breath_sounds") if s in visit.signs]
            out += [self._found(s) for s in lungs] or [self._say("sign.crackles.unseen")]
        if (cardiac and dice.random() < 0.6) or ("oedema" in visit.signs and dice.random() < 0.3):
            out.append(self._found("oedema"))
        if cardiac and dice.random() < 0.22:
            out.append(self._found("raised_jvp"))
        for rare in ("hepatojugular_reflux", "third_sound", "hepatomegaly", "heavy_legs"):
            if rare in visit.signs and cardiac and dice.random() < 0.5:
                out.append(self._found(rare))
        if cardiac and dice.random() < 0.12:
            out.append(self._say("exam.abdomen"))
        return out

    def _topic_exam(self) -> list[str]:
        rule = f"topic.{self._visit.topic}.exam"
        return [self._say(rule)] if rule in self._words and self._chance(0.75) else []

    def _found(self, sign: str) -> str:
        if sign not in self._visit.signs:
            return self._say(f"sign.{sign}.unseen")
        self.affirmed.add(sign)
        return self._say(f"sign.{sign}.seen")

    def _heart(self) -> str:
        day = self._visit.day
        if self._life.has("atrial_fibrillation", day):
            return self._say("exam.heart_irregular")
        if self._life.has("valve_disease", day) and self._dice.random() < 0.7:
            return self._say("exam.heart_murmur")
        return self._say("exam.heart_regular")

    def _tests(self) -> list[str]:
        self.affirmed |= {"cardiomegaly"} if "film_congested" in self._visit.tests else set()
        return [self._say(f"test.{name}") for name in self._visit.tests]

    def _labs(self) -> list[str]:
        labs = [name for name in self._visit.labs if name != "lvef"]
        said = [self._say(f"lab.{name}") for name in labs]
        if "lvef" in self._visit.labs and self._visit.kind != "hospital":
            low = self._visit.labs["lvef"] < 50
            said.append("eco: " + self._say("lab.lvef_low" if low else "lab.lvef"))
        return [", ".join(said)] if said else []

    # ---- background --------------------------------------------------------------------

    def _background(self) -> list[str]:
        day, dice = self._visit.day, self._dice
        known = [
            name
            for name in self._life.ill
            if self._life.has(name, day - 60) and f"condition.{name}" in self._words
        ]
        said = [self._say(f"condition.{name}") for name in known if dice.random() < 0.8]
        if self._life.diagnosed(day - 1):
            said.insert(0, self._say("condition.heart_failure"))
        out = [", ".join(said)] if said else []
        if not said:
            return [self._say("background." + ("none" if dice.random() < 0.6 else "negated"))]
        if dice.random() < 0.25:
            out.append(self._say("background.allergy"))
        if dice.random() < 0.15:
            out.append(self._say("background.surgery"))
        if dice.random() < 0.12:
            out.append(self._say("background.home"))
        return out

    def _treatment(self) -> list[str]:
        current = [rx for rx in self._rx if rx.on(self._visit.day)]
        dosed = self._dice.random() < 0.7
        said = [
            f"{pick(self._dice, rx.drug.names)} {rx.dose} {rx.regimen}"
            if dosed
            else pick(self._dice, rx.drug.names)
            for rx in current
        ]
        return [", ".join(said)] if said else []

    # ---- judgement and plan --------------------------------------------------------------

    def _assessment(self, topic: str) -> list[str]:
        visit, dice = self._visit, self._dice
        if visit.topic == "complaint":
            causes = sorted({cause for cause in visit.signs.values()})
            out: list[str] = []
            if visit.suspects:
                out.append(self._say("cause.heart_failure.assessment"))
            blamed = [c for c in causes if c != "heart_failure"]
            if blamed and dice.random() < 0.6:
                out.append(self._say(f"cause.{pick(dice, blamed)}.assessment"))
            if not out:
                out.append(self._say("topic.complaint.assessment"))
            return [c for c in out if c]
        rule = f"{topic}.assessment"
        return [self._say(rule)] if rule in self._words and self._chance(0.7) else []

    def _plan(self, topic: str, brief: bool) -> list[str]:
        visit, dice, out = self._visit, self._dice, []
        if visit.topic == "complaint":
            cause = (
                "heart_failure"
                if visit.suspects
                else pick(dice, sorted({*visit.signs.values(), "age"}))
            )
            if cause == "heart_failure" and not visit.suspects:
                cause = "age"
            out.append(self._say(f"cause.{cause}.plan"))
            if self._chance(0.4):
                out.append(self._say("topic.complaint.plan"))
        elif f"{topic}.plan" in self._words and self._chance(0.85):
            out.append(self._say(f"{topic}.plan"))
            if self._chance(0.45):
                out.append(self._say(f"{topic}.plan"))
        new = [rx for rx in self._rx if 0 <= visit.day - rx.start < 7]
        for rx in new[:1]:
            if dice.random() < 0.35:
                out.append(f"{self._say('starts')} {pick(dice, rx.drug.names)} {rx.dose}")
        if not brief and (visit.asks or visit.topic == "complaint") and dice.random() < 0.33:
            one, two = dice.sample(
                (
                    "exertional_dyspnea",
                    "chest_pain",
                    "oedema",
                    "syncope",
                    "rest_dyspnea",
                    "palpitations",
                ),
                2,
            )
            self._slots["noun"] = self._say(f"sign.{one}.noun").split(" ni ")[0]
            self._slots["noun2"] = self._say(f"sign.{two}.noun").split(" ni ")[0]
            out.append(self._say("frame.alarm"))
        return list(dict.fromkeys(out))

    # ---- helpers -----------------------------------------------------------------------

    def _say(self, rule: str) -> str:
        return self._words.say(rule, self._dice, self._slots)

    def _chance(self, share: float) -> bool:
        return self._dice.random() < share * self._wordy


class _Labels:
    """Compiles line labels as they come, once each."""

    def __init__(self) -> None:
        self._known: dict[str, Grammar] = {}

    def say(self, label: str, dice: Random, slots: Slots) -> str:
        if not label:
            return ""
        if label not in self._known:
            self._known[label] = Grammar({"label": [label]})
        return self._known[label].say("label", dice, slots)


_LABELS = _Labels()


def _weight(sign: str) -> float:
    from clinical_nlp.training.simulation.visits import TROUBLING

    return TROUBLING.get(sign, 0.1)


def _sentences(dice: Random, clauses: Sequence[str], terse: bool) -> str:
    """Join clauses: full sentences, or a run of commas where the writer is terse."""
    clauses = [c for c in clauses if c]
    if terse:
        join = ", " if dice.random() < 0.55 else ". "
        return join.join(clauses) + ("." if dice.random() < 0.8 else "")
    return " ".join([c[0].upper() + c[1:] + ("" if c[-1] in ".?" else ".") for c in clauses])


def _slots(visit: Visit, writer: Writer) -> dict[str, str]:
    life, identity = writer._life, writer._identity
    slots = {
        "given": identity.given,
        "surname": identity.surnames,
        "nhc": identity.nhc,
        "cip": identity.cip,
        "phone": identity.phone,
        "relative_name": identity.relative,
        "doctor": identity.doctor,
        "born": date.fromordinal(life.birth).strftime("%d/%m/%Y"),
        "age": str(int(life.age(visit.day))),
        "o": "a" if life.female else "o",
        "sbp": str(round(life.body["sbp"])),
        "dbp": str(round(life.body["dbp"])),
        "hr": str(round(life.body["hr"])),
        "lvef": "60",
    }
    _numbers(slots, visit.vitals)
    _numbers(slots, visit.labs)
    if "sbp" in visit.vitals:
        slots["sbp_cm"] = _centimetres(visit.vitals["sbp"])
        slots["dbp_cm"] = _centimetres(visit.vitals["dbp"])
    if "nt_probnp" in visit.labs:
        slots["nt_probnp_dot"] = f"{int(visit.labs['nt_probnp']):,}".replace(",", ".")
    return slots


def _numbers(slots: dict[str, str], values: Mapping[str, float]) -> None:
    for name, value in values.items():
        slots[name] = f"{value:g}".replace(".", ",") if name in _DECIMAL else str(int(value))


def _centimetres(value: float) -> str:
    """Write a pressure the old way: 142 mmHg is 14, sometimes 14,2."""
    return f"{round(value / 5) / 2:g}".replace(".", ",")
