"""``study``: comparisons from a file, made run by run and kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mapopt.cli import arguments, output

if TYPE_CHECKING:
    from mapopt.studies.running import Executor, Progress
    from mapopt.studies.status import State

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Comparison runs from a study file.")

StudyFile = Annotated[
    Path, typer.Argument(metavar="STUDY", help="Study file (.toml), see `mapopt study new`.")
]
ResultFolder = Annotated[
    Path, typer.Option("--results", help="Folder of results; the study has a folder of its name in there.")
]
ExecutorName = Annotated[
    Literal["local", "dask"],
    typer.Option("--executor", help="Processes here, or the workers of a Dask scheduler."),
]
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS", help="Of the Dask scheduler, e.g. tcp://10.0.0.1:8786."),
]
SHOWN = 20
"""Failures that are listed; --json has all of them."""


@app.command()
def new(
    template: Annotated[
        str | None, typer.Argument(metavar="TEMPLATE", help="Name of a template; none: list them.")
    ] = None,
    as_json: arguments.AsJson = False,
) -> None:
    """Print a commented study file to start from, or list the templates."""
    from mapopt.studies.templates import template_text, templates

    if template is not None:
        print(template_text(template), end="")
    elif as_json:
        output.print_json(templates())
    else:
        output.print_table(["template", "description"], list(templates().items()))
        print("write one with: mapopt study new TEMPLATE > study.toml")


@app.command()
def run(
    study: StudyFile,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Runs at a time; default: one per processor.")
    ] = None,
    results: ResultFolder = Path("results"),
    executor: ExecutorName = "local",
    scheduler: Scheduler = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Make runs again that failed.")
    ] = False,
    as_json: arguments.AsJson = False,
) -> None:
    """Make the runs of a study that were not made yet.

    Ctrl-C keeps what is done; the same command goes on from there. Exits with 1 if runs failed.
    """
    from mapopt.studies.running import run_study

    chosen = chosen_executor(executor, scheduler, jobs)
    with _Display(quiet=as_json) as display:
        try:
            run_study(study, results, chosen, retry_failed=retry_failed, on_progress=display.show)
        except KeyboardInterrupt:
            display.interrupted = True
    _print_run(display, study, as_json)


@app.command()
def status(
    study: StudyFile, results: ResultFolder = Path("results"), as_json: arguments.AsJson = False
) -> None:
    """Say what of a study is done, running, failed and to be done, and how long that may take."""
    from mapopt.studies.status import status_of

    state = status_of(study, results)
    if as_json:
        output.print_json(state)
    else:
        _print_state(state)


@app.command()
def merge(
    other: Annotated[Path, typer.Argument(metavar="OTHER", help="Result folder from another machine.")],
    results: ResultFolder = Path("results"),
    as_json: arguments.AsJson = False,
) -> None:
    """Copy the records of another result folder that are absent here; nothing is overwritten."""
    from mapopt.studies.merging import merge as run_merge

    merged = run_merge(other, results)
    if as_json:
        output.print_json(merged)
        return
    for each in merged:
        print(
            f"{each.study}: {each.copied:,} copied, {each.same:,} were there already, {each.replaced:,} in place of "
            f"failed ones, {len(each.different):,} with another result (not taken), {len(each.skipped):,} files skipped"
        )
        for identity in each.different:
            output.note(f"{each.study}: run {identity} has another result there; the one here stands")
        for reason in each.skipped:
            output.note(f"skipped: {reason}")


def chosen_executor(name: str, scheduler: str | None, jobs: int | None) -> Executor:
    """Return what makes runs.

    Raises
    ------
    InputError
        If options do not go together.
    """
    from mapopt.errors import InputError
    from mapopt.studies.running import Local, default_jobs

    if name == "local":
        if scheduler is not None:
            raise InputError("--scheduler: goes with --executor dask; drop one")
        return Local(jobs or default_jobs())
    from mapopt.studies.cluster import Dask

    if scheduler is None:
        raise InputError("--executor dask: needs the address of a scheduler; add --scheduler tcp://HOST:PORT")
    if jobs is not None:
        raise InputError(
            "--jobs: is for runs on this machine; the Dask workers decide how many they make, drop it"
        )
    return Dask(scheduler)


class _Display:
    """A bar on standard error, if somebody is looking, and what it last showed."""

    def __init__(self, *, quiet: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        console = Console(stderr=True)
        self.last: Progress | None = None
        self.interrupted = False
        self._bar = Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=quiet or not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("expanding the study", total=None)

    def __enter__(self) -> _Display:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, progress: Progress) -> None:
        """Move the bar."""
        self.last = progress
        failed = f", {progress.failed} failed" if progress.failed else ""
        self._bar.update(
            self._task,
            description=f"runs{failed}",
            total=progress.total,
            completed=progress.reused + progress.done,
        )


def _print_run(display: _Display, study: Path, as_json: bool) -> None:
    progress = display.last
    if progress is not None:
        summary = {
            "total": progress.total,
            "reused": progress.reused,
            "done": progress.done,
            "failed": progress.failed,
            "todo": progress.total - progress.reused - progress.done,
            "interrupted": display.interrupted,
            "damaged": progress.damaged,
        }
        if as_json:
            output.print_json(summary)
        else:
            print(
                f"{summary['total']:,} runs: {summary['reused']:,} were there already, {summary['done']:,} done now, "
                f"{summary['todo']:,} to be done; {summary['failed']:,} failed"
            )
        for problem in progress.damaged:
            output.note(problem)
    if display.interrupted:
        output.note("mapopt: interrupted; what is done is kept, and the same command goes on from there")
        raise typer.Exit(130)
    if progress is not None and progress.failed:
        output.note(
            f"mapopt: runs failed; `mapopt study status {study}` says why, --retry-failed makes them again"
        )
        raise typer.Exit(1)


def _print_state(state: State) -> None:
    left = "unknown" if state.left_s is None else f"about {state.left_s:,.0f} s"
    print(
        f"{state.study} in {state.folder}: {state.total:,} runs, {state.done:,} done, {state.running:,} running, "
        f"{state.todo:,} to be done, {len(state.failed):,} failed; time left: {left}"
    )
    if state.others:
        print(
            f"{state.others:,} more records there are of other code, versions or settings; they are kept, not counted"
        )
    for failure in state.failed[:SHOWN]:
        print(f"failed: {failure.method} (seed {failure.seed}) on {failure.instance}: {failure.reason}")
    if len(state.failed) > SHOWN:
        print(f"... and {len(state.failed) - SHOWN:,} more; --json lists all")
    for problem in state.damaged:
        output.note(problem)
