"""The rivals of the emulator's benchmark run the same program."""

from __future__ import annotations

import random

import numpy as np
import pytest

from benchmarks.emulator.cpp_port import CppPort
from benchmarks.emulator.simpy_model import run_processes, run_servers
from mapopt.emulator import kernel
from mapopt.emulator.lower import lower
from mapopt.emulator.machine import Machine, periodic, saturated
from mapopt.emulator.program import Program, ProgramPattern, ProgramTask
from tests.emulator.cases import MODELS, random_case


@pytest.mark.system
def test_cpp_port_ends_in_the_same_state() -> None:
    port = CppPort.build()
    if port is None:
        pytest.skip("g++ is not installed")
    for seed in range(60):
        rng = random.Random(seed)
        case = random_case(rng, MODELS[seed % 5], 12, 4, 1 + seed % 3)
        arrival = saturated(case.window) if case.window is not None else periodic(case.interval or 0)
        program = lower(case.instance, case.mapping)
        ours, theirs = (Machine(program, arrival, frames=case.frames, log=500) for _ in range(2))
        for machine in (ours, theirs):
            while len(machine.state.remaining) < 64 and machine.grow():
                pass
        ours.run()
        port.advance(theirs.tables, theirs.arrival, theirs.state)
        for name in ("scalar", "latency", "left_at", "running", "free_at"):
            assert np.array_equal(getattr(ours.state, name), getattr(theirs.state, name)), name
        fired = ours[kernel.FIRINGS]
        assert np.array_equal(ours.state.log[:fired], theirs.state.log[:fired])


def test_simpy_models_take_the_same_time_where_nothing_ties() -> None:
    tasks = [ProgramTask(0, 30), ProgramTask(1, 41, hold=7), ProgramTask(2, 13), ProgramTask(0, 12)]
    arcs = [(0, 1, 3), (0, 2, 0), (1, 3, 5), (2, 3, 0)]
    program = Program.build(["a", "b", "c"], [ProgramPattern(tasks, arcs)])
    machine = Machine(program, periodic(53), frames=20)
    machine.run()
    assert run_processes(program, 53, 20) == run_servers(program, 53, 20)
    # SimPy's clock stops at the last release's wait or the last task, whichever is later
    assert run_servers(program, 53, 20) == max(machine[kernel.NOW], 20 * 53)
