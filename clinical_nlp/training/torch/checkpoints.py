"""A training run on disk, so that a killed one goes on where it was.

Tensors are kept as safetensors and numbers as JSON; nothing is pickled. A state is written
beside the old one and renamed over it: a kill in between leaves the old one whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clinical_nlp.artifacts import replace_folder
from clinical_nlp.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

_TENSORS = "state.safetensors"
_NUMBERS = "state.json"


@dataclass(frozen=True)
class RunState:
    """What a run has to remember.

    Parameters
    ----------
    module
        Everything that is trained.
    optimisers
        In a fixed order.
    extra
        Other tensors by name (averaged weights).
    """

    module: nn.Module
    optimisers: Sequence[Optimizer]
    extra: dict[str, Tensor]

    def save(self, folder: Path, numbers: Mapping[str, Any]) -> None:
        """Write the state, and the numbers that go with it, in place of an earlier one.

        The generator of torch is saved too: dropout goes on as it would have.
        """
        import torch
        from safetensors.torch import save_file

        tensors = {f"module.{name}": value for name, value in self.module.state_dict().items()}
        tensors |= {f"extra.{name}": value for name, value in self.extra.items()}
        tensors["generator"] = torch.get_rng_state()
        for number, optimiser in enumerate(self.optimisers):
            for index, slots in optimiser.state_dict()["state"].items():
                for name, value in slots.items():
                    tensors[f"optimiser.{number}.{index}.{name}"] = torch.as_tensor(value)
        with replace_folder(folder) as fresh:
            # Tied weights share memory, which safetensors refuses: copies are written.
            save_file({name: t.detach().clone() for name, t in tensors.items()}, fresh / _TENSORS)
            (fresh / _NUMBERS).write_text(json.dumps(numbers), "utf-8")

    def load(self, folder: Path, recipe: Mapping[str, Any]) -> dict[str, Any] | None:
        """Take up a saved state; its numbers, or ``None`` where there is none.

        Parameters
        ----------
        folder
            As given to :meth:`save`.
        recipe
            Must equal the ``"recipe"`` among the saved numbers.

        Raises
        ------
        ModelError
            E464: the state is of another recipe, or damaged.
        """
        import torch
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        if not (folder / _NUMBERS).is_file():
            return None
        try:
            numbers: dict[str, Any] = json.loads((folder / _NUMBERS).read_text("utf-8"))
            if numbers["recipe"] != json.loads(json.dumps(recipe)):
                raise ModelError(
                    "E464",
                    f"the unfinished run in '{folder}' follows another recipe: remove the "
                    "folder to start anew, or give the recipe it was begun with",
                )
            tensors = load_file(folder / _TENSORS)
            self.module.load_state_dict(_part(tensors, "module."))
            self.extra.clear()
            self.extra.update(_part(tensors, "extra."))
            for number, optimiser in enumerate(self.optimisers):
                slots: dict[int, dict[str, Tensor]] = {}
                for name, value in _part(tensors, f"optimiser.{number}.").items():
                    index, slot = name.split(".", 1)
                    slots.setdefault(int(index), {})[slot] = value
                optimiser.load_state_dict({**optimiser.state_dict(), "state": slots})
            torch.set_rng_state(tensors["generator"])
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelError(
                "E464",
                f"the unfinished run in '{folder}' cannot be taken up ({type(error).__name__}): "
                "remove the folder to start anew",
            ) from None
        return numbers


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
