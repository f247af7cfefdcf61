import pytest

from mapopt.errors import InputError
from mapopt.sources import load_instance, read_instance


def test_a_network_needs_a_platform():
    with pytest.raises(InputError, match=r"needs a platform, e\.g"):
        load_instance("resnet8")


def test_an_instance_file_is_read_as_it_is(tmp_path):
    instance = load_instance("resnet8", platform="imc:imc=2,dpu=1")
    instance.save(tmp_path / "r8.json")
    assert load_instance(str(tmp_path / "r8.json")) == instance == read_instance(tmp_path / "r8.json")


@pytest.mark.parametrize(
    "extra",
    [{"platform": "imce"}, {"times": "t.csv"}, {"shapes": {"x": (1,)}}, {"strict": True}, {"fuse": False}],
)
def test_an_instance_file_takes_nothing_meant_for_networks(tmp_path, extra):
    path = tmp_path / "r8.json"
    load_instance("resnet8", platform="imc:imc=2,dpu=1").save(path)
    with pytest.raises(InputError, match="leave them out"):
        load_instance(str(path), **extra)


def test_measured_times_arrive(tmp_path):
    table = tmp_path / "times.csv"
    table.write_text("node,class,time_ns\nconv1,imc,123\n")
    instance = load_instance("resnet18", platform="imce:imc=2,dpu=1", times=table)
    assert instance.nodes[instance.node_index["conv1"]].times[0] == 123


def test_fusion_can_be_switched_off():
    fused = load_instance("resnet8", platform="imc:imc=2,dpu=1")
    plain = load_instance("resnet8", platform="imc:imc=2,dpu=1", fuse=False)
    assert len(plain.nodes) > len(fused.nodes)


def test_the_name_says_network_and_platform():
    assert load_instance("resnet8", platform="imc:imc=2,dpu=1").name == "resnet8@imc:imc=2,dpu=1"
