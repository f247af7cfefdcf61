"""Making a certificate."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from mapopt.bounds.every import lower_bounds
from mapopt.bounds.witnesses import Patterns, Witness
from mapopt.certificate.document import Certificate, Claim, digest_of, status_of
from mapopt.certificate.figures import measured
from mapopt.errors import InputError
from mapopt.evidence import is_about_latency, require_proof
from mapopt.instance import Instance
from mapopt.mapping import Mapping
from mapopt.solvers.model import Limits, Objective
from mapopt.solvers.outcome import Level, Outcome
from mapopt.solvers.watch import Watch
from mapopt.studies.records import LevelRecord, Record, installed

DUALS_S = 10.0
"""Seconds for integer duals of a period unless limits are given."""

PACKAGES = ("highspy", "mapopt", "ortools", "pulp")


def certify(
    instance: Instance,
    mapping: Mapping,
    found: Record | Outcome | None = None,
    witnesses: Sequence[Witness] = (),
    limits: Limits | None = None,
) -> Certificate:
    """Make a certificate of a mapping.

    Parameters
    ----------
    mapping
        With one pattern.
    found
        The run that the mapping is from: its objectives and bounds are claimed. Without it period and latency are, with
        the bounds that can be witnessed.
    witnesses
        Further witnesses, e.g. of a formulation; those of :func:`mapopt.bounds.every.lower_bounds` are always tried.
        Where they prove less of a period than is claimed (without ``found``: than would make it optimal), integer duals
        of its patterns are looked for.
    limits
        For these duals; by default :data:`DUALS_S`.

    Raises
    ------
    InputError
        If the mapping breaks a rule, has several patterns, or is not the one of ``found``.
    RejectedError
        If a witness does not prove what it says.
    """
    if len(mapping.patterns) != 1:
        raise InputError(
            f"mapping: has {len(mapping.patterns)} patterns; bounds are of mappings with one: certify such a mapping"
        )
    levels = () if found is None else found.levels
    witnesses = [*witnesses, *(level.witness for level in levels if level.witness is not None)]
    for witness in witnesses:
        require_proof(instance, witness)
    figures = measured(instance, mapping)
    proofs = [
        *witnesses,
        *(bound.witness for bound in lower_bounds(instance).all if bound.witness is not None),
    ]
    if isinstance(found, Record) and found.key.instance != instance.digest:
        raise InputError(f"record {found.id}: is of another instance ({found.key.instance[:19]}...)")
    wanted = [Objective(level.objective) for level in levels] or [Objective.PERIOD, Objective.LATENCY]
    claims = []
    for objective in wanted:
        level = next((each for each in levels if each.objective == objective), None)
        value = figures[objective]
        if level is not None and level.value != value:
            raise InputError(
                f"mapping: has a {objective} of {value}, but that of its run is {level.value}; certify that one's"
            )
        best = _best(objective, proofs)
        if objective is Objective.PERIOD:
            best = _with_duals(instance, value if level is None else level.bound, best, limits)
        claims.append(_claim(objective, value, level, best))
    made = Certificate(
        instance=instance,
        instance_digest=instance.digest,
        mapping=mapping,
        mapping_digest=digest_of(mapping),
        claims=tuple(claims),
        schedule_class="" if found is None else found.schedule_class,
        period_ticks=str(mapping.horizon) if mapping.is_time_triggered else None,
        latency_ticks=figures[Objective.LATENCY] if mapping.is_time_triggered else None,
        run=found.id if isinstance(found, Record) else "",
        versions=installed(PACKAGES),
    )
    return msgspec.structs.replace(made, digest=made.content_digest)


def _claim(
    objective: Objective, value: int, level: Level | LevelRecord | None, best: Witness | None
) -> Claim:
    """Return the claim of the better of a run's bound and a witness's."""
    bound, by = (None, "") if best is None else (best.ticks, str(best.__struct_config__.tag or ""))
    if level is None or level.bound is None or (bound is not None and level.bound <= bound):
        return Claim(objective, status_of(value, bound), value, bound, by, best)
    note = (
        f"it rests on a search by {level.bound_by or 'its author'} (branch and bound, or branch and price), whose tree "
        "has no portable form: solve again to check it"
    )
    return Claim(objective, status_of(value, level.bound), value, level.bound, level.bound_by, best, note)


def _with_duals(
    instance: Instance, wanted: int | None, best: Witness | None, limits: Limits | None
) -> Witness | None:
    """Return integer duals that prove the period that is wanted, if they exist and are needed; else ``best``."""
    if wanted is None or wanted < 1 or (best is not None and best.ticks >= wanted):
        return best
    from mapopt.solvers.patterns.refutation import refute

    duals = refute(instance, wanted - 1, Watch(limits or Limits(time_s=DUALS_S)))
    return best if duals is None else Patterns(wanted, duals.duals)


def _best(objective: Objective, proofs: Sequence[Witness]) -> Witness | None:
    """Return the witness that proves most of an objective."""
    if objective not in (Objective.PERIOD, Objective.LATENCY):
        return None
    about = [proof for proof in proofs if is_about_latency(proof) == (objective is Objective.LATENCY)]
    return max(about, key=lambda proof: proof.ticks, default=None)
