"""A formulation that supports nothing unless its option says so, found through entry points by workers too."""

from dataclasses import dataclass
from typing import Literal

from formulations.latency_modulo import LatencyModulo, LatencyModuloOptions
from mapopt.options import Tune, option


@dataclass(frozen=True)
class ShyOptions(LatencyModuloOptions):
    shy: Literal["no", "little", "very"] = option("no", "very: support no instance", tune=Tune())


class Shy(LatencyModulo):
    name = "shy-modulo"
    options_type = ShyOptions

    def rejects(self, instance):
        return "shy as told" if self.options.shy == "very" else super().rejects(instance)


class NotCounted(Shy):
    """The same, by a solver whose effort cannot be counted."""

    name = "not-counted"
    solvers = ("highs",)
