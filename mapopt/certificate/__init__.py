"""Portable certificates: an instance, a mapping, what is claimed of it, and what proves that.

A certificate is checked without any solver: the mapping is measured by the slow reference emulator, and each bound is
derived again from its witness. A bound that only a solver's run vouches for has no witness, and is said to be claimed.
"""

from __future__ import annotations

from mapopt.certificate.checking import verify_certificate
from mapopt.certificate.document import Certificate, CertificateVerdict, Claim, ClaimVerdict
from mapopt.certificate.making import certify

__all__ = ["Certificate", "CertificateVerdict", "Claim", "ClaimVerdict", "certify", "verify_certificate"]
