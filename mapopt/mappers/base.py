"""What a mapper is, and the base of those that place nodes one after the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, TypeVar, runtime_checkable

from mapopt.errors import NoMappingError, UnsupportedError
from mapopt.instance import Instance
from mapopt.mappers.packing import Packing, Stuck, pack_anyhow
from mapopt.mapping import MapperRef, Mapping
from mapopt.options import Options
from mapopt.placement.problem import Problem


@runtime_checkable
class Mapper(Protocol):
    """Anything that turns an instance into a mapping; limits on its effort are among its options.

    The class is registered as an entry point of the group ``mapopt.mappers`` under its ``name``, and is called
    with a value of its ``options_type``. :func:`mapopt.testing.check_mapper` tells whether it keeps the contract.

    Attributes
    ----------
    name
        Unique, short, lower case; the entry point has the same name.
    summary
        One line.
    reference
        Paper, or ``""``.
    options_type
        The mapper's options, see :class:`mapopt.options.Options`.
    is_random
        Whether another seed may give another mapping.

    A mapper that takes as long as it is given, rather than the moment that a heuristic needs, declares ``is_search =
    True``: comparisons then try fewer seeds unless they are told how many.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    reference: ClassVar[str]
    options_type: ClassVar[type[Options]]
    is_random: ClassVar[bool]

    @property
    def options(self) -> Options:
        """The options it was made with."""

    def rejects(self, instance: Instance) -> str | None:
        """Return why the mapper does not support the instance, or ``None``."""

    def map(self, instance: Instance, *, seed: int = 0) -> Mapping:
        """Return a mapping that keeps every rule of the instance; the same seed gives the same mapping.

        Raises
        ------
        UnsupportedError
            If :meth:`rejects` gives a reason.
        NoMappingError
            If it finds no mapping, which proves nothing.
        InfeasibleError
            If no mapping can exist.
        """


@dataclass(frozen=True)
class NoOptions(Options):
    """A mapper without options."""


@dataclass(frozen=True, slots=True)
class Placement:
    """What a heuristic decides: the unit of each node and, if it cares, the dispatch priorities."""

    units: Sequence[int]
    priorities: Sequence[int] | None = None


AnyOptions = TypeVar("AnyOptions", bound=Options)


class Heuristic(ABC, Generic[AnyOptions]):
    """A mapper that fills a :class:`Packing`; when it gets stuck, the nodes that did not fit get their place first.

    A subclass declares the attributes of :class:`Mapper` and implements :meth:`place`.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    reference: ClassVar[str] = ""
    options_type: ClassVar[type[Options]] = NoOptions
    is_random: ClassVar[bool] = False

    RESTARTS: ClassVar[int] = 16
    """How often the placing starts again with the node that did not fit placed first."""

    def __init__(self, options: AnyOptions) -> None:
        self.options = options

    @abstractmethod
    def place(self, problem: Problem, packing: Packing, seed: int) -> Placement:
        """Place every node through ``packing``.

        Raises
        ------
        Stuck
            If a node fits on no unit that suits the method.
        """

    def rejects(self, instance: Instance) -> str | None:
        """Return why the mapper does not support the instance, or ``None``."""
        return None

    def map(self, instance: Instance, *, seed: int = 0) -> Mapping:
        """Return a mapping, see :meth:`Mapper.map`.

        Raises
        ------
        UnsupportedError
            If :meth:`rejects` gives a reason.
        NoMappingError
            If it finds no mapping, which proves nothing.
        InfeasibleError
            If no mapping can exist.
        """
        reason = self.rejects(instance)
        if reason is not None:
            raise UnsupportedError(f"mapper {self.name!r}: {reason}")
        placement = self._place(Problem(instance), seed)
        return Mapping.of(
            instance,
            placement.units,
            priorities=placement.priorities,
            mapper=MapperRef(self.name, dict(self.options.as_dict()), seed),
        )

    def _place(self, problem: Problem, seed: int) -> Placement:
        first: list[int] = []
        while True:
            try:
                return self.place(problem, Packing(problem, first), seed)
            except Stuck as stuck:
                if stuck.group in first or len(first) >= self.RESTARTS:
                    break
                first.insert(0, stuck.group)
        try:
            return self.place(problem, pack_anyhow(problem, self.name), seed)
        except Stuck as stuck:
            raise NoMappingError(
                f"mapper {self.name!r}: found no unit for {problem.names(stuck.group)} that suits its method; other "
                "mappers can place it"
            ) from None
