"""Checking a certificate, from itself alone and without any solver."""

from __future__ import annotations

from mapopt.certificate.document import (
    Certificate,
    CertificateVerdict,
    Claim,
    ClaimVerdict,
    digest_of,
    status_of,
)
from mapopt.certificate.figures import BrokenError, measured
from mapopt.evidence import RejectedError, is_about_latency, require_proof
from mapopt.instance import Instance
from mapopt.solvers.model import Objective


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
            claim.note,
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
        ("the mapping", certificate.mapping_digest, digest_of(certificate.mapping)),
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
        figures = measured(certificate.instance, mapping)
    except BrokenError as error:
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
        elif claim.status != status_of(claim.value, claim.bound):
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
