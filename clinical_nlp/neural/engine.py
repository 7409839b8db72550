"""Run a module over the words of many docs: segment, look up, batch, run, scatter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from spacy.tokens import Doc

from clinical_nlp.errors import ModelError
from clinical_nlp.neural.cache import ResultCache
from clinical_nlp.neural.segments import Context, Segment, segment
from clinical_nlp.neural.subwords import SubwordAligner
from clinical_nlp.neural.windows import by_length, tensors, windows

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedTokenizerFast

    from clinical_nlp.neural.backends import Runner

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

#: Decodes emissions of whole segments, float32 [B, W, C], given their word counts, int32 [B],
#: to float32 [B, W, K].
Decode = Callable[[Floats, npt.NDArray[np.int32]], Floats]

#: Words gathered before the module runs. More words pad less, as segments are sorted by length,
#: and take more memory.
_GATHERED = 16_384


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """How an :class:`Engine` runs its module.

    Attributes
    ----------
    window
        Pieces (subwords) that the module can read at once, special ones included.
    context
        What it reads at once: see :func:`~clinical_nlp.neural.segments.segment`.
    overlap
        Pieces that two windows of one segment share.
    features
        F, number of extra ids of a word.
    backend, device
        See :func:`~clinical_nlp.neural.backends.choose`.
    batch_pieces
        Pieces in a batch. On a CPU small batches are fastest: a layer's output then stays in
        the processor's cache for the next layer.
    cache_mib
        Memory for the results of segments that were read before, in MiB; 0 turns it off.
    """

    window: int
    context: Context = "sentence"
    overlap: int = 64
    features: int = 0
    backend: str = "auto"
    device: str = "cpu"
    batch_pieces: int = 1024
    cache_mib: float = 64


@dataclass(slots=True)
class _Task:
    """A segment to be read, and the rows of each array that take its result."""

    segment: Segment
    features: Ints
    key: bytes
    targets: list[tuple[Floats, npt.NDArray[np.int32]]]


class Engine:
    """Computes a module's output for every word of a doc.

    Parameters
    ----------
    module
        Takes, by position, ids and mask (int64 [B, L]), first and last piece of each word
        (int64 [B, W, 2]) and features (int64 [B, W, F]); returns emissions, float [B, W, C].
        It is not changed.
    tokenizer
        The checkpoint's own.
    config
        How to run it.
    decode
        Applied to whole segments, after their windows have been joined; its result is cached
        and returned. Without it, the emissions are.

    Attributes
    ----------
    width
        K, columns of a result.
    cache
        Results of segments; its misses are those that the module had to read.

    Raises
    ------
    ModelError
        E444: the tokenizer has ids that the module has no embedding for. E446, E447: the
        device, the back end or the overlap is impossible. E449: the module's numbers are not
        finite.
    """

    def __init__(
        self,
        module: nn.Module,
        tokenizer: PreTrainedTokenizerFast,
        config: EngineConfig,
        *,
        decode: Decode | None = None,
    ) -> None:
        from clinical_nlp.neural.backends import choose, runner

        self.config = config
        self.backend, self.device = choose(config.backend, config.device)
        self.pieces = SubwordAligner(tokenizer)
        self._room = config.window - self.pieces.framing
        if not 0 <= config.overlap < self._room:
            raise ModelError(
                "E447",
                f"windows of {config.window} pieces cannot overlap by {config.overlap}: choose an "
                "overlap below the window",
            )
        self._decode = decode
        self.cache = ResultCache(config.cache_mib)
        _check_vocabulary(module, self.pieces)
        self._run: Runner = runner(module, self.backend, self.device)
        self.width = self._probe()

    def run(self, docs: Sequence[Doc], features: Sequence[Ints] | None = None) -> list[Floats]:
        """Run the module over docs; the more at once, the less padding.

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
        context = self.config.context
        parts = ((place, part) for place, doc in enumerate(docs) for part in segment(doc, context))
        for number, part in parts:
            extra = self._extra(part, None if features is None else features[number])
            key = self.cache.key(
                part.text, part.starts.tobytes(), part.ends.tobytes(), extra.tobytes()
            )
            target = (results[number], part.tokens)
            if key in waiting:
                self.cache.hits += 1
                waiting[key].targets.append(target)
                continue
            cached = self.cache.get(key)
            if cached is not None:
                results[number][part.tokens] = cached
                continue
            waiting[key] = _Task(part, extra, key, [target])
            gathered += len(part.tokens)
            if gathered >= _GATHERED:
                self._read(list(waiting.values()))
                waiting, gathered = {}, 0
        if waiting:
            self._read(list(waiting.values()))
        return results

    def _extra(self, part: Segment, features: Ints | None) -> Ints:
        wanted = self.config.features
        if wanted == 0:
            return np.zeros((len(part.tokens), 0), dtype=np.int64)
        if features is None or features.shape[1] != wanted:
            raise ValueError(f"the module wants {wanted} features a word")
        return features[part.tokens].astype(np.int64)

    def _read(self, tasks: Sequence[_Task]) -> None:
        """Run the module over segments, cache the results and write them to their targets."""
        for task, result in zip(tasks, self._decoded(self._emissions(tasks)), strict=True):
            self.cache.put(task.key, result)
            for rows, tokens in task.targets:
                rows[tokens] = result

    def _emissions(self, tasks: Sequence[_Task]) -> list[Floats]:
        """Emissions of each segment, float32 [words, C]."""
        read = self.pieces.read(
            [task.segment.text for task in tasks],
            [task.segment.starts for task in tasks],
            [task.segment.ends for task in tasks],
        )
        laid = [
            (number, window)
            for number, pieces in enumerate(read)
            for window in windows(pieces, self._room, self.config.overlap)
        ]
        parts: dict[int, Floats] = {}
        lengths = [len(window.ids) + self.pieces.framing for _, window in laid]
        for group in by_length(lengths, self.config.batch_pieces):
            batch = [laid[index][1] for index in group]
            extra = [tasks[laid[index][0]].features[laid[index][1].words] for index in group]
            out = self._run(
                *tensors(batch, extra, self.pieces.prefix, self.pieces.suffix, self.pieces.pad)
            )
            for row, index in enumerate(group):
                # A copy, so that a cached row does not hold the whole batch in memory.
                parts[index] = out[row, : len(batch[row].word_bounds)].copy()
        whole: list[list[Floats]] = [[] for _ in tasks]
        for index, (number, _) in enumerate(laid):
            whole[number].append(parts[index])
        return [rows[0] if len(rows) == 1 else np.concatenate(rows) for rows in whole]

    def _decoded(self, emissions: Sequence[Floats]) -> list[Floats]:
        if self._decode is None:
            return list(emissions)
        results = list(emissions)
        for group in by_length([len(rows) for rows in emissions], self.config.batch_pieces):
            longest = len(emissions[group[0]])
            stacked = np.zeros((len(group), longest, emissions[0].shape[1]), dtype=np.float32)
            lengths = np.array([len(emissions[index]) for index in group], dtype=np.int32)
            for row, index in enumerate(group):
                stacked[row, : lengths[row]] = emissions[index]
            decoded = self._decode(stacked, lengths)
            for row, index in enumerate(group):
                results[index] = np.array(decoded[row, : lengths[row]], dtype=np.float32)
        return results

    def _probe(self) -> int:
        """Run the module on one sentence; return the width of its result."""
        text = "Disnea de esfuerzo."
        starts = np.array([0, 7, 10, 18], dtype=np.int32)
        ends = np.array([6, 9, 18, 19], dtype=np.int32)
        part = Segment(np.arange(4, dtype=np.int32), text, starts, ends)
        extra = np.zeros((4, self.config.features), dtype=np.int64)
        emissions = self._emissions([_Task(part, extra, b"", [])])
        if not np.isfinite(emissions[0]).all():
            raise ModelError(
                "E449",
                "the encoder gives numbers that are not finite: its weights are damaged, or "
                'too large for this back end; fetch it again, or set backend = "float32"',
            )
        return int(self._decoded(emissions)[0].shape[1])


def _check_vocabulary(module: nn.Module, pieces: SubwordAligner) -> None:
    """Raise E444 unless every id of the tokenizer has an embedding."""
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
