"""Bounds from forced traffic count every link by which it can leave, and nothing twice."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mapopt.bounds import Bound, lower_bounds
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.transfers import Link, Links, Route
from tests.bounds.cases import RATE, assignments, loads


def forced(sizes: tuple[int, ...], routes: tuple[Route, ...] = (), more: tuple[Link, ...] = ()) -> Instance:
    """Return nodes on a or b whose tensors all go to one on d; every unit has an out and an in port."""
    units = ("a", "b", "d")
    return Instance(
        "forced",
        classes=("imc", "dpu"),
        units=(Unit("a", "imc"), Unit("b", "imc"), Unit("d", "dpu")),
        nodes=(
            *(InstanceNode(f"n{at}", (1, None)) for at in range(len(sizes))),
            InstanceNode("end", (None, 1)),
        ),
        tensors=tuple(InstanceTensor(f"t{at}", f"n{at}", ("end",), size) for at, size in enumerate(sizes)),
        transfer=Links(
            (
                *(
                    Link(f"{unit}.{way}", RATE * 100 if unit == "d" else RATE)
                    for unit in units
                    for way in ("out", "in")
                ),
                *more,
            ),
            egress=tuple((f"{unit}.out",) for unit in units),
            ingress=tuple((f"{unit}.in",) for unit in units),
            routes=routes,
        ),
    )


def leaving(instance: Instance) -> Bound | None:
    """Return the bound by what has to leave a and b."""
    found = [
        bound
        for bound in lower_bounds(instance).all
        if bound.name == "link load" and "leave" in bound.explanation
    ]
    return found[0] if found else None


def optimum(instance: Instance) -> int:
    return min(max(loads(instance, units).values()) for units in assignments(instance))


def test_the_first_link_of_a_named_route_counts() -> None:
    # Through "side", 100 bytes take 10 ticks; through the port of a they would take 100.
    route = Route("a", "d", ("side", "d.in"))
    instance = forced((100,), (route,), (Link("side", RATE * 10),))
    bound = leaving(instance)
    assert bound is not None
    assert (bound.ticks, bound.binds) == (10, ("a.out", "b.out", "side"))
    assert optimum(instance) == 10


@pytest.mark.parametrize("links", [(), ("side",)])
def test_a_route_without_links_leaves_no_bound(links: tuple[str, ...]) -> None:
    instance = forced((100,), (Route("a", "d", links),), (Link("side", RATE * 100),))
    bound = leaving(instance)
    assert (bound is None) is (links == ())
    assert optimum(instance) == 1


def test_the_largest_transfer_binds_one_pattern_only() -> None:
    # With two patterns the ports of a and b take turns.
    bound = leaving(forced((60,)))
    assert bound is not None
    assert (bound.ticks, bound.any_pattern) == (60, Fraction(60, 2))
    assert optimum(forced((60,))) == 60
