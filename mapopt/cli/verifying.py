"""``verify`` and ``certify``: whether a mapping is what it says, checked by independent code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mapopt.cli import arguments, output

if TYPE_CHECKING:
    from mapopt.certificate import CertificateVerdict
    from mapopt.verification import Verification


def verify(
    instance: Annotated[
        str, typer.Argument(metavar="INSTANCE", help="Instance file, or a certificate alone (.json).")
    ],
    mapping: Annotated[Path | None, typer.Argument(metavar="[MAPPING]", help="Mapping file (.json).")] = None,
    as_json: arguments.AsJson = False,
) -> None:
    """Check a mapping's rules and claims, or a certificate, independently.

    Uses no solver, mapper or compiled code. Exits with 1 if something does not hold.
    """
    if mapping is None:
        from mapopt.certificate import Certificate, verify_certificate

        verdict = verify_certificate(Certificate.load(instance))
        _print(verdict, as_json, _certificate_lines(verdict))
        return
    from mapopt.mapping import Mapping
    from mapopt.sources import read_instance
    from mapopt.verification import verify as run_verification

    result = run_verification(read_instance(instance), Mapping.load(mapping))
    _print(result, as_json, _mapping_lines(result))


def certify(
    instance: arguments.InstanceFile,
    mapping: arguments.MappingFile,
    out: arguments.Output,
    record: Annotated[
        Path | None,
        typer.Option(help="Record of the run that the mapping is from: its bounds are claimed as well."),
    ] = None,
    time_limit: Annotated[
        float,
        typer.Option(help="Seconds to look for integer duals of a period whose bound no witness proves."),
    ] = 60.0,
    as_json: arguments.AsJson = False,
) -> None:
    """Write a certificate: instance, mapping, what is claimed of it, and what proves that.

    The bounds are those that `mapopt verify` can derive without a solver; with the record of a run its own are claimed
    too.
    """
    from mapopt.certificate import certify as make_certificate
    from mapopt.mapping import Mapping
    from mapopt.solvers.model import Limits
    from mapopt.sources import read_instance
    from mapopt.studies.records import Record

    limits = Limits(time_s=time_limit)
    arguments.keep(out, instance, mapping, *([record] if record else []))
    found = None if record is None else Record.load(record)
    certificate = make_certificate(read_instance(instance), Mapping.load(mapping), found, limits=limits)
    certificate.save(out)
    if as_json:
        output.print_json({"claims": certificate.claims, "digest": certificate.digest, "file": str(out)})
        return
    for claim in certificate.claims:
        print(
            f"{claim.objective} {output.grouped(claim.value)} ({claim.status}), bound {output.grouped(claim.bound)} "
            f"{claim.proof}" + (f"; {claim.note}" if claim.note else "")
        )
    print(f"-> {out}")


def _print(result: Verification | CertificateVerdict, as_json: bool, lines: list[str]) -> None:
    if as_json:
        output.print_json(result)
    else:
        print("\n".join(lines))
    if not result.ok:
        raise typer.Exit(1)


def _mapping_lines(result: Verification) -> list[str]:
    lines = []
    for violation in result.violations:
        where = "" if violation.pattern is None else f" (pattern {violation.pattern})"
        lines.append(f"broken rule {violation.rule}{where}: {violation.message}")
    for claim in result.claims:
        verdict = "holds" if claim.holds else f"DOES NOT HOLD, measured {claim.measured}"
        lines.append(f"{claim.name} = {claim.claimed}: {verdict}")
    if result.ok:
        lines.append(f"ok: every rule holds, {len(result.claims)} claims confirmed")
    return lines


def _certificate_lines(verdict: CertificateVerdict) -> list[str]:
    lines = [f"DOES NOT HOLD: {reason}" for reason in verdict.reasons]
    for claim in verdict.claims:
        proof = {
            "witnessed": f"proven by its witness ({claim.bound_by})",
            "claimed": f"claimed by {claim.bound_by or 'its author'}; witnessed: {output.grouped(claim.witnessed)}"
            + (f"; {claim.note}" if claim.note else ""),
            "absent": "no bound",
        }[claim.proof]
        lines.append(
            f"{claim.objective} = {output.grouped(claim.value)}, {claim.status}; bound {output.grouped(claim.bound)}: "
            f"{proof}"
        )
    if verdict.ok:
        shown = sum(claim.proof == "witnessed" for claim in verdict.claims)
        lines.append(
            f"ok: the mapping keeps every rule and its figures are confirmed; {shown} of {len(verdict.claims)} bounds "
            "are proven here; the name of the class is not checked"
        )
    return lines
