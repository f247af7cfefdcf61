"""What a formulation is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Generic, Protocol, TypeVar, cast, runtime_checkable

from mapopt.errors import InfeasibleError, UnsupportedError
from mapopt.instance import Instance
from mapopt.mapping import Mapping
from mapopt.options import Options
from mapopt.placement.problem import Problem
from mapopt.solvers.model import Answer, Limits, Objective, PeriodRange, Status
from mapopt.solvers.watch import Watch


@dataclass(frozen=True, slots=True)
class Task:
    """What a formulation is asked to solve.

    Parameters
    ----------
    instance
        The problem.
    objective
        One of the formulation's objectives.
    watch
        Where to report improvements and to look for when to stop.
    solver
        One of the formulation's solvers.
    period
        For latencies: the periods allowed; ``None`` means that a frame is alone in the machine.
    start
        A mapping to start from; with starts if the formulation schedules. It need not be feasible.
    bound
        A proven lower bound of the objective; the model may rely on it.
    cutoff
        Only values below this are wanted: with none, a run that proves so answers infeasible.
    decision
        Whether any value below ``cutoff`` will do; then the first one found is the answer.
    improving
        Whether only mappings better than ``start`` are wanted, and no bound: a formulation may then leave out whatever
        only proves.
    """

    instance: Instance
    objective: Objective
    watch: Watch = field(default_factory=lambda: Watch(Limits()))
    solver: str = "cpsat"
    period: PeriodRange | None = None
    start: Mapping | None = None
    bound: int = 0
    cutoff: int | None = None
    decision: bool = False
    improving: bool = False

    @property
    def limits(self) -> Limits:
        """How much effort the whole solve may take; ``watch`` knows what is left."""
        return self.watch.limits


@runtime_checkable
class Formulation(Protocol):
    """One mathematical model of a mapping problem.

    The class is registered as an entry point of the group ``mapopt.formulations`` under its ``name``, and is called
    with a value of its ``options_type``.

    Attributes
    ----------
    name
        Unique, short, lower case; the entry point has the same name.
    summary
        One line.
    objectives
        What it can minimise.
    pipelined
        Whether its latencies are those of a stream with limited period (else: of a frame alone).
    contiguous
        Whether it looks at contiguous mappings only: the units can be ordered so that no data flow backwards.
    schedule_class
        The class of schedules within which its optima are optimal, for people.
    solvers
        Names of solvers that can run it, the best first: ``cpsat``, ``highs``, ``cbc``, ``scip``, ``own``.
    reference
        Paper, or ``""``.
    options_type
        Its options: the ingredients that can be switched off.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    objectives: ClassVar[tuple[Objective, ...]]
    pipelined: ClassVar[bool]
    contiguous: ClassVar[bool]
    schedule_class: ClassVar[str]
    solvers: ClassVar[tuple[str, ...]]
    reference: ClassVar[str]
    options_type: ClassVar[type[Options]]

    @property
    def options(self) -> Options:
        """The options it was made with."""

    def rejects(self, instance: Instance) -> str | None:
        """Return why the formulation does not support the instance, or ``None``."""

    def solve(self, task: Task) -> Answer:
        """Solve until a proof, the limits or a request to stop.

        The answer's mapping keeps every rule of the instance; its value is what the emulator measures. What the solver
        itself cannot do (it crashes, is missing, or runs out of memory) is an answer with status ``failed``.

        Raises
        ------
        UnsupportedError
            If :meth:`rejects` gives a reason.
        """


AnyOptions = TypeVar("AnyOptions", bound=Options)


class BaseFormulation(ABC, Generic[AnyOptions]):
    """A formulation that checks its task, and then minimises over the placements of the instance's nodes.

    A subclass declares the attributes of :class:`Formulation` and implements :meth:`rejects` and :meth:`minimise`.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    objectives: ClassVar[tuple[Objective, ...]]
    pipelined: ClassVar[bool] = False
    contiguous: ClassVar[bool] = False
    schedule_class: ClassVar[str]
    solvers: ClassVar[tuple[str, ...]] = ("cpsat",)
    reference: ClassVar[str] = ""
    options_type: ClassVar[type[Options]] = Options

    def __init__(self, options: AnyOptions | None = None) -> None:
        self.options = cast(AnyOptions, self.options_type()) if options is None else options

    @abstractmethod
    def rejects(self, instance: Instance) -> str | None:
        """Return why the formulation does not support the instance, or ``None``."""

    def refuses(self, task: Task) -> str | None:
        """Return why this task of a supported instance cannot be solved, or ``None``."""
        if task.objective in self.objectives:
            return None
        return f"minimises {', '.join(self.objectives)}, not {task.objective}"

    @abstractmethod
    def minimise(self, task: Task, problem: Problem) -> Answer:
        """Solve a task that nothing speaks against."""

    def solve(self, task: Task) -> Answer:
        """Solve until a proof, the limits or a request to stop, see :meth:`Formulation.solve`.

        Raises
        ------
        UnsupportedError
            If :meth:`rejects` or :meth:`refuses` gives a reason.
        """
        reason = self.rejects(task.instance) or self.refuses(task)
        if reason is not None:
            raise UnsupportedError(f"formulation {self.name!r}: {reason}")
        try:
            problem = Problem(task.instance)
        except InfeasibleError as error:
            return Answer(Status.INFEASIBLE, reason=str(error))
        return self.minimise(task, problem)
