"""The clauses of one note, by the part of the note they belong to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from clinical_nlp.simulation.grammar import Grammar
from clinical_nlp.simulation.rng import pick
from clinical_nlp.simulation.stages.care import Care, Contact
from clinical_nlp.simulation.stages.episodes import CARDIAC
from clinical_nlp.simulation.stages.layouts import layouts
from clinical_nlp.simulation.stages.life import Life
from clinical_nlp.simulation.stages.treatments import Medication

#: Share of the signs that are told, by what the contact is about.
_TOLD = {"complaint": 0.85, "hf_admission": 0.9, "answer": 0.25, "review": 0.45, "follow_up": 0.6}
_TOLD_OTHERWISE = 0.17
_CARDIAC_TOPICS = frozenset({"complaint", "follow_up", "review", "hf_follow_up", "hf_admission"})
_DENIED = ("exertional_dyspnea", "orthopnea", "oedema", "chest_pain", "palpitations", "dizziness")
_LOOKED_AT = ("crackles", "oedema", "raised_jvp", "wheeze", "low_breath_sounds", "hepatomegaly")
_BREATHING = frozenset({"bronchitis", "copd_flare"})


@dataclass(slots=True)
class Clauses:
    """One note while it is written.

    Parameters
    ----------
    slots
        Values that the grammar may fill in.
    tells, denies
        Factor of the share of signs written down, and the chance of writing absent ones.
    affirmed
        Signs that the text states.
    """

    rng: Random
    grammar: Grammar
    contact: Contact
    life: Life
    care: Care
    medications: Sequence[Medication]
    slots: dict[str, str]
    tells: float
    denies: float
    affirmed: set[str] = field(default_factory=set)

    def parts(self, lines: Iterable[str]) -> dict[str, list[str]]:
        """Return the clauses of every part that ``lines`` have room for."""
        room = " ".join(lines)
        makers: dict[str, Callable[[], list[str]]] = {
            "ask": self._ask,
            "tale": lambda: self._maybe("tale", 0.55),
            "told": self._told,
            "checks": self._checks,
            "denied": self._denied,
            "background": self._background,
            "drugs": self._drugs,
            "measures": self._measures,
            "exam": self._exam,
            "tests": self._tests,
            "results": self._results,
            "opinion": self._opinion,
            "plan": self._plan,
            "head": lambda: [self._say("letter.head")],
            "course": lambda: [self._say(f"letter.{self._kind()}_course")],
        }
        return {name: make() for name, make in makers.items() if "{" + name + "}" in room}

    def _say(self, rule: str) -> str:
        return self.grammar.expand(rule, self.rng, self.slots)

    def _kind(self) -> str:
        return "hf" if self.contact.topic == "hf_admission" else "other"

    def _maybe(self, part: str, share: float) -> list[str]:
        rule = f"topic.{self.contact.topic}.{part}"
        if rule not in self.grammar or self.rng.random() > share:
            return []
        return [self._say(rule)]

    def _tellable(self) -> list[str]:
        return [sign for sign in self.contact.signs if f"sign.{sign}.tells" in self.grammar]

    def _ask(self) -> list[str]:
        topic = self.contact.topic
        if topic == "complaint":
            signs = self._tellable()
            if signs:
                sign = pick(self.rng, signs)
                self.affirmed.add(sign)
                return [self._say(f"sign.{sign}.tells")]
            return [self._say("sign.fatigue.tells")] if not self.contact.signs else []
        if topic == "hf_admission":
            signs = [sign for sign in self._tellable() if sign in ("exertional_dyspnea", "oedema")]
            self.affirmed |= set(signs[:1])
            return [self._say(f"sign.{signs[0]}.tells")] if signs else []
        return self._maybe("ask", 1.0)

    def _told(self) -> list[str]:
        rng, topic = self.rng, self.contact.topic
        share = _TOLD.get(topic, 0.6 if topic in _BREATHING else _TOLD_OTHERWISE) * self.tells
        signs = [
            sign for sign in self._tellable() if sign not in self.affirmed and rng.random() < share
        ][: 3 + 2 * (topic == "hf_admission")]
        out = []
        for sign in signs:
            clause = self._say(f"sign.{sign}.tells")
            if rng.random() < 0.05:
                self.slots["x"] = clause
                out.append(self._say("doubt.maybe"))
                continue
            self.affirmed.add(sign)
            out.append(clause)
        return out

    def _denied(self) -> list[str]:
        rng = self.rng
        asked = self.contact.topic in _CARDIAC_TOPICS
        if rng.random() > self.denies * (1.0 if asked else 0.12):
            return []
        absent = [sign for sign in _DENIED if sign not in self.contact.signs]
        chosen = rng.sample(absent, min(len(absent), 1 + int(rng.random() * 3)))
        phrases = [self._say(f"sign.{sign}.lacks") for sign in chosen]
        if len(phrases) < 2:
            return phrases
        self.slots.update(zip("abc", phrases, strict=False))
        text = self._say("deny.two" if len(phrases) == 2 else "deny.three")
        self.slots["a"] = "a" if self.life.female else ""
        return [text]

    def _checks(self) -> list[str]:
        """Fill in the form: every box has an answer."""
        if self.contact.topic not in ("review", "hf_follow_up"):
            return []
        table, rng = layouts(), self.rng
        yes, no = pick(rng, table["answers"]["styles"])
        lines = []
        for sign, label in table["checks"].items():
            present = sign in self.contact.signs and rng.random() < 0.9 * min(1.0, 0.4 + self.tells)
            if present:
                self.affirmed.add(sign)
            lines.append(f"{label}: {yes if present else no}")
        return ["\n".join(lines)]

    def _background(self) -> list[str]:
        day = self.contact.day
        known = [
            name
            for name in self.life.spells
            if f"history.{name}" in self.grammar and self.life.has(name, day - 90)
        ]
        listed = [self._say(f"history.{name}") for name in known if self.rng.random() < 0.75]
        if self.care.diagnosed is not None and self.care.diagnosed < day:
            listed.append(self._say("history.heart_failure"))
        if self.life.smoked and self.rng.random() < 0.4:
            listed.append(self._say("history.smoked"))
        self.rng.shuffle(listed)
        share = 1.0 if self.contact.kind == "hospital" else 0.35
        if self.rng.random() > share:
            return []
        return [", ".join(listed)] if listed else [self._say("history.none")]

    def _drugs(self) -> list[str]:
        taken = [drug for drug in self.medications if drug.taken_on(self.contact.day)]
        return [", ".join(f"{drug.name} {drug.dose}" for drug in taken)] if taken else []

    def _measures(self) -> list[str]:
        vitals = self.contact.vitals
        names = [name for name in ("hr", "spo2", "weight", "height") if name in vitals]
        out = [self._say("measure.pressure")] if "sbp" in vitals else []
        return [", ".join([*out, *(self._say(f"measure.{name}") for name in names)])] if out else []

    def _exam(self) -> list[str]:
        rng, contact = self.rng, self.contact
        if contact.kind == "phone":
            return []
        out = self._maybe("look", 0.8)
        looked = contact.topic in _CARDIAC_TOPICS or contact.topic in _BREATHING
        if not looked or rng.random() > 0.75:
            return out
        if rng.random() < 0.4:
            out.append(self._say("general.look"))
        if rng.random() < 0.5:
            irregular = self.life.has("atrial_fibrillation", contact.day)
            murmur = self.life.has("valve_disease", contact.day) and rng.random() < 0.6
            heart = "heart_murmur" if murmur else "heart_irregular" if irregular else "heart"
            out.append(self._say(f"general.{heart}"))
        for sign in _LOOKED_AT:
            if sign in contact.signs and rng.random() < 0.75 * min(1.0, 0.5 + self.tells):
                self.affirmed.add(sign)
                out.append(self._say(f"sign.{sign}.finds"))
            elif (
                sign not in contact.signs
                and f"sign.{sign}.spares" in self.grammar
                and rng.random() < 0.3
            ):
                out.append(self._say(f"sign.{sign}.spares"))
        return out

    def _tests(self) -> list[str]:
        return [self._say(f"test.{test}") for test in self.contact.tests]

    def _results(self) -> list[str]:
        labs = [name for name in self.contact.labs if f"result.{name}" in self.grammar]
        return [", ".join(self._say(f"result.{name}") for name in labs)] if labs else []

    def _opinion(self) -> list[str]:
        rng, contact = self.rng, self.contact
        if contact.suspicion == "raised":
            return [self._say("opinion.suspected")] if rng.random() < 0.75 else []
        if contact.topic == "hf_admission":
            again = self.care.diagnosed is not None and self.care.diagnosed < contact.day
            return [self._say("letter.hf_again" if again else "letter.hf_diagnosis")]
        if contact.suspicion:
            return [self._say(f"verdict.{contact.suspicion}")]
        own = self._maybe("view", 0.6)
        causes = sorted(set(contact.signs.values()))
        if contact.topic not in ("complaint", "follow_up") or not causes:
            return own
        # What else there is gets the blame; the heart's own part has no name yet.
        blamed = [cause for cause in causes if cause not in CARDIAC] or causes
        if rng.random() < 0.6:
            return [self._say(f"opinion.{pick(rng, blamed)}")]
        return own

    def _plan(self) -> list[str]:
        rng, contact = self.rng, self.contact
        if contact.kind == "hospital":
            return [self._say(f"letter.{self._kind()}_plan")]
        if contact.suspicion == "raised":
            new = [drug for drug in self.medications if 0 <= drug.start - contact.day < 5]
            diuretics = [drug for drug in new if drug.atc.startswith("C03C")]
            out = [self._say("order.suspected")]
            if diuretics:
                self.slots["drug"] = f"{diuretics[0].name} {diuretics[0].dose}"
                out.append(self._say("order.diuretic"))
            return out
        if contact.suspicion == "confirmed":
            return [self._say("verdict.explained")]
        out = self._maybe("next", 0.9)
        if out and rng.random() < 0.35:
            out += self._maybe("next", 1.0)
        return list(dict.fromkeys(out))
