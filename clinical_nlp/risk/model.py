"""The risk model that the nightly job calls: records in, explained estimates out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from clinical_nlp.lexicon import Lexicon, load_lexicon
from clinical_nlp.records import (
    EstimateStatus,
    ModelReference,
    NoteFindings,
    PatientRecord,
    RiskEstimate,
)
from clinical_nlp.risk.bands import band_of
from clinical_nlp.risk.classifiers import build_classifier
from clinical_nlp.risk.diagnosis import Diagnosis, find_diagnosis
from clinical_nlp.risk.feature_table import FeatureTable, load_features
from clinical_nlp.risk.features import Matrix, feature_matrix
from clinical_nlp.risk.missing import diagnosis_reasons, missing_sentences, unconfirmed_sentences
from clinical_nlp.risk.model_artifacts import ModelArtifacts
from clinical_nlp.risk.reasons import reasons_for
from clinical_nlp.risk.sentences import templates, uncertainty_es
from clinical_nlp.risk.timeline import Timeline
from clinical_nlp.risk.timeline_builder import build_timeline
from clinical_nlp.spanish import months_of

#: An older "age" is a typing error in the birth date: the oldest person known lived 122 years.
MAX_PLAUSIBLE_AGE = 115

#: Probabilities are rounded so that the size of a batch, which changes the last bits of
#: a matrix product, cannot change the output's bytes.
_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class _Case:
    """One patient on the way to an estimate."""

    timeline: Timeline
    diagnosis: Diagnosis
    abstention: str | None


class RiskModel:
    """A trained classifier with what it takes to score, explain and abstain.

    Parameters
    ----------
    parts
        Classifier, arrays and spec, as they are saved and loaded.
    reference
        Name, version, URI and digest that every estimate carries.
    lexicon, table
        The package's own where not given.

    Raises
    ------
    ModelError
        E414, E416: the classifier does not fit the feature table.

    Examples
    --------
    >>> model = load_champion()                      # doctest: +SKIP
    >>> model.estimate([(record, notes)], date(2024, 6, 30))  # doctest: +SKIP
    """

    def __init__(
        self,
        parts: ModelArtifacts,
        reference: ModelReference,
        lexicon: Lexicon | None = None,
        table: FeatureTable | None = None,
    ) -> None:
        self.spec = parts.spec
        self.reference = reference
        self._lexicon = lexicon if lexicon is not None else load_lexicon()
        self._table = table if table is not None else load_features()
        self.spec.check(self._table)
        self._classifier = build_classifier(parts, self._table)

    def estimate(
        self, patients: Sequence[tuple[PatientRecord, tuple[NoteFindings, ...]]], as_of: date
    ) -> list[RiskEstimate]:
        """Score patients as of a day.

        Parameters
        ----------
        patients
            Each patient's record and the findings of their notes.
        as_of
            Index day; what the record holds of later days is not used.

        Returns
        -------
        list of RiskEstimate
            In the order given. Diagnosed patients are reported and not scored; those
            outside the model's support get the reason instead of a number.
        """
        cases = [self._case(record, notes, as_of) for record, notes in patients]
        scored = [c for c in cases if not c.diagnosis.confirmed and c.abstention is None]
        timelines = [case.timeline for case in scored]
        features = feature_matrix(timelines, self._table)
        slope, _ = self.spec.recalibration
        rows = iter(
            zip(
                self.probabilities(features, timelines),
                self.intervals(features, timelines),
                slope * self._classifier.contributions(features, timelines),
                features.tolist(),
                strict=True,
            )
        )
        estimates: list[RiskEstimate] = []
        for case in cases:
            if case.diagnosis.confirmed:
                estimates.append(self._diagnosed(case))
            elif case.abstention is not None:
                estimates.append(self._abstained(case))
            else:
                probability, interval, contributions, row = next(rows)
                scored_one = self._scored(case, float(probability), interval, contributions)
                estimates.append(replace(scored_one, features=tuple(row)))
        return estimates

    def probabilities(
        self, features: Matrix, timelines: Sequence[Timeline] | None = None
    ) -> Matrix:
        """Probability by row of a feature matrix: (patients, features) to (patients,).

        Parameters
        ----------
        timelines
            What the rows were computed from; the sequence model reads these.

        Raises
        ------
        ModelError
            E418: a sequence model was given rows alone.
        """
        return self._probability(self._classifier.log_odds(features, timelines))

    def intervals(
        self, features: Matrix, timelines: Sequence[Timeline] | None = None
    ) -> list[tuple[float, float] | None]:
        """Interval around each probability, from the bootstrap members; ``None`` without any.

        It says how far the estimate would move with other training patients, not how far
        one patient's fate may.
        """
        members = self._classifier.members(features, timelines)
        if members.shape[1] == 0:
            return [None] * len(features)
        tail = (1 - self.spec.interval_level) / 2
        bounds = self._probability(np.quantile(members, [tail, 1 - tail], axis=1))
        middle = self.probabilities(features, timelines)
        return [
            (float(min(low, p)), float(max(high, p)))
            for low, high, p in zip(*bounds, middle, strict=True)
        ]

    def _probability(self, log_odds: Matrix) -> Matrix:
        slope, shift = self.spec.recalibration
        # Within 40 log-odds of evens, where the exponential neither overflows nor rounds to 1.
        z = np.clip(slope * log_odds + shift, -40.0, 40.0)
        probability: Matrix = (1 / (1 + np.exp(-z))).round(_DECIMALS)
        return probability

    def _case(self, record: PatientRecord, notes: Sequence[NoteFindings], as_of: date) -> _Case:
        timeline = build_timeline(record, notes, self._lexicon, as_of)
        return _Case(timeline, find_diagnosis(timeline), self._abstention(record, timeline))

    def _abstention(self, record: PatientRecord, timeline: Timeline) -> str | None:
        words: Mapping[str, str] = templates()["abstention"]
        dead = record.deceased if record.died is None else record.died <= timeline.as_of
        if dead:
            return words["deceased"]
        if timeline.age is None or timeline.age > MAX_PLAUSIBLE_AGE:
            return words["age_unknown"]
        if timeline.age < self.spec.min_age:
            return words["too_young"].format(min_age=self.spec.min_age)
        if timeline.age > self.spec.max_age:
            return words["too_old"].format(max_age=self.spec.max_age)
        start = timeline.as_of - timedelta(days=self._table.lookback_days)
        if not any(day > start for day in timeline.contact_days):
            months = months_of(self._table.lookback_days)
            return words["no_data"].format(months=months)
        return None

    def _scored(
        self,
        case: _Case,
        probability: float,
        interval: tuple[float, float] | None,
        contributions: Matrix,
    ) -> RiskEstimate:
        by_feature = dict(zip(self._table.names, contributions.tolist(), strict=True))
        concepts = self._lexicon.concepts
        return RiskEstimate(
            **self._common(case, EstimateStatus.SCORED),
            probability=probability,
            interval=interval,
            interval_level=None if interval is None else self.spec.interval_level,
            uncertainty=uncertainty_es(interval, self.spec.interval_level),
            band=band_of(probability).key,
            reasons=reasons_for(case.timeline, by_feature, self._table, concepts),
            missing=missing_sentences(case.timeline, case.diagnosis, self._table.lookback_days),
        )

    def _diagnosed(self, case: _Case) -> RiskEstimate:
        return RiskEstimate(
            **self._common(case, EstimateStatus.DIAGNOSED),
            reasons=diagnosis_reasons(case.diagnosis),
        )

    def _abstained(self, case: _Case) -> RiskEstimate:
        return RiskEstimate(
            **self._common(case, EstimateStatus.ABSTAINED),
            abstention=case.abstention,
            missing=unconfirmed_sentences(case.diagnosis),
        )

    def _common(self, case: _Case, status: EstimateStatus) -> dict[str, Any]:
        return {
            "patient_id": case.timeline.patient_id,
            "status": status,
            "index_date": case.timeline.as_of,
            "horizon_days": self.spec.horizon_days,
            "model": self.reference,
        }
