"""Portable certificates: an instance, a mapping, what is claimed of it, and what proves that.

A certificate is checked without any solver: the mapping is measured by the slow reference emulator, and each bound is
derived again from its witness. A bound that only a solver's run vouches for has no witness, and is said to be claimed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import ClassVar, Literal

import msgspec

from mapopt.bounds.every import lower_bounds
from mapopt.bounds.witnesses import Witness
from mapopt.documents import Document, Name, Part, Ticks
from mapopt.errors import InputError
from mapopt.evidence import RejectedError, is_about_latency, require_proof
from mapopt.instance import Instance
from mapopt.mapping import Claims, Mapping, TicksRatio
from mapopt.solvers.model import Objective
from mapopt.solvers.outcome import Outcome
from mapopt.studies.records import Digest, Record, Whole, installed
from mapopt.verification import verify

PACKAGES = ("highspy", "mapopt", "ortools", "pulp")


class Claim(Part, frozen=True):
    """What is claimed of one objective.

    Parameters
    ----------
    objective, status, value
        The value is measured; it is optimal if and only if it equals the bound.
    bound
        No mapping of the class is better, or ``None`` if nothing is known.
    bound_by
        The bound, mapper or formulation that gave it.
    witness
        Proves a bound of ``witness.ticks``, which may be less than ``bound``; ``None`` if nothing can be shown.
    """

    objective: Objective
    status: Literal["optimal", "feasible"]
    value: Whole
    bound: Whole | None = None
    bound_by: str = ""
    witness: Witness | None = None

    @property
    def proof(self) -> Literal["witnessed", "claimed", "absent"]:
        """Whether the bound follows from the witness, or from a solver's word alone, or does not exist."""
        if self.bound is None:
            return "absent"
        return "witnessed" if self.witness is not None and self.witness.ticks >= self.bound else "claimed"


class Certificate(Document, frozen=True):
    """A mapping and what is claimed of it.

    Parameters
    ----------
    instance, mapping
        In full, with their digests.
    schedule_class
        The class of schedules within which the bounds hold.
    claims
        One per objective.
    period_ticks, latency_ticks
        Of a time-triggered mapping; else ``None``.
    run
        Id of the run record that the claims are from, or ``""``.
    versions
        Of mapopt and the solvers when it was made.
    digest
        Of everything else.
    """

    KIND: ClassVar[str] = "certificate"

    instance: Instance
    instance_digest: Digest
    mapping: Mapping
    mapping_digest: Digest
    claims: tuple[Claim, ...]
    schedule_class: str = msgspec.field(default="", name="class")
    period_ticks: TicksRatio | None = None
    latency_ticks: Ticks | None = None
    run: str = ""
    versions: dict[str, str] = msgspec.field(default_factory=dict)
    digest: str = ""

    @property
    def content_digest(self) -> str:
        """What ``digest`` has to be."""
        bare = msgspec.structs.replace(self, digest="")
        data = msgspec.json.encode([self.schema_id(), msgspec.to_builtins(bare)], order="sorted")
        return "sha256:" + hashlib.sha256(data).hexdigest()


class ClaimVerdict(Part, frozen=True, omit_defaults=False):
    """One objective of a certificate that was checked; ``witnessed`` is the bound that its witness proves."""

    objective: Objective
    status: Name
    value: Whole
    bound: Whole | None
    proof: Literal["witnessed", "claimed", "absent"]
    bound_by: str
    witnessed: Whole | None


class CertificateVerdict(Part, frozen=True, omit_defaults=False):
    """Whether a certificate holds, every reason why it does not, and what it then says."""

    ok: bool
    reasons: tuple[str, ...]
    claims: tuple[ClaimVerdict, ...]


def certify(
    instance: Instance,
    mapping: Mapping,
    found: Record | Outcome | None = None,
    witnesses: Sequence[Witness] = (),
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
    figures = _measured(instance, mapping)
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
        bound, by = (None, "") if best is None else (best.ticks, best.__struct_config__.tag or "")
        if level is not None and level.bound is not None and (bound is None or level.bound > bound):
            bound, by = level.bound, level.bound_by
        claims.append(Claim(objective, _status(value, bound), value, bound, str(by), best))
    made = Certificate(
        instance=instance,
        instance_digest=instance.digest,
        mapping=mapping,
        mapping_digest=_digest(mapping),
        claims=tuple(claims),
        schedule_class="" if found is None else found.schedule_class,
        period_ticks=str(mapping.horizon) if mapping.is_time_triggered else None,
        latency_ticks=figures[Objective.LATENCY] if mapping.is_time_triggered else None,
        run=found.id if isinstance(found, Record) else "",
        versions=installed(PACKAGES),
    )
    return msgspec.structs.replace(made, digest=made.content_digest)


def verify_certificate(certificate: Certificate) -> CertificateVerdict:
    """Check a certificate, from itself alone and without any solver.

    Raises
    ------
    InputError
        If the mapping does not fit the instance at all, or is too long for the slow emulator.
    """
    reasons = _digests(certificate)
    if not reasons:
        reasons = _figures(certificate)
    if not reasons:
        reasons = [reason for claim in certificate.claims for reason in _proof(certificate.instance, claim)]
    claims = tuple(
        ClaimVerdict(
            claim.objective,
            claim.status,
            claim.value,
            claim.bound,
            claim.proof,
            claim.bound_by,
            None if claim.witness is None else claim.witness.ticks,
        )
        for claim in certificate.claims
    )
    return CertificateVerdict(not reasons, tuple(reasons), () if reasons else claims)


def _digests(certificate: Certificate) -> list[str]:
    pairs = (
        ("the instance", certificate.instance_digest, certificate.instance.digest),
        (
            "the instance that the mapping is for",
            certificate.mapping.instance.digest,
            certificate.instance_digest,
        ),
        ("the mapping", certificate.mapping_digest, _digest(certificate.mapping)),
        ("the certificate", certificate.digest, certificate.content_digest),
    )
    return [
        f"the digest of {what} is {stated[:19]!r}, but it should be {actual[:19]!r}: it was altered"
        for what, stated, actual in pairs
        if stated != actual
    ]


def _figures(certificate: Certificate) -> list[str]:
    """Measure the mapping again and compare."""
    mapping = certificate.mapping
    if len(mapping.patterns) != 1:
        return [f"the mapping has {len(mapping.patterns)} patterns; bounds are of mappings with one"]
    try:
        figures = _measured(certificate.instance, mapping)
    except _BrokenError as error:
        return [str(error)]
    reasons = []
    for claim in certificate.claims:
        if figures.get(claim.objective) != claim.value:
            reasons.append(
                f"{claim.objective}: is claimed to be {claim.value}, but is {figures.get(claim.objective)}"
            )
        if claim.bound is not None and claim.bound > claim.value:
            reasons.append(
                f"{claim.objective}: its bound of {claim.bound} exceeds its value of {claim.value}"
            )
        elif claim.status != _status(claim.value, claim.bound):
            reasons.append(
                f"{claim.objective}: is called {claim.status}; its value is {claim.value}, its bound {claim.bound}"
            )
    timed = (str(mapping.horizon), figures[Objective.LATENCY]) if mapping.is_time_triggered else (None, None)
    if (certificate.period_ticks, certificate.latency_ticks) != timed:
        stated = f"{certificate.period_ticks} and {certificate.latency_ticks}"
        reasons.append(
            f"period and latency are claimed to be {stated} ticks, but are {timed[0]} and {timed[1]}"
        )
    return reasons


def _proof(instance: Instance, claim: Claim) -> list[str]:
    if claim.witness is None:
        return []
    about = Objective.LATENCY if is_about_latency(claim.witness) else Objective.PERIOD
    if about is not claim.objective:
        return [f"{claim.objective}: its witness is about the {about}"]
    try:
        require_proof(instance, claim.witness)
    except RejectedError as error:
        return [f"{claim.objective}: the witness does not hold: {error}"]
    if claim.witness.ticks > claim.value:
        return [
            f"{claim.objective}: the witness proves {claim.witness.ticks}, more than the value of {claim.value}"
        ]
    return []


class _BrokenError(InputError):
    """The mapping breaks a rule of its instance or its own schedule."""


def _measured(instance: Instance, mapping: Mapping) -> dict[Objective, int]:
    """Return the objectives' values, times as the slow emulator measures them."""
    timed = Claims(period_ticks="0", latency_ticks=0) if mapping.is_time_triggered else Claims()
    asked = msgspec.structs.replace(timed, max_load_ticks="0", latency_single_ticks=0)
    verdict = verify(instance, msgspec.structs.replace(mapping, claims=asked))
    if verdict.violations:
        raise _BrokenError(f"the mapping breaks a rule: {verdict.violations[0].message}")
    measured = {check.name: int(check.measured) for check in verdict.claims}
    latency = "latency_ticks" if mapping.is_time_triggered else "latency_single_ticks"
    (units,) = mapping.assignment(instance)
    at = instance.node_index
    found = {
        Objective.PERIOD: measured["max_load_ticks"],
        Objective.LATENCY: measured[latency],
        Objective.TRAFFIC: sum(
            tensor.size_bytes
            * len({units[at[name]] for name in tensor.consumers} - {units[at[tensor.producer]]})
            for tensor in instance.tensors
        ),
    }
    if instance.energy is not None:
        found[Objective.ENERGY] = sum(
            int(instance.energy[node, instance.unit_class[unit]]) for node, unit in enumerate(units)
        )
    return found


def _best(objective: Objective, proofs: Sequence[Witness]) -> Witness | None:
    """Return the witness that proves most of an objective."""
    if objective not in (Objective.PERIOD, Objective.LATENCY):
        return None
    about = [proof for proof in proofs if is_about_latency(proof) == (objective is Objective.LATENCY)]
    return max(about, key=lambda proof: proof.ticks, default=None)


def _status(value: int, bound: int | None) -> Literal["optimal", "feasible"]:
    return "optimal" if value == bound else "feasible"


def _digest(mapping: Mapping) -> str:
    return "sha256:" + hashlib.sha256(mapping.to_json()).hexdigest()
