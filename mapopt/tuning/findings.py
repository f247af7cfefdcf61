"""What a tuning study found: tuned against default against other mappers, on instances it has not seen."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import msgspec

from mapopt.documents import Count, Document, Name, Part
from mapopt.mappers.tuned import SplitScore
from mapopt.options import Value
from mapopt.studies.folder import Folder
from mapopt.tuning.scores import Reference

Params = dict[str, bool | int | float | str | None]


class TrialRow(Part, frozen=True):
    """A trial: number, state, score where it was completed, what it tried, and why it gave no score."""

    number: Count
    state: Name
    score: float | None = None
    parameters: Params = msgspec.field(default_factory=dict)
    reason: str = ""


class CaseRow(Part, frozen=True):
    """An instance that counts: its reference and, by method, both gaps (means over seeds)."""

    reference: Reference
    gaps: dict[str, tuple[float, float]]


class Summary(Part, frozen=True):
    """A method on a split: shifted geometric means of the gaps and the score.

    Each has its 95% interval, or ``None`` where there are too few instances for one.
    """

    split: Name
    method: Name
    instances: Count
    period_gap: float
    period_interval: tuple[float, float] | None
    latency_gap: float
    latency_interval: tuple[float, float] | None
    score: float
    score_interval: tuple[float, float] | None


class Contrast(Part, frozen=True):
    """The tuned mapper against another on a split.

    Parameters
    ----------
    split, against
        Where, and whom.
    difference, interval
        Tuned less other: negative is better; the 95% interval resamples instances, and is ``None`` where there are too
        few.
    p_value
        Of this difference, two-sided, by exchange of the two methods on instances.
    wins, losses, ties
        Instances on which the tuned mapper's score is less, larger, the same.
    """

    split: Name
    against: Name
    difference: float
    interval: tuple[float, float] | None
    p_value: float
    wins: Count
    losses: Count
    ties: Count


class Finalist(Part, frozen=True):
    """A trial that was compared on the validation split; the start has no number if it was no trial."""

    trial: int | None
    train: float
    validation: float


class Findings(Document, frozen=True):
    """The result of a tuning study.

    Parameters
    ----------
    study, mapper
        Names; no mapper where a formulation is tuned.
    sampler, pruner
        How it searched.
    schedule_class
        In which everything is measured.
    latency_weight
        Of the latency's gap in the score.
    options, default_options
        All options, as tuned and by default.
    code
        Digest of the mapper's or the formulation's code.
    trial
        The one chosen, or ``None`` where the start is.
    trials
        All of them.
    importances
        Share of each parameter in the differences of scores; empty where too few trials were completed.
    finalists
        From which the trial was chosen.
    methods
        In order: tuned, default, where the study does not start from the defaults its start, baselines.
    cases
        The instances that count, their best known latencies lowered by the compared runs.
    excluded
        Those that do not, with the reason.
    summaries, contrasts
        By split.
    overfitting
        Why the tuning is taken to be over-fitted, or ``""``.
    formulation
        The name of the formulation that is tuned, or ``None``.
    """

    KIND: ClassVar[str] = "findings"

    study: Name
    mapper: Name | None
    sampler: Name
    pruner: Name
    schedule_class: str
    latency_weight: float
    options: Params
    default_options: Params
    code: str
    trial: int | None
    trials: tuple[TrialRow, ...]
    importances: dict[str, float]
    finalists: tuple[Finalist, ...]
    methods: tuple[Name, ...]
    cases: tuple[CaseRow, ...]
    excluded: tuple[Reference, ...]
    summaries: tuple[Summary, ...]
    contrasts: tuple[Contrast, ...]
    overfitting: str = ""
    formulation: Name | None = None

    def summary(self, split: str, method: str) -> Summary:
        """Return a method's figures on a split."""
        return next(each for each in self.summaries if (each.split, each.method) == (split, method))

    @property
    def tuned(self) -> str:
        """The label of what is tuned, with the options found."""
        return self.methods[0]

    @property
    def default(self) -> str:
        """The label of what is tuned, with its defaults."""
        return self.methods[1]

    def proven(self) -> dict[str, tuple[int, int, int]]:
        """Return for every split how many instances count, and of how many the period and the latency are proven."""
        found: dict[str, tuple[int, int, int]] = {}
        for each in (case.reference for case in self.cases):
            count, periods, latencies = found.get(each.split, (0, 0, 0))
            found[each.split] = (
                count + 1,
                periods + (each.period == each.period_bound),
                latencies + (each.latency == each.latency_bound),
            )
        return found

    def split_scores(self) -> tuple[SplitScore, ...]:
        """Return the figures that a parameter file carries."""
        found = []
        for split in dict.fromkeys(each.split for each in self.summaries):
            mine, default = self.summary(split, self.tuned), self.summary(split, self.default)
            found.append(
                SplitScore(
                    split,
                    mine.instances,
                    mine.period_gap,
                    mine.latency_gap,
                    default.period_gap,
                    default.latency_gap,
                )
            )
        return tuple(found)


def findings_file(folder: Folder) -> Path:
    """Return where the findings of a tuning study are."""
    return folder.path / "findings.json"


def changed_options(findings: Findings) -> dict[str, Value]:
    """Return the options that tuning changed."""
    return {
        name: value for name, value in findings.options.items() if value != findings.default_options.get(name)
    }
