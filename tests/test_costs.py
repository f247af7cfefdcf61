from decimal import Decimal

import msgspec
import pytest

from mapopt.costs import build_instance, crossbars_needed, node_energy_fj, passes, read_times
from mapopt.errors import InputError
from mapopt.network.model import Network, Node, Tensor, WeightMatrix
from mapopt.platform.library import load_platform
from mapopt.platform.model import Crossbars
from mapopt.transfers import Blocking, Delay, Free, Host, Links


def network() -> Network:
    """One 3x3 convolution from 8 to 16 channels on 10x10 pixels, then ReLU-fused Add of its output with itself."""
    matrix = WeightMatrix(rows=72, columns=16, groups=1, vectors=100)
    return Network(
        name="net",
        nodes=(
            Node(
                "conv",
                "Conv",
                ("x",),
                ("y",),
                matrix=matrix,
                macs=matrix.macs,
                weights=1152,
                fused_operations=1600,
            ),
            Node("add", "Add", ("y",), ("z",), ("Relu",), operations=1600, fused_operations=1600),
        ),
        tensors={name: Tensor(name, (1, 8 if name == "x" else 16, 10, 10)) for name in "xyz"},
        inputs=("x",),
        outputs=("z",),
        total_macs=matrix.macs,
        total_weights=1152,
    )


def test_times_proportional_to_macs():
    problem = build_instance(network(), load_platform("imce:imc=2,dpu=1"))
    # 115,200 MACs at 25.6 per ns; 1,600 operations at 3.2 per ns
    assert problem.times.tolist() == [[4500, -1], [-1, 500]]
    assert problem.crossbars.tolist() == [[1, 0], [0, 0]]
    assert [unit.name for unit in problem.units] == ["imc0", "imc1", "dpu0"]
    assert [(t.producer, t.consumers, t.size_bytes) for t in problem.tensors] == [("conv", ("add",), 1600)]
    assert [node.memory_bytes for node in problem.nodes] == [1600, 1600]
    assert [node.op for node in problem.nodes] == ["Conv", "Add+Relu"]


def test_times_per_mvm():
    problem = build_instance(network(), load_platform("imc:imc=2,dpu=1"))
    assert problem.times.tolist() == [
        [10_000, -1],
        [-1, 100],
    ]  # 100 vectors x 100 ns; 1,600 operations at 16 per ns


def test_times_are_rounded_up_once():
    problem = build_instance(network(), load_platform("imce:imc=2,dpu=1,tick_ps=1000000"))
    assert problem.times.tolist() == [[5, -1], [-1, 1]]


@pytest.mark.parametrize(
    ("matrix", "needed", "fired"),
    [
        (WeightMatrix(256, 256, 1, 1), 1, 1),
        (WeightMatrix(257, 256, 1, 1), 2, 2),
        (WeightMatrix(4608, 512, 1, 1), 36, 36),
        (WeightMatrix(9, 1, 32, 1), 2, 2),  # depthwise: 28 groups on the diagonal of one crossbar
        (WeightMatrix(128, 64, 4, 1), 2, 2),  # grouped: 2 on the diagonal
        (WeightMatrix(9, 100, 6, 1), 3, 3),  # the diagonal is limited by the columns
        (WeightMatrix(300, 10, 3, 1), 6, 6),  # each group over two crossbars
    ],
)
def test_crossbars_and_passes(matrix, needed, fired):
    assert crossbars_needed(matrix, Crossbars(256, 256)) == needed
    assert passes(matrix, Crossbars(256, 256)) == 1
    assert passes(matrix, Crossbars(256, 256, parallel=1)) == fired
    assert passes(matrix, Crossbars(256, 256, parallel=4)) == -(-needed // 4)


def test_transfer_models():
    def model(parameters):
        return build_instance(network(), load_platform(f"imc:imc=1,dpu=1,{parameters}")).transfer

    assert model("transfer=free") == Free()
    assert model("transfer=delay,latency_ps=1500") == Delay(32_000_000_000, 2)
    assert model("transfer=blocking") == Blocking(32_000_000_000, 10)
    assert model("transfer=host") == Host(32_000_000_000, 10)
    links = model("transfer=links")
    assert isinstance(links, Links)
    assert [link.name for link in links.links] == ["imc0.out", "imc0.in", "dpu0.out", "dpu0.in"]
    assert links.egress == (("imc0.out",), ("dpu0.out",))
    assert links.ingress == (("imc0.in",), ("dpu0.in",))


def test_measured_times_replace_analytic_ones_and_state_the_rounding(tmp_path):
    table = tmp_path / "times.csv"
    table.write_text("node,class,time_ns\nconv,imc,17.3\nadd,imc,5\n")
    problem = build_instance(network(), load_platform("imce:imc=2,dpu=1"), times=read_times(table))
    assert problem.times.tolist() == [[18, -1], [5, 500]]
    assert "rounded up to ticks by at most 700 ps" in problem.source


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("node,time\n", "needs node, class, time_ns"),
        ("node,class,time_ns\nconv,imc,-1\n", "line 2: time_ns is '-1'"),
        ("node,class,time_ns\nconv,imc,nan\n", "line 2: time_ns is 'nan'"),
        ("node,class,time_ns\nconv,imc,1e30\n", "finite number from 0"),
        ("node,class,time_ns\nconv,imc,fast\n", "must be a number"),
        ("node,class,time_ns\nconv,imc\n", "has 2 fields for 3 columns"),
        ("node,class,time_ns\nconv,imc,1,5\n", "has 4 fields for 3 columns"),
        ("node,class,time_ns\n", "no rows"),
        ("node,class,time_ns\nconv,imc,1\nconv,imc,2\n", "appears twice"),
    ],
)
def test_bad_time_tables(tmp_path, text, message):
    table = tmp_path / "times.csv"
    table.write_text(text)
    with pytest.raises(InputError, match=message):
        read_times(table)
    table.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        read_times(table)


def test_unknown_names_in_time_tables():
    platform = load_platform("imce")
    with pytest.raises(InputError, match="in network 'net' node 'nope' does not exist"):
        build_instance(network(), platform, times={("nope", "imc"): Decimal(1)})
    with pytest.raises(InputError, match="node 'conv': class 'gpu' does not exist"):
        build_instance(network(), platform, times={("conv", "gpu"): Decimal(1)})


def test_a_node_that_no_class_can_run(tmp_path):
    chip = tmp_path / "chip.toml"
    chip.write_text(
        'schema = "mapopt.platform/1"\nname = "chip"\n[[classes]]\nname = "imc"\ncount = 1\nbase_model = "macs"\n'
        'macs_per_s = 1\n[interconnect]\ntransfer = "free"\nbytes_per_s = 1\n'
    )
    with pytest.raises(InputError, match=r"node 'add' \(Add\): no class of platform 'chip' can run"):
        build_instance(network(), load_platform(str(chip)))


CHIP = """schema = "mapopt.platform/1"
name = "chip"
[[classes]]
name = "cpu"
count = 1
base_model = "macs"
macs_per_s = 1_000_000_000
operations_per_s = 1_000_000_000
fused_per_s = 2_000_000_000
overhead_ps = 7_000_000
[interconnect]
transfer = "host"
bytes_per_s = 1_000_000_000
host_classes = ["cpu"]
"""


def test_overhead_followers_and_host_classes_count(tmp_path):
    chip = tmp_path / "chip.toml"
    chip.write_text(CHIP)
    problem = build_instance(network(), load_platform(str(chip)))
    # 7,000 ns overhead, 115,200 MACs or 1,600 operations at 1 per ns, 1,600 fused operations at 2 per ns
    assert problem.times.tolist() == [[7_000 + 115_200 + 800], [7_000 + 1_600 + 800]]
    assert problem.transfer == Host(10**9, 0, ("cpu0",))


def test_activation_memory_counts_every_output():
    split = Network(
        name="net",
        nodes=(Node("split", "Split", ("x",), ("y", "z"), operations=10),),
        tensors={"x": Tensor("x", (10,)), "y": Tensor("y", (4,)), "z": Tensor("z", (6,))},
        inputs=("x",),
        outputs=("y", "z"),
        total_macs=0,
        total_weights=0,
    )
    assert build_instance(split, load_platform("imce")).nodes[0].memory_bytes == 10


def test_energies_where_every_class_states_them():
    problem = build_instance(network(), load_platform("imc:imc=2,dpu=1"))
    # 100 vectors x 1 crossbar x 10.24 nJ, and 1,600 fused operations of 1 pJ; 3,200 operations of 1 pJ
    assert problem.energy_unit == "fJ"
    assert problem.energy is not None
    assert problem.energy.tolist() == [[1_024_000_000 + 1_600_000, 0], [0, 3_200_000]]


def test_energies_are_absent_where_a_class_lacks_one():
    problem = build_instance(network(), load_platform("imce:imc=2,dpu=1"))
    assert problem.energy is None
    assert problem.energy_unit == ""


def test_energy_per_mac_and_its_exclusion():
    (imc, _) = load_platform("imce:imc=2,dpu=1").classes
    assert node_energy_fj(network().nodes[0], msgspec.structs.replace(imc, mac_fj=2)) == 2 * 115_200
    with pytest.raises(InputError, match="mvm_fj needs crossbars, and excludes mac_fj"):
        msgspec.structs.replace(imc, mac_fj=2, mvm_fj=3)
