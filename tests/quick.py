"""Mappers with as little effort as shows what they do."""

from mapopt.mappers import registry
from mapopt.mappers.auto import SEARCH_S
from mapopt.mappers.base import Mapper

SETTINGS = {"auto": [f"budget_s={SEARCH_S}"]}
"""By mapper: options that let it do all that it does by default, sooner."""


def quick(name: str) -> Mapper:
    """Return a mapper with these options."""
    return registry.get(name, SETTINGS.get(name, []))
