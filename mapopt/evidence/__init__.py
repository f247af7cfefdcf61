"""Derive what a witness proves, from the instance alone and in exact integers.

This is what makes a bound trustworthy, so it shares nothing with the code that finds bounds: units, forced transfers
and paths are worked out here again, in the plainest way.
"""

from __future__ import annotations

from mapopt.bounds.witnesses import (
    ClassBalance,
    LatencyWitness,
    LinkLoad,
    MeanLoad,
    Path,
    Patterns,
    ReachableLoad,
    SharedUnit,
    Window,
    Witness,
)
from mapopt.errors import InputError
from mapopt.evidence import latencies, periods
from mapopt.evidence.facts import Facts, RejectedError
from mapopt.instance import Instance

__all__ = ["RejectedError", "is_about_latency", "require_proof"]


def require_proof(instance: Instance, witness: Witness) -> None:
    """Check that a witness proves its ticks for every mapping of one pattern.

    Raises
    ------
    RejectedError
        With the reason, if it does not.
    """
    try:
        proven = _proven(Facts(instance), witness)
    except InputError as error:
        raise RejectedError(str(error)) from None
    if proven < witness.ticks:
        raise RejectedError(f"it says that it proves {witness.ticks} ticks, but it proves {proven}")


def is_about_latency(witness: Witness) -> bool:
    """Whether a witness bounds the latency, else the period."""
    return isinstance(witness, LatencyWitness)


def _proven(facts: Facts, witness: Witness) -> int:
    """Return the ticks that a witness proves."""
    match witness:
        case MeanLoad():
            return periods.mean(facts, witness)
        case SharedUnit():
            return periods.shared(facts, witness)
        case ReachableLoad():
            return periods.reachable(facts, witness)
        case ClassBalance():
            return periods.balance(facts, witness)
        case LinkLoad():
            return periods.link_load(facts, witness)
        case Patterns():
            return periods.patterns(facts, witness)
        case Path():
            return latencies.path(facts, witness)
        case Window():
            return latencies.window(facts, witness)
