"""Instances like a given one, with one more unit or a faster interconnect."""

from __future__ import annotations

from fractions import Fraction

import msgspec

from mapopt.errors import InputError
from mapopt.instance import Instance, Unit
from mapopt.transfers import Free, Host, Link, Links, Route


def with_unit(instance: Instance, unit_class: str) -> Instance:
    """Return the instance with one more unit of a class: a copy of the last one, ports of its own included.

    Raises
    ------
    InputError
        If there is no unit of the class to copy.
    """
    twins = [number for number, unit in enumerate(instance.units) if unit.unit_class == unit_class]
    if not twins:
        raise InputError(
            f"class {unit_class!r}: instance {instance.name!r} has no unit of it that could be copied"
        )
    twin = instance.units[twins[-1]]
    name = _fresh(f"{twin.name}+1", [unit.name for unit in instance.units])
    copy = Unit(name, unit_class, twin.crossbars, twin.memory_bytes)
    transfer = instance.transfer
    if isinstance(transfer, Host) and twin.name in transfer.host_units:
        transfer = msgspec.structs.replace(transfer, host_units=(*transfer.host_units, name))
    if isinstance(transfer, Links):
        transfer = _with_ports(transfer, instance, twins[-1], name)
    return msgspec.structs.replace(instance, units=(*instance.units, copy), transfer=transfer)


def with_faster_transfers(instance: Instance, factor: Fraction, link: str | None = None) -> Instance:
    """Return the instance with all transfers, or one link, faster by ``factor`` > 1; latencies are kept."""
    transfer = instance.transfer
    if isinstance(transfer, Free):
        return instance
    if not isinstance(transfer, Links):
        return msgspec.structs.replace(
            instance,
            transfer=msgspec.structs.replace(transfer, bytes_per_s=int(transfer.bytes_per_s * factor)),
        )
    links = tuple(
        Link(each.name, int(each.bytes_per_s * factor), each.latency_ticks)
        if link in (None, each.name)
        else each
        for each in transfer.links
    )
    return msgspec.structs.replace(instance, transfer=msgspec.structs.replace(transfer, links=links))


def _with_ports(model: Links, instance: Instance, twin: int, name: str) -> Links:
    """Give the new unit its own copies of the links that nobody but its twin uses, and its twin's routes."""
    twin_name = instance.units[twin].name
    others: set[str] = set()
    for unit in range(len(instance.units)):
        if unit != twin:
            others.update(model.egress[unit], model.ingress[unit])
    for route in model.routes:
        if twin_name not in (route.source, route.target):
            others.update(route.links)
    taken = [link.name for link in model.links]
    copies: dict[str, str] = {}

    def mine(path: tuple[str, ...]) -> tuple[str, ...]:
        for link in path:
            if link not in others and link not in copies:
                copies[link] = _fresh(f"{link}+1", [*taken, *copies.values()])
        return tuple(copies.get(link, link) for link in path)

    egress, ingress = mine(model.egress[twin]), mine(model.ingress[twin])
    routes = [
        Route(
            name if route.source == twin_name else route.source,
            name if route.target == twin_name else route.target,
            mine(route.links),
        )
        for route in model.routes
        if twin_name in (route.source, route.target)
    ]
    new = tuple(
        Link(copies[link.name], link.bytes_per_s, link.latency_ticks)
        for link in model.links
        if link.name in copies
    )
    return Links(
        (*model.links, *new), (*model.egress, egress), (*model.ingress, ingress), (*model.routes, *routes)
    )


def _fresh(name: str, taken: list[str]) -> str:
    while name in taken:
        name += "'"
    return name
