"""``tune``: the options of a mapper or a formulation tuned on some instances and judged on others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from mapopt.cli import arguments, output
from mapopt.cli.studying import ExecutorName, Scheduler, chosen_executor

if TYPE_CHECKING:
    from mapopt.studies.running import Executor
    from mapopt.tuning.findings import Findings
    from mapopt.tuning.running import Budgeted
    from mapopt.tuning.setup import Setup
    from mapopt.tuning.status import State
    from mapopt.tuning.trials import Progress


class RunByDefault(TyperGroup):
    """A group in which ``tune FILE`` is short for ``tune run FILE``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put ``run`` before what is no command."""
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=RunByDefault,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Tune a mapper or a formulation from a tuning file: `mapopt tune FILE` is short for `mapopt tune run FILE`.",
)

TuningFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="Tuning file (.toml), see `mapopt tune new`.")
]
ResultFolder = Annotated[
    Path, typer.Option("--results", help="Folder of results; the study has a folder of its name in there.")
]
Storage = Annotated[
    str | None,
    typer.Option(
        "--storage",
        metavar="URL",
        help="Of the trials: sqlite:///FILE, journal:FILE or postgresql://USER:PASSWORD@HOST/DATABASE; default: a "
        "file in the study's folder.",
    ),
]
Trials = Annotated[
    int | None, typer.Option(min=1, help="Trials of the study as a whole; default: as in the file.")
]
Timeout = Annotated[
    float | None, typer.Option(help="Seconds after which no trial begins; default: as in the file.")
]
Jobs = Annotated[int | None, typer.Option(min=1, help="Processes that make trials; default: 1.")]
SHOWN = 10
"""Reasons that are listed; --json has all of them."""


@app.command()
def new(
    template: Annotated[
        str | None, typer.Argument(metavar="TEMPLATE", help="Name of a template; none: list them.")
    ] = None,
    as_json: arguments.AsJson = False,
) -> None:
    """Print a commented tuning file to start from, or list the templates."""
    from mapopt.tuning.templates import template_text, templates

    if template is not None:
        print(template_text(template), end="")
    elif as_json:
        output.print_json(templates())
    else:
        output.print_table(["template", "description"], list(templates().items()))
        print("write one with: mapopt tune new TEMPLATE > tuning.toml")


@app.command()
def run(
    file: TuningFile,
    trials: Trials = None,
    timeout: Timeout = None,
    storage: Storage = None,
    jobs: Jobs = None,
    executor: ExecutorName = "local",
    scheduler: Scheduler = None,
    results: ResultFolder = Path("results"),
    as_json: arguments.AsJson = False,
) -> None:
    """Make the trials of a tuning study that were not made yet, and compare what was found on held-out instances.

    Ctrl-C keeps what is done; the same command goes on from there. Any number of these commands may share a study, on
    many machines if its storage is PostgreSQL; with --executor dask the workers of a cluster do. Exits with 1 if trials
    failed.
    """
    _tune(file, results, storage, _budgeted(trials, timeout, jobs, executor, scheduler), as_json)


@app.command()
def resume(
    file: TuningFile,
    trials: Trials = None,
    timeout: Timeout = None,
    storage: Storage = None,
    jobs: Jobs = None,
    executor: ExecutorName = "local",
    scheduler: Scheduler = None,
    results: ResultFolder = Path("results"),
    as_json: arguments.AsJson = False,
) -> None:
    """Go on with a tuning study; like `run`, but one that was not begun is an error."""
    from mapopt.tuning.setup import existing

    existing(file, results, storage)
    _tune(file, results, storage, _budgeted(trials, timeout, jobs, executor, scheduler), as_json)


@app.command()
def status(
    file: TuningFile,
    storage: Storage = None,
    results: ResultFolder = Path("results"),
    as_json: arguments.AsJson = False,
) -> None:
    """Say how far a tuning study is, and what is best so far."""
    from mapopt.tuning.status import status_of

    state = status_of(file, results, storage)
    if as_json:
        output.print_json(state)
    else:
        _print_state(state)


@app.command()
def export(
    file: TuningFile,
    out: arguments.Output,
    storage: Storage = None,
    jobs: Jobs = None,
    results: ResultFolder = Path("results"),
    as_json: arguments.AsJson = False,
) -> None:
    """Write the options found as a parameter file, for `--mapper tuned:FILE` or `--formulation tuned:FILE`."""
    from mapopt.studies.running import Local
    from mapopt.tuning.concluding import parameters_of
    from mapopt.tuning.setup import existing

    arguments.keep(out, file)
    if out.suffix.lower() != ".json":
        from mapopt.errors import InputError

        raise InputError(f"{out}: has not the suffix .json, by which `tuned:FILE` knows files; add it")
    parameters = parameters_of(_conclude(existing(file, results, storage), Local(jobs or 1), quiet=as_json))
    parameters.save(out)
    if as_json:
        output.print_json(parameters)
    else:
        settings = ", ".join(f"{name}={value}" for name, value in parameters.options.items())
        print(f"{out}: {parameters.mapper or parameters.formulation} with {settings}")
        print(f"use it with: --{'mapper' if parameters.mapper else 'formulation'} tuned:{out}")


def _budgeted(
    trials: int | None, timeout: float | None, jobs: int | None, executor: str, scheduler: str | None
) -> Budgeted:
    from mapopt.errors import InputError
    from mapopt.tuning.running import Budgeted

    if timeout is not None and not 0 < timeout < 1e9:
        raise InputError(f"--timeout: is {timeout:g}; it must be > 0 seconds and finite")
    local = executor == "local"
    return Budgeted(
        trials, timeout, jobs or 1, chosen_executor(executor, scheduler, (jobs or 1) if local else jobs)
    )


def _tune(file: Path, results: Path, storage: str | None, asked: Budgeted, as_json: bool) -> None:
    from mapopt.tuning.running import run_tuning

    try:
        with _Display(quiet=as_json) as display:
            setup, progress = run_tuning(
                file, results, storage, asked, on_runs=display.show_runs, on_trial=display.show_trials
            )
        findings = _conclude(setup, asked.runs, quiet=as_json) if progress.best is not None else None
    except KeyboardInterrupt:
        output.note("mapopt: interrupted; what is done is kept, and the same command goes on from there")
        raise typer.Exit(130) from None
    if as_json:
        output.print_json({"progress": progress, "findings": findings})
    else:
        _print_progress(progress)
        if findings is not None:
            _print_findings(findings)
            print(f"write the options with: mapopt tune export {file} -o tuned.json")
    if progress.failed or findings is None:
        output.note(f"mapopt: {progress.failed:,} trials failed; `mapopt tune status {file}` says why")
        raise typer.Exit(1)


def _conclude(setup: Setup, executor: Executor, *, quiet: bool) -> Findings:
    from mapopt.tuning.concluding import conclude

    with _Display(quiet=quiet) as display:
        return conclude(setup, executor, display.show_runs)


class _Display:
    """A bar on standard error, if somebody is looking."""

    def __init__(self, *, quiet: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        console = Console(stderr=True)
        self._bar = Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=quiet or not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("reading the instances", total=None)

    def __enter__(self) -> _Display:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show_runs(self, done: int, total: int) -> None:
        """Move the bar of runs that are no trials."""
        self._bar.update(self._task, description="references and comparisons", total=total, completed=done)

    def show_trials(self, progress: Progress) -> None:
        """Move the bar of trials."""
        best = "" if progress.best is None else f", best score {progress.best:.3g}"
        self._bar.update(
            self._task, description=f"trials{best}", total=progress.total, completed=progress.done
        )


def _print_progress(progress: Progress) -> None:
    print(
        f"{progress.done:,} of {progress.total:,} trials: {progress.completed:,} completed, {progress.pruned:,} given "
        f"up early, {progress.failed:,} failed"
    )
    if progress.best is not None:
        default = "" if progress.default is None else f"; the start has {progress.default:.6g}"
        print(f"best score {progress.best:.6g} (trial {progress.best_trial}){default}")
    if progress.nothing_left:
        print("stopped: the best trial is at the reference everywhere")


def _print_findings(findings: Findings) -> None:
    rows = [
        [
            each.split,
            each.method,
            str(each.instances),
            output.percent(each.period_gap, 3),
            _interval(each.period_interval, 3),
            output.percent(each.latency_gap, 2),
            _interval(each.latency_interval, 2),
        ]
        for each in findings.summaries
    ]
    columns = ["split", "method", "instances", "period gap", "95%", "latency gap", "95% "]
    output.print_table(
        columns,
        rows,
        numeric=columns[2:],
        title=f"{findings.study}: gaps of the period to its lower bound and of the latency to the best known, shifted "
        f"geometric means ({findings.schedule_class})",
    )
    for split, (count, periods, latencies) in findings.proven().items():
        print(f"{split}: of {count:,} references {periods:,} periods and {latencies:,} latencies are proven")
    for each in findings.contrasts:
        if each.split == "test":
            inside = "-" if each.interval is None else "{:+.3g} to {:+.3g}".format(*each.interval)
            print(
                f"test: tuned less {each.against}: score {each.difference:+.3g} (95%: {inside}), "
                f"p = {each.p_value:.3g}; better on {each.wins}, worse on {each.losses}, equal on {each.ties}"
            )
    if findings.excluded:
        print(f"{len(findings.excluded):,} instances do not count; `mapopt tune status` says why")
    if findings.overfitting:
        output.note(f"over-fitted: {findings.overfitting}")


def _interval(interval: tuple[float, float] | None, digits: int) -> str:
    if interval is None:
        return "-"
    return f"{output.percent(interval[0], digits)} to {output.percent(interval[1], digits)}"


def _print_state(state: State) -> None:
    progress = state.progress
    tuned = f"mapper {state.mapper}" if state.mapper else f"formulation {state.formulation}"
    print(f"{state.study} in {state.storage}: {tuned}")
    _print_progress(progress)
    if progress.running:
        print(f"{progress.running:,} trials are running, or were when their workers were lost")
    if state.best_parameters:
        print("best: " + ", ".join(f"{name}={value}" for name, value in state.best_parameters.items()))
    for split, (counted, total) in state.splits.items():
        print(f"{split}: {counted:,} of {total:,} instances count")
    for name, reasons in (("not counted", state.excluded), ("trial without score", state.reasons)):
        for label, reason in list(reasons.items())[:SHOWN]:
            print(f"{name}: {label}: {reason}")
        if len(reasons) > SHOWN:
            print(f"... and {len(reasons) - SHOWN:,} more; --json lists all")
