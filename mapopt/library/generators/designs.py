"""Small CNNs that a search changes layer by layer, each with a mapping of its own to compare with.

A design is a square image of three channels, which the first layer reads, and a list of layers: convolutions, depthwise
convolutions, 3x3 maximum poolings, sums and concatenations of two tensors. Any tensor may have several readers or none;
the latter are outputs.
Activation functions are left out: the presets have them done at the end of the layer before, at no time of its own. A
design goes through the ONNX reader and the cost model of a platform like any other network.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random
from typing import Literal

from mapopt.costs import build_instance
from mapopt.errors import InputError
from mapopt.feasibility import check, obstacles
from mapopt.instance import Instance
from mapopt.mapping import Mapping
from mapopt.network.model import Network
from mapopt.platform.model import Platform

IMAGE_CHANNELS = 3

SIDES = (16, 32, 64, 128, 224)
"""Height and width of the image."""

CHANNELS = (4, 8, 16, 32, 64, 128, 256, 512)
"""Results of a convolution; concatenations may have more."""

STRIDES = (1, 2)

Kind = Literal["conv", "depthwise", "pool", "add", "concat"]

KINDS: tuple[Kind, ...] = ("conv", "conv", "depthwise", "pool", "add", "concat")
"""Layers are drawn from these."""

KERNELS: dict[Kind, tuple[int, ...]] = {
    "conv": (1, 3, 5, 7),
    "depthwise": (3, 5, 7),
    "pool": (3,),
    "add": (1,),
    "concat": (1,),
}

PLACES = 2520
"""Places are numbers below this, which any number of units from 1 to 10 divides."""

MIN_LAYERS = 2

INSTANCES = 1024
"""So many are kept in memory, as mappings change more often than designs do."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer; ``sources`` are earlier layers, none for the image, and ``channels`` counts for ``conv`` only."""

    kind: Kind
    sources: tuple[int, ...]
    channels: int = CHANNELS[0]
    kernel: int = 1
    stride: int = 1


SEED = (Layer("conv", ()), Layer("pool", (0,), kernel=3))
"""A layer for each kind of unit, where searches begin."""


@dataclass(frozen=True, slots=True)
class Design:
    """A CNN in the making; a layer's place, modulo the units that can run it, is the unit of its own mapping."""

    side: int
    layers: tuple[Layer, ...]
    places: tuple[int, ...]


def shapes(side: int, layers: tuple[Layer, ...]) -> list[tuple[int, int]] | None:
    """Return (channels, height) of every layer's result, or ``None`` where tensors of different shapes meet."""
    found: list[tuple[int, int]] = []
    for layer in layers:
        read = [found[at] for at in layer.sources] or [(IMAGE_CHANNELS, side)]
        channels, height = read[0]
        match layer.kind:
            case "conv":
                channels = layer.channels
            case "add":
                if len(set(layer.sources)) < len(read) or len(set(read)) > 1:
                    return None
            case "concat":
                if len(set(layer.sources)) < len(read) or len({each for _, each in read}) > 1:
                    return None
                channels = sum(each for each, _ in read)
        found.append((channels, -(-height // layer.stride)))
    return found


def network(side: int, layers: tuple[Layer, ...]) -> Network:
    """Return the network as it is read from ONNX; the layers' shapes must fit."""
    from onnx import TensorProto, helper

    from mapopt.network.generators.builder import Builder
    from mapopt.network.reader import network_from_model

    net = Builder("design", (1, IMAGE_CHANNELS, side, side))
    tensors: list[str] = []
    for at, layer in enumerate(layers):
        name = f"{layer.kind}{at}"
        read = [tensors[source] for source in layer.sources] or [net.input]
        match layer.kind:
            case "conv" | "depthwise":
                own = layer.kind == "depthwise"
                channels = net.channels[read[0]] if own else layer.channels
                tensor = net.conv(
                    name,
                    read[0],
                    channels,
                    layer.kernel,
                    stride=layer.stride,
                    padding=layer.kernel // 2,
                    groups=channels if own else 1,
                )
            case "pool":
                tensor = net.max_pool(
                    name, read[0], layer.kernel, stride=layer.stride, padding=layer.kernel // 2
                )
            case "add":
                tensor = net.add(name, *read)
            case "concat":
                tensor = net.concat(name, read)
        tensors.append(tensor)
    used = {source for layer in layers for source in layer.sources}
    ends = [
        (tensor, (1, channels, height, height))
        for at, (tensor, (channels, height)) in enumerate(
            zip(tensors, shapes(side, layers) or (), strict=True)
        )
        if at not in used
    ]
    model = net.model(*ends[0])
    for tensor, shape in ends[1:]:
        model.graph.output.append(helper.make_tensor_value_info(tensor, TensorProto.FLOAT, shape))
    return network_from_model(model, "design")


class Redesigns:
    """Random designs of at most so many layers for a platform, and random changes of them.

    Raises
    ------
    InputError
        If the platform cannot run the simplest design.
    """

    def __init__(self, platform: Platform, max_layers: int, dice: Random) -> None:
        self.platform, self.max_layers, self.dice = platform, max_layers, dice
        self._instance = lru_cache(maxsize=INSTANCES)(self._built)
        self.moves = (
            self._added,
            self._added,
            self._copied,
            self._removed,
            self._resized,
            self._reshaped,
            self._reshaped,
            self._rewired,
            self._moved,
            self._moved,
        )
        reasons = obstacles(self._instance(SIDES[0], SEED))
        if reasons:
            raise InputError(f"parameter platform: cannot run a convolution and a pooling: {reasons[0]}")

    def first(self) -> Design:
        """Return a design of up to half as many layers as allowed."""
        design = Design(self.dice.choice(SIDES), SEED, (0,) * len(SEED))
        for _ in range(max(0, self.max_layers // 2 - len(SEED))):
            larger = self._added(design)
            design = larger if self.is_legal(larger) else design
        return design

    def neighbour(self, candidate: Design) -> Design:
        """Return the design with one to three changes, or unchanged if these make it illegal."""
        changed = candidate
        for _ in range(self.dice.choice((1, 1, 2, 3))):
            changed = self.dice.choice(self.moves)(changed)
        return changed if self.is_legal(changed) else candidate

    def instance(self, candidate: Design) -> Instance:
        """Return the design on the platform."""
        return self._instance(candidate.side, candidate.layers)

    def units(self, candidate: Design) -> tuple[int, ...]:
        """Return the unit of each layer."""
        instance = self.instance(candidate)
        able = [
            [unit for unit, kind in enumerate(instance.unit_class) if row[kind] >= 0]
            for row in instance.times
        ]
        return tuple(units[place % len(units)] for units, place in zip(able, candidate.places, strict=True))

    def is_legal(self, design: Design) -> bool:
        """Return whether tensors that meet have the same shape, and the units hold the layers of the own mapping."""
        if shapes(design.side, design.layers) is None:
            return False
        instance = self.instance(design)
        return not check(instance, Mapping.of(instance, self.units(design)))

    def _built(self, side: int, layers: tuple[Layer, ...]) -> Instance:
        return build_instance(network(side, layers), self.platform)

    def _added(self, design: Design) -> Design:
        """Append a layer."""
        count = len(design.layers)
        if count == self.max_layers:
            return design
        kind = self.dice.choice(KINDS)
        joins = kind in ("add", "concat")
        layer = Layer(
            kind,
            tuple(self.dice.randrange(count) for _ in range(2 if joins else 1)),
            self.dice.choice(CHANNELS),
            self.dice.choice(KERNELS[kind]),
            1 if joins else self.dice.choice(STRIDES),
        )
        return replace(
            design,
            layers=(*design.layers, layer),
            places=(*design.places, self.dice.choice((0, self.dice.randrange(PLACES)))),
        )

    def _copied(self, design: Design) -> Design:
        """Append a copy of a layer but the first, which reads the same."""
        count = len(design.layers)
        if count == self.max_layers:
            return design
        at = self.dice.randrange(1, count)
        return replace(
            design, layers=(*design.layers, design.layers[at]), places=(*design.places, design.places[at])
        )

    def _removed(self, design: Design) -> Design:
        """Remove a layer but the first; those that read it read its first source."""
        if len(design.layers) == MIN_LAYERS:
            return design
        gone = self.dice.randrange(1, len(design.layers))
        instead = design.layers[gone].sources[0]

        def renumbered(source: int) -> int:
            return instead if source == gone else source - (source > gone)

        layers = tuple(
            replace(layer, sources=tuple(map(renumbered, layer.sources)))
            for at, layer in enumerate(design.layers)
            if at != gone
        )
        return Design(design.side, layers, (*design.places[:gone], *design.places[gone + 1 :]))

    def _resized(self, design: Design) -> Design:
        """Change the size of the image."""
        return replace(design, side=self.dice.choice(SIDES))

    def _reshaped(self, design: Design) -> Design:
        """Change the channels, the kernel or the stride of a layer."""
        at = self.dice.randrange(len(design.layers))
        layer = design.layers[at]
        changed = self.dice.choice(
            (
                replace(layer, channels=self.dice.choice(CHANNELS)),
                replace(layer, kernel=self.dice.choice(KERNELS[layer.kind])),
                replace(layer, stride=self.dice.choice(STRIDES if len(layer.sources) < 2 else (1,))),
            )
        )
        return replace(design, layers=_put(design.layers, at, changed))

    def _rewired(self, design: Design) -> Design:
        """Let a layer but the first read something else."""
        at = self.dice.randrange(1, len(design.layers))
        sources = list(design.layers[at].sources)
        sources[self.dice.randrange(len(sources))] = self.dice.randrange(at)
        changed = replace(design.layers[at], sources=tuple(sources))
        return replace(design, layers=_put(design.layers, at, changed))

    def _moved(self, design: Design) -> Design:
        """Put a layer on another unit, or on that of another layer of its class."""
        at, other = self.dice.randrange(len(design.places)), self.dice.randrange(len(design.places))
        place = self.dice.choice((self.dice.randrange(PLACES), design.places[other]))
        places = (*design.places[:at], place, *design.places[at + 1 :])
        return replace(design, places=places)


def _put(layers: tuple[Layer, ...], at: int, layer: Layer) -> tuple[Layer, ...]:
    return (*layers[:at], layer, *layers[at + 1 :])
