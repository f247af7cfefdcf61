import itertools
import random

import pytest

from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.mappers.graph import (
    OverlappingWindows,
    SharedBits,
    earliest_windows,
    incomparable,
    longest_path,
    same_fork_join,
)


def graph(count: int, edges: list[tuple[int, int]], times: list[int] | None = None) -> Instance:
    return Instance(
        "graph",
        classes=("imc",),
        units=(Unit("u", "imc"),),
        nodes=tuple(InstanceNode(f"n{node}", ((times or [1] * count)[node],)) for node in range(count)),
        tensors=tuple(InstanceTensor(f"{one}-{other}", f"n{one}", (f"n{other}",)) for one, other in edges),
    )


def random_graph(seed: int) -> tuple[Instance, list[int], list[tuple[int, int]]]:
    draw = random.Random(seed)
    count = draw.randint(1, 9)
    edges = [pair for pair in itertools.combinations(range(count), 2) if draw.random() < 0.35]
    times = [draw.randint(0, 9) for _ in range(count)]
    return graph(count, edges, times), times, edges


def paths(count: int, edges: list[tuple[int, int]]) -> list[list[int]]:
    found = [[node] for node in range(count)]
    for path in found:
        found.extend([*path, after] for before, after in edges if before == path[-1])
    return found


def test_longest_path_is_a_path_and_none_is_longer() -> None:
    for seed in range(200):
        instance, times, edges = random_graph(seed)
        delays = {edge: (edge[0] * 7 + edge[1]) % 5 for edge in edges}

        def length(
            path: list[int], times: list[int] = times, delays: dict[tuple[int, int], int] = delays
        ) -> int:
            return sum(times[node] for node in path) + sum(delays[edge] for edge in itertools.pairwise(path))

        everything = paths(len(times), edges)
        path = longest_path(instance, times, lambda one, other, delays=delays: delays[one, other])  # type: ignore[misc]
        assert path in everything
        assert length(path) == max(map(length, everything))
        among = [node for node in range(len(times)) if node % 2 == 0]
        inside = longest_path(instance, times, among=among)
        best = max(sum(times[node] for node in path) for path in everything if set(path) <= set(among))
        assert set(inside) <= set(among)
        assert sum(times[node] for node in inside) == best


def test_incomparable_nodes_have_no_path_between_them() -> None:
    for seed in range(200):
        instance, times, edges = random_graph(seed)
        joined = {(path[0], path[-1]) for path in paths(len(times), edges)}
        for one, other in itertools.product(range(len(times)), repeat=2):
            expected = (one, other) not in joined and (other, one) not in joined
            assert (incomparable(instance)[one] >> other & 1) == expected


def test_nodes_whose_windows_overlap_are_incomparable() -> None:
    for seed in range(200):
        instance, times, _ = random_graph(seed)
        windows = earliest_windows(instance, times)
        apart = incomparable(instance)
        held = OverlappingWindows(windows, 1)
        exact = SharedBits([0] * len(times), 1)
        assert not any(exact.meets(node, 0) for node in range(len(times)))
        placed: list[int] = []
        for node in range(len(times)):
            start, end = windows[node]
            overlapping = [
                other
                for other in placed
                if windows[other][0] < end
                and start < windows[other][1]
                and start < end
                and windows[other][0] < windows[other][1]
            ]
            assert held.meets(node, 0) == bool(overlapping), seed
            assert all(apart[node] >> other & 1 for other in overlapping)
            held.add(node, 0)
            placed.append(node)


def test_fork_joins_by_hand() -> None:
    # 0 forks into 1 and (2 forks into 3 and 4, joined by 5), joined by 6; 7 follows.
    nested = graph(8, [(0, 1), (0, 2), (2, 3), (2, 4), (3, 5), (4, 5), (1, 6), (5, 6), (6, 7)])
    pairs = {
        (one, other)
        for one, other in itertools.combinations(range(8), 2)
        if same_fork_join(nested)[one] >> other & 1
    }
    assert pairs == {(1, 2), (1, 5), (3, 4)}
    # All of branch 1 is incomparable with all of the other branch.
    assert [other for other in range(8) if incomparable(nested)[1] >> other & 1] == [2, 3, 4, 5]
    # Sources and sinks that nothing joins are branches of the outside.
    assert same_fork_join(graph(2, [])) == [0b10, 0b01]
    # A chain has no parallel nodes, a residual branch has.
    assert same_fork_join(graph(3, [(0, 1), (1, 2)])) == [0, 0, 0]
    assert same_fork_join(graph(4, [(0, 1), (0, 2), (1, 3), (2, 3), (0, 3)])) == [0, 0b100, 0b010, 0]


@pytest.mark.parametrize("seed", range(40))
def test_same_fork_join_is_symmetric_and_incomparable(seed: int) -> None:
    instance, times, _ = random_graph(seed)
    apart, same = incomparable(instance), same_fork_join(instance)
    for one, other in itertools.product(range(len(times)), repeat=2):
        assert (same[one] >> other & 1) == (same[other] >> one & 1)
        assert not (same[one] >> other & 1) or apart[one] >> other & 1
