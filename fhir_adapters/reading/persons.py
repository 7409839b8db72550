"""``Patient.link``: several records of one person become one record and one timeline.

Systems that merge records keep both and link them: ``replaced-by`` and ``refer`` point from a
record to the main one, ``replaces`` from the main one back, ``seealso`` says that both are of
the same person (https://hl7.org/fhir/R4/valueset-link-type.html).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from clinical_nlp.records import PatientRecord, Sex
from clinical_nlp.records.codec import RECORD
from fhir_adapters.reading.defects import Defect
from fhir_adapters.reading.spool import ResourceStatus, Spool

#: Types of link that point at the main record, and those that point away from it; the
#: others point neither way. "replace" is of FHIR DSTU2.
FORWARD = frozenset({"replaced-by", "refer", "replace"})
BACKWARD = frozenset({"replaces"})


@dataclass(frozen=True, slots=True)
class Link:
    """A link of record ``of``, which is resource ``n``, to record ``other``."""

    n: int
    of: str
    type: str
    other: str

    @property
    def step(self) -> tuple[str, str] | None:
        """From a record to the main one; ``None`` where neither is said to be it."""
        if self.type in FORWARD:
            return self.of, self.other
        return (self.other, self.of) if self.type in BACKWARD else None


@dataclass(slots=True)
class _Group:
    """Records of one person, as far as they are joined."""

    members: set[str]
    births: list[date] = field(default_factory=list)


def unite_persons(spool: Spool) -> None:
    """Give what belongs to linked records to the main one, which takes their place."""
    links = [
        Link(*row)
        for row in spool.db.execute(
            "SELECT l.resource, r.id, l.type, l.other FROM link AS l"
            " JOIN resource AS r ON r.n = l.resource WHERE r.status = 0 ORDER BY l.rowid"
        )
    ]
    if not links:
        return
    records = _records(spool, {name for link in links for name in (link.of, link.other)})
    deleted = _withdrawn(spool, {link.other for link in links} - records.keys())
    circular = on_circles(step for link in links if (step := link.step))
    groups: dict[str, _Group] = {}
    for link in links:
        defect = None
        if link.other not in records and link.type not in BACKWARD:
            defect = Defect.LINK_MISSING
        if {link.of, link.other} <= circular:
            defect = Defect.LINK_CIRCLE
        elif (
            link.of != link.other and link.other not in deleted and not _join(groups, link, records)
        ):
            defect = Defect.LINK_CONTRADICTED
        if defect is not None:
            _tell(spool, link, defect)
    steps = [step for link in links if (step := link.step) and not set(step) <= circular]
    for group in {id(group): group for group in groups.values()}.values():
        _merge(spool, group, steps, records)


def on_circles(steps: Iterable[tuple[str, str]]) -> set[str]:
    """Return the records on a circle of steps, or that lead into one only.

    Records that end, and those that lead to one that ends, are peeled off until circles
    remain.
    """
    onward: defaultdict[str, set[str]] = defaultdict(set)
    back: defaultdict[str, set[str]] = defaultdict(set)
    for one, other in steps:
        onward[one].add(other)
        back[other].add(one)
    waiting = [name for name in {*onward, *back} if not onward[name]]
    while waiting:
        ended = waiting.pop()
        for name in back[ended]:
            onward[name].discard(ended)
            if not onward[name]:
                waiting.append(name)
    return {name for name, others in onward.items() if others}


def _records(spool: Spool, names: Iterable[str]) -> dict[str, tuple[str, PatientRecord]]:
    """Return when each used record was updated, and the record."""
    found: dict[str, tuple[str, PatientRecord]] = {}
    for name in names:
        row = spool.db.execute(
            "SELECT updated, payload FROM resource"
            " WHERE type = 'Patient' AND id = ? AND status = 0",
            (name,),
        ).fetchone()
        if row is not None:
            found[name] = row[0], RECORD.loads(row[1])
    return found


def _withdrawn(spool: Spool, names: Iterable[str]) -> set[str]:
    """Return which records are in the export, but not used: deleted ones."""
    query = "SELECT 1 FROM resource WHERE type = 'Patient' AND id = ?"
    gone = "SELECT 1 FROM deletion WHERE id = ? AND type IN ('Patient', '')"
    return {
        name
        for name in names
        if spool.db.execute(query, (name,)).fetchone() or spool.db.execute(gone, (name,)).fetchone()
    }


def _join(
    groups: dict[str, _Group], link: Link, records: dict[str, tuple[str, PatientRecord]]
) -> bool:
    """Join the groups of a link's two records, unless their birth dates contradict."""
    one, other = (_group(groups, name, records) for name in (link.of, link.other))
    if one is other:
        return True
    if any(not agree(a, b) for a in one.births for b in other.births):
        return False
    one.members |= other.members
    one.births += other.births
    for name in other.members:
        groups[name] = one
    return True


def _group(
    groups: dict[str, _Group], name: str, records: dict[str, tuple[str, PatientRecord]]
) -> _Group:
    if name not in groups:
        birth = records[name][1].birth_date if name in records else None
        groups[name] = _Group({name}, [] if birth is None else [birth])
    return groups[name]


def agree(one: date, other: date) -> bool:
    """Whether two birth dates may be one: of a partial date the first day was taken."""
    first, last = sorted((one, other))
    if first == last:
        return True
    year_alone = (first.month, first.day) == (1, 1) and first.year == last.year
    month_alone = first.day == 1 and (first.year, first.month) == (last.year, last.month)
    return year_alone or month_alone


def _merge(
    spool: Spool,
    group: _Group,
    steps: Sequence[tuple[str, str]],
    records: dict[str, tuple[str, PatientRecord]],
) -> None:
    """Give everything of a group to its main record."""
    superseded = {one for one, other in steps if other in group.members and other in records}
    known = sorted(group.members & records.keys())
    if not known:
        return
    # Of several main ones: in use, updated last, and by id, so that every run says the same.
    known.sort(key=lambda name: records[name][0], reverse=True)
    known.sort(key=lambda name: (name in superseded, not records[name][1].active))
    main, *others = known
    people = [records[name][1] for name in known]
    merged = replace(
        people[0],
        sex=next((p.sex for p in people if p.sex is not Sex.UNKNOWN), Sex.UNKNOWN),
        # Those that agree differ in precision: the latest names the day.
        birth_date=max(group.births, default=None),
        deceased=any(p.deceased for p in people),
        died=next((p.died for p in people if p.died is not None), None),
    )
    db = spool.db
    db.execute(
        "UPDATE resource SET payload = ? WHERE type = 'Patient' AND id = ? AND status = 0",
        (RECORD.dumps(merged), main),
    )
    for name in sorted(group.members - {main}):
        db.execute("UPDATE resource SET patient = ? WHERE patient = ?", (main, name))
    for name in others:
        db.execute(
            "UPDATE resource SET status = ? WHERE type = 'Patient' AND id = ? AND status = 0",
            (int(ResourceStatus.DUPLICATE), name),
        )


def _tell(spool: Spool, link: Link, defect: Defect) -> None:
    file, line = spool.db.execute(
        "SELECT file, line FROM resource WHERE n = ?", (link.n,)
    ).fetchone()
    spool.add_problem(file, line, f"Patient/{link.of}", defect)
