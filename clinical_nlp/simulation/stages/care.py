"""Care as events that bring events: who comes when, what is suspected, what is found out.

Contacts by habit, for episodes and to reviews each bring more of them (a self-exciting process
in its cluster form: Hawkes & Oakes, J Appl Probab 1974;11:493-503). Heart failure is diagnosed
only where somebody comes, is suspected, and is answered; or in hospital.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random

from clinical_nlp.simulation.parameters import YEAR
from clinical_nlp.simulation.rng import logit, pick, poisson
from clinical_nlp.simulation.stages.bedside import Bedside
from clinical_nlp.simulation.stages.episodes import Episode
from clinical_nlp.simulation.stages.life import Life
from clinical_nlp.simulation.stages.measuring import everyday_topic, measure
from clinical_nlp.simulation.stages.parameters import StagesParameters
from clinical_nlp.simulation.stages.person import Person
from clinical_nlp.simulation.visits import REVIEWED

#: Signs that make a clinician think of the heart.
SUSPICIOUS = frozenset(
    {
        "exertional_dyspnea",
        "rest_dyspnea",
        "orthopnea",
        "nocturnal_dyspnea",
        "oedema",
        "crackles",
        "raised_jvp",
        "weight_gain",
    }
)
#: What is blamed first.
_BLAMED = ("copd", "asthma", "obesity", "venous_insufficiency")
_INFECTIONS = ("bronchitis", "copd_flare")


@dataclass(slots=True)
class Contact:
    """One contact.

    Parameters
    ----------
    kind
        ``gp``, ``nurse``, ``phone``, ``home``, ``urgent`` or ``hospital``.
    topic
        A topic of the phrases.
    signs
        Signs that are there, each with its cause.
    suspicion
        ``raised``, ``confirmed``, ``refuted``, ``unnamed`` or empty.
    """

    day: int
    minute: int
    kind: str
    topic: str
    signs: dict[str, str] = field(default_factory=dict)
    vitals: dict[str, float] = field(default_factory=dict)
    labs: dict[str, float] = field(default_factory=dict)
    tests: list[str] = field(default_factory=list)
    suspicion: str = ""


@dataclass(slots=True)
class Care:
    """All contacts, and when heart failure was suspected, diagnosed and coded."""

    contacts: list[Contact] = field(default_factory=list)
    suspected: list[int] = field(default_factory=list)
    diagnosed: int | None = None
    coded: int | None = None
    acute: bool = False


class CareProcess:
    """Plays the care of one person through.

    Parameters
    ----------
    first, last
        Days between which the person may come.
    """

    def __init__(
        self,
        rng: Random,
        people: tuple[Life, Person],
        bedside: Bedside,
        p: StagesParameters,
        days: tuple[int, int],
    ) -> None:
        self._rng, self._bedside, self._p = rng, bedside, p
        self._life, self._person = people
        self._first, self._last = days
        self._queue: list[tuple[float, int, str]] = []
        self._order = 0
        self._answer_due = False
        self._pending: dict[str, float] = {}
        self.care = Care()

    def run(self, episodes: Sequence[Episode]) -> Care:
        """Draw every contact, in order."""
        self._plan_habit()
        for episode in episodes:
            self._plan_episode(episode)
        self._plan_quiet_admission()
        while self._queue:
            day, _, topic = heapq.heappop(self._queue)
            if day >= self._last:
                break
            self._meet(_skip_weekend(int(day), topic), topic)
        return self.care

    def _push(self, day: float, topic: str) -> None:
        if self._first <= day < self._last:
            heapq.heappush(self._queue, (day, self._order, topic))
            self._order += 1

    def _plan_habit(self) -> None:
        rng, care, life = self._rng, self._p.care, self._life
        for day in range(self._first, self._last, 365):
            decades = (life.age(day) - 60) / 10
            yearly = care["habit_yearly"] * math.exp(care["habit_per_decade"] * decades)
            for _ in range(poisson(rng, min(12.0, yearly * self._person.habit))):
                self._push(day + rng.random() * 365, "everyday")
            if self._person.keeps_reviews and any(life.has(name, day) for name in REVIEWED):
                for _ in range(poisson(rng, care["reviews_yearly"])):
                    self._push(day + rng.random() * 365, "review")
            for _ in range(poisson(rng, 0.03 * math.exp(0.45 * decades))):
                self._push(day + rng.random() * 365, "admission")

    def _plan_episode(self, episode: Episode) -> None:
        rng = self._rng
        if episode.passing and episode.signs and rng.random() < self._seeks(episode):
            topic = episode.cause if episode.cause in _INFECTIONS else "complaint"
            self._push(episode.start + rng.expovariate(1 / 8), topic)
        if not episode.passing and episode.signs and rng.random() < 0.5 * self._seeks(episode):
            self._push(episode.start + rng.expovariate(1 / 60), "complaint")
        if episode.cause == "congestion":
            yearly = self._p.disease["admission_yearly"]["congested"]
            day = episode.start + rng.expovariate(yearly) * YEAR
            if day < episode.end and not self._bedside.prevented(episode):
                self._push(day, "hf_admission")

    def _plan_quiet_admission(self) -> None:
        onset = self._life.began("symptomatic")
        if onset is not None:
            quiet = self._p.disease["admission_yearly"]["quiet"]
            self._push(onset + self._rng.expovariate(quiet) * YEAR, "hf_admission")

    def _seeks(self, episode: Episode) -> float:
        person, care = self._person, self._p.care
        odds = logit(care["seeks"]) + 0.5 * math.log(max(0.05, person.habit))
        odds -= care["aged_seek_less"] * max(0.0, (self._life.age(episode.start) - 70) / 10)
        odds += care["remote_seeks"] * person.remote - 1.0 * person.stoic
        return 1 / (1 + math.exp(-odds))

    def _meet(self, day: int, topic: str) -> None:
        rng, care = self._rng, self._p.care
        if topic == "hf_admission" and self.care.diagnosed and not self._bedside.congested(day):
            return  # treatment has kept it away
        if topic == "everyday":
            topic = everyday_topic(rng)
        contact = Contact(day, 0, self._kind(topic, day), topic, self._bedside.signs(rng, day))
        contact.minute = _minute(rng, contact.kind)
        contact.vitals = measure(rng, self._bedside, contact, care)
        if topic == "results" and rng.random() < 0.9:
            contact.labs = self._bedside.blood(rng, day)
        if topic == "hf_admission":
            self._admit(contact)
        elif topic == "answer":
            self._answer(contact)
        elif self.care.diagnosed is None and not self._answer_due:
            self._suspect(contact)
        self.care.contacts.append(contact)
        if topic != "answer":
            self._bring(day, contact)

    def _bring(self, day: int, contact: Contact) -> None:
        """Let one contact bring others: the same complaint again, results, a renewed paper."""
        rng, care = self._rng, self._p.care
        for _ in range(poisson(rng, care["brought"])):
            after = 1 + rng.expovariate(1 / care["brought_after"])
            cardiac = contact.topic in ("hf_admission", "hf_follow_up")
            topic = "hf_follow_up" if cardiac else pick(rng, ("follow_up", "follow_up", "results"))
            self._push(day + after, topic)

    def _suspect(self, contact: Contact) -> None:
        rng, care, day = self._rng, self._p.care, contact.day
        telling = [sign for sign in contact.signs if sign in SUSPICIOUS]
        if contact.topic not in ("complaint", "follow_up", "review", "results") or not telling:
            return
        share = care["suspected_other"]
        if self._life.has("symptomatic", day):
            congested = self._bedside.congested(day)
            share = care["suspected_congested" if congested else "suspected_quiet"]
        share *= 1.4 if len(telling) > 2 else 1.0
        if any(self._life.has(name, day) for name in _BLAMED):
            share *= care["blamed_on_lungs"]
        if rng.random() > share:
            return
        contact.suspicion = "raised"
        self.care.suspected.append(day)
        if rng.random() < 0.6:
            fibrillating = self._life.has("atrial_fibrillation", day)
            contact.tests.append("ecg_fibrillation" if fibrillating else "ecg_sinus")
        self._pending = {}
        if rng.random() < care["nt_probnp"]:
            self._pending["nt_probnp"] = self._bedside.nt_probnp(rng, day)
        if rng.random() > care["echo_missed"]:
            self._answer_due = True
            self._push(day + 6 + rng.expovariate(1 / care["answer_days"]), "answer")

    def _answer(self, contact: Contact) -> None:
        rng, care, day = self._rng, self._p.care, contact.day
        self._answer_due = False
        if self.care.diagnosed is not None:
            contact.topic = "hf_follow_up"
            return
        contact.labs = {**self._pending, "lvef": self._bedside.lvef(rng, day)}
        contact.tests.append("echo")
        if not self._life.has("symptomatic", day):
            contact.suspicion = "refuted"
        elif rng.random() < care["named"]:
            contact.suspicion = "confirmed"
            self._diagnose(day, care["coded"], care["coded_after"])
        else:
            contact.suspicion = "unnamed"

    def _admit(self, contact: Contact) -> None:
        rng, day = self._rng, contact.day
        contact.labs = self._bedside.blood(rng, day)
        if rng.random() < 0.75:
            contact.labs["nt_probnp"] = self._bedside.nt_probnp(rng, day)
        contact.labs["lvef"] = self._bedside.lvef(rng, day)
        contact.tests += ["echo", "film"]
        contact.suspicion = "confirmed"
        if self.care.diagnosed is None:
            self.care.acute = True
            self._diagnose(day, self._p.care["hospital_coded"], 12)

    def _diagnose(self, day: int, coded: float, after: float) -> None:
        rng = self._rng
        self.care.diagnosed = self._bedside.diagnosed = day
        if rng.random() < coded:
            self.care.coded = day + int(rng.expovariate(1 / after))
        for visit in range(1, 40):
            self._push(day + visit * 130 * (0.5 + rng.random()), "hf_follow_up")

    def _kind(self, topic: str, day: int) -> str:
        rng = self._rng
        if topic in ("admission", "hf_admission"):
            return "hospital"
        if rng.random() < max(0.0, (self._life.age(day) - 82) * 0.03):
            return "home"
        if topic in ("review", "hf_follow_up"):
            return pick(rng, ("nurse", "nurse", "gp", "phone"))
        if topic in ("complaint", *_INFECTIONS):
            return pick(rng, ("gp", "gp", "gp", "urgent", "phone"))
        return pick(rng, ("gp", "gp", "gp", "phone", "nurse"))


def _skip_weekend(day: int, topic: str) -> int:
    """Move a weekend to Monday, but for emergencies."""
    shift = (0, 0, 0, 0, 0, 2, 1)[date.fromordinal(day).weekday()]
    return day if topic in ("hf_admission", "admission") else day + shift


def _minute(rng: Random, kind: str) -> int:
    if kind in ("urgent", "hospital"):
        return int(rng.random() * 1440)
    return 8 * 60 + int(rng.random() * 7 * 60)
