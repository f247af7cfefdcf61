"""Instances with a planted optimum: period and latency are known, because the schedule comes first.

The schedule repeats every T ticks and is made in three steps.

1. A *chain* of tasks without waiting. The next task stands on a unit of the other class, after a transfer that no
   mapping can avoid, since no unit can run both tasks; or right behind the last task on the same unit; or, where
   transfers are free, on any unit.
2. All idle time of all units, modulo T, is cut into further tasks, which start in the same frame no later than they
   must for the chain to end last.
3. Edges between tasks whose data can arrive in time. With links each transfer gets times of its own at which all links
   of its route are idle modulo T.

*Proof of the period.* Every task has its least time on the unit where it stands, and all units work T ticks per frame:
the least times of all nodes add up to (units x T), so some unit works at least T ticks under every mapping.

*Proof of the latency.* The chain's edges belong to the graph, its tasks run on one class only, and the transfers
between its classes cannot be avoided; so a frame takes at least the chain's tasks and these transfers, one after the
other. The chain never waits and ends last: that is the schedule's latency.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from random import Random

from mapopt.errors import InputError
from mapopt.instance import Instance, InstanceNode, InstanceTensor
from mapopt.library.generators.parts import classes_of, one_of, share, transfer_model, units_of, whole
from mapopt.library.generators.rings import Ring
from mapopt.mapping import Claims, InstanceRef, Mapping, Pattern, TransferStart

TRANSFERS = ("free", "delay", "links")

MAX_NODES = 20_000


@dataclass(frozen=True, slots=True)
class Planted:
    """An instance and what is known of it.

    Parameters
    ----------
    instance
        The instance.
    mapping
        A mapping that attains the figures, time-triggered, with claims.
    period_ticks
        The least period of mappings with one pattern, proven.
    latency_ticks
        The least latency of mappings with one pattern at any period, proven; ``None`` if unknown.
    """

    instance: Instance
    mapping: Mapping
    period_ticks: int
    latency_ticks: int | None


def generate(
    *,
    imcs: int = 4,
    dpus: int = 2,
    nodes_per_unit: int = 6,
    period_ticks: int = 1000,
    stages: int = 3,
    transfer: str = "delay",
    send_ticks: int = 50,
    latency_ticks: int = 0,
    fan_in: int = 2,
    flexible: float = 0.0,
    slowdown: int = 4,
    seed: int = 0,
) -> Planted:
    """Return an instance with known least period and least latency.

    Parameters
    ----------
    imcs, dpus
        Units of each class; with transfers at least one of each.
    nodes_per_unit
        About so many nodes on each unit.
    period_ticks
        The least period T, at least 4 ticks per node of a unit.
    stages
        The latency is about so many periods; less where the chain finds no more idle time to go on.
    transfer
        One of :data:`TRANSFERS`; ``links`` are one full-duplex port per unit.
    send_ticks
        A tensor is sent in 1 to this many ticks (per link), at most T/4.
    latency_ticks
        Of a transfer, with ``links`` of each link.
    fan_in
        A node reads 1 to this many tensors where so many can arrive in time.
    flexible
        Share of the imc nodes off the chain that dpu units can run too, ``slowdown`` times slower.
    slowdown
        At least 1.
    seed
        Of everything random.

    Raises
    ------
    InputError
        If a parameter is out of range.

    Examples
    --------
    >>> from mapopt.bounds import lower_bounds
    >>> planted = generate(transfer="links", seed=1)
    >>> bounds = lower_bounds(planted.instance)
    >>> (bounds.period.ticks, bounds.latency.ticks) == (planted.period_ticks, planted.latency_ticks)
    True
    """
    one_of("transfer", transfer, TRANSFERS)
    least = 0 if transfer == "free" else 1
    whole("imcs", imcs, 1, 1000)
    whole("dpus", dpus, least, 1000)
    whole("nodes_per_unit", nodes_per_unit, 1, MAX_NODES // (imcs + dpus))
    whole("period_ticks", period_ticks, 4 * nodes_per_unit, 10**9)
    whole("stages", stages, 1, 1000)
    whole("send_ticks", send_ticks, 1, period_ticks // 4)
    whole("latency_ticks", latency_ticks, 0, period_ticks)
    whole("fan_in", fan_in, 1, 100)
    share("flexible", flexible)
    whole("slowdown", slowdown, 1, 1000)
    whole("seed", seed, 0, 2**63)
    if flexible and not dpus:
        raise InputError(
            f"parameter flexible: is {flexible:g} without dpu units; make it 0 or dpus at least 1"
        )
    plan = _Plan(Random(seed), imcs, dpus, period_ticks, nodes_per_unit, transfer, send_ticks, latency_ticks)
    plan.chain(stages)
    plan.fill(flexible)
    plan.connect(fan_in)
    parameters = f"{imcs} imc, {dpus} dpu, {nodes_per_unit} nodes per unit, {stages} stages, {transfer}"
    return plan.result(slowdown, f"planted-{transfer}-{imcs}-{dpus}-{nodes_per_unit}-{seed}", parameters)


_Sending = tuple[tuple[int, ...], int]
"""The starts of a transfer on the links of its route, and its arrival."""


@dataclass(slots=True, eq=False)
class _Task:
    """A task of the schedule, its readers, and how its data go to other units."""

    unit: int
    start: int
    ticks: int
    size: int
    flexible: bool = False
    readers: list[_Task] = field(default_factory=list)
    sends: dict[int, _Sending] = field(default_factory=dict)

    @property
    def end(self) -> int:
        return self.start + self.ticks


class _Plan:
    """A schedule in the making: tasks, and the times of units and links, modulo the period, that are taken."""

    def __init__(
        self,
        dice: Random,
        imcs: int,
        dpus: int,
        period: int,
        per_unit: int,
        transfer: str,
        send_ticks: int,
        latency: int,
    ) -> None:
        self.dice, self.period, self.transfer, self.latency = dice, period, transfer, latency
        self.classes, self.platform = classes_of(imcs, dpus), units_of(imcs, dpus)
        self.imcs, self.mean, self.send_ticks = imcs, period // per_unit, send_ticks
        self.units = [Ring(period) for _ in self.platform]
        self.out = [Ring(period) for _ in self.platform]
        self.into = [Ring(period) for _ in self.platform]
        self.tasks: list[_Task] = []

    def chain(self, stages: int) -> None:
        """Step 1: tasks one after the other, until they take so many periods or find no idle unit."""
        last = self._task(self.dice.randrange(len(self.units)), 0, min(self.period, self._duration()))
        while last.end < stages * self.period:
            following = self._follow(last)
            if following is None:
                return
            last.readers.append(following)
            last = following

    def fill(self, flexible: float) -> None:
        """Step 2: tasks in all idle time, cut at multiples of the period so that each can end before the chain."""
        until = self.tasks[-1].end
        for unit, ring in enumerate(self.units):
            for first, length in ring.idle():
                at, end = first, first + length
                while at < end:
                    rest = min(end, (at // self.period + 1) * self.period) - at
                    ticks = self._duration()
                    ticks = rest if rest - ticks < self.mean // 4 else ticks
                    offset = at % self.period
                    turns = (until - offset - ticks) // self.period
                    task = self._task(unit, offset + self.period * self.dice.randint(0, turns), ticks)
                    task.flexible = unit < self.imcs and self.dice.random() < flexible
                    at += ticks

    def connect(self, fan_in: int) -> None:
        """Step 3: edges from tasks that ended shortly before, where their data can arrive in time."""
        by_end = sorted(self.tasks, key=lambda task: task.end)
        ends = [task.end for task in by_end]
        for task in sorted(self.tasks, key=lambda task: task.start):
            ended = bisect_right(ends, task.start)
            before = by_end[max(0, ended - 2 * len(self.units)) : ended]
            self.dice.shuffle(before)
            wanted = self.dice.randint(1, fan_in) - sum(task in other.readers for other in before)
            for other in before:
                if wanted > 0 and task not in other.readers and self._sent(other, task):
                    other.readers.append(task)
                    wanted -= 1

    def result(self, slowdown: int, name: str, parameters: str) -> Planted:
        """Return the instance, its nodes in random order, and the schedule as a mapping."""
        tasks = list(self.tasks)
        self.dice.shuffle(tasks)
        number = {id(task): at for at, task in enumerate(tasks)}
        model = transfer_model(self.transfer, self.platform, self.latency)
        instance = Instance(
            name,
            classes=self.classes,
            units=self.platform,
            nodes=tuple(InstanceNode(f"n{at}", self._times(task, slowdown)) for at, task in enumerate(tasks)),
            tensors=tuple(
                InstanceTensor(
                    f"t{at}",
                    f"n{at}",
                    tuple(f"n{reader}" for reader in sorted(number[id(each)] for each in task.readers)),
                    task.size,
                )
                for at, task in enumerate(tasks)
                if task.readers
            ),
            transfer=model,
            source=f"mapopt.library.generators.planted: {parameters}",
        )
        latency = max(task.end for task in tasks)
        mapping = Mapping(
            nodes=tuple(node.name for node in instance.nodes),
            patterns=(
                Pattern(
                    units=tuple(self.platform[task.unit].name for task in tasks),
                    starts=tuple(task.start for task in tasks),
                    transfers=tuple(
                        TransferStart(f"t{at}", self.platform[unit].name, starts)
                        for at, task in enumerate(tasks)
                        for unit, (starts, _) in sorted(task.sends.items())
                        if starts
                    ),
                ),
            ),
            horizon=self.period,
            instance=InstanceRef(instance.name, instance.digest),
            claims=Claims(
                max_load_ticks=str(self.period), period_ticks=str(self.period), latency_ticks=latency
            ),
        )
        return Planted(instance, mapping, self.period, latency)

    def _times(self, task: _Task, slowdown: int) -> tuple[int | None, ...]:
        if len(self.classes) == 1:
            return (task.ticks,)
        if task.unit >= self.imcs:
            return (None, task.ticks)
        return (task.ticks, slowdown * task.ticks if task.flexible else None)

    def _duration(self) -> int:
        return self.dice.randint(max(1, self.mean // 2), self.mean + self.mean // 2)

    def _task(self, unit: int, start: int, ticks: int) -> _Task:
        task = _Task(unit, start, ticks, self.dice.randint(1, self.send_ticks))
        self.units[unit].take(start, ticks)
        self.tasks.append(task)
        return task

    def _follow(self, last: _Task) -> _Task | None:
        """Put a task where it can start as soon as the data of the last one can be there in any mapping."""
        for unit in self.dice.sample(range(len(self.units)), len(self.units)):
            sending = self._unavoidable(last, unit)
            room = self.units[unit].room(sending[1]) if sending else 0
            if sending and room:
                if unit != last.unit:
                    self._book(last, unit, sending)
                return self._task(unit, sending[1], min(room, self._duration()))
        return None

    def _unavoidable(self, task: _Task, unit: int) -> _Sending | None:
        """Send a task's data without waiting; ``None`` if it has to wait or another mapping need not send them."""
        if unit == task.unit or self.transfer == "free":
            return (), task.end
        if (unit < self.imcs) == (task.unit < self.imcs):
            return None
        sending = self._sending(task, unit)
        hops = 2 if self.transfer == "links" else 1
        return sending if sending and sending[1] == task.end + hops * (task.size + self.latency) else None

    def _sent(self, task: _Task, reader: _Task) -> bool:
        """Send a task's data to its reader's unit unless they are there already; False if they would be late."""
        unit = reader.unit
        if unit == task.unit:
            return True
        if unit in task.sends:
            return task.sends[unit][1] <= reader.start
        sending = self._sending(task, unit)
        if sending is None or sending[1] > reader.start:
            return False
        self._book(task, unit, sending)
        return True

    def _sending(self, task: _Task, unit: int) -> _Sending | None:
        """Return the earliest transfer to another unit, or ``None`` if the links have no such idle time."""
        if self.transfer == "free":
            return (), task.end
        if self.transfer == "delay":
            return (), task.end + task.size + self.latency
        out = self.out[task.unit].earliest(task.end, task.size)
        if out is None:
            return None
        into = self.into[unit].earliest(out + task.size + self.latency, task.size)
        return None if into is None else ((out, into), into + task.size + self.latency)

    def _book(self, task: _Task, unit: int, sending: _Sending) -> None:
        task.sends[unit] = sending
        for ring, start in zip((self.out[task.unit], self.into[unit]), sending[0], strict=False):
            ring.take(start, task.size)
