from __future__ import annotations

import pytest

from mapopt.emulator.lower import lower
from mapopt.errors import InputError
from mapopt.mapping import Mapping, Pattern, TransferStart

from .test_lower import ports, star


def timed(transfers: tuple[TransferStart, ...]) -> Mapping:
    pattern = Pattern(("u0", "u1", "u2", "u3"), (0, 40, 60, 80), transfers)
    return Mapping(nodes=("a", "b", "c", "d"), patterns=(pattern,), horizon=100)


def test_time_triggered_transfers_must_be_those_needed() -> None:
    instance = star(ports(1))
    good = (
        TransferStart("x", "u1", (10, 16)),
        TransferStart("x", "u2", (15, 21)),
        TransferStart("x", "u3", (20, 26)),
        TransferStart("y", "u3", (25, 33)),
    )
    program = lower(instance, timed(good))
    labels = {
        tuple(row): start for row, start in zip(program.label.tolist(), program.timed_starts, strict=True)
    }
    assert labels[-1, 1, 3, 1] == 33
    with pytest.raises(InputError, match=r"tensor 'y' to unit 'u3' has 0 starts; .* needs 2"):
        lower(instance, timed(good[:3]))
    with pytest.raises(InputError, match=r"tensor 'y' to unit 'u1' has 1 starts; .* needs 0"):
        lower(instance, timed((*good, TransferStart("y", "u1", (1,)))))
    with pytest.raises(InputError, match="tensor 'z' to unit 'u1' names what instance 'star' does not have"):
        lower(instance, timed((*good, TransferStart("z", "u1", (1,)))))
    with pytest.raises(InputError, match="appears twice"):
        lower(instance, timed((*good, good[0])))
