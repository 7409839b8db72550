"""Energy that a block of code used: measured where the machine has meters, else estimated.

With CodeCarbon installed (``pip install 'clinical-nlp[energy]'``) its offline tracker counts
this process and its children: from the processor's own meters (RAPL) where it may read
them, else from processor time and the processor's thermal design power. Without it, processor
seconds times a power per core that ``energy.toml`` gives with its source. Nothing is sent
anywhere and no file is written by either.
"""

from __future__ import annotations

import logging
import resource
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from time import perf_counter
from typing import TYPE_CHECKING, Any

from clinical_nlp.artifacts import read_toml

if TYPE_CHECKING:
    from mlflow import MlflowClient

_JOULES_PER_KWH = 3_600_000


class Energy:
    """Energy of the block of :func:`measured`; reported after the block."""

    def __init__(self, country: str, watts_per_core: float, grams_per_kwh: float) -> None:
        self._country = country
        self._watts = watts_per_core
        self._grams = grams_per_kwh
        self._tracker: Any = None
        self._began = self._seconds = self._cpu = 0.0

    def start(self, with_library: bool) -> None:
        """Start measuring."""
        if with_library:
            from codecarbon import OfflineEmissionsTracker

            # It logs a greeting before it has read its own log level.
            logging.getLogger("codecarbon").setLevel(logging.CRITICAL)
            # All named: a configuration file in the user's home could switch them on.
            self._tracker = OfflineEmissionsTracker(
                country_iso_code=self._country,
                tracking_mode="process",
                save_to_file=False,
                save_to_api=False,
                save_to_logger=False,
                save_to_prometheus=False,
                save_to_logfire=False,
                emissions_endpoint=None,
                log_level="critical",
                # Its lock file in the system's /tmp would let one user's run stop another's.
                allow_multiple_runs=True,
            )
            self._tracker.start()
        self._began, self._cpu = perf_counter(), _cpu_seconds()

    def stop(self) -> None:
        """Stop measuring."""
        self._seconds = perf_counter() - self._began
        self._cpu = _cpu_seconds() - self._cpu
        if self._tracker is not None:
            self._tracker.stop()

    def report(self) -> dict[str, Any]:
        """Return ``kwh``, ``co2_kg``, ``seconds``, ``cpu_seconds`` and ``method``.

        ``method`` is a sentence on how the energy was measured or estimated.
        """
        if self._tracker is not None:
            data = self._tracker.final_emissions_data
            kwh, co2 = float(data.energy_consumed), float(data.emissions)
            method = (
                f"CodeCarbon {version('codecarbon')}, offline, this process and its children: "
                f"processor {1000 * data.cpu_energy:.4g} Wh ({data.cpu_model or 'unknown'}), "
                f"memory {1000 * data.ram_energy:.4g} Wh, "
                f"graphics {1000 * data.gpu_energy:.4g} Wh; grid of {self._country}"
            )
        else:
            kwh = self._cpu * self._watts / _JOULES_PER_KWH
            co2 = kwh * self._grams / 1000
            method = (
                f"estimated: processor seconds times {self._watts:g} W a core, memory and "
                f"cooling left out; {self._grams:g} g CO2e per kWh"
            )
        return {
            "kwh": float(f"{kwh:.4g}"),
            "co2_kg": float(f"{co2:.4g}"),
            "seconds": round(self._seconds, 1),
            "cpu_seconds": round(self._cpu, 1),
            "method": method,
        }


@contextmanager
def measured(with_library: bool | None = None) -> Iterator[Energy]:
    """Measure the energy of a block.

    Parameters
    ----------
    with_library
        Use CodeCarbon; where not given, if it is installed.

    Examples
    --------
    >>> with measured(with_library=False) as energy:
    ...     total = sum(range(1000))
    >>> sorted(energy.report())
    ['co2_kg', 'cpu_seconds', 'kwh', 'method', 'seconds']
    """
    settings = read_toml("clinical_nlp.registry", "energy.toml")
    energy = Energy(settings["country"], **settings["estimate"])
    energy.start(find_spec("codecarbon") is not None if with_library is None else with_library)
    try:
        yield energy
    finally:
        energy.stop()


def log_energy(client: MlflowClient, run: str, energy: Mapping[str, Any] | None) -> None:
    """Log a report to an MLflow run: ``energy.kwh`` and others, and ``energy.json``.

    Nothing is logged where nothing was measured: an absent number is not zero.
    """
    if energy is None:
        return
    for name in ("kwh", "co2_kg", "seconds"):
        client.log_metric(run, f"energy.{name}", float(energy[name]))
    client.log_dict(run, dict(energy), "energy.json")


def _cpu_seconds() -> float:
    """User and system time of this process and of its children that have ended."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
