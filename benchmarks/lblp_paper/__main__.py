"""The comparison of the LBLP paper: its runs, figures and page of findings.

    python -m benchmarks.lblp_paper --run    # makes the runs that are missing, up to half an hour on two cores
    python -m benchmarks.lblp_paper          # figures and page of the runs that are there

The study files are templates (``mapopt study new lblp-paper``). Results are in ``results/lblp-paper*``, page and
figures in ``results/lblp-paper``. A run that was made with other code is made again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.lblp_paper.page import page, pictures
from benchmarks.lblp_paper.records import MAIN, RESULTS, STUDIES
from mapopt.documents import write_atomic
from mapopt.report.render import render
from mapopt.studies.templates import template_text


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", action="store_true", help="make the runs that are missing first")
    if parser.parse_args().run:
        make_runs()
    folder = RESULTS / MAIN
    (folder / "figures").mkdir(exist_ok=True)
    for file, picture in pictures().items():
        write_atomic(folder / "figures" / f"{file}.svg", render(picture, "svg"))
    write_atomic(folder / "README.md", page().encode())
    print(f"{folder / 'README.md'} and its figures")


def make_runs() -> None:
    """Run the studies from the project's folder, so that records and plans name no other one."""
    with tempfile.TemporaryDirectory() as folder:
        for study in STUDIES:
            file = Path(folder) / f"{study}.toml"
            file.write_text(template_text(study), "utf-8")
            command = [sys.executable, "-m", "mapopt", "study", "run", str(file), "--results", RESULTS.name]
            subprocess.run(command, check=True, cwd=RESULTS.parent)


if __name__ == "__main__":
    main()
