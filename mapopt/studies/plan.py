"""The plan of a study: its runs in order, as the report needs them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

import msgspec

from mapopt.documents import Count, Document, Name, Part, Ticks
from mapopt.errors import InputError
from mapopt.studies.records import Digest

RunId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$")]
Role = Literal["mapper", "reference"]
Compared = Literal["time-triggered", "single-frame"]
Objective = Literal["period", "latency"]


class PlannedRun(Part, frozen=True):
    """One run of a study.

    Parameters
    ----------
    id
        Of its record in the store.
    instance
        Label of the instance, e.g. ``"resnet18 imce:imc=4,dpu=2"``.
    instance_digest
        Of the instance, which is in ``instances/`` beside the plan.
    method
        What runs, with the options that the study sets: ``"lblp path_order=merged"``, ``"solve period,latency"``.
    seed
        Of everything random; 0 for a mapper that is not random.
    role
        ``mapper`` for a mapper, ``reference`` for a solve, which also proves bounds.
    command
        The command line that repeats this one run.
    """

    id: RunId
    instance: Name
    instance_digest: Digest
    method: Name
    seed: Count
    role: Role
    command: str


class KnownBound(Part, frozen=True):
    """A lower bound that the instance library holds for mappings with one pattern.

    Parameters
    ----------
    instance_digest
        Of the instance.
    objective
        What is bounded.
    ticks
        The bound.
    by
        What proved it.
    source
        The instance's name in the library, whose reference holds it.
    period_ticks
        For a latency: the period of the schedules that it bounds.
    """

    instance_digest: Digest
    objective: Objective
    ticks: Ticks
    by: Name
    source: Name
    period_ticks: Ticks | None = None


class Plan(Document, frozen=True):
    """The runs of a study in order.

    Parameters
    ----------
    name
        Of the study.
    runs
        In the order of the study file.
    compared
        The class of schedules in which methods are compared, see :class:`mapopt.studies.study.Study`.
    objectives
        What is compared.
    known
        Bounds of the instances that come from the library.
    """

    KIND: ClassVar[str] = "plan"

    name: Name
    runs: tuple[PlannedRun, ...]
    compared: Compared = msgspec.field(default="time-triggered", name="class")
    objectives: tuple[Objective, ...] = ("period", "latency")
    known: tuple[KnownBound, ...] = ()

    @classmethod
    def from_json(cls, data: bytes, source: str = "document") -> Self:
        """Decode and validate.

        Raises
        ------
        InputError
            If the bytes are not JSON, of another kind or version, or break a rule.
        """
        try:
            return super().from_json(data, source)
        except InputError as error:
            raise InputError(f"{error}; run the study again, which writes its plan anew") from None
