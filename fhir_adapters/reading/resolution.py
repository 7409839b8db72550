"""Resolve the references between spooled resources and decide the status of each.

Any file may come first, so only after the scan is it known whether a subject, a Binary or a
Medication is in the export, which of two versions is newer, and what was replaced.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby

from fhir_adapters.reading.attachments import Part, choose, defect_of_kept, read_binary
from fhir_adapters.reading.defects import Defect, LeftOut, Unusable
from fhir_adapters.reading.persons import unite_persons
from fhir_adapters.reading.spool import ResourceStatus, Spool, fault_of_data

# A version written after the deletion is a resource created again.
_DELETED = """
    SELECT n FROM resource CROSS JOIN deletion ON deletion.id = resource.id
    WHERE deletion.type IN (resource.type, '')
    AND (deletion.at = '' OR resource.updated = '' OR resource.updated <= deletion.at)
"""
_OF_DELETED_PATIENT = """
    status = 0 AND patient IN (SELECT id FROM deletion WHERE type IN ('Patient', ''))
    AND NOT EXISTS (
        SELECT 1 FROM resource AS p
        WHERE p.type = 'Patient' AND p.id = resource.patient AND p.status = 0)
"""
_ORPHAN = """
    status = 0 AND type NOT IN ('Patient', 'Binary', 'Medication') AND NOT EXISTS (
        SELECT 1 FROM resource AS p
        WHERE p.type = 'Patient' AND p.id = resource.patient AND p.status = 0)
"""
_WITHOUT_MEDICATION = """
    status = 0 AND medication IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM resource AS m
        WHERE m.type = 'Medication' AND m.id = resource.medication AND m.status = 0
        AND m.payload <> '[]')
"""


def resolve_references(spool: Spool) -> None:
    """Set the final status of every spooled resource, in place."""
    spool.flush()
    db = spool.db
    db.execute("CREATE INDEX resource_key ON resource (type, id, subsetted, updated DESC)")
    db.execute("CREATE INDEX deletion_id ON deletion (id)")
    db.execute(f"UPDATE resource SET status = 1 WHERE n IN ({_DELETED})")  # noqa: S608
    _mark_duplicates(spool)
    _say_of_each(spool, "status = 0 AND subsetted", Defect.SUBSETTED)
    db.execute("CREATE INDEX resource_patient ON resource (patient) WHERE patient IS NOT NULL")
    db.execute(f"UPDATE resource SET status = 1 WHERE {_OF_DELETED_PATIENT}")  # noqa: S608
    unite_persons(spool)
    _quarantine(spool, _ORPHAN, Defect.NO_PATIENT)
    _quarantine(spool, _WITHOUT_MEDICATION, Defect.NO_MEDICATION)
    _read_binaries(spool)
    _leave_out_replaced(spool)
    _leave_out_unreferenced(spool)
    db.execute("COMMIT")


def _mark_duplicates(spool: Spool) -> None:
    """Of several of one type and id, keep the last updated; the first read where equal.

    A part of a resource (SUBSETTED) never stands for a whole one.
    """
    spool.db.execute(
        "UPDATE resource SET status = ? WHERE n IN ("
        " SELECT n FROM (SELECT n, row_number() OVER ("
        "  PARTITION BY type, id ORDER BY subsetted, updated DESC, n) AS place FROM resource)"
        " WHERE place > 1)",
        (int(ResourceStatus.DUPLICATE),),
    )


def _quarantine(spool: Spool, condition: str, defect: Defect) -> None:
    """Quarantine all resources that meet an SQL condition of this module."""
    _say_of_each(spool, condition, defect)
    spool.db.execute(
        f"UPDATE resource SET status = ? WHERE {condition}",  # noqa: S608
        (int(ResourceStatus.QUARANTINED),),
    )


def _say_of_each(spool: Spool, condition: str, defect: Defect) -> None:
    """Add a row to the quarantine for each resource that meets an SQL condition."""
    reason = defect.problem(file=None, line=None, resource=None).reason
    spool.db.execute(
        "INSERT INTO problem SELECT file, line, ?, ?, type || '/' || id FROM resource"  # noqa: S608
        f" WHERE {condition}",
        (defect.code, reason),
    )


def _read_binaries(spool: Spool) -> None:
    """Read the notes whose text lies in Binaries, one document in memory at a time."""
    for n, file, line, reference in _documents_with_binaries(spool):
        try:
            try:
                defective = _read_document(spool, n)
            except LeftOut:
                _set_status(spool, n, ResourceStatus.LEFT_OUT)
                continue
            except Unusable:
                raise
            except Exception as error:  # noqa: BLE001 - the document goes to quarantine
                raise fault_of_data(error) from None
        except Unusable as error:
            _set_status(spool, n, ResourceStatus.QUARANTINED)
            spool.add_problem(file, line, reference, error.defect, **error.details)
        else:
            for part in defective:
                defect, details = defect_of_kept(part)
                spool.add_problem(file, line, reference, defect, **details)


def _read_document(spool: Spool, n: int) -> list[Part]:
    """Read a document's Binaries, and store its notes; return the parts with a defect."""
    notes, defective = choose([_with_binary(spool, part) for part in spool.parts(n)])
    spool.add_parts(n, notes)
    spool.db.execute("UPDATE resource SET notes = ? WHERE n = ?", (len(notes), n))
    return defective


def _documents_with_binaries(spool: Spool) -> Iterator[tuple[int, int, int, str]]:
    """Yield used documents with a part in a Binary, in order of reading."""
    last = 0
    while True:
        row = spool.db.execute(
            "SELECT r.n, r.file, r.line, r.type || '/' || r.id FROM part AS p"
            " JOIN resource AS r ON r.n = p.resource"
            " WHERE p.resource > ? AND p.binary IS NOT NULL AND r.status = 0"
            " ORDER BY p.resource LIMIT 1",
            (last,),
        ).fetchone()
        if row is None:
            return
        last = row[0]
        yield row


def _with_binary(spool: Spool, part: Part) -> Part:
    """Return a part with the text of its Binary; unchanged where it refers to none."""
    if part.binary is None:
        return part
    row = spool.db.execute(
        "SELECT b.media, b.data, b.defect, b.details FROM resource AS r"
        " JOIN binary AS b ON b.resource = r.n"
        " WHERE r.type = 'Binary' AND r.id = ? AND r.status = 0",
        (part.binary,),
    ).fetchone()
    if row is None:
        return part.broken(Defect.NO_BINARY, reference=f"Binary/{part.binary}")
    media, data, defect, details = row
    if defect is not None:
        return part.broken(Defect[defect], **json.loads(details))
    try:
        return read_binary(part, data, media)
    except Exception as error:  # noqa: BLE001 - the document's other parts may be readable
        fault = fault_of_data(error)
        return part.broken(fault.defect, **fault.details)


def _leave_out_replaced(spool: Spool) -> None:
    """Leave out documents that another one of the same patient replaces."""
    spool.db.execute(
        "CREATE TABLE edge AS SELECT r.patient AS patient, r.n AS newer, old.n AS older"
        # CROSS JOIN keeps SQLite from starting with the (far larger) table of resources.
        " FROM replaces CROSS JOIN resource AS r ON r.n = replaces.resource"
        " CROSS JOIN resource AS old ON old.type = r.type AND old.id = replaces.target"
        " WHERE r.status IN (0, 1) AND old.status = 0 AND old.patient = r.patient"
        " ORDER BY r.patient, r.n, old.n"
    )
    rows = spool.db.execute("SELECT patient, newer, older FROM edge ORDER BY rowid")
    for _patient, edges in groupby(rows, key=lambda row: row[0]):
        replaced, circular = split_replacements([(by, old) for _, by, old in edges])
        for n in replaced:
            _set_status(spool, n, ResourceStatus.LEFT_OUT)
        for n in circular:
            file, line, reference = spool.db.execute(
                "SELECT file, line, type || '/' || id FROM resource WHERE n = ?", (n,)
            ).fetchone()
            spool.add_problem(file, line, reference, Defect.REPLACED_IN_CIRCLE)


def split_replacements(edges: Iterable[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Separate plainly replaced documents from those in circles.

    Parameters
    ----------
    edges
        Pairs (the newer, the one it replaces), of one patient.

    Returns
    -------
    replaced : list of int
        Documents that a document outside their own circle replaces; sorted.
    circular : list of int
        Documents on a circle, or on a path between two; sorted. None of them is replaced
        by the others, as that would leave nothing.

    Notes
    -----
    Documents that replace nothing, and those that nothing replaces, cannot be on a circle;
    their edges are peeled off until only circles (and paths between them) remain. Linear in
    the number of edges.
    """
    remaining = set(edges)
    newer: defaultdict[int, set[int]] = defaultdict(set)  # by the one replaced
    older: defaultdict[int, set[int]] = defaultdict(set)  # by the one replacing
    for by, old in remaining:
        newer[old].add(by)
        older[by].add(old)
    plain: set[tuple[int, int]] = set()
    waiting = [n for n in {n for edge in remaining for n in edge} if not newer[n] or not older[n]]
    while waiting:
        n = waiting.pop()
        for by, old in [*((by, n) for by in newer[n]), *((n, old) for old in older[n])]:
            plain.add((by, old))
            newer[old].discard(by)
            older[by].discard(old)
            if not older[by]:
                waiting.append(by)
            if not newer[old]:
                waiting.append(old)
    circular = {n for edge in remaining - plain for n in edge}
    return sorted({old for _, old in plain}), sorted(circular - {old for _, old in plain})


def _leave_out_unreferenced(spool: Spool) -> None:
    db = spool.db
    db.execute("CREATE INDEX part_binary ON part (binary) WHERE binary IS NOT NULL")
    db.execute(
        "CREATE INDEX resource_medication ON resource (medication) WHERE medication IS NOT NULL"
    )
    db.execute(
        "UPDATE resource SET status = 1 WHERE type = 'Binary' AND status = 0 AND NOT EXISTS ("
        " SELECT 1 FROM part JOIN resource AS d ON d.n = part.resource"
        " WHERE part.binary = resource.id AND d.status = 0)"
    )
    db.execute(
        "UPDATE resource SET status = 1 WHERE type = 'Medication' AND status = 0 AND NOT EXISTS ("
        " SELECT 1 FROM resource AS d WHERE d.medication = resource.id AND d.status = 0)"
    )


def _set_status(spool: Spool, n: int, status: ResourceStatus) -> None:
    spool.db.execute("UPDATE resource SET status = ? WHERE n = ?", (int(status), n))
