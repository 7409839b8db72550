"""ModernBERT's layers for reading alone: what training and generation need is left out.

The sums are those of transformers' ``ModernBertModel`` [1]_, whose weights it takes by their
own names, in fewer passes over memory and with fewer calls a layer, which is most of a small
encoder's time. Loading it does not import transformers' modelling code either (80 MiB).

The rows of the query and key weights stand in another order than in a checkpoint: the two
dimensions that a rotary embedding turns [2]_ lie side by side, so that turning them is one
product of complex numbers. A product of a query and a key does not depend on that order.

References
----------
.. [1] Warner et al., "Smarter, Better, Faster, Longer", arXiv:2412.13663, 2024.
.. [2] Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding",
   Neurocomputing 568, 2024.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

_FULL, _SLIDING = "full_attention", "sliding_attention"

#: Rows of attention up to which products of small matrices beat torch's own kernel.
_SHORT = 48

#: Scores up to this, and down to its negative, have exponentials that can be summed as they are;
#: beyond it a row's largest is taken off first, as a softmax does.
_SAFE = 60.0


@dataclass(frozen=True, slots=True)
class LeanShape:
    """What a ModernBERT's configuration says of its layers.

    Attributes
    ----------
    reach
        Pieces that a layer of local attention looks to either side.
    theta
        Base of the rotary angles by kind of attention.
    kinds
        Kind of attention of each layer.
    """

    vocabulary: int
    hidden: int
    inner: int
    heads: int
    kinds: tuple[str, ...]
    reach: int
    theta: Mapping[str, float]
    places: int
    epsilon: float
    norm_bias: bool
    attention_bias: bool
    inner_bias: bool

    @classmethod
    def of(cls, config: Any) -> LeanShape | None:  # noqa: ANN401 - transformers' class is not imported here
        """Read a ``ModernBertConfig``; ``None`` where it asks for what is not built here."""
        if getattr(config, "model_type", None) != "modernbert":
            return None
        ropes = {kind: config.rope_parameters[kind] for kind in set(config.layer_types)}
        plain = all(rope.get("rope_type", "default") == "default" for rope in ropes.values())
        even = config.hidden_size % (2 * config.num_attention_heads) == 0
        if not (plain and even) or config.hidden_activation != "gelu":
            return None
        return cls(
            vocabulary=config.vocab_size,
            hidden=config.hidden_size,
            inner=config.intermediate_size,
            heads=config.num_attention_heads,
            kinds=tuple(config.layer_types),
            reach=config.sliding_window,
            theta={kind: float(rope["rope_theta"]) for kind, rope in ropes.items()},
            places=config.max_position_embeddings,
            epsilon=config.norm_eps,
            norm_bias=config.norm_bias,
            attention_bias=config.attention_bias,
            inner_bias=config.mlp_bias,
        )


class ModernBertForInference(nn.Module):
    """An encoder for inference; loads the weights of a ``ModernBertModel`` of that shape.

    Parameters
    ----------
    config
        transformers' ``ModernBertConfig``.

    Raises
    ------
    ValueError
        Where :meth:`LeanShape.of` knows no shape for it.
    """

    def __init__(self, config: Any) -> None:  # noqa: ANN401 - as in LeanShape.of
        super().__init__()
        shape = LeanShape.of(config)
        if shape is None:
            raise ValueError("no ModernBERT that can be read leanly")
        self.config = config
        self.shape = shape
        self.embeddings = _Embeddings(shape)
        self.layers = nn.ModuleList(_Layer(shape, number) for number in range(len(shape.kinds)))
        self.final_norm = nn.LayerNorm(shape.hidden, shape.epsilon, bias=shape.norm_bias)
        self._turns: dict[tuple[str, torch.device], Tensor] = {}
        self.register_load_state_dict_pre_hook(_pair_rows)  # type: ignore[no-untyped-call]

    def get_input_embeddings(self) -> nn.Embedding:
        """The table of the pieces, by transformers' name for it."""
        return self.embeddings.tok_embeddings

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor]:
        """Return hidden states, float [B, L, hidden], as the only item of a tuple.

        Parameters
        ----------
        input_ids, attention_mask
            int64 [B, L]; the mask is 1 where there is a piece.
        """
        size, length = input_ids.shape
        states = self.embeddings(input_ids).view(size * length, -1)
        masks = self._masks(attention_mask, states.dtype)
        for layer, kind in zip(self.layers, self.shape.kinds, strict=True):
            turn = self._turn(kind, length, states.device)
            states = layer(states, size, length, turn, masks[kind])
        return (self.final_norm(states).view(size, length, -1),)

    def _masks(self, attention_mask: Tensor, dtype: torch.dtype) -> dict[str, Tensor | None]:
        """What is added to the scores of each kind of attention, float [B, 1, 1 or L, L]."""
        length = attention_mask.shape[1]
        full: Tensor | None = None
        if not bool(attention_mask.all()):
            full = _never(attention_mask == 0, dtype)[:, None, None, :]
        if length <= self.shape.reach + 1:
            return {_FULL: full, _SLIDING: full}
        place = torch.arange(length, device=attention_mask.device)
        far = _never((place[:, None] - place[None, :]).abs() > self.shape.reach, dtype)
        return {_FULL: full, _SLIDING: far[None, None] if full is None else far + full}

    def _turn(self, kind: str, length: int, device: torch.device) -> Tensor:
        """Rotary factors of queries and keys, complex64 [2, L, width / 2]; computed once.

        A query's hold the scale of attention too.
        """
        known = self._turns.get((kind, device))
        if known is None or known.shape[1] < length:
            width = self.shape.hidden // self.shape.heads
            exponents = torch.arange(0, width, 2, dtype=torch.float, device=device) / width
            places = torch.arange(max(length, 512), dtype=torch.float, device=device)
            angles = places[:, None] * (1.0 / self.shape.theta[kind] ** exponents)
            key = torch.polar(torch.ones_like(angles), angles)
            known = torch.stack((key * width**-0.5, key))
            self._turns[kind, device] = known
        return known[:, :length]


class _Embeddings(nn.Module):
    def __init__(self, shape: LeanShape) -> None:
        super().__init__()
        self.tok_embeddings = nn.Embedding(shape.vocabulary, shape.hidden)
        self.norm = nn.LayerNorm(shape.hidden, shape.epsilon, bias=shape.norm_bias)

    def forward(self, input_ids: Tensor) -> Tensor:
        states: Tensor = self.norm(self.tok_embeddings(input_ids))
        return states


class _Layer(nn.Module):
    """Attention, then a gated linear unit, each added to what it read."""

    def __init__(self, shape: LeanShape, number: int) -> None:
        super().__init__()
        # The first layer reads what the embeddings' norm has just put right.
        self.attn_norm: nn.Module = nn.Identity()
        if number:
            self.attn_norm = nn.LayerNorm(shape.hidden, shape.epsilon, bias=shape.norm_bias)
        self.attn = _Attention(shape)
        self.mlp_norm = nn.LayerNorm(shape.hidden, shape.epsilon, bias=shape.norm_bias)
        self.mlp = _Gated(shape)

    def forward(
        self, states: Tensor, size: int, length: int, turn: Tensor, mask: Tensor | None
    ) -> Tensor:
        states = self.attn(self.attn_norm(states), size, length, turn, mask).add_(states)
        return states.add_(self.mlp(self.mlp_norm(states)))


class _Attention(nn.Module):
    def __init__(self, shape: LeanShape) -> None:
        super().__init__()
        self.heads, self.width = shape.heads, shape.hidden // shape.heads
        self.Wqkv = nn.Linear(shape.hidden, 3 * shape.hidden, bias=shape.attention_bias)
        self.Wo = nn.Linear(shape.hidden, shape.hidden, bias=shape.attention_bias)

    def forward(
        self, states: Tensor, size: int, length: int, turn: Tensor, mask: Tensor | None
    ) -> Tensor:
        read = self.Wqkv(states).view(size, length, 3, self.heads, self.width)
        query, key = _turned(read[:, :, :2], turn)
        value = read[:, :, 2].transpose(1, 2)
        if length <= _SHORT and states.dtype == torch.float32:
            seen = _attended(query, key, value, mask)
        else:
            seen = functional.scaled_dot_product_attention(
                query, key, value, attn_mask=mask, scale=1.0
            )
        out: Tensor = self.Wo(seen.transpose(1, 2).reshape(size * length, -1))
        return out


class _Gated(nn.Module):
    def __init__(self, shape: LeanShape) -> None:
        super().__init__()
        self.Wi = nn.Linear(shape.hidden, 2 * shape.inner, bias=shape.inner_bias)
        self.Wo = nn.Linear(shape.inner, shape.hidden, bias=shape.inner_bias)

    def forward(self, states: Tensor) -> Tensor:
        inner, gate = self.Wi(states).chunk(2, dim=-1)
        out: Tensor = self.Wo(functional.gelu(inner).mul_(gate))
        return out


def _turned(pair: Tensor, turn: Tensor) -> Tensor:
    """Turn queries and keys by their places.

    Parameters
    ----------
    pair
        [B, L, 2, heads, width].
    turn
        complex64 [2, L, width / 2].

    Returns
    -------
    Tensor
        [2, B, heads, L, width], each head's rows together.
    """
    size, length, _, heads, width = pair.shape
    numbers = torch.view_as_complex(pair.float().view(*pair.shape[:-1], -1, 2))
    turned = torch.empty((2, size, heads, length, width // 2), dtype=turn.dtype, device=turn.device)
    torch.mul(numbers.permute(2, 0, 3, 1, 4), turn[:, None, None], out=turned)
    return torch.view_as_real(turned).flatten(-2).to(pair.dtype)


def _attended(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Attention over short rows, [B, heads, L, width].

    torch's kernel works head by head and its softmax cannot use vectors on rows of a dozen
    numbers: for sentences of 10 to 15 pieces it takes twice as long as this.
    """
    scores = torch.matmul(query, key.transpose(2, 3))
    least, most = torch.aminmax(scores)
    safe = float(least) > -_SAFE and float(most) < _SAFE
    high = None if safe else scores.abs() >= _SAFE
    if mask is not None:
        scores += mask
    if high is not None:
        # Of the units that need it alone: what a unit yields hangs on no other of its batch.
        unit = high.flatten(1).any(dim=1).view(-1, 1, 1, 1)
        scores = torch.where(unit, scores - scores.amax(dim=-1, keepdim=True), scores)
    weights = scores.exp_()
    # A padded place far from every piece sees nothing: nothing is what it gets.
    seen = weights.sum(dim=-1, keepdim=True).clamp_min_(torch.finfo(weights.dtype).tiny)
    return torch.matmul(weights, value).div_(seen)


def _never(hidden: Tensor, dtype: torch.dtype) -> Tensor:
    """What takes a place out of a softmax, 0 elsewhere."""
    return torch.zeros(hidden.shape, dtype=dtype, device=hidden.device).masked_fill_(
        hidden, torch.finfo(dtype).min / 4
    )


def _pair_rows(module: nn.Module, state: dict[str, Tensor], prefix: str, *_: object) -> None:
    """Put the rows of queries and keys that are turned together side by side."""
    assert isinstance(module, ModernBertForInference)  # noqa: S101 - registered there alone
    shape = module.shape
    width = shape.hidden // shape.heads
    order = torch.arange(width).view(2, -1).t().reshape(-1)
    heads = torch.arange(2 * shape.heads)[:, None] * width + order
    rows = torch.cat((heads.reshape(-1), torch.arange(2 * shape.hidden, 3 * shape.hidden)))
    for number in range(len(shape.kinds)):
        for kind in ("weight", "bias"):
            name = f"{prefix}layers.{number}.attn.Wqkv.{kind}"
            if name in state and len(state[name]) == len(rows):
                state[name] = state[name][rows]


def lean_copy(encoder: nn.Module) -> nn.Module:
    """Return an encoder's lean form, or a copy of what has none."""
    config = getattr(encoder, "config", None)
    if isinstance(encoder, ModernBertForInference) or LeanShape.of(config) is None:
        return copy.deepcopy(encoder)
    with torch.device("meta"):
        made = ModernBertForInference(config)
    weights = {name: tensor.detach().clone() for name, tensor in encoder.state_dict().items()}
    made.load_state_dict(weights, assign=True)
    return made.eval()
