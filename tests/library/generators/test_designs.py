from random import Random

import pytest

from mapopt import check
from mapopt.costs import build_instance
from mapopt.errors import InputError
from mapopt.library.generators.designs import (
    CHANNELS,
    KERNELS,
    SIDES,
    Design,
    Layer,
    Redesigns,
    network,
    shapes,
)
from mapopt.mapping import Mapping
from mapopt.platform.library import load_platform, with_parameters

BRANCHED = (
    Layer("conv", (), channels=8, kernel=3, stride=2),
    Layer("depthwise", (0,), kernel=3),
    Layer("add", (0, 1)),
    Layer("conv", (0,), channels=16, kernel=1),
    Layer("concat", (2, 3)),
    Layer("pool", (4,), kernel=3, stride=2),
)


def test_shapes_are_those_that_the_reader_infers():
    assert shapes(32, BRANCHED) == [(8, 16), (8, 16), (8, 16), (16, 16), (24, 16), (24, 8)]
    made = network(32, BRANCHED)
    assert [made.tensors[node.outputs[0]].shape for node in made.nodes] == [
        (1, channels, height, height) for channels, height in shapes(32, BRANCHED)
    ]
    assert [node.macs for node in made.nodes] == [27 * 8 * 256, 9 * 8 * 256, 0, 8 * 16 * 256, 0, 0]


@pytest.mark.parametrize(
    "last",
    [
        Layer("add", (0, 3)),
        Layer("add", (0, 0)),
        Layer("concat", (4, 4)),
        Layer("concat", (4, 5)),
    ],
)
def test_tensors_of_different_shapes_do_not_meet(last):
    assert shapes(32, (*BRANCHED, last)) is None


def test_every_tensor_that_nobody_reads_is_an_output():
    layers = (*BRANCHED, Layer("conv", (0,)), Layer("pool", (1,), kernel=3))
    made = network(16, layers)
    assert made.outputs == ("pool5", "conv6", "pool7")


@pytest.mark.parametrize("preset", ["imce", "imc"])
def test_times_are_those_of_the_platform(preset):
    platform = load_platform(f"{preset}:imc=2,dpu=1")
    instance = Redesigns(platform, 6, Random(0)).instance(Design(32, BRANCHED, (0,) * 6))
    assert instance.digest == build_instance(network(32, BRANCHED), platform).digest
    first, pool = instance.nodes[0].times, instance.nodes[5].times
    assert first == ((27 * 8 * 256 * 10 // 256, None) if preset == "imce" else (256 * 100, None))
    assert pool == (None, 9 * 24 * 64 * 10 // (32 if preset == "imce" else 160))


@pytest.mark.parametrize("preset", ["imce:imc=3,dpu=1", "imc:imc=2,dpu=2"])
def test_every_change_leaves_a_design_that_the_units_can_hold(preset):
    changes = Redesigns(load_platform(preset), 7, Random(1))
    design = changes.first()
    seen = set()
    for _ in range(300):
        design = changes.neighbour(design)
        instance = changes.instance(design)
        assert check(instance, Mapping.of(instance, changes.units(design))) == ()
        assert [node.name for node in instance.nodes] == [
            f"{layer.kind}{at}" for at, layer in enumerate(design.layers)
        ]
        assert design.side in SIDES
        assert [at for at, layer in enumerate(design.layers) if not layer.sources] == [0]
        for layer in design.layers:
            assert layer.channels in CHANNELS
            assert layer.kernel in KERNELS[layer.kind]
        seen |= {(len(design.layers), layer.kind) for layer in design.layers}
    assert {kind for _, kind in seen} == set(KERNELS)
    assert {count for count, _ in seen} >= {3, 4, 5, 6, 7}


def test_a_platform_that_runs_no_design_is_refused():
    with pytest.raises(InputError, match="parameter platform: cannot run a convolution and a pooling"):
        Redesigns(with_parameters(load_platform("imce"), {"dpu": "0"}), 4, Random(0))
