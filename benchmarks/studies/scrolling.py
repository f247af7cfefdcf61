"""How fluently the page of 100,000 records opens and scrolls in a headless Chromium: frame times and first paint."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.studies.overhead import RECORDS, keep_many
from benchmarks.tables import heading, table
from mapopt.report.report import read, write_page
from tests.report.browser import CHROMIUM, DRIVER, Browser

STEP = 0.25
"""Of the window's height, that each frame scrolls by."""

LONG_MS = 50.0
"""A frame that takes longer is seen to stutter."""

OPENING = """
await new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
const [page] = performance.getEntriesByType("navigation");
const paint = performance.getEntriesByName("first-contentful-paint")[0];
return { paint: paint?.startTime ?? null, ready: page.domContentLoadedEventEnd, load: page.loadEventEnd };
"""

IDLE = """
const times = [];
let last = await new Promise(requestAnimationFrame);
while (times.length < 60) {
  const now = await new Promise(requestAnimationFrame);
  times.push(now - last);
  last = now;
}
return times;
"""

SCROLLING = f"""
const times = [];
const root = document.documentElement;
let last = await new Promise(requestAnimationFrame);
for (let at = 0; at < root.scrollHeight - innerHeight && times.length < 4000; at += innerHeight * {STEP}) {{
  root.scrollTop = at;
  const now = await new Promise(requestAnimationFrame);
  times.push(now - last);
  last = now;
}}
return {{ times, height: root.scrollHeight }};
"""


def quantile(values: list[float], share: float) -> float:
    """Return the least value that at least this share of the values does not exceed."""
    return sorted(values)[max(0, -int(-share * len(values) // 1) - 1)]


def frames(name: str, times: list[float]) -> list[str]:
    long = sum(each > LONG_MS for each in times) / len(times)
    figures = (quantile(times, 0.5), quantile(times, 0.95), max(times))
    return [name, f"{len(times):,}", *(f"{each:.1f}" for each in figures), f"{long:.1%}"]


def measure(page: Path) -> tuple[dict[str, Any], list[list[str]]]:
    """Open a page and scroll it from top to bottom twice: everything new, then everything drawn before."""
    with Browser() as browser:
        browser.open(page)
        opening = browser.run(OPENING)
        rows = [frames("nothing scrolls", browser.run(IDLE))]
        for name in ("first way down", "second way down"):
            found = browser.run(SCROLLING)
            rows.append(frames(name, found["times"]))
        browser.run("for (const each of document.querySelectorAll('details')) each.open = true")
        rows.append(frames("every table open", browser.run(SCROLLING)["times"]))
        said = browser.console()
        if said:
            raise SystemExit(f"the page wrote to the console: {said[0]}")
    return {**opening, "height": found["height"]}, rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", nargs="?", type=Path, help="a page to measure instead")
    given: Path | None = parser.parse_args().page
    if CHROMIUM is None or DRIVER is None:
        raise SystemExit("chromium or chromedriver is not installed")
    heading(
        "Scrolling",
        "Headless Chromium without a graphics card, on a machine that may be busy with other things.",
    )
    with tempfile.TemporaryDirectory() as name:
        page = given or Path(name) / "report.html"
        if given is None:
            write_page(read([keep_many(Path(name)).path]), page)
        size = page.stat().st_size / 1e6
        opening, rows = measure(page.absolute())
    what = f"report of {RECORDS:,} records" if given is None else page.name
    table(
        ["page", "size", "height", "first paint", "ready", "loaded"],
        [
            [
                what,
                f"{size:.1f} MB",
                f"{opening['height']:,} px",
                *(
                    "" if opening[each] is None else f"{opening[each]:.0f} ms"
                    for each in ("paint", "ready", "load")
                ),
            ]
        ],
    )
    print()
    table(["frames", "count", "median (ms)", "95% (ms)", "worst (ms)", f"over {LONG_MS:.0f} ms"], rows)


if __name__ == "__main__":
    main()
