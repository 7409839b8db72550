"""All terms as one automaton, made deterministic as texts ask for it.

Terms become a graph of nodes joined by symbols (Thompson's construction, but that terms which
begin alike share their beginning). A word form bears several symbols and may be a free link
besides, so a reader stands at several nodes at once; each such set of places is one state,
and its step for a class of words is computed the first time it is met. Reading a note then
costs one look-up a word.

References
----------
K. Thompson, Regular expression search algorithm, Communications of the ACM 11 (1968).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from clinical_nlp.matching.notation import LINK, WORD, Choice, Pattern

#: Links that may stand between two words of a term. Four let "edemas leves en ambos los
#: miembros" through; more would join words of different phrases.
_MAX_LINKS = 4

#: States kept before the memory is thrown away and learnt again: a bound on memory
#: whatever the text, far above what ordinary notes visit.
_MAX_STATES = 100_000

Symbols = frozenset[str]
_Place = tuple[int, int]  # a node, and the links read since its last word


#: What lies behind a node: the nodes after each symbol, and the terms that end there.
_Behind = tuple[dict[str, set[int]], tuple[int, ...]]


class State:
    """A set of places, seen as one.

    Attributes
    ----------
    steps
        Next state by word class, ``None`` where no term goes on; filled on demand.
    terms
        Terms that end here.
    heard
        The symbols that lead on from here: a word's others make no difference.
    """

    __slots__ = ("follow", "heard", "known", "links", "steps", "terms")

    def __init__(
        self,
        terms: Iterable[int],
        follow: Sequence[dict[str, set[int]]],
        links: frozenset[_Place],
    ) -> None:
        self.steps: dict[int, State | None] = {}
        self.terms = tuple(sorted(terms))
        self.follow = follow  # of each node where a reader stands
        self.links = links
        self.heard: Symbols = frozenset().union(*follow, (LINK,) if links else ())
        self.known: dict[Symbols, State | None] = {}  # next state by the symbols heard


class Automaton:
    """Reads word classes and says which terms end where.

    Parameters
    ----------
    patterns
        Each term's pattern; its place in the list is the term's number.
    """

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        # The graph: for each node its edges by symbol, its free edges, and its terms. Terms
        # that begin alike share the nodes of their beginning, as in a tree: a reader stands
        # at one node for all of them.
        self._edges: list[dict[str, int]] = []
        self._free: list[list[int]] = []
        self._ends: dict[int, list[int]] = {}
        self._choices: dict[tuple[int, Choice], int] = {}
        root = self._node()
        for number, pattern in enumerate(patterns):
            self._ends.setdefault(self._build(pattern, root), []).append(number)
        self._choices.clear()  # only building asks for them
        self._behind: dict[int, _Behind] = {}
        self.symbols: Symbols = frozenset(
            {s for edges in self._edges for s in edges} | {LINK, WORD}
        )
        self._states: dict[frozenset[_Place], State] = {}
        self._classes: list[Symbols] = []
        self._numbers: dict[Symbols, int] = {}
        # A term that opens with a gap ("[*3] no <poder> con azadón") lets every word of every
        # note open it. Notes that hold none of the words such terms end on cannot hold the
        # terms: there, a word opens a term by what it says only.
        gaps = self._reach(root)[0].get(WORD, set())
        self._closing = self._closing_symbols(gaps)
        self._closing_classes: set[int] = set()
        self._start = self._state(frozenset({(root, _MAX_LINKS)}))
        said = {symbol: nodes for symbol, nodes in self._reach(root)[0].items() if symbol != WORD}
        self._start_without_gap = State(self._start.terms, [said], frozenset())

    def _node(self) -> int:
        self._edges.append({})
        self._free.append([])
        return len(self._edges) - 1

    def _build(self, pattern: Pattern, start: int) -> int:
        """Put a pattern behind a node, or find it there; return the node where it ends."""
        if isinstance(pattern, str):
            end = self._edges[start].get(pattern)
            if end is None:
                end = self._edges[start][pattern] = self._node()
            return end
        if isinstance(pattern, Choice):
            end = self._choices.get((start, pattern))
            if end is None:
                end = self._choices[start, pattern] = self._node()
                for option in pattern.options:
                    self._free[self._build(option, start)].append(end)
            return end
        for part in pattern.parts:
            start = self._build(part, start)
        return start

    def _reach(self, node: int) -> _Behind:
        """What a node, and all that its free edges lead to, leads on to."""
        known = self._behind.get(node)
        if known is None:
            reached, waiting = {node}, [node]
            follow: dict[str, set[int]] = {}
            while waiting:
                here = waiting.pop()
                for symbol, target in self._edges[here].items():
                    follow.setdefault(symbol, set()).add(target)
                for following in self._free[here]:
                    if following not in reached:
                        reached.add(following)
                        waiting.append(following)
            ends = tuple(number for n in reached for number in self._ends.get(n, ()))
            known = self._behind[node] = follow, ends
        return known

    def _closing_symbols(self, opened: Iterable[int]) -> Symbols:
        """The symbols, of which one is read last by any term that a gap opens at these nodes."""
        edges = [(WORD, node) for node in opened]
        met = set(edges)
        closing: set[str] = set()
        while edges:
            symbol, node = edges.pop()
            follow, terms = self._reach(node)
            if terms:
                closing.add(symbol)
            further = {(s, target) for s, targets in follow.items() for target in targets} - met
            met |= further
            edges.extend(further)
        return frozenset(closing)

    def start(self, classes: Iterable[int]) -> State:
        """Where the reading of any place of a note begins.

        Parameters
        ----------
        classes
            The word classes of the note.
        """
        gapless = self._closing_classes.isdisjoint(classes)
        return self._start_without_gap if gapless else self._start

    def word_class(self, symbols: Symbols) -> int:
        """Number the set of symbols that a word bears; equal sets get equal numbers."""
        number = self._numbers.get(symbols)
        if number is None:
            number = self._numbers[symbols] = len(self._classes)
            self._classes.append(symbols)
            if not self._closing.isdisjoint(symbols):
                self._closing_classes.add(number)
        return number

    def symbols_of(self, word_class: int) -> Symbols:
        """The symbols behind a word class."""
        return self._classes[word_class]

    def step(self, state: State, word_class: int) -> State | None:
        """Return the state after a word of this class, ``None`` where no term goes on."""
        if word_class in state.steps:
            return state.steps[word_class]
        # Word classes are many, those that a state tells apart few: most words say nothing
        # to it, and of the others many say the same.
        symbols = self._classes[word_class] & state.heard
        if symbols not in state.known:
            state.known[symbols] = self._following(state, symbols)
        following = state.steps[word_class] = state.known[symbols]
        return following

    def _following(self, state: State, symbols: Symbols) -> State | None:
        places: set[_Place] = set()
        for symbol in symbols:
            # A word taken by a gap counts as a link: no term ends on it.
            links = 1 if symbol == WORD else 0
            for follow in state.follow:
                if symbol in follow:
                    places.update([(node, links) for node in follow[symbol]])
        if LINK in symbols:
            places.update(state.links)
        return self._state(frozenset(places)) if places else None

    def _state(self, places: frozenset[_Place]) -> State:
        known = self._states.get(places)
        if known is not None:
            return known
        if len(self._states) >= _MAX_STATES:
            self._states.clear()
            for start in (self._start, self._start_without_gap):
                start.steps.clear()
                start.known.clear()
        terms: set[int] = set()
        nodes: set[int] = set()
        for node, links in places:
            nodes.add(node)
            if not links:  # terms end where a word was just read, not after a link
                terms.update(self._reach(node)[1])
        linked = frozenset((n, k + 1) for n, k in places if k < _MAX_LINKS)
        state = State(terms, [self._reach(node)[0] for node in nodes], linked)
        self._states[places] = state
        return state
