"""A mapper that is as good and as slow as its options say, found through entry points by this process's workers."""

import time
from dataclasses import dataclass

from mapopt.mapping import MapperRef, Mapping
from mapopt.options import Options, Tune, option


@dataclass(frozen=True)
class TunableOptions(Options):
    spread: int = option(1, "units used", ge=1, le=3, tune=Tune(1, 3))
    heavy_first: bool = option(False, "longest nodes first", tune=Tune(), only_if=("spread", (2, 3)))
    sleep_s: float = option(0.0, "how long to sleep", ge=0)
    sleep_at: int = option(0, "only with this spread; 0: with every", ge=0)
    crash_at: int = option(0, "raise with this spread", ge=0)


class Tunable:
    name = "tunable"
    summary = "spreads nodes over as many units as its option says"
    reference = ""
    options_type = TunableOptions
    is_random = False

    def __init__(self, options):
        self.options = options

    def rejects(self, instance):
        return None

    def map(self, instance, *, seed=0):
        options = self.options
        if options.sleep_at in (0, options.spread):
            time.sleep(options.sleep_s)
        if options.crash_at == options.spread:
            raise RuntimeError("crashed as told")
        order = range(len(instance.nodes))
        if options.heavy_first:
            order = sorted(order, key=lambda node: -instance.nodes[node].times[0])
        load, units = [0] * options.spread, [0] * len(instance.nodes)
        for node in order:
            units[node] = min(range(options.spread), key=lambda unit: (load[unit], unit))
            load[units[node]] += instance.nodes[node].times[0]
        ref = MapperRef(self.name, dict(options.as_dict()), seed)
        return Mapping.of(instance, units, mapper=ref)


class Fixed(Tunable):
    """The same, with nothing to tune."""

    name = "fixed"

    @dataclass(frozen=True)
    class Nothing(Options):
        spread: int = option(1, "units used", ge=1, le=3)

    options_type = Nothing
