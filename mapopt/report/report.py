"""Reports: from result folders to a page, to figures and to a table."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from mapopt.documents import write_atomic
from mapopt.errors import InputError
from mapopt.report import gap_table
from mapopt.report.charts.instances import fronts, gantts, loads
from mapopt.report.charts.parameters import parameters
from mapopt.report.charts.progress import progress
from mapopt.report.charts.quality import quality
from mapopt.report.charts.sensitivity import sensitivity
from mapopt.report.page import Section, page
from mapopt.report.picture import Omitted, Picture
from mapopt.report.render import Format, render
from mapopt.report.scene import Scene
from mapopt.report.tuning import tuning
from mapopt.studies.load import load_results

CAPTIONS = "captions.md"
"""The file beside figures that says what each shows."""


def read(paths: Iterable[str | Path], *, detailed: int = 12, chosen: Sequence[str] = ()) -> Scene:
    """Read result folders.

    Parameters
    ----------
    paths
        Result folders of studies, or folders of these.
    detailed
        How many instances have pictures of their own.
    chosen
        Beginnings of the ids of runs whose Gantt charts are wanted; none: of runs on the instances shown.

    Raises
    ------
    InputError
        If there is no study, or no run of it has a record.
    """
    with _uncollected():
        scene = Scene(load_results(paths), detailed, tuple(chosen))
    if not scene.results.rows:
        folders = ", ".join(map(str, scene.results.folders))
        first = f"; {scene.results.warnings[0]}" if scene.results.warnings else ""
        raise InputError(
            f"{folders}: no run has an intact record; run the study with `mapopt study run`{first}"
        )
    return scene


@contextmanager
def _uncollected() -> Iterator[None]:
    """Suspend the search for cycles of references: the millions of values of a large report live until it ends.

    It takes a third of the time otherwise.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def sections(scene: Scene) -> Iterator[Section]:
    """Yield the parts of a report that hold pictures."""
    more = len(scene.cases) - len(scene.shown_cases)
    some = (
        f" The first {len(scene.shown_cases)} of {len(scene.cases)}; --instances N shows more."
        if more
        else ""
    )
    yield "quality", "Quality", "How good the methods are beside each other.", list(quality(scene))
    yield "time", "Time", "How fast they get there.", list(progress(scene))
    yield (
        "parameters",
        "Platforms",
        "What more units, or faster links, bring.",
        list(parameters(scene)),
    )
    yield (
        "fronts",
        "Rate and latency",
        f"Both objectives at once, instance by instance.{some}",
        list(fronts(scene)),
    )
    yield "loads", "Loads", f"What keeps each unit and link busy.{some}", list(loads(scene))
    text = (
        "The runs chosen."
        if scene.chosen
        else f"The first method and the best run on every instance.{some} --gantt RUN draws any other run."
    )
    yield "gantts", "Gantt charts", text, list(gantts(scene))
    yield (
        "sensitivity",
        "Sensitivity",
        "What the open choices of LBLP and errors in the times change.",
        list(sensitivity(scene)),
    )
    tuned = list(tuning(scene))
    if tuned:
        yield "tuning", "Tuning", "What tuning gains on instances that it has not seen.", tuned


def write_page(scene: Scene, path: str | Path) -> None:
    """Write the report as one HTML file.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    from altair.utils.schemapi import debug_mode

    with (
        _uncollected(),
        debug_mode(False),
    ):  # charts are checked where they are tested, which saves seconds here
        text = page(scene, sections(scene))
    write_atomic(path, text.encode())


def write_figures(scene: Scene, folder: str | Path, form: Format) -> tuple[list[Path], list[Omitted]]:
    """Write every picture as a file of its own, and what each shows, in which class, into ``captions.md``.

    Returns
    -------
    tuple
        The files of the pictures, and the pictures that there was nothing to draw for.

    Raises
    ------
    InputError
        If the system refuses to write.
    """
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{target}: cannot be made ({error.strerror or error})") from None
    written, omitted, captions = [], [], []
    for shown in chain.from_iterable(pictures for _, _, _, pictures in sections(scene)):
        if isinstance(shown, Picture):
            path = target / f"{shown.key}.{form}"
            write_atomic(path, render(shown, form))
            written.append(path)
            captions.append(f"## {path.name}: {shown.title}\n\n{shown.caption}\n")
        else:
            omitted.append(shown)
    write_atomic(target / CAPTIONS, "\n".join(captions).encode())
    return written, omitted


def table_text(scene: Scene, form: gap_table.Format) -> str:
    """Return the gap table, see :func:`mapopt.report.gap_table.gap_table`."""
    return gap_table.gap_table(scene, form)
