import pytest

from mapopt.sources import load_instance
from tests.report import studies


@pytest.fixture
def small(tmp_path):
    return studies.small(tmp_path / "small")


@pytest.fixture(scope="session")
def real(tmp_path_factory):
    """Results of a real study: two platforms, LBLP with options, a random mapper, and proven optima."""
    instances = {
        f"resnet8 {platform}": load_instance("resnet8", platform=platform)
        for platform in ("imce:imc=3,dpu=1", "imce:imc=4,dpu=2")
    }
    mappers = (("lblp", ()), ("lblp", ("path_order=merged",)), ("wb", ()), ("rd", ()))
    return studies.real(tmp_path_factory.mktemp("results") / "real", instances, mappers, seeds=(0, 1, 2))
