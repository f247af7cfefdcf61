"""``library``: the instances in a clone of mapopt's repository, and the best that is known of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mapopt.cli import arguments, output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.progress import Progress

    from mapopt.library.checking import Checked
    from mapopt.library.folder import Member
    from mapopt.library.references import Level
    from mapopt.library.updating import Updated

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The instance library and its references."
)

LibraryFolder = Annotated[
    Path, typer.Option("--library", help="Folder of the library, with <family>/family.toml inside.")
]
Families = Annotated[
    list[str] | None, typer.Option("--family", metavar="NAME", help="Only this family; repeatable.")
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only", metavar="PATTERN", help="Only instances FAMILY/NAME like this, e.g. 'networks/*8+2'."
    ),
]
DEFAULT = Path("instances")


@app.command("list")
def list_(
    family: Families = None,
    only: Only = None,
    library: LibraryFolder = DEFAULT,
    as_json: arguments.AsJson = False,
) -> None:
    """List the instances, the best that is known of them, and how hard they are."""
    from mapopt.library import Library

    rows = [_known(member) for member in Library.open(library).select(family or (), only or ())]
    if as_json:
        output.print_json(rows)
        return
    output.print_table(
        ["instance", "nodes", "units", "transfers", "period", "bound", "latency", "bound", "class"],
        [
            (
                row["instance"],
                output.grouped(row["nodes"]),
                output.grouped(row["units"]),
                row["transfers"] or "-",
                *(
                    output.grouped(row[level][key])
                    for level in ("period", "latency")
                    for key in ("value", "bound")
                ),
                row["class"] or "no reference",
            )
            for row in rows
        ],
        numeric=["nodes", "units", "period", "bound", "latency"],
    )
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["class"] or "no reference"] = counts.get(row["class"] or "no reference", 0) + 1
    print(
        f"{len(rows):,} instances: {', '.join(f'{count:,} {kind}' for kind, count in sorted(counts.items()))}"
    )


@app.command()
def show(
    instance: Annotated[str, typer.Argument(metavar="FAMILY/NAME", help="Instance of the library.")],
    library: LibraryFolder = DEFAULT,
    as_json: arguments.AsJson = False,
) -> None:
    """Show every value and bound that was ever the best known, who found it, and what repeats it."""
    from mapopt.errors import InputError
    from mapopt.library import Library

    reference = Library.open(library).member(instance).reference()
    if reference is None:
        raise InputError(f"instance {instance}: has no reference; run `mapopt library update`")
    rows: list[dict[str, Any]] = [
        {
            "objective": objective,
            "at_period": level.period_ticks,
            "kind": kind,
            "ticks": finding.ticks,
            "by": finding.by,
            "version": finding.version,
            "date": finding.date,
            "run": finding.run,
            "command": finding.command or None,
        }
        for objective, level in reference.levels
        for kind, findings in (("value", level.values), ("bound", level.bounds))
        for finding in findings
    ]
    if as_json:
        output.print_json({"instance": instance, "digest": reference.digest, "findings": rows})
        return
    output.print_table(
        ["objective", "", "ticks", "by", "version", "date", "run"],
        [
            (
                _at_period(row),
                row["kind"],
                output.grouped(row["ticks"]),
                row["by"],
                row["version"],
                row["date"],
                row["run"] or ("not recorded" if row["command"] is None else "none needed"),
            )
            for row in rows
        ],
        numeric=["ticks"],
    )
    for command in dict.fromkeys(row["command"] for row in rows if row["command"] is not None):
        print(f"{', '.join(_repeated(row) for row in rows if row['command'] == command)}: {command}")


@app.command()
def check(
    family: Families = None,
    only: Only = None,
    library: LibraryFolder = DEFAULT,
    as_json: arguments.AsJson = False,
) -> None:
    """Make every instance again, emulate every reference again, and compare with every claim.

    Uses no solver. Exits with 1 and names what does not hold.
    """
    from mapopt.library import Library
    from mapopt.library.checking import check as run_check

    opened = Library.open(library)
    members = opened.select(family or (), only or ())
    found: list[Checked] = []
    interrupted = False
    with _bar("checking", len(members), quiet=as_json) as bar:

        def on_checked(checked: Checked) -> None:
            found.append(checked)
            bar.advance(bar.task_ids[0])

        try:
            run_check(opened, members, on_checked=on_checked)
        except KeyboardInterrupt:
            interrupted = True
    broken = [each for each in found if each.problems]
    if as_json:
        output.print_json(
            {"ok": not broken and not interrupted, "interrupted": interrupted, "checked": found}
        )
    else:
        for each in broken:
            for problem in each.problems:
                print(f"{each.name}: {problem}")
        instances = [each for each in found if "/" in each.name]
        claimed = sum(len(each.claimed) for each in instances)
        past = sum(each.past for each in instances)
        unrepeated = sum(each.unrepeated for each in instances)
        print(
            f"{len(instances):,} instances: {sum(bool(each.problems) for each in instances):,} with problems; "
            f"{claimed:,} bounds rest on a solver's search, the others were derived again; {past:,} earlier values are "
            f"claims, their schedules are not kept; {unrepeated:,} values and bounds name nothing that repeats them"
        )
    _exit(interrupted, bool(broken))


@app.command()
def update(
    family: Families = None,
    only: Only = None,
    time_limit: Annotated[float, typer.Option(help="Seconds for each instance.")] = 60.0,
    workers: Annotated[int, typer.Option(min=1, help="Threads of each solver.")] = 1,
    jobs: Annotated[int, typer.Option(min=1, help="Instances at a time.")] = 1,
    seed: arguments.Seed = 0,
    deterministic: Annotated[
        bool,
        typer.Option("--deterministic", help="Same result every time: effort is counted instead of seconds."),
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also what is proven, or was given as much time before.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="As --again, and without the schedules that are known.")
    ] = False,
    records: Annotated[
        Path | None,
        typer.Option(help="Solve nothing; take what the run records in this folder say, e.g. results/runs."),
    ] = None,
    library: LibraryFolder = DEFAULT,
    as_json: arguments.AsJson = False,
) -> None:
    """Solve instances, and record better values and bounds with their history.

    Ctrl-C keeps what is done; the same command goes on from there. Exits with 1 if something could not be recorded.
    """
    from mapopt.library import Library
    from mapopt.library.updating import Effort, take_records
    from mapopt.library.updating import update as run_update
    from mapopt.solvers.model import Limits
    from mapopt.studies.store import RunStore
    from mapopt.studies.study import RunLimits

    Limits(time_limit, workers, seed)  # refuses what is out of range
    opened = Library.open(library)
    members = opened.select(family or (), only or ())
    found: list[Updated] = []
    interrupted = False
    with _bar("updating", len(members), quiet=as_json) as bar:

        def on_updated(updated: Updated) -> None:
            found.append(updated)
            bar.advance(bar.task_ids[0])
            if not as_json and (updated.gained or updated.problem):
                bar.console.print(_line(updated), markup=False, highlight=False, soft_wrap=True)

        try:
            if records is not None:
                take_records(opened, members, RunStore(_folder(records)), on_updated=on_updated)
            else:
                effort = Effort(
                    RunLimits(time_limit, deterministic, workers=workers), jobs, seed, again or fresh, fresh
                )
                run_update(opened, members, effort, on_updated=on_updated)
        except KeyboardInterrupt:
            interrupted = True
    _print_updated(found, len(members), interrupted, as_json)
    _exit(interrupted, any(each.problem for each in found))


@app.command()
def export(
    instance: Annotated[str, typer.Argument(metavar="FAMILY/NAME", help="Instance, or a whole family.")],
    out: Annotated[
        Path, typer.Option("--output", "-o", help="File for the instance; for a family, a folder.")
    ],
    mapping: Annotated[
        Path | None,
        typer.Option(help="Also write the mapping behind the reference, with its figures as claims."),
    ] = None,
    library: LibraryFolder = DEFAULT,
    as_json: arguments.AsJson = False,
) -> None:
    """Write an instance of the library as a file that every command takes."""
    from mapopt.errors import InputError
    from mapopt.library import Library

    opened = Library.open(library)
    is_family = "/" not in instance
    members = opened.select([instance]) if is_family else [opened.member(instance)]
    if is_family and mapping is not None:
        raise InputError("--mapping: is for one instance; name it as FAMILY/NAME")
    written = []
    for member in members:
        made = member.make()
        target = _within(out, f"{member.entry.name}.json") if is_family else out
        made.instance.save(target)
        written.append({"instance": member.name, "file": str(target)})
        if mapping is not None:
            reference = member.reference()
            found = reference.mapping(made.instance) if reference else None
            if found is None:
                raise InputError(
                    f"instance {member.name}: no mapping of it is known; run `mapopt library update`"
                )
            found.save(mapping)
    if as_json:
        output.print_json(written)
    else:
        for each in written:
            print(f"{each['instance']} -> {each['file']}")


def _known(member: Member) -> dict[str, Any]:
    """Return a row of the list."""
    from mapopt.library.difficulty import difficulty

    reference = member.reference()
    return {
        "instance": member.name,
        "origin": member.entry.origin,
        "digest": reference.digest if reference else None,
        "nodes": reference.nodes if reference else None,
        "units": reference.units if reference else None,
        "transfers": reference.transfer if reference else None,
        "schedule_class": reference.schedule_class if reference else None,
        "period": _level(reference.period if reference else None),
        "latency": _level(reference.latency if reference else None),
        "class": difficulty(reference) if reference else None,
    }


def _at_period(row: dict[str, Any]) -> str:
    at = "" if row["at_period"] is None else f" at {output.grouped(row['at_period'])}"
    return f"{row['objective']}{at}"


def _repeated(row: dict[str, Any]) -> str:
    return f"{row['objective']} {row['kind']} {output.grouped(row['ticks'])}"


def _level(level: Level | None) -> dict[str, Any]:
    if level is None:
        return {"status": None, "value": None, "bound": None, "gap": None}
    return {"status": level.status, "value": level.value, "bound": level.bound, "gap": level.gap}


def _line(updated: Updated) -> str:
    if updated.problem:
        return f"{updated.name}: {updated.problem}"
    return f"{updated.name}: {updated.status}; better: {', '.join(updated.gained)}"


def _print_updated(found: Sequence[Updated], total: int, interrupted: bool, as_json: bool) -> None:
    if as_json:
        output.print_json(
            {
                "total": total,
                "interrupted": interrupted,
                "updated": [each for each in found if each.solved or each.gained or each.problem],
            }
        )
        return
    solved = sum(each.solved for each in found)
    better = sum(bool(each.gained) for each in found)
    problems = sum(bool(each.problem) for each in found)
    left = sum(not (each.solved or each.gained or each.problem) for each in found)
    print(
        f"{total:,} instances: {solved:,} solved, {better:,} better than before, {left:,} left as they were, "
        f"{problems:,} with problems"
    )
    if interrupted:
        output.note("mapopt: interrupted; what is done is kept, and the same command goes on from there")


def _exit(interrupted: bool, failed: bool) -> None:
    if interrupted:
        raise typer.Exit(130)
    if failed:
        raise typer.Exit(1)


def _bar(description: str, total: int, *, quiet: bool) -> Progress:
    """Return a bar on standard error, shown if somebody is looking."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=console, disable=quiet or not console.is_terminal, transient=True)
    bar.add_task(description, total=total)
    return bar


def _folder(path: Path) -> Path:
    from mapopt.errors import InputError

    if not path.is_dir():
        raise InputError(f"--records {path}: is no folder; name a store of run records, e.g. results/runs")
    return path


def _within(folder: Path, name: str) -> Path:
    from mapopt.errors import InputError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be made ({error.strerror or error})") from None
    return folder / name
