import pytest

from mapopt.network.library import load_network

from .exports import assert_same_structure

PUBLISHED = {"mobilenet_v1": (4_231_976, 568_740_352), "mobilenet_v2": (3_504_872, 300_774_272)}


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_and_macs_are_the_published_ones(name: str) -> None:
    network = load_network(name)
    assert (network.total_weights, network.total_macs) == PUBLISHED[name]


def test_mobilenet_v2_is_built_as_exported() -> None:
    assert_same_structure("mobilenet_v2", "mobilenet_v2.torchscript.onnx")
