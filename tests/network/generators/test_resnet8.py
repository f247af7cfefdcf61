import pytest

from mapopt.network.library import load_network
from mapopt.network.reader import read_onnx

from ..graphs import DATA
from .exports import signature

PUBLISHED = {"resnet8": (78_186, 12_501_632)}


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_and_macs_are_the_published_ones(name: str) -> None:
    network = load_network(name)
    assert (network.total_weights, network.total_macs) == PUBLISHED[name]


def test_layers_are_those_of_the_reference_model() -> None:
    """The reference file has BatchNorm folded and one layout transposition more."""
    built, reference = load_network("resnet8"), read_onnx(DATA / "mlperf_tiny_resnet8.onnx")
    only_built, only_reference = (
        signature(built) - signature(reference),
        signature(reference) - signature(built),
    )
    assert [str(key[0]) for key in only_built] == [
        "Gemm"
    ]  # its predecessor is the pooling, not the transposition
    assert sorted(str(key[0]) for key in only_reference) == ["Gemm", "Transpose"]
    assert built.total_weights == reference.total_weights + 2 * (3 * 16 + 2 * 32 + 2 * 64)
