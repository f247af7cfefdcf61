"""The table of instances in a family's README.md, between two marks."""

from __future__ import annotations

from mapopt.documents import read_bytes, write_atomic
from mapopt.errors import InputError
from mapopt.library.difficulty import difficulty
from mapopt.library.folder import Family
from mapopt.library.references import Level, Reference
from mapopt.solvers.model import Status

BEGIN, END = "<!-- table: mapopt library update -->", "<!-- end of table -->"

COLUMNS = ("instance", "made of", "nodes", "units", "transfers", "period", "latency", "gap", "class")


def table(family: Family) -> str:
    """Return the table of a family, in Markdown."""
    lines = [_row(COLUMNS), _row(["---"] * len(COLUMNS))]
    for member in family.members:
        cells = [member.entry.name, member.entry.origin.replace("|", "\\|")]
        reference = member.reference()
        lines.append(_row([*cells, *(_cells(reference) if reference else [""] * (len(COLUMNS) - 2))]))
    return "\n".join(lines)


def is_current(family: Family) -> bool:
    """Return whether the README shows what the references say.

    Raises
    ------
    InputError
        If it cannot be read or has no place for the table.
    """
    _, old, _ = _parts(family)
    return old == f"\n{table(family)}\n"


def refresh(family: Family) -> None:
    """Write the table into the README, if it is another one.

    Raises
    ------
    InputError
        If the README cannot be read or written, or has no place for the table.
    """
    before, old, after = _parts(family)
    new = f"\n{table(family)}\n"
    if new != old:
        write_atomic(family.readme, f"{before}{BEGIN}{new}{END}{after}".encode())


def text_of(family: Family) -> str:
    """Return the README of a family.

    Raises
    ------
    InputError
        If it cannot be read or is not UTF-8.
    """
    try:
        return read_bytes(family.readme).decode()
    except UnicodeDecodeError:
        raise InputError(f"{family.readme}: is not UTF-8 text; save it as such") from None


def _parts(family: Family) -> tuple[str, str, str]:
    text = text_of(family)
    before, begin, rest = text.partition(BEGIN)
    old, end, after = rest.partition(END)
    if not (begin and end):
        raise InputError(f"{family.readme}: has no place for the table; add the lines {BEGIN!r} and {END!r}")
    return before, old, after


def _cells(reference: Reference) -> list[str]:
    is_known = reference.period.value is not None
    return [
        str(reference.nodes),
        str(reference.units),
        reference.transfer,
        _shown(reference.period),
        _shown(reference.latency),
        _gap(reference) if is_known else "",
        difficulty(reference),
    ]


def _shown(level: Level) -> str:
    """Return a value, with its bound where it is not proven."""
    if level.value is None:
        return "" if level.bound is None else f"≥ {level.bound:,}"
    if level.status is Status.OPTIMAL:
        return f"{level.value:,}"
    return (
        f"{level.value:,} (≥ {level.bound:,})" if level.bound is not None else f"{level.value:,} (no bound)"
    )


def _gap(reference: Reference) -> str:
    """Return the gap of the first level that is not proven."""
    if reference.status is Status.OPTIMAL:
        return "proven"
    is_period = reference.period.status is not Status.OPTIMAL
    level = reference.period if is_period else reference.latency
    shown = "none" if level.gap is None else f"{100 * level.gap:.2f}%"
    return f"{shown} of the {'period' if is_period else 'latency'}"


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
