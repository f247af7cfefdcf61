"""What a certificate says, and what checking it says."""

from __future__ import annotations

import hashlib
from typing import ClassVar, Literal

import msgspec

from mapopt.bounds.witnesses import Witness
from mapopt.documents import Document, Name, Part, Ticks
from mapopt.instance import Instance
from mapopt.mapping import Mapping, TicksRatio
from mapopt.solvers.model import Objective
from mapopt.studies.records import Digest, Whole


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
    note
        For people: what proved a bound that is only claimed.
    """

    objective: Objective
    status: Literal["optimal", "feasible"]
    value: Whole
    bound: Whole | None = None
    bound_by: str = ""
    witness: Witness | None = None
    note: str = ""

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
    note: str = ""


class CertificateVerdict(Part, frozen=True, omit_defaults=False):
    """Whether a certificate holds, every reason why it does not, and what it then says."""

    ok: bool
    reasons: tuple[str, ...]
    claims: tuple[ClaimVerdict, ...]


def status_of(value: int, bound: int | None) -> Literal["optimal", "feasible"]:
    """Return what a value may be called beside its bound."""
    return "optimal" if value == bound else "feasible"


def digest_of(mapping: Mapping) -> str:
    """Return the digest of a mapping."""
    return "sha256:" + hashlib.sha256(mapping.to_json()).hexdigest()
