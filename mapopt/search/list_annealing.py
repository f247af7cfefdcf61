"""Annealed list scheduling: priorities and units are what changes, :func:`place_nodes` says what comes of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mapopt.emulator.jit import compiled
from mapopt.instance import IntArray
from mapopt.search.placing import Board, board_of, place_nodes
from mapopt.search.random_numbers import RandomState, below, uniform
from mapopt.search.tables import DELAYED, ROUTED, Tables

FloatArray = npt.NDArray[np.float64]

SNUG = (0.0, 0.001, 0.01, 0.1, 1.0)
"""Values of ``snug`` in :func:`place_nodes` that are tried."""


class Shares(NamedTuple):
    """How often each kind of change is tried, as shares of all changes; what is left frees a unit.

    Parameters
    ----------
    shift
        Change a priority.
    exchange
        Exchange two priorities.
    choose
        Choose a unit. Under ``blocking`` and ``host``, where no unit may be free, the rest of the changes too.
    """

    shift: float = 0.5
    exchange: float = 0.1
    choose: float = 0.25


class Rules(NamedTuple):
    """One way to make a list schedule; shapes (nodes,), (groups,) and (1,)."""

    key: FloatArray
    chosen: IntArray
    snug: FloatArray


class Walk(NamedTuple):
    """Where an annealing stands.

    Parameters
    ----------
    rules, trial
        The current rules, and those being tried.
    value
        Latency and nodes without a place by the current rules; least latency so far, -1 before there is any;
        iterations done.
    span
        Range of the first priorities, the scale of their changes.
    start, unit, hop
        The schedule of least latency.
    """

    rules: Rules
    trial: Rules
    value: IntArray
    span: float
    start: IntArray
    unit: IntArray
    hop: IntArray
    board: Board


def walk_of(tables: Tables, key: FloatArray, chosen: IntArray) -> Walk:
    """Return an annealing before its first iteration."""
    board = board_of(tables)
    return Walk(
        rules=Rules(key.astype(np.float64), chosen.copy(), np.zeros(1)),
        trial=Rules(key.astype(np.float64), chosen.copy(), np.zeros(1)),
        value=np.array([0, len(tables.group) + 1, -1, 0], dtype=np.int64),
        span=float(key.max() - key.min()) + 1.0,
        start=board.start.copy(),
        unit=board.unit.copy(),
        hop=board.hop.copy(),
        board=board,
    )


@compiled
def anneal(
    tables: Tables,
    period: int,
    walk: Walk,
    temperature: float,
    iterations: int,
    until: int,
    target: int,
    backward: bool,
    fixed: IntArray,
    shares: Shares,
    random: RandomState,
) -> None:
    """Go on to iteration ``until`` of ``iterations``, or until the latency is at most ``target``.

    The temperature, in ticks, falls to 0 in even steps. Rules that leave nodes without a place are as bad as these are
    many. Nodes with a ``fixed`` offset, see :func:`place_nodes`, keep their unit.
    """
    rules, trial, value = walk.rules, walk.trial, walk.value
    while value[3] < until and not 0 <= value[2] <= target:
        trial.key[:] = rules.key
        trial.chosen[:] = rules.chosen
        trial.snug[0] = rules.snug[0]
        if value[3] > 0:
            changes = 1 if uniform(random) < 0.6 else 2 + below(random, 3)
            for _ in range(changes):
                _change(tables, trial, walk.span, fixed, shares, random)
        latency, missing = place_nodes(
            tables, period, trial.key, trial.chosen, fixed, trial.snug[0], backward, walk.board
        )
        heat = temperature * (1.0 - value[3] / iterations) + 1e-9
        value[3] += 1
        if missing != value[1]:
            worse = float(missing - value[1])
        else:
            worse = 0.0 if missing > 0 else (latency - value[0]) / heat
        if worse <= 0.0 or ((missing == 0) == (value[1] == 0) and uniform(random) < np.exp(-worse)):
            rules.key[:] = trial.key
            rules.chosen[:] = trial.chosen
            rules.snug[0] = trial.snug[0]
            value[0], value[1] = latency, missing
            if missing == 0 and (value[2] < 0 or latency < value[2]):
                value[2] = latency
                walk.start[:] = walk.board.start
                walk.unit[:] = walk.board.unit
                walk.hop[:] = walk.board.hop


@compiled
def _change(
    tables: Tables, rules: Rules, span: float, fixed: IntArray, shares: Shares, random: RandomState
) -> None:
    """Change a priority, exchange two, or choose or free a unit."""
    nodes = len(tables.group)
    node = below(random, nodes)
    group = tables.group[node]
    dice = uniform(random)
    if dice < shares.shift:
        reach = 0.6 if uniform(random) < 0.3 else 0.1
        rules.key[node] += (uniform(random) + uniform(random) - 1.0) * span * reach
    elif dice < shares.shift + shares.exchange:
        other = below(random, nodes)
        rules.key[node], rules.key[other] = rules.key[other], rules.key[node]
    elif dice >= 0.97 and (tables.travel == DELAYED or tables.travel == ROUTED):
        rules.snug[0] = SNUG[below(random, len(SNUG))]
    elif fixed[node] >= 0:
        return
    elif dice < shares.shift + shares.exchange + shares.choose or (
        tables.travel != DELAYED and tables.travel != ROUTED
    ):
        first = tables.choice_offset[group]
        rules.chosen[group] = tables.choice[first + below(random, tables.choice_offset[group + 1] - first)]
    else:
        rules.chosen[group] = -1
