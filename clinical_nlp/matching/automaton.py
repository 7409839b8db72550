"""All patterns as one automaton, made deterministic as texts ask for it.

Patterns become a graph of nodes joined by symbols (Thompson's construction, but that patterns
which begin alike share their beginning). A word bears several symbols and may be a free link
besides, so a match in progress stands at several nodes at once; each such set of positions is
one state, and its transition for a class of words is computed the first time it is met (lazy
subset construction). Reading a note then costs one look-up a word, however many the patterns.

Terms and cues share it. They differ only in the symbols their words bear: between the words
of a term :data:`LINK` words come and go, a cue's words never bear that symbol.

References
----------
K. Thompson, Regular expression search algorithm, Communications of the ACM 11 (1968).
A. Aho, R. Sethi, J. Ullman, Compilers (1986), section 3.7.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from clinical_nlp.matching.syntax import Choice, Pattern

#: Borne by words that may stand, unasked, between two words of a pattern.
LINK = "c:link"
#: Borne by every word, by no punctuation: what ``*`` and ``*3`` take.
ANY, GAP = "any:word", "any:gap"

#: Links that may stand between two words of a term. Four let "edemas leves en ambos los
#: miembros" through; more would join words of different phrases.
_MAX_LINKS = 4

#: States kept before the memory is thrown away and learnt again: a bound on memory
#: whatever the text, far above what ordinary notes visit.
_MAX_STATES = 100_000

Symbols = frozenset[str]
_Position = tuple[int, int]  # a node, and the links read since its last word

#: Words ``start`` to ``end`` (exclusive) match the patterns with these numbers.
Match: TypeAlias = tuple[int, int, tuple[int, ...]]

#: What a node leads to: the nodes after each symbol, and the patterns that end there.
_Closure = tuple[dict[str, set[int]], tuple[int, ...]]


class State:
    """A set of positions, seen as one.

    Attributes
    ----------
    transitions
        Next state by word class, ``None`` where no pattern goes on; filled on demand.
    accepted
        Numbers of the patterns that end here.
    alphabet
        The symbols that lead on from here: a word's others make no difference.
    """

    __slots__ = ("accepted", "alphabet", "by_symbols", "follow", "links", "transitions")

    def __init__(
        self,
        accepted: Iterable[int],
        follow: Sequence[dict[str, set[int]]],
        links: frozenset[_Position],
    ) -> None:
        self.transitions: dict[int, State | None] = {}
        self.accepted = tuple(sorted(accepted))
        self.follow = follow  # nodes by symbol, for each node of the state
        self.links = links
        self.alphabet: Symbols = frozenset().union(*follow, (LINK,) if links else ())
        self.by_symbols: dict[Symbols, State | None] = {}


class Automaton:
    """Reads word classes and says which patterns match where.

    Parameters
    ----------
    patterns
        Their place in the iteration is their number.
    """

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        # The graph: for each node its edges by symbol, its empty edges, and the patterns
        # that end there.
        self._edges: list[dict[str, int]] = []
        self._empty: list[list[int]] = []
        self._ends: dict[int, list[int]] = {}
        self._choices: dict[tuple[int, Choice], int] = {}
        root = self._node()
        for number, pattern in enumerate(patterns):
            self._ends.setdefault(self._build(pattern, root), []).append(number)
        self._choices.clear()  # only building asks for them
        self._closures: dict[int, _Closure] = {}
        self.symbols: Symbols = frozenset(
            {symbol for edges in self._edges for symbol in edges} | {LINK, GAP}
        )
        self._states: dict[frozenset[_Position], State] = {}
        self._classes: list[Symbols] = []
        self._class_numbers: dict[Symbols, int] = {}
        # A pattern that opens with any word ("[*3] no <poder> con azadón") lets every word of
        # every note open it. Notes that hold none of the words such patterns end on cannot
        # hold the patterns: there, a word opens a pattern by what it says only.
        opening = self._closure(root)[0]
        wild = (ANY, GAP)
        self._closing = self._closing_symbols([(s, n) for s in wild for n in opening.get(s, ())])
        self._closing_classes: set[int] = set()
        self._start = self._state(frozenset({(root, _MAX_LINKS)}))
        tame = {symbol: nodes for symbol, nodes in opening.items() if symbol not in wild}
        self._tame_start = State(self._start.accepted, [tame], frozenset())

    def _node(self) -> int:
        self._edges.append({})
        self._empty.append([])
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
                    self._empty[self._build(option, start)].append(end)
            return end
        for part in pattern.parts:
            start = self._build(part, start)
        return start

    def _closure(self, node: int) -> _Closure:
        """What a node, and all that its empty edges lead to, leads on to."""
        known = self._closures.get(node)
        if known is None:
            reached, waiting = {node}, [node]
            follow: dict[str, set[int]] = {}
            while waiting:
                here = waiting.pop()
                for symbol, target in self._edges[here].items():
                    follow.setdefault(symbol, set()).add(target)
                for following in self._empty[here]:
                    if following not in reached:
                        reached.add(following)
                        waiting.append(following)
            ends = tuple(number for n in reached for number in self._ends.get(n, ()))
            known = self._closures[node] = follow, ends
        return known

    def _closing_symbols(self, edges: list[tuple[str, int]]) -> Symbols:
        """The symbols, of which one is read last by any pattern that opens with these edges."""
        met = set(edges)
        closing: set[str] = set()
        while edges:
            symbol, node = edges.pop()
            follow, ends = self._closure(node)
            if ends:
                closing.add(symbol)
            further = {(s, target) for s, targets in follow.items() for target in targets} - met
            met |= further
            edges.extend(further)
        return frozenset(closing)

    def word_class(self, symbols: Symbols) -> int:
        """Number the set of symbols that a word bears; equal sets get equal numbers."""
        number = self._class_numbers.get(symbols)
        if number is None:
            number = self._class_numbers[symbols] = len(self._classes)
            self._classes.append(symbols)
            if not self._closing.isdisjoint(symbols):
                self._closing_classes.add(number)
        return number

    def symbols_of(self, word_class: int) -> Symbols:
        """The symbols behind a word class."""
        return self._classes[word_class]

    def start(self, classes: Iterable[int]) -> State:
        """Where a match begins, at any place of a note.

        Parameters
        ----------
        classes
            The word classes of the note.
        """
        tame = self._closing_classes.isdisjoint(classes)
        return self._tame_start if tame else self._start

    def matches(self, classes: Sequence[int]) -> list[Match]:
        """Return every match at every place, by start and then by end.

        Parameters
        ----------
        classes
            The word class of each word of a note.
        """
        found: list[Match] = []
        step, start = self.step, self.start(classes)
        opening = start.transitions
        count = len(classes)
        for first in range(count):
            word_class = classes[first]
            state = opening[word_class] if word_class in opening else step(start, word_class)
            end = first
            while state is not None:
                end += 1
                if state.accepted:
                    found.append((first, end, state.accepted))
                if end == count:
                    break
                word_class = classes[end]
                known = state.transitions
                state = known[word_class] if word_class in known else step(state, word_class)
        return found

    def step(self, state: State, word_class: int) -> State | None:
        """Return the state after a word of this class, ``None`` where no pattern goes on."""
        if word_class in state.transitions:
            return state.transitions[word_class]
        # Word classes are many, those that a state tells apart few: most words say nothing
        # to it, and of the others many say the same.
        symbols = self._classes[word_class] & state.alphabet
        if symbols not in state.by_symbols:
            state.by_symbols[symbols] = self._following(state, symbols)
        following = state.transitions[word_class] = state.by_symbols[symbols]
        return following

    def _following(self, state: State, symbols: Symbols) -> State | None:
        positions: set[_Position] = set()
        for symbol in symbols:
            # A word taken by a gap counts as a link: no pattern ends on it.
            links = 1 if symbol == GAP else 0
            for follow in state.follow:
                if symbol in follow:
                    positions.update([(node, links) for node in follow[symbol]])
        if LINK in symbols:
            positions.update(state.links)
        return self._state(frozenset(positions)) if positions else None

    def _state(self, positions: frozenset[_Position]) -> State:
        known = self._states.get(positions)
        if known is not None:
            return known
        if len(self._states) >= _MAX_STATES:
            self._states.clear()
            for start in (self._start, self._tame_start):
                start.transitions.clear()
                start.by_symbols.clear()
        accepted: set[int] = set()
        nodes: set[int] = set()
        for node, links in positions:
            nodes.add(node)
            if not links:  # patterns end where a word was just read, not after a link
                accepted.update(self._closure(node)[1])
        linked = frozenset((n, k + 1) for n, k in positions if k < _MAX_LINKS)
        state = State(accepted, [self._closure(node)[0] for node in nodes], linked)
        self._states[positions] = state
        return state
