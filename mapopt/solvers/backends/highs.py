"""HiGHS, in a child process through highspy.

References
----------
Q. Huangfu, J. A. J. Hall: Parallelizing the dual revised simplex method. Mathematical Programming Computation 10,
2018, 119-142.
"""

from __future__ import annotations

import sys
from typing import Any

from mapopt.solvers.backends.base import STOPPED, UNBOUNDED, Backend, ChildBackend, ChildReporter


def backend() -> Backend:
    """Return a fresh backend for one run."""
    return ChildBackend("highs", "highspy", "install the package highspy")


def main(directory: str) -> None:
    """Run the job in ``directory``."""
    import highspy
    import numpy as np

    reporter = ChildReporter(directory)
    job = reporter.job()
    highs = highspy.Highs()
    for name, value in {
        "output_flag": False,
        "mip_rel_gap": 0.0,
        "mip_abs_gap": job.gap,
        "threads": job.workers,
        "random_seed": job.seed,
    }.items():
        highs.setOptionValue(name, value)
    if job.time_s is not None:
        highs.setOptionValue("time_limit", job.time_s)
    if job.nodes is not None:
        highs.setOptionValue("mip_max_nodes", job.nodes)
    if highs.readModel(job.model) == highspy.HighsStatus.kError:
        reporter.say(status="failed", reason="HiGHS cannot read the model")
        return
    names = list(highs.getLp().col_names_)
    if job.start:
        index = {name: column for column, name in enumerate(names)}
        columns = np.array([index[name] for name in job.start], dtype=np.int32)
        highs.setSolution(len(columns), columns, np.array(list(job.start.values()), dtype=np.float64))

    def improved(event: Any) -> None:
        reporter.keep(dict(zip(names, map(float, event.data_out.mip_solution), strict=True)))
        reporter.say(value=event.data_out.objective_function_value)

    def looked(event: Any) -> None:
        if reporter.asked_to_stop():
            event.interrupt()

    told = float("-inf")

    def searched(event: Any) -> None:
        nonlocal told
        if event.data_out.mip_dual_bound > told:
            told = event.data_out.mip_dual_bound
            reporter.say(bound=told)
        looked(event)

    highs.cbMipImprovingSolution += improved
    highs.cbMipInterrupt += searched
    highs.cbSimplexInterrupt += looked
    highs.cbIpmInterrupt += looked

    highs.solve()
    verdict = highs.getModelStatus()
    if verdict == highspy.HighsModelStatus.kUnboundedOrInfeasible:
        highs.setOptionValue("presolve", "off")
        highs.solve()
        verdict = highs.getModelStatus()
    known = highspy.HighsModelStatus
    status = {
        known.kOptimal: "optimal",
        known.kModelEmpty: "optimal",
        known.kInfeasible: "infeasible",
        known.kUnbounded: UNBOUNDED,
        known.kTimeLimit: STOPPED,
        known.kIterationLimit: STOPPED,
        known.kSolutionLimit: STOPPED,
        known.kInterrupt: STOPPED,
        known.kHighsInterrupt: STOPPED,
    }.get(verdict)
    if status is None:
        memory = verdict == known.kMemoryLimit
        reporter.say(
            status="failed", reason="ran out of memory" if memory else f"HiGHS ended with {verdict.name}"
        )
        return
    info = highs.getInfo()
    is_mip = any(kind != highspy.HighsVarType.kContinuous for kind in highs.getLp().integrality_)
    bound = info.mip_dual_bound if is_mip else float("-inf")
    if status == "optimal" and not is_mip:
        bound = info.objective_function_value
    if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
        reporter.keep(dict(zip(names, map(float, highs.getSolution().col_value), strict=True)))
    reporter.say(status=status, bound=bound, nodes=max(0, info.mip_node_count))


if __name__ == "__main__":
    main(sys.argv[1])
