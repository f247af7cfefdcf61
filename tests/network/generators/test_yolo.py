import pytest

from mapopt.network.library import load_network

PUBLISHED = {"yolov8n": (3_151_904, 4_371_993_600)}


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_and_macs_are_the_published_ones(name: str) -> None:
    network = load_network(name)
    assert (network.total_weights, network.total_macs) == PUBLISHED[name]


MODULES = {
    0: 464,
    1: 4_672,
    2: 7_360,
    3: 18_560,
    4: 49_664,
    5: 73_984,
    6: 197_632,
    7: 295_424,
    8: 460_288,
    9: 164_608,
    12: 148_224,
    15: 37_248,
    16: 36_992,
    18: 123_648,
    19: 147_712,
    21: 493_056,
    22: 897_664,
}
"""Parameters per module that Ultralytics prints for the model before BatchNorm is folded; their sum is 3,157,200."""


def test_parameters_of_every_module() -> None:
    """Folding replaces BatchNorm's scale and shift by a bias: one parameter less per output channel."""
    network = load_network("yolov8n")
    unfolded = dict.fromkeys(MODULES, 0)
    for node in network.nodes:
        if node.matrix is not None:
            folded = node.matrix.columns if node.name.endswith(".conv") and "dfl" not in node.name else 0
            unfolded[int(node.name.split(".")[1])] += node.weights + folded
    assert unfolded == MODULES
    assert sum(MODULES.values()) == 3_157_200


def test_every_silu_is_fused() -> None:
    network = load_network("yolov8n")
    silu = [node for node in network.nodes if node.fused == ("Sigmoid", "Mul")]
    assert len(silu) == 57
    assert [node.name for node in network.nodes if node.op == "Sigmoid"] == ["model.22.sigmoid"]


def test_detections_of_8400_anchor_points() -> None:
    network = load_network("yolov8n")
    (output,) = network.outputs
    assert network.tensors[output].shape == (1, 84, 8400)
