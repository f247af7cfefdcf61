import pytest

from mapopt.network.library import load_network

PUBLISHED = {"vgg16": (138_357_544, 15_470_264_320), "vgg19": (143_667_240, 19_632_062_464)}


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_and_macs_are_the_published_ones(name: str) -> None:
    network = load_network(name)
    assert (network.total_weights, network.total_macs) == PUBLISHED[name]
