"""The risk model of the nightly job: patient records to explained estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
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
from clinical_nlp.risk.advice import advise
from clinical_nlp.risk.bands import band_of, load_bands
from clinical_nlp.risk.care import Care, read_care
from clinical_nlp.risk.classifiers import build_classifier
from clinical_nlp.risk.clinical_picture import picture_reasons
from clinical_nlp.risk.eligibility import Eligibility, Population, eligibility
from clinical_nlp.risk.feature_table import FeatureTable, load_features
from clinical_nlp.risk.features import Matrix, bounded, feature_matrix
from clinical_nlp.risk.frequency import frequency_es, usual_log_odds
from clinical_nlp.risk.hanging import (
    hanging_sentence,
    hangs,
    measured_outside,
    without_latest_value,
)
from clinical_nlp.risk.model_artifacts import ModelArtifacts
from clinical_nlp.risk.prevalence_sentences import sign_missing, sign_reasons
from clinical_nlp.risk.reasons import diagnosis_reasons, reasons_for
from clinical_nlp.risk.reference_person import reference_rows
from clinical_nlp.risk.sentences import (
    between_es,
    decides_nothing,
    missing_sentences,
    templates,
    uncertainty_es,
    unconfirmed_sentences,
)
from clinical_nlp.risk.suspicion_sentences import (
    suspicion_missing,
    suspicion_reasons,
    treatment_reasons,
)
from clinical_nlp.risk.timeline import Timeline
from clinical_nlp.risk.timeline_builder import build_timeline
from clinical_nlp.spanish import months_of

#: Decimals of probabilities. The batch size changes the last bits of a matrix product; it
#: must not change the output.
_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class _Case:
    """A patient to be estimated, with what stands against an estimate, if anything."""

    timeline: Timeline
    found: Eligibility
    care: Care

    @property
    def is_scored(self) -> bool:
        """Whether nothing stands against an estimate."""
        return self.found.status is EstimateStatus.SCORED


class RiskModel:
    """A trained classifier that scores, explains and abstains.

    Parameters
    ----------
    artifacts
        Classifier, arrays and spec.
    reference
        Name, version, URI and digest, copied to every estimate.
    lexicon, table
        By default those of the package.

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
        artifacts: ModelArtifacts,
        reference: ModelReference,
        lexicon: Lexicon | None = None,
        table: FeatureTable | None = None,
    ) -> None:
        self.spec = artifacts.spec
        self.reference = reference
        self._lexicon = lexicon if lexicon is not None else load_lexicon()
        self._table = table if table is not None else load_features()
        self.spec.check(self._table)
        self._classifier = build_classifier(artifacts, self._table)

    def estimate(
        self, patients: Sequence[tuple[PatientRecord, tuple[NoteFindings, ...]]], as_of: date
    ) -> list[RiskEstimate]:
        """Score patients as of a day.

        Parameters
        ----------
        patients
            Each patient's record and the findings of their notes.
        as_of
            Index day; later data are not used.

        Returns
        -------
        list of RiskEstimate
            In the order given. Diagnosed and suspected patients, and those outside the model's
            support, have a status and reasons instead of a probability.
        """
        cases = [self._case(record, notes, as_of) for record, notes in patients]
        scored = [case for case in cases if case.is_scored]
        timelines = [case.timeline for case in scored]
        measured = feature_matrix(timelines, self._table)
        features = bounded(measured, self.spec.bounds)
        probabilities = self.probabilities(features, timelines)
        slope, _ = self.spec.recalibration
        reference = bounded(reference_rows(timelines, features, self._table), self.spec.bounds)
        rows = iter(
            zip(
                probabilities.tolist(),
                self.intervals(features, timelines),
                self._usual(features),
                slope * self._classifier.contributions(features, reference, timelines),
                features.tolist(),
                self._hanging(timelines, measured, probabilities),
                strict=True,
            )
        )
        return [
            self._scored(case, *next(rows)) if case.is_scored else self._not_scored(case)
            for case in cases
        ]

    def probabilities(
        self, features: Matrix, timelines: Sequence[Timeline] | None = None
    ) -> Matrix:
        """Probability by row of a feature matrix: (patients, features) to (patients,).

        Values outside the range of the training are taken as its bounds.

        Parameters
        ----------
        timelines
            Timelines of the rows; needed by the sequence model.

        Raises
        ------
        ModelError
            E418: a sequence model was given no timelines.
        """
        features = bounded(features, self.spec.bounds)
        return self._probability(self._classifier.log_odds(features, timelines))

    def intervals(
        self, features: Matrix, timelines: Sequence[Timeline] | None = None
    ) -> list[tuple[float, float] | None]:
        """Interval of each probability from the bootstrap members; ``None`` without members.

        It reflects the choice of training patients, not the randomness of one outcome.
        """
        members = self._classifier.members(bounded(features, self.spec.bounds), timelines)
        if members.shape[1] == 0:
            return [None] * len(features)
        tail = (1 - self.spec.interval_level) / 2
        bounds = self._probability(np.quantile(members, [tail, 1 - tail], axis=1))
        points = self.probabilities(features, timelines)
        return [
            (float(min(low, p)), float(max(high, p)))
            for low, high, p in zip(*bounds, points, strict=True)
        ]

    def _usual(self, features: Matrix) -> list[float | None]:
        """Probability of people of the same age and sex, on the line of the recalibration."""
        log_odds = usual_log_odds(features, self.spec, self._table)
        if log_odds is None:
            return [None] * len(features)
        usual: list[float | None] = self._probability(log_odds).tolist()
        return usual

    def _probability(self, log_odds: Matrix) -> Matrix:
        slope, intercept = self.spec.recalibration
        # Clipped so that the exponential cannot overflow.
        z = np.clip(slope * log_odds + intercept, -40.0, 40.0)
        probability: Matrix = (1 / (1 + np.exp(-z))).round(_DECIMALS)
        return probability

    def _hanging(
        self, timelines: Sequence[Timeline], measured: Matrix, probabilities: Matrix
    ) -> list[tuple[str, ...]]:
        """Sentences on the values outside the training's range that an estimate hangs on."""
        outside = measured_outside(measured, self.spec.bounds, self._table)
        without = [
            without_latest_value(timelines[row], topic, self._table) for row, topic in outside
        ]
        estimates = self.probabilities(feature_matrix(without, self._table), without)
        sentences: list[tuple[str, ...]] = [() for _ in timelines]
        for (row, topic), p in zip(outside, estimates.tolist(), strict=True):
            if hangs(float(probabilities[row]), p):
                said = hanging_sentence(
                    topic, timelines[row], p, self._table, self._lexicon.concepts
                )
                sentences[row] = (*sentences[row], said)
        return sentences

    def _case(self, record: PatientRecord, notes: Sequence[NoteFindings], as_of: date) -> _Case:
        timeline = build_timeline(record, notes, self._lexicon, as_of)
        found = eligibility(record, timeline, self.population)
        return _Case(timeline, found, read_care(record, notes, as_of))

    @property
    def population(self) -> Population:
        """Whom the model is for."""
        spec = self.spec
        return Population(spec.min_age, self._table.lookback_days, spec.max_age)

    def _abstention(self, key: str) -> str:
        words: Mapping[str, str] = templates()["abstention"]
        spec, months = self.spec, months_of(self._table.lookback_days)
        return words[key].format(min_age=spec.min_age, max_age=spec.max_age, months=months)

    def _scored(
        self,
        case: _Case,
        probability: float,
        interval: tuple[float, float] | None,
        usual: float | None,
        contributions: Matrix,
        features: list[float],
        hanging: tuple[str, ...],
    ) -> RiskEstimate:
        missing = (*hanging, *missing_sentences(case.timeline, case.found.diagnosis, self._table))
        if interval is not None and decides_nothing(interval):
            words: str = templates()["abstention"]["too_wide"]
            return RiskEstimate(
                **self._common(case, EstimateStatus.ABSTAINED),
                abstention=words.format(between=between_es(*interval)),
                missing=missing,
            )
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
            missing=missing,
            usual=usual,
            frequency=frequency_es(probability, usual, case.timeline, self.spec.horizon_days),
            features=tuple(features),
            advice=self._advice(case, asks=probability >= load_bands().worklist_threshold),
        )

    def _advice(self, case: _Case, **situation: bool) -> tuple[str, ...]:
        concepts = self._lexicon.concepts
        return advise(case.timeline, case.care, self._table, concepts, **situation)

    def _not_scored(self, case: _Case) -> RiskEstimate:
        found, concepts = case.found, self._lexicon.concepts
        common = self._common(case, found.status)
        if found.status is EstimateStatus.DIAGNOSED:
            treatment = treatment_reasons(found.diagnosis, concepts)
            return RiskEstimate(**common, reasons=(*diagnosis_reasons(found.diagnosis), *treatment))
        if found.status is EstimateStatus.SUSPECTED:
            advice = self._advice(case, suspected=True)
            reasons, missing = sign_reasons(found.signs, concepts), sign_missing()
            if found.suspicion is not None:
                picture = picture_reasons(case.timeline, self._lexicon.concepts, self._table)
                reasons = (*suspicion_reasons(found.suspicion), *reasons, *picture)
                # The advice says which tests are missing, and knows what stands in their place.
                missing = suspicion_missing(found.suspicion, tests=not advice)
            return RiskEstimate(**common, reasons=reasons, missing=missing, advice=advice)
        return RiskEstimate(
            **common,
            abstention=self._abstention(found.abstention or ""),
            missing=unconfirmed_sentences(found.diagnosis),
        )

    def _common(self, case: _Case, status: EstimateStatus) -> dict[str, Any]:
        return {
            "patient_id": case.timeline.patient_id,
            "status": status,
            "index_date": case.timeline.as_of,
            "horizon_days": self.spec.horizon_days,
            "model": self.reference,
        }
