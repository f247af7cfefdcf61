"""Runs of what is tuned, made in this process, judged, kept and turned into gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mapopt.errors import MapoptError, UnsupportedError
from mapopt.options import Value
from mapopt.studies.methods import MapperMethod, Run
from mapopt.studies.outcomes import bare_record
from mapopt.studies.records import Record
from mapopt.studies.store import run_or_reuse
from mapopt.studies.worker import warm_up
from mapopt.tuning.cases import Case
from mapopt.tuning.scores import Gaps, Reference, gaps_of
from mapopt.tuning.setup import Setup
from mapopt.tuning.subject import TunedSolve


class TooSlowError(MapoptError):
    """A run took longer than the study allows."""


class Evaluator:
    """Judges options of what a study tunes; every run is kept, and made once.

    Parameters
    ----------
    setup
        The study.
    """

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._store = setup.folder.store
        self._known: dict[str, Gaps] = {}
        self._warm = False

    def gaps(
        self, values: Mapping[str, Value], cases: Sequence[tuple[Case, Reference]]
    ) -> Iterator[tuple[Gaps, ...]]:
        """Yield, case by case, the gaps of every seed.

        Raises
        ------
        TooSlowError
            If a run takes longer than the study allows, twice.
        MapoptError
            If the mapper or the formulation is defective.
        KeyboardInterrupt
            If somebody stopped a solve; its result is not kept.
        """
        self._warm_up(cases)
        method = self._setup.subject.with_settings(self._setup.subject.settings(values))
        for case, reference in cases:
            yield tuple(self._gaps(method, case, reference, seed) for seed in self._setup.seeds)

    def _warm_up(self, cases: Sequence[tuple[Case, Reference]]) -> None:
        """Compile what runs and their judge need, so that no trial is charged for it."""
        if self._warm:
            return
        solves = self._setup.subject.kind == "formulation"
        warm_up(solves)
        if not solves:
            smallest = min((case for case, _ in cases), key=lambda case: len(case.instance.nodes))
            executed(self._setup.subject.with_settings(self._setup.subject.settings({})), smallest, 0)
        self._warm = True

    def _gaps(self, method: MapperMethod | TunedSolve, case: Case, reference: Reference, seed: int) -> Gaps:
        key = method.key(case.instance.digest, seed)
        found = self._known.get(key.id)
        if found is None:
            record, _ = run_or_reuse(self._store, key, lambda: executed(method, case, seed))
            self._require_fast(method, case, seed, record)
            found = self._known[key.id] = gaps_of(record, reference)
        return found

    def _require_fast(self, method: MapperMethod | TunedSolve, case: Case, seed: int, record: Record) -> None:
        limit = self._setup.tuning.run_s
        if limit is None or record.runtime_s is None or record.runtime_s <= limit:
            return
        again = executed(method, case, seed).runtime_s  # the machine may have been busy
        if again is None or again > limit:
            raise TooSlowError(
                f"a run on {case.label!r} took {record.runtime_s:.3g} s and {again or 0:.3g} s; run_s is {limit:g}"
            )


def execute(run: Run) -> Record:
    """Make a run."""
    return run.execute()


def executed(method: MapperMethod | TunedSolve, case: Case, seed: int) -> Record:
    """Make a run; an instance that is not supported gives a record without mapping."""
    run = method.run(case.instance, seed)
    try:
        record = execute(run)
    except UnsupportedError as error:
        return bare_record(run.key, case.instance, "unknown", reason=str(error))
    if record.interrupted:  # solves answer Ctrl-C with what they have
        raise KeyboardInterrupt
    return record
