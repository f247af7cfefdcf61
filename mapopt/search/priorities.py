"""Elastic list scheduling with several priority rules and small changes of the best one, compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mapopt.emulator.jit import compiled
from mapopt.instance import IntArray
from mapopt.search.elastic import Choice, Circles, FloatArray, Net, place_elastic
from mapopt.search.random_numbers import RandomState, below, uniform


class Rules(NamedTuple):
    """Priorities of nodes.

    Parameters
    ----------
    feature
        Shape (2, nodes, features), from 0 to 1: scheduling forward, and in reverse.
    weight
        Shape (rules, features); large sums come first.
    """

    feature: FloatArray
    weight: FloatArray


class Found(NamedTuple):
    """The best schedule so far.

    Parameters
    ----------
    start, unit
        Shape (nodes,): as scheduled, in reverse if ``value`` says so.
    key
        Shape (nodes,).
    value
        The latency, -1 before there is any; whether it was made in reverse; lists made.
    """

    start: IntArray
    unit: IntArray
    key: FloatArray
    value: IntArray


@compiled
def best_list(
    forward: Net,
    backward: Net,
    strict: IntArray,
    rules: Rules,
    choice: Choice,
    examine: int,
    lists: int,
    changes: float,
    reach: float,
    target: int,
    circles: Circles,
    found: Found,
    random: RandomState,
) -> None:
    """Make lists by every rule, forward and in reverse, then change the keys of the best.

    Parameters
    ----------
    strict
        Slots to go on with, shape as those of the nets, once a node has found no unit.
    lists
        How many to make at most.
    changes
        How many keys are changed at a time, on average.
    reach
        By what share of the span of all keys they change at most.
    target
        A latency that is good enough.
    """
    nodes = len(found.key)
    key, kept = np.empty(nodes), np.empty(nodes)
    present, way = -1, 0
    usual = tried = choice
    number = made = 0
    count = 2 * len(rules.weight)
    while made < lists and not 0 <= found.value[0] <= target:
        if number < count:
            here = number % 2
            key[:] = 0.0
            for node in range(nodes):
                for feature in range(rules.weight.shape[1]):
                    key[node] -= rules.weight[number // 2, feature] * rules.feature[here, node, feature]
        else:
            if number == count:
                kept[:] = found.key
                present, way = found.value[0], found.value[1]
            tried = Choice(
                usual.late * _factor(random),
                usual.pushed * _factor(random),
                usual.idle * _factor(random),
                usual.fetched * _factor(random),
                usual.loaded * _factor(random),
            )
            here = way if number % 2 == 0 else below(random, 2)
            if number % 2 == 0:
                key[:] = kept
                span = kept.max() - kept.min() + 1e-9
                for _ in range(1 + int(2.0 * uniform(random) * changes)):
                    key[below(random, nodes)] += (2.0 * uniform(random) - 1.0) * span * reach
            else:
                rule = below(random, len(rules.weight))
                key[:] = 0.0
                for feature in range(rules.weight.shape[1]):
                    weight = rules.weight[rule, feature] * _factor(random) + 0.2 * uniform(random)
                    for node in range(nodes):
                        key[node] -= weight * rules.feature[here, node, feature]
        latency = place_elastic(forward if here == 0 else backward, key, tried, examine, circles)
        made += 1
        if latency < 0:
            if forward.slot[0, 0] == strict[0, 0] and (forward.slot == strict).all():
                number += 1
            else:
                forward.slot[:] = strict
            continue
        number += 1
        if number > count and latency <= present:
            present, usual, way = latency, tried, here
            kept[:] = key
        if found.value[0] < 0 or latency < found.value[0]:
            found.value[0], found.value[1] = latency, here
            found.start[:] = circles.start
            found.unit[:] = circles.unit
            found.key[:] = key
    found.value[2] = made


@compiled
def _factor(random: RandomState) -> float:
    """Draw a factor by which a cost changes."""
    dice = uniform(random)
    return 1.0 if dice < 0.4 else np.exp(4.6 * (uniform(random) - 0.5))
