"""Spanish sentences on a suspicion, and on the treatment behind a diagnosis.

Templates: ``suspicion.toml``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from clinical_nlp.records import Concept, Reason
from clinical_nlp.risk.diagnosis import Diagnosis, diagnosis_rule
from clinical_nlp.risk.note_context import suspicion_rule
from clinical_nlp.risk.reasons import evidence_of
from clinical_nlp.risk.suspicion import Peptide, Suspicion, Verdict
from clinical_nlp.risk.timeline import Entry
from clinical_nlp.spanish import day_es, list_es, measurement_es


def suspicion_reasons(suspicion: Suspicion) -> tuple[Reason, ...]:
    """Say where heart failure is suspected, since when, and what came of the tests.

    Returns
    -------
    tuple of Reason
        Each with a contribution of 0 and the spans behind it: the suspicion first, then
        results, then tests asked for without a result.
    """
    reasons = [
        _told(key, entries)
        for key, entries in (
            ("suspected", suspicion.mentions),
            ("plain", suspicion.plain),
            ("named", suspicion.named),
            ("abbreviated", suspicion.abbreviated),
            ("provisional", suspicion.provisional),
        )
        if entries
    ]
    reasons.extend(_results(suspicion))
    words: Mapping[str, str] = suspicion_rule()["sentence"]
    for name, entry in suspicion.asked:
        key = "asked" if entry.day else "asked_undated"
        text = words[key].format(name=name, first=_day(entry.day))
        reasons.append(Reason(text, 0.0, evidence_of([entry])))
    return tuple(reasons)


def suspicion_missing(suspicion: Suspicion, tests: bool = True) -> tuple[str, ...]:
    """Name the tests that would settle a suspicion and were neither done nor asked for.

    Parameters
    ----------
    tests
        Whether to name them; not where the advice does.
    """
    words: Mapping[str, str] = suspicion_rule()["missing"]
    asked = {name for name, _ in suspicion.asked}
    peptide, echo = (test["name"] for test in suspicion_rule()["tests"])
    sentences = []
    if suspicion.named or suspicion.abbreviated:
        sentences.append(words["confirm"])
    if not tests:
        return tuple(sentences)
    if suspicion.peptide is None and peptide not in asked:
        sentences.append(words["peptide"])
    seen = suspicion.lvef is not None and _is_from(suspicion.lvef.day, suspicion.since)
    if not seen and suspicion.echo is None and echo not in asked:
        sentences.append(words["echo"])
    return tuple(sentences)


def treatment_reasons(diagnosis: Diagnosis, concepts: Mapping[str, Concept]) -> tuple[Reason, ...]:
    """Say which treatment or programme nothing but heart failure explains."""
    if not diagnosis.treated:
        return ()
    words: Mapping[str, str] = suspicion_rule()["sentence"]
    followed = [e for e in diagnosis.treated if e.concept not in concepts]
    drugs = [e for e in diagnosis.treated if e.concept in concepts and e.concept != "lvef"]
    reasons = []
    if followed:
        text = words["programme"].format(last=_day(_last(followed)))
        reasons.append(Reason(text, 0.0, evidence_of(followed)))
    if drugs:
        names = list_es(sorted({concepts[e.concept].name_es for e in drugs}))
        treated = [e for e in diagnosis.treated if e not in followed]
        key = "treatment" if len(drugs) == len(treated) else "treatment_lvef"
        text = words[key].format(name=names, last=_day(_last(treated)))
        reasons.append(Reason(text, 0.0, evidence_of(treated)))
    return tuple(reasons)


def _told(key: str, entries: Sequence[Entry]) -> Reason:
    words: Mapping[str, str] = suspicion_rule()["sentence"]
    days = sorted({e.day for e in entries if e.day is not None})
    if days:
        template = words[f"{key}_one" if len(days) == 1 else f"{key}_many"]
        text = template.format(n=len(days), first=day_es(days[0]), last=day_es(days[-1]))
    else:
        text = words[f"{key}_undated"]
    return Reason(text + _authors(entries), 0.0, evidence_of(entries))


def _authors(entries: Iterable[Entry]) -> str:
    """Say in which kinds of document the last was written, where they are no progress notes."""
    kinds: Mapping[str, str] = suspicion_rule()["documents"]
    written = [e for e in entries if e.day == e.known]  # the others are copies
    last = _last(written)
    own = [e for e in written if e.day == last]
    who = list(dict.fromkeys(kinds[d] for e in own if (d := e.document) and d in kinds))
    return str(suspicion_rule()["sentence"]["by"]).format(who=list_es(who)) if who else ""


def _results(suspicion: Suspicion) -> Iterable[Reason]:
    words: Mapping[str, str] = suspicion_rule()["sentence"]
    if suspicion.peptide is not None:
        text = _peptide_sentence(suspicion.peptide, words)
        yield Reason(text, 0.0, evidence_of([suspicion.peptide.entry]))
    lvef = suspicion.lvef
    if lvef is not None and lvef.value is not None:
        low = lvef.value < diagnosis_rule()["notes"]["support"]["lvef_below"]
        value = measurement_es(lvef.value, lvef.comparator, lvef.unit)
        text = words["lvef_low" if low else "lvef"].format(value=value, last=_day(lvef.day))
        yield Reason(text, 0.0, evidence_of([lvef]))
    elif suspicion.echo is not None:
        text = words["echo"].format(last=_day(suspicion.echo.day))
        yield Reason(text, 0.0, evidence_of([suspicion.echo]))


def _peptide_sentence(peptide: Peptide, words: Mapping[str, str]) -> str:
    entry = peptide.entry
    name, last = suspicion_rule()["names"][entry.concept], _day(entry.day)
    if entry.value is None:
        key = "raised_word" if peptide.verdict is Verdict.RAISED else "normal_word"
        return words[key].format(name=name, last=last)
    return words[peptide.verdict.value].format(
        name=name,
        last=last,
        value=measurement_es(entry.value, entry.comparator, entry.unit),
        limit=measurement_es(peptide.limit, None, entry.unit),
    )


def _last(entries: Iterable[Entry]) -> date | None:
    return max((e.day for e in entries if e.day is not None), default=None)


def _is_from(day: date | None, since: date | None) -> bool:
    return day is None or since is None or day >= since


def _day(day: date | None) -> str:
    undated: str = suspicion_rule()["sentence"]["undated"]
    return undated if day is None else day_es(day)
