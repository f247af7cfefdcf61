"""Run a mapper, judge what it returns, and write what the emulator says into the mapping."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from mapopt.emulator.analysis import max_load
from mapopt.emulator.lower import lower
from mapopt.emulator.stream import run_single
from mapopt.errors import MapoptError
from mapopt.feasibility import check, require_feasible
from mapopt.instance import Instance
from mapopt.mappers.base import Mapper
from mapopt.mapping import Claims, Mapping
from mapopt.options import Value


class BrokenMapperError(MapoptError):
    """A defect of a mapper: it crashed, or returned a mapping that breaks a rule of the instance."""


def map_instance(
    instance: Instance,
    mapper: str = "lblp",
    *,
    seed: int = 0,
    options: Iterable[str] | dict[str, Value] = (),
) -> Mapping:
    """Map an instance with a registered mapper.

    Parameters
    ----------
    mapper
        A name from ``mapopt mappers``.
    seed
        Seed of a randomised mapper.
    options
        ``option=value`` texts, or values by name.

    Returns
    -------
    Mapping
        Feasible, with the claims that the emulator measured: largest load and single-frame latency in ticks.

    Raises
    ------
    InputError
        If the mapper or an option is unknown, or the instance is not supported.
    InfeasibleError
        If the instance has no mapping.
    NoMappingError
        If the mapper found none, which proves nothing.
    BrokenMapperError
        If the mapper crashed or returned a mapping that breaks a rule.
    """
    from mapopt.mappers.registry import get

    return run_mapper(get(mapper, options), instance, seed=seed)


def run_mapper(mapper: Mapper, instance: Instance, *, seed: int = 0) -> Mapping:
    """Run a mapper object, see :func:`map_instance`."""
    require_feasible(instance)
    try:
        mapping = mapper.map(instance, seed=seed)
    except MapoptError:
        raise
    except Exception as error:  # a third party's mapper may raise anything
        raise BrokenMapperError(
            f"mapper {mapper.name!r} ({type(mapper).__module__}) failed with {type(error).__name__}: {error}; "
            "report it to its authors"
        ) from error
    require_rules(mapper, instance, mapping)
    return with_claims(instance, mapping)


def require_rules(mapper: Mapper, instance: Instance, mapping: Mapping) -> None:
    """Refuse what a mapper returned if it breaks a rule of the instance.

    Raises
    ------
    BrokenMapperError
        Naming the first broken rule.
    """
    broken = check(instance, mapping)
    if broken:
        raise BrokenMapperError(
            f"mapper {mapper.name!r} returned a mapping that breaks the rule {broken[0].rule!r}: {broken[0].message}"
        )


def with_claims(instance: Instance, mapping: Mapping) -> Mapping:
    """Return the mapping with the largest load and the single-frame latency as claims."""
    program = lower(instance, mapping)
    claims = Claims(
        max_load_ticks=str(max_load(program).ticks),
        latency_single_ticks=max(run_single(program)),
    )
    return msgspec.structs.replace(mapping, claims=claims)
