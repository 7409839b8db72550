"""A ConceptMap from a service's own codes to standard ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clinical_nlp.errors import InputError
from clinical_nlp.records import CodedEvent, Coding, EventKind
from fhir_adapters.reading.concept_map import ConceptMap, read_concept_maps

LOCAL = "http://hospital.example/diagnosticos"
CIE10 = "http://hl7.org/fhir/sid/icd-10-es"


def written(folder: Path, *targets: dict[str, Any], **group: Any) -> Path:
    element = {"code": "DX-100", "target": list(targets)}
    groups = [{"source": LOCAL, "target": CIE10, "element": [element]} | group]
    path = folder / "local.json"
    path.write_text(json.dumps({"resourceType": "ConceptMap", "group": groups}), "utf-8")
    return path


def read(folder: Path, *targets: dict[str, Any], **group: Any) -> ConceptMap:
    return read_concept_maps([written(folder, *targets, **group)])


@pytest.mark.parametrize(
    "relation",
    [
        {"equivalence": "equal"},
        {"equivalence": "equivalent"},
        {"equivalence": "wider"},
        {"equivalence": "subsumes"},
        {"relationship": "source-is-narrower-than-target"},
    ],
)
def test_translate_adds_the_standard_code_behind_the_own(tmp_path, relation):
    found = read(tmp_path, {"code": "I50.9"} | relation)
    own, other = Coding(f"{LOCAL}/", "DX-100 "), Coding(LOCAL, "DX-1")
    assert found.translate([own, other]) == (own, Coding(CIE10, "I50.9"), other)


@pytest.mark.parametrize(
    "relation", ["narrower", "specializes", "inexact", "relatedto", None, "nonsense"]
)
def test_read_concept_maps_of_a_looser_mapping_raises_e295(tmp_path, relation):
    with pytest.raises(InputError, match=r"E295 .*DX-100.*take the mapping out"):
        read(tmp_path, {"code": "I50.9", "equivalence": relation})


def test_read_concept_maps_of_a_condition_raises_e295(tmp_path):
    depends = [{"property": "p", "value": "v"}]
    with pytest.raises(InputError, match=r"E295"):
        read(tmp_path, {"code": "I50.9", "equivalence": "equal", "dependsOn": depends})


@pytest.mark.parametrize("relation", ["unmatched", "disjoint"])
def test_translate_leaves_what_is_stated_as_not_mapped(tmp_path, relation):
    found = read(tmp_path, {"equivalence": relation})
    assert found.translate([Coding(LOCAL, "DX-100")]) == (Coding(LOCAL, "DX-100"),)


@pytest.mark.parametrize(
    "content",
    [
        "no JSON",
        "[]",
        '{"resourceType": "ValueSet"}',
        '{"resourceType": "ConceptMap"}',
        '{"resourceType": "ConceptMap", "group": {"source": "a"}}',
        '{"resourceType": "ConceptMap", "group": [{"source": "a"}]}',
        '{"resourceType": "ConceptMap", "group": [{"source": "a", "target": "", "element": [{}]}]}',
    ],
)
def test_read_concept_maps_of_another_file_raises_e294(tmp_path, content):
    path = tmp_path / "map.json"
    path.write_text(content, "utf-8")
    with pytest.raises(InputError, match=r"E294 .*Give one FHIR R4 ConceptMap"):
        read_concept_maps([path])


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"[" * 100_000, "nested too deep"), ('{"text": "acuñado"}'.encode("latin-1"), "UTF-8")],
)
def test_read_concept_maps_of_a_strange_file_says_what_is_wrong(tmp_path, content, why):
    path = tmp_path / "map.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"E294 .*{why}"):
        read_concept_maps([path])


def test_source_with_a_version_is_the_same_system(tmp_path):
    target = {"code": "I50.9", "equivalence": "equal"}
    groups = [{"source": f"{LOCAL}|2019", "target": CIE10,
               "element": [{"code": "DX-100", "target": [target]}]}]  # fmt: skip
    path = tmp_path / "map.json"
    path.write_text(json.dumps({"resourceType": "ConceptMap", "group": groups}), "utf-8")
    own = Coding(LOCAL, "DX-100")
    assert read_concept_maps([path]).translate([own]) == (own, Coding(CIE10, "I50.9"))


def test_read_concept_maps_of_a_missing_file_raises_e294(tmp_path):
    with pytest.raises(InputError, match=r"E294"):
        read_concept_maps([tmp_path / "none.json"])


def test_read_concept_maps_to_an_unknown_system_raises_e296(tmp_path):
    path = written(tmp_path, {"code": "x", "equivalence": "equal"}, target="http://x.example")
    with pytest.raises(InputError, match=r"E296 .*map to SNOMED CT"):
        read_concept_maps([path], known_system=lambda uri: False)


def test_translate_event_denies_with_the_own_word_for_no():
    said = Coding("http://hospital.example/si-no", "N")
    absent = Coding("http://snomed.info/sct/449081005", "260385009")
    found = ConceptMap({("http://hospital.example/si-no", "N"): (absent,)})
    event = CodedEvent(
        EventKind.OBSERVATION, "Observation/1", (Coding(LOCAL, "x"),), value_codings=(said,)
    )
    assert found.translate_event(event).negated
    assert found.translate_event(event).value_codings == (said, absent)
