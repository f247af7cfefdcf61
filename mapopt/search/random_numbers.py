"""Random numbers for compiled code: a state that the caller holds, so that a search can pause and go on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mapopt.emulator.jit import compiled

RandomState = npt.NDArray[np.uint64]
"""One 64-bit word."""


def random_state(seed: int, stream: int = 0) -> RandomState:
    """Return the state of a generator; streams of one seed are independent."""
    words = np.random.SeedSequence([seed & 0xFFFF_FFFF_FFFF_FFFF, stream]).generate_state(1, np.uint64)
    return words.astype(np.uint64)


@compiled
def uniform(state: RandomState) -> float:
    """Draw from [0, 1).

    References
    ----------
    S. Vigna, splitmix64, 2015; after G. L. Steele, D. Lea and C. H. Flood, "Fast splittable pseudorandom number
    generators", OOPSLA 2014.
    """
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    bits = state[0]
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    return float(bits >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@compiled
def below(state: RandomState, count: int) -> int:
    """Draw from 0, 1, ..., count - 1."""
    return int(uniform(state) * count)
