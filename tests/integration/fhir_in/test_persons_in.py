"""Linked records of one person become one timeline, and it is said where they cannot."""

from __future__ import annotations

import json
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinical_nlp.records import Sex
from fhir_adapters.reading.persons import agree, on_circles


def link(other: str, kind: str) -> dict[str, Any]:
    return {"other": {"reference": f"Patient/{other}"}, "type": kind}


def owners(read) -> dict[str, set[str]]:
    return {name: {note.text for note in r.notes} for name, r in read.records.items()}


@pytest.mark.parametrize(
    ("old", "new", "main"),
    [
        ([link("new", "replaced-by")], [], "new"),
        ([], [link("old", "replaces")], "new"),
        ([link("new", "replaced-by")], [link("old", "replaces")], "new"),
        ([link("new", "refer")], [], "new"),
        ([link("new", "seealso")], [], "new"),
        ([link("new", "seealso")], [link("old", "seealso")], "new"),
        ([{"other": {"reference": "urn:uuid:new"}, "type": "replaced-by"}], [], "new"),
        ([link("new", "replaced-by"), link("new", "seealso")], [], "new"),
    ],
)
def test_linked_records_become_one(export, make, old, new, main):
    export.write(
        "a.ndjson",
        make.note("o", "De la antigua.", about="old"),
        make.note("n", "De la nueva.", about="new"),
        make.coded("Condition", "c", about="old"),
        make.patient("old", link=old, active=False, birthDate="1950-03-02", gender="female"),
        make.patient("new", link=new, birthDate="1950"),
    )
    read = export.read()
    assert read.problems == []
    assert owners(read) == {main: {"De la antigua.", "De la nueva."}}
    merged = read.records[main]
    assert (merged.birth_date, merged.sex, merged.active) == (date(1950, 3, 2), Sex.FEMALE, True)
    assert [e.source for e in merged.events] == ["Condition/c"]
    assert read.summary.types["Patient"].duplicate == 1
    assert {note.patient_id for note in merged.notes} == {main}


def test_chain_of_records_becomes_one(export, make):
    names = ["a", "b", "c", "d"]
    for one, other in pairwise(names):
        export.write(f"{one}.ndjson", make.patient(one, link=[link(other, "replaced-by")]))
    export.write("z.ndjson", make.patient("d"), *(make.note(n, n, about=n) for n in names))
    assert owners(export.read()) == {"d": set(names)}


def test_replaced_record_outside_the_export_is_followed(export, make):
    export.write("a.ndjson", make.patient("new", link=[link("old", "replaces")]))
    export.write("b.ndjson", make.note("n", "De la antigua.", about="old"))
    read = export.read()
    assert (read.problems, owners(read)) == ([], {"new": {"De la antigua."}})


def test_death_of_any_record_is_the_persons(export, make):
    old = make.patient("old", deceasedDateTime="2024-01-02", link=[link("new", "refer")])
    export.write("a.ndjson", make.patient("new"), old)
    merged = export.read().records["new"]
    assert (merged.deceased, merged.died) == (True, date(2024, 1, 2))


@pytest.mark.parametrize("kind", ["replaced-by", "refer", "seealso"])
def test_link_to_a_record_outside_the_export_is_said(export, make, kind):
    export.write(
        "a.ndjson", make.patient("a", link=[link("none", kind)]), make.note("n", about="a")
    )
    read = export.read()
    assert [(p.code, p.resource) for p in read.problems] == [("E288", "Patient/a")]
    assert owners(read) == {"a": {"Tos seca."}}


@pytest.mark.parametrize("size", [2, 3])
def test_circle_of_records_is_said_and_kept_apart(export, make, size):
    names = "abc"[:size]
    for one, other in zip(names, names[1:] + names[0], strict=True):
        export.write(f"{one}.ndjson", make.patient(one, link=[link(other, "replaced-by")]))
    export.write("n.ndjson", *(make.note(name, name, about=name) for name in names))
    read = export.read()
    assert read.codes == ["E289"] * size
    assert owners(read) == {name: {name} for name in names}


def test_contradictory_birth_dates_are_said_and_kept_apart(export, make):
    export.write(
        "a.ndjson",
        make.patient("a", birthDate="1950-03-02", link=[link("b", "replaced-by")]),
        make.patient("b", birthDate="1980-07-01", link=[link("c", "seealso")]),
        make.patient("c", birthDate="1980"),
    )
    read = export.read()
    assert [(p.code, p.resource) for p in read.problems] == [("E290", "Patient/a")]
    assert set(read.records) == {"a", "b"}


def test_link_to_a_deleted_record_is_said(export, make):
    delete = {"request": {"method": "DELETE", "url": "Patient/b"}}
    export.write("a.ndjson", make.patient("a", link=[link("b", "replaced-by")]), make.patient("b"))
    export.write("d.ndjson", {"resourceType": "Bundle", "entry": [delete]})
    read = export.read()
    assert (read.codes, set(read.records)) == (["E288"], {"a"})


@pytest.mark.parametrize(
    "value",
    [
        "x",
        [7],
        [{}],
        [{"other": "Patient/b"}],
        [{"other": {"reference": "RelatedPerson/b"}, "type": "seealso"}],
        [{"other": {"reference": "Patient/b"}, "type": ["seealso"]}],
        [link("a", "seealso")],
    ],
)
def test_link_that_says_nothing_is_passed_over(export, make, value):
    export.write("a.ndjson", make.patient("a", link=value), make.patient("b"))
    read = export.read()
    assert (read.problems, set(read.records)) == ([], {"a", "b"})


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcdef"),
            st.sampled_from("abcdefx"),
            st.sampled_from(["replaced-by", "replaces", "refer", "seealso"]),
        ),
        max_size=8,
    )
)
def test_links_of_any_shape_lose_no_note(export, make, links):
    people = [
        make.patient(name, link=[link(other, kind) for one, other, kind in links if one == name])
        for name in "abcdef"
    ]
    notes = [make.note(name, name, about=name) for name in "abcdef"]
    (export.folder / "a.ndjson").write_text("\n".join(map(json.dumps, people + notes)))
    read = export.read()
    assert sorted(text for texts in owners(read).values() for text in texts) == list("abcdef")
    assert set(read.codes) <= {"E288", "E289"}


def test_records_on_circles():
    assert on_circles([("a", "b"), ("b", "c")]) == set()
    assert on_circles([("a", "b"), ("b", "a"), ("x", "a"), ("a", "y")]) == {"a", "b", "x"}


def test_birth_dates_agree_as_far_as_they_are_known():
    assert agree(date(1950, 1, 1), date(1950, 3, 2))
    assert agree(date(1950, 3, 1), date(1950, 3, 2))
    assert not agree(date(1950, 3, 2), date(1950, 4, 2))
    assert not agree(date(1950, 1, 1), date(1951, 3, 2))
