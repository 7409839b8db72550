"""A second simulator: stages of heart failure in continuous time, care as events that bring events.

Nothing of its disease, its care or its words comes from the first simulator
(:mod:`clinical_nlp.simulation.simulator`): a model made on the one can be tested on the other.
"""
