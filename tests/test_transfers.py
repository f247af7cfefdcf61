import pytest

from mapopt.transfers import Link, Links, Route, Routes, transfer_ticks


@pytest.mark.parametrize(
    ("size", "rate", "tick_ps", "ticks"),
    [
        (0, 1, 1000, 0),
        (1, 10**9, 1000, 1),
        (1, 3 * 10**9, 1000, 1),
        (7, 3 * 10**9, 1000, 3),
        (10**12, 1, 1, 10**24),
    ],
)
def test_sending_times_are_rounded_up_exactly(size, rate, tick_ps, ticks):
    assert transfer_ticks(size, rate, tick_ps) == ticks


def test_paths_go_out_and_in_unless_a_route_says_otherwise():
    model = Links(
        links=tuple(Link(name, 1) for name in ("bus", "out", "in", "ring")),
        egress=(("out", "bus"), (), ("out",)),
        ingress=((), ("in",), ()),
        routes=(Route("v", "u", ("ring", "bus")), Route("u", "w", ())),
    )
    routes = Routes(model, ("u", "v", "w"))
    assert routes.path(0, 1) == (1, 0, 2)
    assert routes.path(1, 0) == (3, 0)
    assert routes.path(0, 2) == ()
    assert routes.path(2, 0) == (1,)
    assert routes.path(1, 2) == ()
