import pytest

from mapopt.network.library import load_network

from .exports import assert_same_structure

PUBLISHED = {"densenet121": (7_978_856, 2_834_161_664)}


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_and_macs_are_the_published_ones(name: str) -> None:
    network = load_network(name)
    assert (network.total_weights, network.total_macs) == PUBLISHED[name]


def test_densenet121_is_built_as_exported() -> None:
    assert_same_structure("densenet121", "densenet121.torchscript.onnx")
