"""Runs a module over the words of many docs: cut, look up, batch, run, put back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from spacy.tokens import Doc

from clinical_nlp.errors import ModelError
from clinical_nlp.neural.batches import by_length, tensors
from clinical_nlp.neural.cache import ResultCache
from clinical_nlp.neural.segments import Context, Segment, segment
from clinical_nlp.neural.subwords import SubwordAligner
from clinical_nlp.neural.windows import windows

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedTokenizerFast

    from clinical_nlp.neural.backends import Runner

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

#: Turns emissions of whole units, float32 [B, W, C], and their word counts, int32 [B], into
#: what is kept of them, float32 [B, W, K].
Decode = Callable[[Floats, npt.NDArray[np.int32]], Floats]

#: Words gathered before the encoder runs. More are sorted by length with less padding, and
#: held in memory together.
_GATHERED = 16_384


@dataclass(slots=True)
class _Task:
    """A unit to be read, and every place its result belongs to."""

    unit: Segment
    features: Ints
    key: bytes
    places: list[tuple[Floats, npt.NDArray[np.int32]]]


class Engine:
    """Gives every word of a doc what a module says of it.

    Parameters
    ----------
    module
        Takes, by position, ids and mask (int64 [B, L]), first and last pieces of the words
        (int64 [B, W, 2]) and features (int64 [B, W, F]); gives emissions, float [B, W, C].
        It is not changed.
    tokenizer
        The checkpoint's own.
    window
        Pieces that the module can read at once, special ones counted.
    context
        What it sees at once: see :func:`~clinical_nlp.neural.segments.units`.
    overlap
        Pieces that two windows of one unit share.
    decode
        Applied to whole units, whose windows have been put together; what it gives is
        cached and returned. Without it, the emissions are.
    features
        F, how many extra ids a word has.
    backend, device
        See :func:`~clinical_nlp.neural.backends.choose`.
    batch_pieces
        Pieces in a batch. On a CPU few are best: what a layer writes then stays in the
        processor's cache for the next one.
    cache_mib
        Memory for the results of units read before; 0 reads each unit anew.
    digest
        Of the module's weights; kept for whoever asks which model this engine runs.

    Raises
    ------
    ModelError
        E444: the tokenizer has ids that the module has no embedding for. E446, E447: the
        device or the back end cannot be had. E449: the module gives no finite numbers.
    """

    def __init__(
        self,
        module: nn.Module,
        tokenizer: PreTrainedTokenizerFast,
        *,
        window: int,
        context: Context = "sentence",
        overlap: int = 64,
        decode: Decode | None = None,
        features: int = 0,
        backend: str = "auto",
        device: str = "cpu",
        batch_pieces: int = 1024,
        cache_mib: float = 64,
        digest: str = "",
    ) -> None:
        from clinical_nlp.neural.backends import choose, runner

        self.pieces = SubwordAligner(tokenizer)
        self.context = context
        self.digest = digest
        self.backend, self.device = choose(backend, device)
        self._room = window - self.pieces.framing
        if not 0 <= overlap < self._room:
            raise ModelError(
                "E447",
                f"windows of {window} pieces cannot overlap by {overlap}: choose an overlap "
                "below the window",
            )
        self._overlap = overlap
        self._decode = decode
        self._features = features
        self._batch_pieces = batch_pieces
        self._cache = ResultCache(cache_mib)
        _check_fit(module, self.pieces)
        self._run: Runner = runner(module, self.backend, self.device)
        self.width = self._probe()

    @property
    def hits(self) -> int:
        """Units whose result was known, or was asked for twice at once."""
        return self._cache.hits

    @property
    def misses(self) -> int:
        """Units that the module had to read."""
        return self._cache.misses

    def forget(self) -> None:
        """Empty the cache and set its counters to zero."""
        self._cache.clear()

    def run(self, docs: Sequence[Doc], features: Sequence[Ints] | None = None) -> list[Floats]:
        """Read docs; the more at once, the less padding.

        Parameters
        ----------
        docs
            Tokenised, with sentences.
        features
            For each doc its tokens' extra ids, int [tokens, F].

        Returns
        -------
        list of arrays
            float32 [tokens, K] a doc; rows of white space are zero.
        """
        results = [np.zeros((len(doc), self.width), dtype=np.float32) for doc in docs]
        waiting: dict[bytes, _Task] = {}
        gathered = 0
        for number, unit in _all_units(docs, self.context):
            extra = self._extra(unit, None if features is None else features[number])
            key = self._cache.key(
                unit.text, unit.starts.tobytes(), unit.ends.tobytes(), extra.tobytes()
            )
            place = (results[number], unit.tokens)
            if key in waiting:
                self._cache.hits += 1
                waiting[key].places.append(place)
                continue
            known = self._cache.get(key)
            if known is not None:
                place[0][place[1]] = known
                continue
            waiting[key] = _Task(unit, extra, key, [place])
            gathered += len(unit.tokens)
            if gathered >= _GATHERED:
                self._read(list(waiting.values()))
                waiting, gathered = {}, 0
        if waiting:
            self._read(list(waiting.values()))
        return results

    def _extra(self, unit: Segment, features: Ints | None) -> Ints:
        if self._features == 0:
            return np.zeros((len(unit.tokens), 0), dtype=np.int64)
        if features is None or features.shape[1] != self._features:
            raise ValueError(f"the module wants {self._features} features a word")
        return features[unit.tokens].astype(np.int64)

    def _read(self, tasks: Sequence[_Task]) -> None:
        """Run the module over units and put the results where they belong."""
        emissions = self._emissions(tasks)
        results = self._decoded(emissions) if self._decode is not None else emissions
        for task, result in zip(tasks, results, strict=True):
            self._cache.put(task.key, result)
            for rows, tokens in task.places:
                rows[tokens] = result

    def _emissions(self, tasks: Sequence[_Task]) -> list[Floats]:
        """Emissions of each unit, float32 [words, C]."""
        read = self.pieces.read(
            [task.unit.text for task in tasks],
            [task.unit.starts for task in tasks],
            [task.unit.ends for task in tasks],
        )
        laid = [
            (number, window)
            for number, pieces in enumerate(read)
            for window in windows(pieces, self._room, self._overlap)
        ]
        parts: list[Floats | None] = [None] * len(laid)
        lengths = [len(window.ids) + self.pieces.framing for _, window in laid]
        for group in by_length(lengths, self._batch_pieces):
            batch = [laid[index][1] for index in group]
            extra = [tasks[laid[index][0]].features[laid[index][1].words] for index in group]
            out = self._run(
                *tensors(batch, extra, self.pieces.prefix, self.pieces.suffix, self.pieces.pad)
            )
            for row, index in enumerate(group):
                # A copy, so that a kept row does not keep the whole batch.
                parts[index] = out[row, : len(batch[row].places)].copy()
        whole: list[list[Floats]] = [[] for _ in tasks]
        for (number, _), part in zip(laid, parts, strict=True):
            assert part is not None  # noqa: S101 - by_length gives every index
            whole[number].append(part)
        return [rows[0] if len(rows) == 1 else np.concatenate(rows) for rows in whole]

    def _decoded(self, emissions: Sequence[Floats]) -> list[Floats]:
        assert self._decode is not None  # noqa: S101 - for the type checker
        results: list[Floats | None] = [None] * len(emissions)
        for group in by_length([len(rows) for rows in emissions], self._batch_pieces):
            longest = len(emissions[group[0]])
            stacked = np.zeros((len(group), longest, emissions[0].shape[1]), dtype=np.float32)
            lengths = np.array([len(emissions[index]) for index in group], dtype=np.int32)
            for row, index in enumerate(group):
                stacked[row, : lengths[row]] = emissions[index]
            decoded = self._decode(stacked, lengths)
            for row, index in enumerate(group):
                results[index] = np.array(decoded[row, : lengths[row]], dtype=np.float32)
        return [rows for rows in results if rows is not None]

    def _probe(self) -> int:
        """Read one made-up unit; return the width of its result."""
        text = "Disnea de esfuerzo."
        starts = np.array([0, 7, 10, 18], dtype=np.int32)
        ends = np.array([6, 9, 18, 19], dtype=np.int32)
        unit = Segment(np.arange(4, dtype=np.int32), text, starts, ends)
        extra = np.zeros((4, self._features), dtype=np.int64)
        emissions = self._emissions([_Task(unit, extra, b"", [])])
        if not np.isfinite(emissions[0]).all():
            raise ModelError(
                "E449",
                "the encoder gives numbers that are not finite: its weights are damaged, or "
                'too large for this back end; fetch it again, or set backend = "float32"',
            )
        result = self._decoded(emissions)[0] if self._decode is not None else emissions[0]
        return int(result.shape[1])


def _all_units(docs: Sequence[Doc], context: Context) -> Iterator[tuple[int, Segment]]:
    for number, doc in enumerate(docs):
        for unit in segment(doc, context):
            yield number, unit


def _check_fit(module: nn.Module, pieces: SubwordAligner) -> None:
    """See that every id of the tokenizer has an embedding."""
    for part in module.modules():
        table = getattr(part, "get_input_embeddings", None)
        if callable(table):
            rows = int(table().num_embeddings)
            largest = max(pieces.largest_id, pieces.pad)
            if rows <= largest:
                raise ModelError(
                    "E444",
                    f"the tokenizer has ids up to {largest} and the encoder embeds only {rows}: "
                    "they do not belong together; take both from one checkpoint",
                )
            return
