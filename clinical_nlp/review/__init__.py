"""The clinician's view of a batch: work list, timeline, notes and reasons.

>>> from clinical_nlp.review import open_batch, open_patient, show_worklist  # doctest: +SKIP
>>> batch = open_batch("out")  # doctest: +SKIP
>>> show_worklist(batch)  # doctest: +SKIP
"""

from clinical_nlp.review.highlight import show_notes
from clinical_nlp.review.output import BatchOutput, open_batch
from clinical_nlp.review.patient import PatientReview, RecordSource, open_patient
from clinical_nlp.review.plot import show_timeline
from clinical_nlp.review.reasons import show_reasons
from clinical_nlp.review.worklist import show_not_scored, show_states, show_worklist

__all__ = [
    "BatchOutput",
    "PatientReview",
    "RecordSource",
    "open_batch",
    "open_patient",
    "show_not_scored",
    "show_notes",
    "show_reasons",
    "show_states",
    "show_timeline",
    "show_worklist",
]
