"""Verify a mapping: every rule, then every claimed figure, by code that shares nothing with mappers.

The rules are checked from the instance alone; the figures are measured again by the slow reference emulator, which
shares no code with the compiled one.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from mapopt.documents import Part
from mapopt.emulator.reference import Recording, ReferenceEmulator
from mapopt.errors import InfeasibleError, InputError
from mapopt.feasibility import check
from mapopt.instance import Instance
from mapopt.mapping import Mapping, Violation

MAX_JOBS = 2_000_000
"""Most nodes times frames that are run by the slow emulator."""


class ClaimCheck(Part, frozen=True):
    """A claimed figure beside the measured one, in ticks; ``holds`` if they are equal."""

    name: str
    claimed: str
    measured: str
    holds: bool


class Verification(Part, frozen=True, omit_defaults=False):
    """The verdict; figures are measured only if no rule is broken.

    Parameters
    ----------
    ok
        Whether no rule is broken and every claim holds.
    violations
        Broken rules, those of a time-triggered schedule included.
    claims
        Every figure that the mapping claims, checked.
    """

    ok: bool
    violations: tuple[Violation, ...]
    claims: tuple[ClaimCheck, ...]


def verify(instance: Instance, mapping: Mapping) -> Verification:
    """Check a mapping's rules and claims.

    Raises
    ------
    InputError
        If the mapping is of another instance, or so long that the slow emulator would not finish.
    """
    violations = check(instance, mapping)
    if violations:
        return Verification(False, violations, ())
    measured = _single(instance, mapping)
    if mapping.is_time_triggered:
        try:
            measured |= _scheduled(instance, mapping)
        except InfeasibleError as error:
            return Verification(False, (Violation("schedule", str(error)),), ())
    claims = tuple(
        ClaimCheck(name, str(claimed), str(measured[name]), Fraction(claimed) == measured[name])
        for name, claimed in _claims(mapping)
        if _has(name, measured)
    )
    return Verification(all(claim.holds for claim in claims), (), claims)


def _claims(mapping: Mapping) -> list[tuple[str, str | int]]:
    claims = mapping.claims
    if claims is None:
        return []
    named = [(name, getattr(claims, name)) for name in claims.__struct_fields__]
    return [(name, claimed) for name, claimed in named if claimed is not None]


def _has(name: str, measured: dict[str, Fraction]) -> bool:
    if name not in measured:
        raise InputError(
            f"mapping: claims {name}, which only a time-triggered mapping has; give it start times or drop the claim"
        )
    return True


def _single(instance: Instance, mapping: Mapping) -> dict[str, Fraction]:
    """Run each pattern's frame alone; what its firings occupy is its load."""
    frames = len(mapping.patterns)
    record = _run(instance, mapping, frames, window=1)
    load: dict[str, int] = {}
    for firing in record.firings:
        load[firing.resource] = load.get(firing.resource, 0) + firing.free - firing.start
    return {
        "max_load_ticks": Fraction(max(load.values()), frames),
        "latency_single_ticks": Fraction(max(_latencies(record))),
    }


def _scheduled(instance: Instance, mapping: Mapping) -> dict[str, Fraction]:
    """Run so many frames that every pair of frames that can ever overlap has overlapped."""
    patterns, horizon = len(mapping.patterns), mapping.horizon or 1
    last = max(
        start
        for pattern in mapping.patterns
        for start in (
            *(pattern.starts or ()),
            *(s for transfer in pattern.transfers for s in transfer.starts),
        )
    )
    longest = int(instance.times.max())
    frames = patterns * (ceil(Fraction(last + longest, horizon)) + 2)
    record = _run(instance, mapping, frames, time_triggered=True)
    return {
        "period_ticks": Fraction(horizon, patterns),
        "latency_ticks": Fraction(max(_latencies(record))),
    }


def _run(
    instance: Instance,
    mapping: Mapping,
    frames: int,
    *,
    window: int | None = None,
    time_triggered: bool = False,
) -> Recording:
    jobs = frames * len(instance.nodes)
    if jobs > MAX_JOBS:
        raise InputError(
            f"mapping: verifying it takes {frames} frames of {len(instance.nodes)} nodes, more than {MAX_JOBS} in all; "
            "verify a smaller instance, or a schedule with a smaller latency"
        )
    emulator = ReferenceEmulator(
        instance, mapping, frames=frames, window=window, time_triggered=time_triggered
    )
    return emulator.run()


def _latencies(record: Recording) -> list[int]:
    return [record.left[frame] - record.released[frame] for frame in record.left]
