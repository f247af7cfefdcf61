import msgspec
import pytest

from mapopt.emulator.schedule import schedule
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.mapping import Mapping
from mapopt.solvers.judging import BrokenFormulationError, accepted, measured, with_timed_claims
from mapopt.solvers.model import Answer, Objective, Status

INSTANCE = Instance(
    "i",
    classes=("imc", "dpu"),
    units=(Unit("a", "imc"), Unit("b", "dpu"), Unit("c", "dpu")),
    nodes=(
        InstanceNode("n", times=(5, 9), energy=(7, 1)),
        InstanceNode("m", times=(4, 2), energy=(3, 10)),
        InstanceNode("o", times=(None, 2), energy=(0, 100)),
    ),
    tensors=(InstanceTensor("t", "n", ("m", "o"), size_bytes=10),),
)


@pytest.mark.parametrize(
    ("units", "period", "energy", "traffic"),
    [((0, 0, 1), 9, 110, 10), ((0, 1, 1), 5, 117, 10), ((0, 1, 2), 5, 117, 20), ((1, 1, 1), 13, 111, 0)],
)
def test_values_are_measured_from_the_instance(units, period, energy, traffic):
    mapping = Mapping.of(INSTANCE, units)
    assert measured(INSTANCE, mapping, Objective.PERIOD) == period
    assert measured(INSTANCE, mapping, Objective.ENERGY) == energy
    assert measured(INSTANCE, mapping, Objective.TRAFFIC) == traffic


def test_a_latency_is_the_schedules_own():
    timed = schedule(INSTANCE, Mapping.of(INSTANCE, [0, 1, 1]))
    assert measured(INSTANCE, timed, Objective.LATENCY) == 9
    claims = with_timed_claims(INSTANCE, msgspec.structs.replace(timed, claims=None)).claims
    assert claims == timed.claims


def answer(value, bound=None, units=(0, 1, 1)):
    return Answer(Status.FEASIBLE, Mapping.of(INSTANCE, units), value, bound)


def test_a_claim_is_believed_only_if_the_emulator_measures_it():
    assert accepted(INSTANCE, answer(5, 5), Objective.PERIOD, "f") == 5
    with pytest.raises(BrokenFormulationError, match="claims period 4, but the emulator measures 5"):
        accepted(INSTANCE, answer(4), Objective.PERIOD, "f")
    with pytest.raises(BrokenFormulationError, match="no period is below 6"):
        accepted(INSTANCE, answer(5, 6), Objective.PERIOD, "f")
    with pytest.raises(BrokenFormulationError, match="'o' is on unit 'a'"):
        accepted(INSTANCE, answer(5, units=(0, 1, 0)), Objective.PERIOD, "f")
    assert accepted(INSTANCE, Answer(Status.UNKNOWN), Objective.PERIOD, "f") is None


def test_starts_that_are_too_early_are_a_defect():
    timed = schedule(INSTANCE, Mapping.of(INSTANCE, [0, 1, 1]))
    early = msgspec.structs.replace(
        timed, patterns=(msgspec.structs.replace(timed.patterns[0], starts=(0, 4, 7)),)
    )
    with pytest.raises(BrokenFormulationError, match="before its data has arrived"):
        measured(INSTANCE, early, Objective.LATENCY)
