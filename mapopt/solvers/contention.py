"""Links as delays: the same instance where transfers never wait for each other."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

import msgspec

from mapopt.instance import Instance
from mapopt.mapping import InstanceRef, Mapping
from mapopt.transfers import Delay, Free, Links, Routes


def without_contention(instance: Instance) -> Instance:
    """Return the instance with the fastest route as the delay between any two units.

    Every schedule of the instance, without its transfers, is one of this with the same period and latency; so its
    lower bounds hold for the instance.

    Parameters
    ----------
    instance
        One whose transfers go over links.
    """
    model = instance.transfer
    if not isinstance(model, Links):
        return instance
    routes = Routes(model, [unit.name for unit in instance.units])
    paths = [
        [model.links[link] for link in routes.path(source, target)]
        for source, target in permutations(range(len(instance.units)), 2)
    ]
    seconds = min(
        (sum(Fraction(1, link.bytes_per_s) for link in path) for path in paths), default=Fraction(0)
    )
    latency = min((sum(link.latency_ticks for link in path) for path in paths), default=0)
    if seconds == 0:
        return msgspec.structs.replace(instance, transfer=Free())
    # The rate is rounded up, and the ticks of one delay are rounded up once, those of a route once per link.
    delay = Delay(-(-seconds.denominator // seconds.numerator), latency)
    return msgspec.structs.replace(instance, transfer=delay)


def bare(mapping: Mapping, instance: Instance) -> Mapping:
    """Return a mapping without the starts of its transfers, as one of another instance with the same names."""
    return msgspec.structs.replace(
        mapping,
        instance=InstanceRef(instance.name, instance.digest),
        patterns=tuple(msgspec.structs.replace(pattern, transfers=()) for pattern in mapping.patterns),
        claims=None,
    )
