"""Mappers with as little effort as shows what they do."""

from mapopt.mappers import registry
from mapopt.mappers.base import Mapper

SETTINGS = {"auto": ["budget_s=0.3"]}
"""By mapper: options that let it do all that it does by default, sooner."""


def quick(name: str) -> Mapper:
    """Return a mapper with these options."""
    return registry.get(name, SETTINGS.get(name, []))
