import itertools
import random

import pytest

from mapopt.bounds import subset_sums
from mapopt.bounds.subset_sums import least_reachable


def test_agrees_with_all_subsets() -> None:
    for seed in range(400):
        draw = random.Random(seed)
        step = draw.choice((1, 1, 3))
        times = [step * draw.randint(0, 9) for _ in range(draw.randint(1, 9))]
        if draw.random() < 0.5:
            times += [times[0]] * 4
        sums = {sum(part) for size in range(len(times) + 1) for part in itertools.combinations(times, size)}
        for at_least in range(sum(times) + 3):
            expected = min((each for each in sums if each >= at_least), default=None)
            assert least_reachable(times, at_least) == expected, (times, at_least)


def test_too_much_work_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subset_sums, "MAX_BIT_OPERATIONS", 10)
    assert least_reachable([7, 8, 9], 16) is None
