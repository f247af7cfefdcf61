"""What the steps of the search cost in deterministic units of effort, about one per second."""

from __future__ import annotations

OPERATION = 1e-9
"""Effort of one step of a compiled loop."""

SIMPLEX_ITERATION = 1e-4
"""Effort of one iteration of the simplex method."""
