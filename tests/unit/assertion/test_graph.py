"""Our graph says what medSpaCy's own graph says of the same cues."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from medspacy.context import ConTextGraph, ConTextRule

from clinical_nlp.pipeline.assertion.graph import SentenceGraph, Target, modifier

LENGTH = 24
RULES = [
    ConTextRule(f"{category}.{direction}", category, direction=direction, **more)
    for category, direction, more in [
        ("NEG", "FORWARD", {}),
        ("NEG", "BACKWARD", {"max_targets": 1, "max_scope": 4}),
        ("UNC", "FORWARD", {"max_scope": 5, "terminated_by": {"COMMA"}}),
        ("UNC", "BIDIRECTIONAL", {"max_scope": 2, "max_targets": 2}),
        ("HIST", "FORWARD", {"allowed_types": {"EVENT"}}),
        ("HIST", "BACKWARD", {"excluded_types": {"EVENT"}, "terminated_by": {"COMMA"}}),
        ("COMMA", "PSEUDO", {}),
        ("CLAUSE", "TERMINATE", {}),
    ]
]
PLACES = st.lists(
    st.tuples(st.integers(0, LENGTH - 2), st.integers(1, 2), st.integers(0, len(RULES) - 1)),
    max_size=8,
    unique_by=lambda p: p[0],
)
TARGETS = st.lists(
    st.tuples(st.integers(0, LENGTH - 1), st.sampled_from(["EVENT", "DRUG"])),
    max_size=5,
    unique_by=lambda t: t[0],
)


@given(PLACES, TARGETS)
def test_sentence_graph_gives_the_edges_of_medspacy(
    places: list[tuple[int, int, int]], spots: list[tuple[int, str]]
) -> None:
    taken: set[int] = set()
    cues = []
    for start, size, rule in sorted(places):
        words = set(range(start, start + size))
        if not words & taken:  # pruned matches do not overlap
            taken |= words
            cues.append((RULES[rule], start, start + size))
    targets = [
        Target(start, start + 1, kind, i)
        for i, (start, kind) in enumerate(sorted(spots))
        if start not in taken
    ]
    edges = []
    for graph_class in (ConTextGraph, SentenceGraph):
        graph = graph_class(
            targets=list(targets), modifiers=[modifier(r, s, e, LENGTH) for r, s, e in cues]
        )
        graph.update_scopes()
        graph.apply_modifiers()
        edges.append(sorted((t.index, m.modifier_span, m.rule.literal) for t, m in graph.edges))
    assert edges[0] == edges[1]
