"""All lower bounds of an instance."""

from __future__ import annotations

from mapopt.bounds.latency import latency_bounds
from mapopt.bounds.links import link_bounds
from mapopt.bounds.loads import load_bounds
from mapopt.bounds.model import Bounds
from mapopt.bounds.relaxation import relaxation_bounds
from mapopt.bounds.unavoidable import Unavoidable
from mapopt.instance import Instance
from mapopt.placement.problem import Problem


def lower_bounds(instance: Instance) -> Bounds:
    """Return lower bounds on period and latency of every mapping of the instance.

    Parameters
    ----------
    instance
        Any instance; side constraints and capacities sharpen the bounds.

    Returns
    -------
    Bounds
        At least one of each objective; in ticks.

    Raises
    ------
    InfeasibleError
        If a node has no unit.

    Examples
    --------
    >>> from mapopt.instance import Instance, InstanceNode, Unit
    >>> nodes = tuple(InstanceNode(name, times=(time,)) for name, time in (("a", 6), ("b", 6), ("c", 9)))
    >>> lower_bounds(
    ...     Instance("i", classes=("imc",), units=(Unit("u0", "imc"), Unit("u1", "imc")), nodes=nodes)
    ... ).period.ticks
    12
    """
    unavoidable = Unavoidable(Problem(instance))
    found = (
        *load_bounds(unavoidable),
        *relaxation_bounds(unavoidable),
        *link_bounds(unavoidable),
        *latency_bounds(unavoidable),
    )
    return Bounds(found)
