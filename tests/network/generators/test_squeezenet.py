import pytest

from mapopt.network.library import load_network

from .exports import assert_same_structure

PUBLISHED = {"squeezenet1_1": (1_235_496, 349_151_936)}


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_and_macs_are_the_published_ones(name: str) -> None:
    network = load_network(name)
    assert (network.total_weights, network.total_macs) == PUBLISHED[name]


def test_squeezenet1_1_is_built_as_exported() -> None:
    assert_same_structure("squeezenet1_1", "squeezenet1_1.torchscript.onnx")
