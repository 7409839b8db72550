"""Assertion: negated, uncertain, historical, a relative's, hypothetical.

medSpaCy's ConText on our own Spanish rules (``data/*.toml``), on plain values, so that a
``Doc`` never carries anything of medSpaCy's.
"""

from clinical_nlp.pipeline.assertion.assertion import AFFIRMED, Assertion
from clinical_nlp.pipeline.assertion.component import EsAssertion, create_assertion

__all__ = ["AFFIRMED", "Assertion", "EsAssertion", "create_assertion"]
