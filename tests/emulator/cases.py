"""Random small instances and mappings over all transfer models, and the comparison of two recordings."""

from __future__ import annotations

import random
from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st

from mapopt.emulator import kernel
from mapopt.emulator.lower import lower
from mapopt.emulator.machine import Machine, periodic, saturated
from mapopt.emulator.program import Program
from mapopt.emulator.reference import Recording
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.mapping import Mapping
from mapopt.transfers import Blocking, Delay, Free, Host, Link, Links, Route, TransferModel

MODELS = ("free", "delay", "blocking", "host", "links")
RATE = 10**9  # one byte per tick of 1 ns


@dataclass(frozen=True)
class Case:
    instance: Instance
    mapping: Mapping
    window: int | None
    interval: Fraction | None
    frames: int


def random_model(rng: random.Random, kind: str, units: int) -> TransferModel:
    latency = rng.choice([0, 0, 1, 3])
    match kind:
        case "free":
            return Free()
        case "delay":
            return Delay(RATE, latency)
        case "blocking":
            return Blocking(RATE, latency)
        case "host":
            hosts = tuple(f"u{index}" for index in range(units) if rng.random() < 0.2)
            return Host(RATE, latency, hosts)
    if rng.random() < 0.5:  # one full-duplex port per unit
        links = [
            Link(f"{way}{unit}", RATE, rng.choice([0, 1, 2]))
            for unit in range(units)
            for way in ("out", "in")
        ]
        return Links(
            tuple(links),
            tuple((f"out{unit}",) for unit in range(units)),
            tuple((f"in{unit}",) for unit in range(units)),
        )
    count = rng.randint(1, 4)
    links = [Link(f"l{index}", rng.choice([RATE, 2 * RATE]), rng.choice([0, 0, 2])) for index in range(count)]
    routes = [
        Route(
            f"u{a}", f"u{b}", tuple(f"l{index}" for index in rng.sample(range(count), rng.randint(0, count)))
        )
        for a in range(units)
        for b in range(units)
        if a != b and rng.random() < 0.7
    ]
    some = [tuple(rng.sample([link.name for link in links], rng.randint(0, 1))) for _ in range(2 * units)]
    return Links(tuple(links), tuple(some[:units]), tuple(some[units:]), tuple(routes))


def random_instance(rng: random.Random, kind: str, nodes: int, units: int) -> Instance:
    times = rng.choice([(0, 3), (1, 9), (0, 40)])
    tensors = []
    for producer in range(nodes - 1):
        for number in range(rng.choice([0, 1, 1, 1, 2])):
            later = range(producer + 1, nodes)
            consumers = rng.sample(later, min(len(later), rng.choice([1, 1, 2, 3])))
            name = f"t{producer}.{number}"
            size = rng.choice([0, 1, 2, 5, 20])
            tensors.append(
                InstanceTensor(name, f"n{producer}", tuple(f"n{each}" for each in consumers), size)
            )
    rng.shuffle(tensors)
    listed = [InstanceNode(f"n{index}", (rng.randint(*times), rng.randint(*times))) for index in range(nodes)]
    rng.shuffle(listed)
    return Instance(
        name="random",
        classes=("a", "b"),
        units=tuple(Unit(f"u{index}", rng.choice("ab")) for index in range(units)),
        nodes=tuple(listed),
        tensors=tuple(tensors),
        transfer=random_model(rng, kind, units),
    )


def random_mapping(rng: random.Random, instance: Instance, patterns: int) -> Mapping:
    units, nodes = len(instance.units), len(instance.nodes)
    rows = [[rng.randrange(units) for _ in range(nodes)] for _ in range(patterns)]
    priorities = [rng.randint(-2, nodes // 2) for _ in range(nodes)] if rng.random() < 0.5 else None
    return Mapping.of(instance, *rows, priorities=priorities)


def busiest(program: Program) -> Fraction:
    return Fraction(int(program.loads().max()), program.n_patterns)


def random_case(rng: random.Random, kind: str, nodes: int, units: int, patterns: int) -> Case:
    instance = random_instance(rng, kind, nodes, units)
    mapping = random_mapping(rng, instance, patterns)
    if rng.random() < 0.5:
        return Case(instance, mapping, rng.choice([1, 2, 3, 8]), None, rng.randint(1, 9))
    scale = rng.choice([Fraction(1, 2), Fraction(9, 10), Fraction(1), Fraction(21, 20), Fraction(3)])
    interval = busiest(lower(instance, mapping)) * scale or Fraction(1, 3)
    if rng.random() < 0.5:
        interval = Fraction(max(1, int(interval)))
    return Case(instance, mapping, None, interval, rng.randint(1, 14))


@st.composite
def cases(draw: st.DrawFn, kind: str | None = None) -> Case:
    """Draw a case: its size by hypothesis, so that it shrinks, the rest from a seed."""
    kind = draw(st.sampled_from(MODELS)) if kind is None else kind
    nodes, units, patterns = draw(st.integers(1, 12)), draw(st.integers(1, 5)), draw(st.integers(1, 3))
    return random_case(random.Random(draw(st.integers(0, 2**32))), kind, nodes, units, patterns)


def fast_events(case: Case) -> tuple[dict[tuple[object, ...], tuple[int, int]], dict[int, tuple[int, int]]]:
    """Run the kernel; return start and end of each (frame, job), and release and leaving of each frame."""
    program = lower(case.instance, case.mapping)
    arrival = saturated(case.window) if case.window is not None else periodic(case.interval or 0)
    count = case.frames * int(max(program.offset[1:] - program.offset[:-1]))
    machine = Machine(program, arrival, frames=case.frames, log=count)
    assert machine.run() == kernel.DRAINED
    bits = machine.tables.bits
    found: dict[tuple[object, ...], tuple[int, int]] = {}
    for key, start in machine.state.log[: machine[kernel.FIRINGS]].tolist():
        frame, task = key >> bits, key & ((1 << bits) - 1)
        task += int(program.offset[frame % program.n_patterns])
        event = (frame, job_of(program, task))
        assert event not in found
        found[event] = (start, start + int(program.duration[task]))
    frames = {}
    for frame in range(case.frames):
        left = int(machine.state.left_at[frame])
        frames[frame] = (left - int(machine.state.latency[frame]), left)
    return found, frames


def job_of(program: Program, task: int) -> tuple[str, int, int, int]:
    node, tensor, unit, hop = program.label[task].tolist()
    if node >= 0:
        return ("node", node, -1, -1)
    return ("send" if program.resource[task] >= program.n_units else "read", tensor, unit, hop)


def slow_events(
    recording: Recording,
) -> tuple[dict[tuple[object, ...], tuple[int, int]], dict[int, tuple[int, int]]]:
    found = {(each.frame, each.job): (each.start, each.end) for each in recording.firings}
    frames = {frame: (time, recording.left[frame]) for frame, time in recording.released.items()}
    return found, frames
