"""Make the tables of references: ``python -m benchmarks.references [TABLE...]``; all by default.

Every run is kept under ``results/runs`` and reused, so that an interrupted table goes on where it was.
"""

from __future__ import annotations

import sys

from benchmarks.references import external, latency, period, study

TABLES = (
    period.NETWORKS,
    period.RANDOM,
    external.RCMAX_TABLE,
    external.PLACEMENT_TABLE,
    external.GAP_TABLE,
    external.STG_TABLE,
    latency.LIGHT21,
    latency.DELAY,
    latency.DELAY_MACS,
    latency.LINKS,
    study.STUDY,
)


def main() -> None:
    known = {table.name: table for table in TABLES}
    wanted = sys.argv[1:] or list(known)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise SystemExit(f"unknown table {', '.join(unknown)}; there are {', '.join(known)}")
    try:
        for name in wanted:
            known[name].write()
    except KeyboardInterrupt:
        raise SystemExit("interrupted; the runs that were done are kept") from None


if __name__ == "__main__":
    main()
