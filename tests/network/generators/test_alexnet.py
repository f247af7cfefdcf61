import pytest

from mapopt.network.library import load_network

PUBLISHED = {"alexnet": (61_100_840, 714_188_480)}


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_and_macs_are_the_published_ones(name: str) -> None:
    network = load_network(name)
    assert (network.total_weights, network.total_macs) == PUBLISHED[name]
