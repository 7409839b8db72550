"""The tagger for reading alone: the same emissions, in less time and memory.

The encoder is the lean one, run on few rows at a time; all that stands on it is run on the
words of many units at once, packed, so that nothing is spent on padding and each of the few
steps of the LSTMs has many rows.

What a unit yields does not depend on what it is read with, to the last bit: a cache, another
batch size or another number of processes change no score. Each unit is padded by its own length
alone, and no product is of fewer than four rows, where the libraries below go another way and
add in another order. (Widths of the LSTMs are to be multiples of 32, or the ends of torch's
vectors go another way too.)
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional

from clinical_nlp.neural.modernbert import lean_copy
from clinical_nlp.neural.tagger.network import MentionTagger

#: Pieces that the encoder reads at once: what a layer writes stays in the processor's cache
#: for the next one.
_PIECES = 1024

#: Pieces that a unit is filled up to a multiple of.
_PAD_TO = 4

#: Rows from which on a product's rows no longer depend on how many they are.
_ROWS = 4

#: Units that a step of the LSTMs is filled up to a multiple of: products of such widths are so much
#: quicker that the idle rows cost less than they save (whole runs read some 5% more notes).
_STEP_ROWS = 32


class InferenceTagger(nn.Module):
    """A :class:`~clinical_nlp.neural.tagger.network.MentionTagger` made ready to read.

    Parameters
    ----------
    tagger
        Trained; it is left as it was.
    """

    #: Not to be read in eight bits: rows of this layer hold numbers of unlike size side by
    #: side, so that one scale a row loses more here than elsewhere, and the layer costs little.
    kept_exact = ("told",)

    def __init__(self, tagger: MentionTagger) -> None:
        super().__init__()
        self.encoder = lean_copy(tagger.encoder)
        self.shapes = copy.deepcopy(tagger.shapes)
        self.affixes = copy.deepcopy(tagger.affixes)
        self.gaps = copy.deepcopy(tagger.gaps)
        self.ends = copy.deepcopy(tagger.ends)
        self.told = copy.deepcopy(tagger.told)
        self.norm = copy.deepcopy(tagger.norm)
        self.emit = copy.deepcopy(tagger.emit)
        self.reader: PackedBiLSTM | None = None
        if tagger.forwards is not None and tagger.backwards is not None:
            self.reader = PackedBiLSTM(tagger.forwards, tagger.backwards)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, places: Tensor, features: Tensor
    ) -> Tensor:
        """Return emissions as the tagger does; rows of padding are zero."""
        is_word = places[..., 0] > 0
        if 0 < int(is_word.sum()) < _ROWS:
            often = (
                torch.cat([given] * _ROWS)
                for given in (input_ids, attention_mask, places, features)
            )
            emissions: Tensor = self(*often)[: len(input_ids)]
            return emissions
        ends = self._encoded(input_ids, attention_mask, places, is_word)
        known = features[is_word]
        told = (
            self.shapes(known[:, 0]),
            self.affixes(known[:, 1:4]).flatten(-2),
            self.gaps(known[:, 4]),
        )
        states = self.ends(ends).add_(self.told(torch.cat(told, dim=-1)))
        states = self.norm(functional.gelu(states))
        if self.reader is not None:
            states = torch.cat((self.reader(states, is_word.sum(dim=1)), states), dim=-1)
        packed = self.emit(states)
        emissions = packed.new_zeros((*is_word.shape, packed.shape[-1]))
        emissions[is_word] = packed
        return emissions

    def _encoded(
        self, input_ids: Tensor, attention_mask: Tensor, places: Tensor, is_word: Tensor
    ) -> Tensor:
        """What the encoder says of each word's ends, packed, float [words, 2 x hidden]."""
        lengths = [-(-n // _PAD_TO) * _PAD_TO for n in attention_mask.sum(dim=1).tolist()]
        missing = max(lengths) - input_ids.shape[1]
        if missing > 0:
            input_ids = functional.pad(input_ids, (0, missing))
            attention_mask = functional.pad(attention_mask, (0, missing))
        parts: list[Tensor] = []
        begin = 0
        while begin < len(lengths):
            # Neighbours of one length: the engine hands units over by their lengths.
            length, end = lengths[begin], begin + 1
            while (
                end < len(lengths)
                and lengths[end] == length
                and (end + 1 - begin) * length <= _PIECES
            ):
                end += 1
            rows = slice(begin, end)
            pieces = self.encoder(
                input_ids=input_ids[rows, :length], attention_mask=attention_mask[rows, :length]
            )[0]
            row = torch.arange(end - begin, device=places.device).view(-1, 1, 1)
            ends = (places[rows] + row * length)[is_word[rows]]
            parts.append(_rows(pieces.flatten(0, 1), ends.flatten()).view(len(ends), -1))
            begin = end
        return torch.cat(parts)


class PackedBiLSTM(nn.Module):
    """Two LSTMs over packed units, one from the left and one from the right, step by step.

    torch's own runs every unit of a batch to the length of the longest, one way after the
    other. Here both ways take a step together, of those units that have not ended yet; and
    what does not hang on the step before, the product with the input, is one layer for all.

    Parameters
    ----------
    forwards, backwards
        Of one layer each, of the same sizes.
    """

    def __init__(self, forwards: nn.LSTM, backwards: nn.LSTM) -> None:
        super().__init__()
        self.width = forwards.hidden_size
        # torch's gates are in, forget, cell, out. A tangent is 2 sigmoid(2 x) - 1, and a
        # sigmoid takes a sixth of its time: the cell's rows are doubled for that.
        twice = torch.ones(4, self.width)
        twice[2] = 2
        factor = twice.view(-1, 1)
        given, before = [], []
        for way in (forwards, backwards):
            rows = dict(way.named_parameters())
            layer = nn.Linear(way.input_size, 4 * self.width)
            with torch.no_grad():
                layer.weight.copy_(rows["weight_ih_l0"] * factor)
                layer.bias.copy_((rows["bias_ih_l0"] + rows["bias_hh_l0"]) * factor[:, 0])
                before.append((rows["weight_hh_l0"] * factor).t())
            given.append(layer)
        self.given = nn.ModuleList(given)
        self.before: nn.Module = RecurrentProjection(torch.stack(before))

    def forward(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Read units.

        Parameters
        ----------
        states
            float [words, input], unit after unit.
        lengths
            Words of each unit, int64 [units].

        Returns
        -------
        Tensor
            float [words, 2 x width]: from the left, from the right.
        """
        ahead, back, running = _steps(lengths)
        steps = [
            # Rows past the end, for the last steps.
            layer(_rows(states, functional.pad(order, (0, _STEP_ROWS))))
            for layer, order in zip(self.given, (ahead, back), strict=True)
        ]
        out = steps[0].new_empty((2, len(states) + _STEP_ROWS, self.width))
        hidden = cell = out.new_zeros((2, _filled(max(running, default=0)), self.width))
        begin = 0
        for count in running:
            # Rows of the next steps are taken along, and their results written over when it is
            # their turn.
            wide = _filled(count)
            rows = slice(begin, begin + wide)
            gates = self.before([step[rows] for step in steps], hidden[:, :wide])
            take, keep, fresh, tell = gates.sigmoid_().chunk(4, dim=-1)
            cell = torch.addcmul(cell[:, :wide] * keep, take, fresh.mul_(2).sub_(1))
            shown = (cell * 2).sigmoid_().mul_(2).sub_(1)
            hidden = torch.mul(tell, shown, out=out[:, rows])
            begin += count
        left, right = torch.empty_like(ahead), torch.empty_like(back)
        places = torch.arange(len(states), device=states.device)
        left[ahead], right[back] = places, places
        return torch.cat((_rows(out[0], left), _rows(out[1], right)), dim=-1)


class RecurrentProjection(nn.Module):
    """What two LSTMs remember of the step before, added to what they are given.

    Parameters
    ----------
    weight
        float [2, width, gates].
    """

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.contiguous(), requires_grad=False)

    def forward(self, given: list[Tensor], hidden: Tensor) -> Tensor:
        """Gates, float [2, units, gates], of ``given``, two of [units, gates]."""
        return torch.baddbmm(torch.stack(given), hidden, self.weight)

    def in_int8(self) -> nn.Module:
        """Do the same in eight bits."""
        return _StepsBeforeInt8(self.weight)


class _StepsBeforeInt8(nn.Module):
    """:class:`RecurrentProjection` in eight bits: what is remembered lies between -1 and 1."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        scale = weight.abs().amax(dim=1, keepdim=True).clamp_min(1e-12) / 127
        levels = torch.round(weight / scale).to(torch.int8)
        # Stored by output and used transposed: the layout that oneDNN packs fastest.
        stored = levels.transpose(1, 2).contiguous()
        self.register_buffer("weight", stored.transpose(1, 2), persistent=False)
        self.register_buffer("scale", scale / 127, persistent=False)

    weight: Tensor
    scale: Tensor

    def forward(self, given: list[Tensor], hidden: Tensor) -> Tensor:
        levels = (hidden * 127).round_().to(torch.int8)
        gates = hidden.new_empty((2, *given[0].shape))
        for way in range(2):
            product = torch._int_mm(levels[way], self.weight[way]).float()
            torch.addcmul(given[way], product, self.scale[way], out=gates[way])
        return gates


def _filled(count: int) -> int:
    """How many rows a step of so many units has."""
    return -(-count // _STEP_ROWS) * _STEP_ROWS


def _rows(table: Tensor, places: Tensor) -> Tensor:
    """Rows of a table; indexing in brackets takes six times as long."""
    return table.index_select(0, places)


def _steps(lengths: Tensor) -> tuple[Tensor, Tensor, list[int]]:
    """Lay packed units out step by step, the longest unit first.

    Returns
    -------
    tuple
        Places of the words read from the left and from the right, int64 [words] each, and
        how many units are read at each step.
    """
    longest_first = torch.argsort(lengths, descending=True, stable=True)
    begins = (lengths.cumsum(0) - lengths)[longest_first]
    counts = lengths[longest_first]
    most = int(counts[0]) if len(counts) else 0
    running = torch.arange(most, device=lengths.device)[:, None] < counts
    step, unit = running.nonzero(as_tuple=True)
    ahead = begins[unit] + step
    back = begins[unit] + counts[unit] - 1 - step
    return ahead, back, running.sum(dim=1).tolist()
