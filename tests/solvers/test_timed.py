from mapopt.emulator.lower import lower
from mapopt.emulator.schedule import schedule
from mapopt.mapping import Mapping
from mapopt.solvers.timed import timed_mapping
from tests.bounds.cases import assignments
from tests.formulations.cases import MODELS, tiny_instance


def test_it_writes_what_the_emulator_reads():
    for kind in MODELS:
        for seed in range(10):
            instance = tiny_instance(seed, kind)
            units = next(assignments(instance))
            known = schedule(instance, Mapping.of(instance, units))
            program = lower(instance, known)
            starts, hops = [0] * len(units), {}
            for (node, tensor, unit, hop), start in zip(
                program.label.tolist(), program.timed_starts.tolist(), strict=True
            ):
                if node >= 0:
                    starts[node] = start
                else:
                    hops.setdefault((tensor, unit), {})[hop] = start
            transfers = {key: [times[hop] for hop in sorted(times)] for key, times in hops.items()}
            made = timed_mapping(instance, units, starts, transfers, known.horizon or 1)
            assert made.patterns == known.patterns
            assert (made.horizon, made.instance) == (known.horizon, known.instance)
