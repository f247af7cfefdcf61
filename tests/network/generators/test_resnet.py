import pytest

from mapopt.network.library import load_network

from .exports import assert_same_structure

PUBLISHED = {
    "resnet18": (11_689_512, 1_814_073_344),
    "resnet34": (21_797_672, 3_663_761_408),
    "resnet50": (25_557_032, 4_089_184_256),
    "resnet101": (44_549_160, 7_801_405_440),
    "resnet152": (60_192_808, 11_513_626_624),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_and_macs_are_the_published_ones(name: str) -> None:
    network = load_network(name)
    assert (network.total_weights, network.total_macs) == PUBLISHED[name]


def test_resnet18_is_built_as_exported() -> None:
    assert_same_structure("resnet18", "resnet18.torchscript.onnx")


def test_resnet50_is_built_as_exported() -> None:
    assert_same_structure("resnet50", "resnet50.torchscript.onnx")
