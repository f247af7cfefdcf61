import pytest

from mapopt.network.library import load_network

PUBLISHED = {
    "resnet20": (269_722, 40_551_040),
    "resnet32": (464_154, 68_862_592),
    "resnet56": (853_018, 125_485_696),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_and_macs_are_the_published_ones(name: str) -> None:
    network = load_network(name)
    assert (network.total_weights, network.total_macs) == PUBLISHED[name]


def test_shortcuts_have_no_parameters() -> None:
    """Option A: two strided slices with padding, and 6 n + 2 layers with weights."""
    network = load_network("resnet20")
    assert sum(node.is_base for node in network.nodes) == 20
    assert [node.op for node in network.nodes if node.op in ("Slice", "Pad")] == ["Slice", "Pad"] * 2
