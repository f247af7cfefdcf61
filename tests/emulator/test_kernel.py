from __future__ import annotations

import pytest
from hypothesis import given, settings

from mapopt.emulator.reference import ReferenceEmulator

from .cases import MODELS, Case, cases, fast_events, slow_events


@pytest.mark.parametrize("kind", MODELS)
def test_fast_equals_slow_to_the_tick(kind: str) -> None:
    """2,000 random programs in all: every start and end of every task, every release and leaving."""

    @settings(max_examples=400, deadline=None, database=None, derandomize=True)
    @given(cases(kind))
    def check(case: Case) -> None:
        slow = ReferenceEmulator(
            case.instance, case.mapping, frames=case.frames, window=case.window, interval=case.interval
        )
        assert fast_events(case) == slow_events(slow.run())

    check()
