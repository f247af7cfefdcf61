"""Optima of tiny instances by trying everything, for transfers that occupy nobody."""

from itertools import product

from mapopt.transfers import Delay, transfer_ticks


def assignments(instance):
    kinds = instance.unit_class.tolist()
    times = instance.times.tolist()
    room = [unit.crossbars for unit in instance.units]
    for units in product(*([u for u, kind in enumerate(kinds) if row[kind] >= 0] for row in times)):
        held = [0] * len(room)
        for node, unit in enumerate(units):
            held[unit] += int(instance.crossbars[node, kinds[unit]])
        if all(most is None or need <= most for need, most in zip(held, room, strict=True)):
            yield units, [times[node][kinds[unit]] for node, unit in enumerate(units)]


def loads(instance, units, ticks):
    load = [0] * len(instance.units)
    for unit, each in zip(units, ticks, strict=True):
        load[unit] += each
    return load


def least_load(instance):
    """The least possible largest load."""
    return min(max(loads(instance, units, ticks)) for units, ticks in assignments(instance))


def least_latency(instance, period):
    """The least latency of one-pattern schedules with exactly this period: every offset of every node is tried."""
    return min(
        (
            latency
            for units, ticks in assignments(instance)
            if max(loads(instance, units, ticks)) <= period
            for latency in [_latency(instance, units, ticks, period)]
            if latency is not None
        ),
        default=None,
    )


def _latency(instance, units, ticks, period):
    best = [None]
    order = instance.topological_order
    start = [0] * len(units)

    def delay(tensor):
        model = instance.transfer
        if not isinstance(model, Delay):
            return 0
        size = instance.tensors[tensor].size_bytes
        return model.latency_ticks + transfer_ticks(size, model.bytes_per_s, instance.tick_ps)

    def extend(at, until):
        if best[0] is not None and until >= best[0]:
            return
        if at == len(order):
            best[0] = until
            return
        node = order[at]
        ready = max(
            (
                start[other] + ticks[other] + (delay(tensor) if units[other] != units[node] else 0)
                for other, tensor in instance.entering[node]
            ),
            default=0,
        )
        for wait in range(period):
            start[node] = ready + wait
            if all(
                units[other] != units[node]
                or (
                    (start[node] - start[other]) % period >= ticks[other]
                    and (start[other] - start[node]) % period >= ticks[node]
                )
                for other in order[:at]
            ):
                extend(at + 1, max(until, start[node] + ticks[node]))

    extend(0, 0)
    return best[0]
