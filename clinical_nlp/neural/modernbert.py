"""ModernBERT for inference on a CPU.

Computes what transformers' ``ModernBertModel`` [1]_ computes, from the same weights, in fewer
passes over memory and fewer calls a layer: a small encoder spends most of its time on calls.
It does not import transformers' modelling code either, which takes 80 MiB.
``benchmarks/private_engines.py`` measures both.

The two dimensions that a rotary embedding [2]_ rotates together are adjacent here, so that the
rotation is one product of complex numbers: the rows of the query and key weights are reordered
when they are loaded. Products of queries and keys do not depend on that order.

References
----------
.. [1] Warner et al., "Smarter, Better, Faster, Longer", arXiv:2412.13663, 2024.
.. [2] Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding",
   Neurocomputing 568, 2024.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from clinical_nlp.neural.attention import additive_mask, apply_rotary, attention
from clinical_nlp.neural.batch_invariant import BatchInvariantLinear

_FULL, _SLIDING = "full_attention", "sliding_attention"

#: transformers' ``ModernBertConfig``, which is not imported here.
Config = Any


def is_implemented(config: Config) -> bool:
    """Whether a configuration is a ``ModernBertConfig`` without a feature that is missing here."""
    if getattr(config, "model_type", None) != "modernbert":
        return False
    ropes = [config.rope_parameters[kind] for kind in set(config.layer_types)]
    is_default = all(rope.get("rope_type", "default") == "default" for rope in ropes)
    is_even = config.hidden_size % (2 * config.num_attention_heads) == 0
    return is_default and is_even and bool(config.hidden_activation == "gelu")


class ModernBertForInference(nn.Module):
    """The encoder; loads the state dict of a ``ModernBertModel`` of the same configuration.

    Parameters
    ----------
    config
        transformers' ``ModernBertConfig``.

    Raises
    ------
    ValueError
        It is not implemented: see :func:`is_implemented`.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        if not is_implemented(config):
            raise ValueError("no ModernBERT that is implemented here")
        self.config = config
        self.embeddings = _Embeddings(config)
        layers = range(len(config.layer_types))
        self.layers = nn.ModuleList(_Layer(config, number) for number in layers)
        self.final_norm = _layer_norm(config)
        self._rotary: dict[tuple[str, torch.device], Tensor] = {}
        self.register_load_state_dict_pre_hook(_pair_rows)  # type: ignore[no-untyped-call]

    def get_input_embeddings(self) -> nn.Embedding:
        """The embedding table, under transformers' name for it."""
        return self.embeddings.tok_embeddings

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
    ) -> tuple[Tensor]:
        """Return hidden states, float [B, L, hidden], as the only item of a tuple.

        Parameters
        ----------
        input_ids, attention_mask
            int64 [B, L]; the mask is 1 where there is a piece.
        inputs_embeds
            Instead of ids their embeddings, float [B, L, hidden].
        """
        assert attention_mask is not None  # noqa: S101 - transformers' order of parameters
        size, length = attention_mask.shape
        states = self.embeddings(input_ids, inputs_embeds).view(size * length, -1)
        masks = self._masks(attention_mask, states.dtype)
        for layer, kind in zip(self.layers, self.config.layer_types, strict=True):
            rotary = self._rotary_factors(kind, length, states.device)
            states = layer(states, size, length, rotary, masks[kind])
        return (self.final_norm(states).view(size, length, -1),)

    def _masks(self, attention_mask: Tensor, dtype: torch.dtype) -> dict[str, Tensor | None]:
        """Additive masks by kind of attention, float [B, 1, 1 or L, L]; ``None`` masks nothing."""
        length = attention_mask.shape[1]
        full: Tensor | None = None
        if not bool(attention_mask.all()):
            full = additive_mask(attention_mask == 0, dtype)[:, None, None, :]
        if length <= self.config.sliding_window + 1:
            return {_FULL: full, _SLIDING: full}
        place = torch.arange(length, device=attention_mask.device)
        distance = (place[:, None] - place[None, :]).abs()
        far = additive_mask(distance > self.config.sliding_window, dtype)
        return {_FULL: full, _SLIDING: far[None, None] if full is None else far + full}

    def _rotary_factors(self, kind: str, length: int, device: torch.device) -> Tensor:
        """Rotary factors of queries and keys, complex64 [2, L, width / 2]; cached.

        Those of the queries include the scale of attention, width ** -0.5.
        """
        factors = self._rotary.get((kind, device))
        if factors is None or factors.shape[1] < length:
            width = self.config.hidden_size // self.config.num_attention_heads
            theta = float(self.config.rope_parameters[kind]["rope_theta"])
            exponents = torch.arange(0, width, 2, dtype=torch.float, device=device) / width
            places = torch.arange(max(length, 512), dtype=torch.float, device=device)
            angles = places[:, None] * (1.0 / theta**exponents)
            key = torch.polar(torch.ones_like(angles), angles)
            factors = torch.stack((key * width**-0.5, key))
            self._rotary[kind, device] = factors
        return factors[:, :length]


def _layer_norm(config: Config) -> nn.LayerNorm:
    return nn.LayerNorm(config.hidden_size, config.norm_eps, bias=config.norm_bias)


class _Embeddings(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.tok_embeddings = nn.Embedding(config.vocab_size, config.hidden_size)
        self.norm = _layer_norm(config)

    def forward(self, input_ids: Tensor | None, inputs_embeds: Tensor | None) -> Tensor:
        if inputs_embeds is None:
            inputs_embeds = self.tok_embeddings(input_ids)
        states: Tensor = self.norm(inputs_embeds)
        return states


class _Layer(nn.Module):
    """Attention, then a gated linear unit, each with a residual connection."""

    def __init__(self, config: Config, number: int) -> None:
        super().__init__()
        # The embeddings are normalised already.
        self.attn_norm: nn.Module = _layer_norm(config) if number else nn.Identity()
        self.attn = _Attention(config)
        self.mlp_norm = _layer_norm(config)
        self.mlp = _GatedLinearUnit(config)

    def forward(
        self, states: Tensor, size: int, length: int, rotary: Tensor, mask: Tensor | None
    ) -> Tensor:
        states = self.attn(self.attn_norm(states), size, length, rotary, mask).add_(states)
        return states.add_(self.mlp(self.mlp_norm(states)))


class _Attention(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        size, bias = config.hidden_size, config.attention_bias
        self.heads = config.num_attention_heads
        self.width = size // self.heads
        self.Wqkv = BatchInvariantLinear(size, 3 * size, bias=bias)
        self.Wo = BatchInvariantLinear(size, size, bias=bias)

    def forward(
        self, states: Tensor, size: int, length: int, rotary: Tensor, mask: Tensor | None
    ) -> Tensor:
        projected = self.Wqkv(states).view(size, length, 3, self.heads, self.width)
        query, key = apply_rotary(projected[:, :, :2], rotary)
        value = projected[:, :, 2].transpose(1, 2)
        attended = attention(query, key, value, mask)
        out: Tensor = self.Wo(attended.transpose(1, 2).reshape(size * length, -1))
        return out


class _GatedLinearUnit(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        size, inner, bias = config.hidden_size, config.intermediate_size, config.mlp_bias
        self.Wi = BatchInvariantLinear(size, 2 * inner, bias=bias)
        self.Wo = BatchInvariantLinear(inner, size, bias=bias)

    def forward(self, states: Tensor) -> Tensor:
        inner, gate = self.Wi(states).chunk(2, dim=-1)
        out: Tensor = self.Wo(functional.gelu(inner).mul_(gate))
        return out


def _pair_rows(module: nn.Module, state: dict[str, Tensor], prefix: str, *_: object) -> None:
    """Reorder query and key weights so that dimensions rotated together are adjacent."""
    assert isinstance(module, ModernBertForInference)  # noqa: S101 - registered there alone
    size, count = module.config.hidden_size, module.config.num_attention_heads
    order = torch.arange(size // count).view(2, -1).t().reshape(-1)
    heads = torch.arange(2 * count)[:, None] * (size // count) + order
    rows = torch.cat((heads.reshape(-1), torch.arange(2 * size, 3 * size)))
    for number in range(len(module.layers)):
        for kind in ("weight", "bias"):
            name = f"{prefix}layers.{number}.attn.Wqkv.{kind}"
            if name in state and len(state[name]) == len(rows):
                state[name] = state[name][rows]


def copy_for_inference(encoder: nn.Module) -> nn.Module:
    """Copy an encoder, a ModernBERT as :class:`ModernBertForInference`."""
    config = getattr(encoder, "config", None)
    if isinstance(encoder, ModernBertForInference) or not is_implemented(config):
        return copy.deepcopy(encoder)
    with torch.device("meta"):
        copied = ModernBertForInference(config)
    weights = {name: tensor.detach().clone() for name, tensor in encoder.state_dict().items()}
    copied.load_state_dict(weights, assign=True)
    return copied.eval()
