"""Longer ticks: where all times have a common divisor, a model needs smaller numbers."""

from __future__ import annotations

from math import gcd

import msgspec

from mapopt.instance import Instance
from mapopt.placement.communication import Communication
from mapopt.transfers import Free, Links


def common_ticks(instance: Instance) -> int:
    """Return the greatest common divisor of the times of all nodes and transfers; 0 if nothing takes time."""
    communication, model = Communication(instance), instance.transfer
    found = gcd(*(time for node in instance.nodes for time in node.times if time is not None))
    if isinstance(model, Free):
        return found
    channels = model.links if isinstance(model, Links) else (model,)
    for channel in channels:
        sends = (communication.send(tensor, channel.bytes_per_s) for tensor in range(len(instance.tensors)))
        found = gcd(found, channel.latency_ticks, *sends)
    return found


def with_ticks_of(ticks: int, instance: Instance) -> Instance:
    """Return the same instance in ticks that are ``ticks`` times as long, a divisor of :func:`common_ticks`.

    Sending times are those of the longer tick: ceil(ceil(x) / n) = ceil(x / n).
    """
    if ticks == 1:
        return instance
    replace, model = msgspec.structs.replace, instance.transfer
    nodes = tuple(
        replace(node, times=tuple(None if time is None else time // ticks for time in node.times))
        for node in instance.nodes
    )
    if isinstance(model, Links):
        links = tuple(replace(link, latency_ticks=link.latency_ticks // ticks) for link in model.links)
        model = replace(model, links=links)
    elif not isinstance(model, Free):
        model = replace(model, latency_ticks=model.latency_ticks // ticks)
    return replace(instance, nodes=nodes, transfer=model, tick_ps=instance.tick_ps * ticks)
