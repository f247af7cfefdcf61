import msgspec
import pytest

from mapopt.emulator.schedule import schedule
from mapopt.errors import InfeasibleError, UnsupportedError
from mapopt.explanation import explain_mapping
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.mappers.run import map_instance
from mapopt.mapping import Mapping, Pattern
from mapopt.sources import load_instance
from mapopt.transfers import Delay


def chain(times=(4, 3, 4), size=10):
    """Three nodes in a row, 1 tick per byte between the two units."""
    return Instance(
        "chain",
        classes=("imc",),
        units=(Unit("a", "imc"), Unit("b", "imc")),
        nodes=tuple(InstanceNode(f"n{at}", times=(time,)) for at, time in enumerate(times)),
        tensors=tuple(InstanceTensor(f"t{at}", f"n{at}", (f"n{at + 1}",), size) for at in range(2)),
        transfer=Delay(10**9, 0),
    )


def test_the_path_names_who_is_in_the_way():
    instance = chain()
    timed = Mapping(
        nodes=("n0", "n1", "n2"),
        patterns=(Pattern(("a", "b", "a"), (0, 14, 30)),),
        horizon=13,
    )
    found = explain_mapping(instance, timed)
    assert (found.period, found.latency, found.latency_kind) == (13, 34, "time-triggered")
    assert [(step.task, step.start, step.waits, step.waits_for) for step in found.path] == [
        ("node 'n0'", 0, 0, ""),
        ("node 'n1'", 14, 0, ""),
        ("node 'n2'", 30, 3, "node 'n0'"),
    ]
    assert found.waiting == 3
    assert found.critical_path == 4 + 10 + 3 + 10 + 4
    assert [(load.name, load.ticks) for load in found.loads] == [("a", 8), ("b", 3)]


def test_gains_are_limits():
    found = explain_mapping(chain(), Mapping.of(chain(), [0, 0, 0]))
    assert found.latency_kind == "single frame, self-timed"
    assert (found.period, found.latency) == (11, 11)
    same, more, faster = found.what_if
    assert same.change == "the same platform, mapped better"
    assert same.period_bound == 7
    assert same.period_gain == pytest.approx(1 - 7 / 11)
    assert more.period_bound == 4
    assert more.latency_gain == 0
    assert faster.change == "all transfers 10% faster"


@pytest.mark.parametrize("platform", ["imce:imc=4,dpu=2", "imc:imc=4,dpu=2"])
def test_every_step_follows_from_the_one_before(platform):
    instance = load_instance("resnet18", platform=platform)
    found = explain_mapping(instance, schedule(instance, map_instance(instance, "lblp")))
    ends = found.path[-1]
    assert ends.start + ends.duration == found.latency
    for before, after in zip(found.path, found.path[1:], strict=False):
        assert after.start - after.waits >= before.start + before.duration
    for change in found.what_if[1:]:
        assert change.period_bound <= found.what_if[0].period_bound


def test_what_cannot_be_explained_is_refused():
    instance = chain()
    two = msgspec.structs.replace(Mapping.of(instance, [0, 0, 0], [1, 1, 1]))
    with pytest.raises(UnsupportedError, match="2 patterns"):
        explain_mapping(instance, two)
    late = Mapping(nodes=("n0", "n1", "n2"), patterns=(Pattern(("a", "b", "a"), (0, 5, 30)),), horizon=13)
    with pytest.raises(InfeasibleError, match="starts before its data"):
        explain_mapping(instance, late)
