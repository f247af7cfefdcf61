import msgspec

from mapopt.instance import Instance, InstanceNode, NodeUnits, SideConstraints, Unit
from mapopt.placement.problem import Problem
from mapopt.placement.symmetry import interchangeable_groups, interchangeable_units, relabelled
from mapopt.transfers import Host, Link, Links, Route

BASE = Instance(
    "base",
    classes=("a", "b"),
    units=(Unit("u0", "a"), Unit("u1", "a"), Unit("u2", "a"), Unit("u3", "b")),
    nodes=(
        InstanceNode("n0", (5, None), crossbars=(1, 0)),
        InstanceNode("n1", (5, None), crossbars=(2, 0)),
        InstanceNode("n2", (7, None)),
        InstanceNode("n3", (5, 1)),
    ),
)


def parts(**changes):
    return interchangeable_units(Problem(msgspec.structs.replace(BASE, **changes)))


def test_units_of_a_class_are_alike_until_something_tells_them_apart():
    assert parts() == [(0, 1, 2), (3,)]
    assert parts(transfer=Host(1, 0, ("u1",))) == [(0, 2), (1,), (3,)]
    pinned = SideConstraints(pin=(NodeUnits("n0", ("u0", "u1")),))
    assert parts(side_constraints=pinned) == [(0, 1), (2,), (3,)]
    small = (BASE.units[0], Unit("u1", "a", crossbars=3), *BASE.units[2:])
    assert parts(units=small) == [(0, 2), (1,), (3,)]


def test_own_links_with_equal_rates_are_alike():
    links = tuple(Link(f"l{number}", rate) for number, rate in enumerate((1, 1, 2, 1)))
    own = tuple((f"l{number}",) for number in range(4))
    none = ((), (), (), ())
    assert parts(transfer=Links(links, own, none)) == [(0, 1), (2,), (3,)]
    assert parts(transfer=Links(links, own, own)) == [(0, 1), (2,), (3,)]
    shared = (("l0",), ("l0",), ("l0",), ("l3",))
    assert parts(transfer=Links(links, shared, none)) == [(0, 1, 2), (3,)]
    assert parts(transfer=Links(links, (("l0",), ("l0",), ("l1",), ("l3",)), none)) == [(0, 1), (2,), (3,)]
    routed = Links(links, shared, none, (Route("u0", "u3", ("l1",)),))
    assert parts(transfer=routed) == [(0,), (1, 2), (3,)]
    assert parts(transfer=Links(links, own, (("l1",), (), (), ()))) == [(0,), (1,), (2,), (3,)]


def test_types_are_told_apart_by_needs_only_where_these_are_limited():
    assert interchangeable_groups(Problem(BASE)) == [(2,), (0, 1), (3,)]
    limited = (Unit("u0", "a", crossbars=3), *BASE.units[1:])
    assert interchangeable_groups(Problem(msgspec.structs.replace(BASE, units=limited))) == [
        (2,),
        (0,),
        (1,),
        (3,),
    ]
    apart = SideConstraints(separate=(("n0", "n1"),))
    assert interchangeable_groups(Problem(msgspec.structs.replace(BASE, side_constraints=apart))) == [
        (2,),
        (0,),
        (1,),
        (3,),
    ]


def test_units_are_renamed_in_the_order_of_use():
    assert relabelled([2, 3, 2, 0], [0, 1, 2, 3], [(0, 1, 2), (3,)]) == [0, 3, 0, 1]
