import pulp
import pytest

from mapopt.emulator.lower import lower
from mapopt.mapping import Mapping
from mapopt.placement.problem import Problem
from mapopt.solvers.transfer_rows import TransferRows
from mapopt.transfers import Links
from tests.bounds.cases import assignments
from tests.formulations.cases import MODELS, tiny_instance


@pytest.mark.parametrize("kind", MODELS)
def test_jobs_of_an_assignment_are_the_tasks_of_its_program(kind):
    """With the units fixed, the work on each resource is that of the lowered program."""
    for seed in range(12):
        instance = tiny_instance(seed, kind, max_nodes=4)
        units = list(assignments(instance))[-1]
        rows = TransferRows(Problem(instance), 200, 0)
        for node, unit in enumerate(units):
            rows.model += rows.on(node, unit) == 1
        occupied: dict[int, list[object]] = {}
        for job in rows.jobs:
            for resource, (here, ticks) in job.options.items():
                occupied.setdefault(resource, []).append(ticks * here)
                if job.node >= 0 and units[job.node] == resource:
                    occupied[resource].append(job.hold)
        work = {resource: pulp.lpSum(terms) for resource, terms in occupied.items()}
        rows.model.setObjective(pulp.lpSum(work.values()))
        rows.model.solve(pulp.PULP_CBC_CMD(msg=False))
        assert pulp.LpStatus[rows.model.status] == "Optimal"
        want = lower(instance, Mapping.of(instance, units)).loads().tolist()
        have = [round(pulp.value(work.get(resource, 0)) or 0) for resource in range(len(want))]
        assert have == want, (instance.name, isinstance(instance.transfer, Links))
