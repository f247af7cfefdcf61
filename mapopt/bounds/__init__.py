"""Combinatorial lower bounds on period and latency, without a solver."""

from mapopt.bounds.every import lower_bounds
from mapopt.bounds.model import Bound, Bounds

__all__ = ["Bound", "Bounds", "lower_bounds"]
