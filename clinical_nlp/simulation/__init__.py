"""Simulated Spanish primary-care patients: notes, coded record, and the truth behind both."""

from clinical_nlp.simulation.parameters import Parameters, load_parameters
from clinical_nlp.simulation.services import Service, draw_service
from clinical_nlp.simulation.simulator import (
    SimulatedPatient,
    Truth,
    simulate_patient,
    simulate_patients,
)

__all__ = [
    "Parameters",
    "Service",
    "SimulatedPatient",
    "Truth",
    "draw_service",
    "load_parameters",
    "simulate_patient",
    "simulate_patients",
]
