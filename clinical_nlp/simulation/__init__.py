"""Simulated Spanish primary-care patients: notes, coded record, and the truth behind both."""

from clinical_nlp.simulation.parameters import Parameters, load_parameters
from clinical_nlp.simulation.services import Service, draw_service
from clinical_nlp.simulation.simulator import (
    AnyParameters,
    SimulatedPatient,
    Truth,
    simulate_patient,
    simulate_patients,
)
from clinical_nlp.simulation.stages.parameters import StagesParameters, load_stages_parameters
from clinical_nlp.simulation.stages.services import draw_stages_parameters

__all__ = [
    "AnyParameters",
    "Parameters",
    "Service",
    "SimulatedPatient",
    "StagesParameters",
    "Truth",
    "draw_service",
    "draw_stages_parameters",
    "load_parameters",
    "load_stages_parameters",
    "simulate_patient",
    "simulate_patients",
]
