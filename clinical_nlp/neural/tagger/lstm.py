"""Two LSTMs over packed segments, one in each direction, for inference on a CPU.

Both directions take a step together, over the segments that have not ended yet. torch's LSTM over
``pack_padded_sequence`` is as fast (``benchmarks/private_engines.py``), but the number of rows of
its steps, and with it their last bits, depend on the batch; and it has no eight-bit form that
would not.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from clinical_nlp.neural.batch_invariant import MIN_ROWS, BatchInvariantLinear


class PackedBiLSTM(nn.Module):
    """A bidirectional LSTM over packed segments.

    Parameters
    ----------
    forwards, backwards
        Of one layer each and the same sizes.
    """

    def __init__(self, forwards: nn.LSTM, backwards: nn.LSTM) -> None:
        super().__init__()
        self.width = forwards.hidden_size
        # Rows of torch's gates: input, forget, cell, output. The cell's are doubled, as
        # tanh(x) = 2 sigmoid(2 x) - 1, and a sigmoid takes a sixth of a tanh's time.
        scale = torch.ones(4, self.width)
        scale[2] = 2
        scale = scale.view(-1, 1)
        projections, recurrent = [], []
        for lstm in (forwards, backwards):
            weights = dict(lstm.named_parameters())
            projection = BatchInvariantLinear(lstm.input_size, 4 * self.width)
            with torch.no_grad():
                projection.weight.copy_(weights["weight_ih_l0"] * scale)
                projection.bias.copy_((weights["bias_ih_l0"] + weights["bias_hh_l0"]) * scale[:, 0])
                recurrent.append((weights["weight_hh_l0"] * scale).t())
            projections.append(projection)
        self.input_projections = nn.ModuleList(projections)
        self.recurrent_projection: nn.Module = RecurrentProjection(torch.stack(recurrent))

    def forward(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Run over segments.

        Parameters
        ----------
        states
            float [words, input], segment after segment.
        lengths
            Words of each segment, int64 [segments].

        Returns
        -------
        Tensor
            float [words, 2 x width]: forwards, backwards.
        """
        ahead, back, active = _steps(lengths)
        projected = [
            # Idle rows at the end, for the last steps.
            projection(states.index_select(0, functional.pad(order, (0, MIN_ROWS))))
            for projection, order in zip(self.input_projections, (ahead, back), strict=True)
        ]
        out = projected[0].new_empty((2, len(states) + MIN_ROWS, self.width))
        hidden = cell = out.new_zeros((2, _filled(max(active, default=0)), self.width))
        begin = 0
        for count in active:
            # Rows of the next step are computed along, and overwritten when it is its turn.
            wide = _filled(count)
            rows = slice(begin, begin + wide)
            gates = self.recurrent_projection([part[rows] for part in projected], hidden[:, :wide])
            input_gate, forget_gate, cell_candidate, output_gate = gates.sigmoid_().chunk(4, dim=-1)
            cell = torch.addcmul(
                cell[:, :wide] * forget_gate, input_gate, cell_candidate.mul_(2).sub_(1)
            )
            tanh_cell = (cell * 2).sigmoid_().mul_(2).sub_(1)
            hidden = torch.mul(output_gate, tanh_cell, out=out[:, rows])
            begin += count
        left, right = torch.empty_like(ahead), torch.empty_like(back)
        places = torch.arange(len(states), device=states.device)
        left[ahead], right[back] = places, places
        return torch.cat((out[0].index_select(0, left), out[1].index_select(0, right)), dim=-1)


class RecurrentProjection(nn.Module):
    """Product of the last step's hidden states with the recurrent weights, added to an input.

    Parameters
    ----------
    weight
        Of both directions, float [2, width, gates].
    """

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.contiguous(), requires_grad=False)

    def forward(self, projected: list[Tensor], hidden: Tensor) -> Tensor:
        """Gates, float [2, rows, gates], of two projected inputs of [rows, gates] each."""
        return torch.baddbmm(torch.stack(projected), hidden, self.weight)

    def in_int8(self) -> nn.Module:
        """Return the eight-bit form."""
        return RecurrentProjectionInt8(self.weight)


class RecurrentProjectionInt8(nn.Module):
    """:class:`RecurrentProjection` in eight bits: hidden states lie between -1 and 1."""

    weight: Tensor
    scale: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        scale = weight.abs().amax(dim=1, keepdim=True).clamp_min(1e-12) / 127
        levels = torch.round(weight / scale).to(torch.int8)
        # Stored by output and used transposed: the layout that oneDNN packs fastest.
        stored = levels.transpose(1, 2).contiguous()
        self.register_buffer("weight", stored.transpose(1, 2), persistent=False)
        self.register_buffer("scale", scale / 127, persistent=False)

    def forward(self, projected: list[Tensor], hidden: Tensor) -> Tensor:
        """Gates, as :class:`RecurrentProjection` computes them."""
        levels = (hidden * 127).round_().to(torch.int8)
        gates = hidden.new_empty((2, *projected[0].shape))
        for direction in range(2):
            product = torch._int_mm(levels[direction], self.weight[direction]).float()
            torch.addcmul(
                projected[direction], product, self.scale[direction], out=gates[direction]
            )
        return gates


def _filled(count: int) -> int:
    """Rows of a step over so many segments: a multiple of ``MIN_ROWS``.

    Products of such sizes are so much faster that the idle rows cost less than they save (the
    whole tagger reads some 5% more notes).
    """
    return -(-count // MIN_ROWS) * MIN_ROWS


def _steps(lengths: Tensor) -> tuple[Tensor, Tensor, list[int]]:
    """Order the words of packed segments by step, the longest segment first.

    Returns
    -------
    tuple
        Places of the words in order of the forward and of the backward steps, int64 [words]
        each, and the number of active segments at each step.
    """
    longest_first = torch.argsort(lengths, descending=True, stable=True)
    begins = (lengths.cumsum(0) - lengths)[longest_first]
    counts = lengths[longest_first]
    most = int(counts[0]) if len(counts) else 0
    is_active = torch.arange(most, device=lengths.device)[:, None] < counts
    step, segment = is_active.nonzero(as_tuple=True)
    ahead = begins[segment] + step
    back = begins[segment] + counts[segment] - 1 - step
    return ahead, back, is_active.sum(dim=1).tolist()
