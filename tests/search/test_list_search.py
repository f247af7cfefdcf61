import itertools

import pytest

from mapopt.emulator import timetriggered
from mapopt.emulator.lower import lower
from mapopt.errors import InputError
from mapopt.feasibility import check
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.mapping import Mapping
from mapopt.search.annealing import Schedule, annealed_list
from mapopt.transfers import Delay
from tests.search.cases import cases


def assert_is_what_it_claims(instance: Instance, period: int, schedule: Schedule) -> None:
    mapping = schedule.mapping
    assert check(instance, mapping) == ()
    assert mapping.horizon == period
    assert mapping.patterns[0].starts == schedule.starts
    assert mapping.assignment(instance)[0] == schedule.units
    outcome = timetriggered.judge(lower(instance, mapping))
    assert isinstance(outcome, timetriggered.Feasible)
    assert outcome.latencies.tolist() == [schedule.latency]
    assert mapping.claims is not None
    assert mapping.claims.latency_ticks == schedule.latency


def test_schedules_keep_every_rule_under_all_transfer_models() -> None:
    models = set()
    for number, instance, period in cases(0, 400):
        schedule = annealed_list(instance, period, seed=number, iterations=200)
        assert schedule is not None, number
        assert_is_what_it_claims(instance, period, schedule)
        models.add(type(instance.transfer).__name__)
    assert models == {"Free", "Delay", "Blocking", "Host", "Links"}


def fork(times: tuple[int, ...], units: int) -> Instance:
    """One source, parallel nodes, one sink; a transfer takes 2 ticks."""
    names = [f"n{number}" for number in range(len(times))]
    inner = tuple(names[1:-1])
    return Instance(
        "fork",
        classes=("imc",),
        units=tuple(Unit(f"u{number}", "imc") for number in range(units)),
        nodes=tuple(InstanceNode(name, (time,)) for name, time in zip(names, times, strict=True)),
        tensors=(
            InstanceTensor("in", names[0], inner, 2),
            *(InstanceTensor(name, name, (names[-1],), 2) for name in inner),
        ),
        transfer=Delay(10**9),
    )


def least_single_latency(instance: Instance) -> int:
    """All assignments and all topological orders of one frame."""
    nodes, units = range(len(instance.nodes)), range(len(instance.units))
    time = [int(instance.times[node, 0]) for node in nodes]
    best = 10**9
    for home in itertools.product(units, repeat=len(nodes)):
        for order in itertools.permutations(nodes[1:-1]):
            end: dict[int, int] = {}
            free = dict.fromkeys(units, 0)
            for node in (0, *order, nodes[-1]):
                ready = [
                    end[before] + (0 if home[before] == home[node] else 2)
                    for before in instance.predecessors[node]
                ]
                end[node] = max([free[home[node]], *ready]) + time[node]
                free[home[node]] = end[node]
            best = min(best, end[nodes[-1]])
    return best


@pytest.mark.parametrize("times", [(1, 7, 5, 4, 3, 2), (3, 2, 2, 9, 2, 1), (1, 4, 4, 4, 4, 1)])
def test_single_frames_reach_the_optimum_of_all_orders(times: tuple[int, ...]) -> None:
    instance = fork(times, 2)
    schedule = annealed_list(instance, 1000, iterations=2000)
    assert schedule is not None
    assert schedule.latency == least_single_latency(instance)


def test_the_seed_and_not_the_clock_decides() -> None:
    instance = fork((1, 7, 5, 4, 3, 6, 8, 2, 2), 3)
    runs = [annealed_list(instance, 15, seed=4, iterations=500) for _ in range(2)]
    assert runs[0] == runs[1]


def test_a_start_is_kept_or_improved() -> None:
    instance = fork((2, 7, 5, 4, 3, 6, 8, 2, 2), 3)
    start = Mapping.of(instance, [0, 1, 2, 0, 1, 2, 0, 1, 2])
    schedule = annealed_list(instance, 16, iterations=1, start=start)
    assert schedule is not None
    assert_is_what_it_claims(instance, 16, schedule)


def test_stops_at_the_target_and_when_asked() -> None:
    instance = fork((1, 7, 5, 4, 3, 2), 2)
    assert annealed_list(instance, 1000, target=10**6) is not None
    asked = []
    annealed_list(instance, 1000, stop=lambda: len(asked) > 3 or asked.append(1) is not None)
    assert len(asked) == 4


def test_no_schedule_where_the_period_is_too_short() -> None:
    assert annealed_list(fork((1, 7, 5, 4, 3, 2), 2), 10, iterations=300) is None


def test_periods_below_one_are_refused() -> None:
    with pytest.raises(InputError, match="period is 0 ticks"):
        annealed_list(fork((1, 2, 3), 1), 0, iterations=1)
