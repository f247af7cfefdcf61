"""SCIP, in a child process through PySCIPOpt, where that is installed.

References
----------
K. Bestuzheva et al.: Enabling research through the SCIP Optimization Suite 8.0. ACM Transactions on Mathematical
Software 49(2), 2023, article 22.
"""

from __future__ import annotations

import sys
from typing import Any

from mapopt.solvers.backends.base import STOPPED, UNBOUNDED, Backend, ChildBackend, ChildReporter


def backend() -> Backend:
    """Return a fresh backend for one run."""
    return ChildBackend("scip", "pyscipopt", "install the package pyscipopt")


def main(directory: str) -> None:
    """Run the job in ``directory``."""
    import pyscipopt

    reporter = ChildReporter(directory)
    job = reporter.job()
    scip = pyscipopt.Model()
    scip.hideOutput()
    scip.readProblem(job.model)
    variables = scip.getVars()
    names = [variable.name for variable in variables]
    scip.setParam("limits/gap", 0.0)
    scip.setParam("limits/absgap", job.gap)
    scip.setParam("randomization/randomseedshift", job.seed)
    scip.setParam("parallel/maxnthreads", job.workers)
    if job.time_s is not None:
        scip.setParam("limits/time", job.time_s)
        scip.setParam("timing/clocktype", 2)
    if job.nodes is not None:
        scip.setParam("limits/totalnodes", job.nodes)
    if job.start:
        start = scip.createPartialSol()
        for variable in variables:
            if variable.name in job.start:
                scip.setSolVal(start, variable, job.start[variable.name])
        scip.addSol(start)

    def keep() -> None:
        best = scip.getBestSol()
        reporter.keep({name: scip.getSolVal(best, each) for name, each in zip(names, variables, strict=True)})

    class Events(pyscipopt.Eventhdlr):  # type: ignore[misc]
        kinds = (pyscipopt.SCIP_EVENTTYPE.BESTSOLFOUND, pyscipopt.SCIP_EVENTTYPE.LPSOLVED)

        def eventinit(self) -> None:
            for kind in self.kinds:
                self.model.catchEvent(kind, self)

        def eventexit(self) -> None:
            for kind in self.kinds:
                self.model.dropEvent(kind, self)

        def eventexec(self, event: Any) -> None:
            if event.getType() == pyscipopt.SCIP_EVENTTYPE.BESTSOLFOUND:
                keep()
                reporter.say(value=self.model.getPrimalbound())
            else:
                self.tell_bound()
            if reporter.asked_to_stop():
                self.model.interruptSolve()

        told = float("-inf")

        def tell_bound(self) -> None:
            bound = self.model.getDualbound()
            if bound > self.told and not self.model.isInfinity(abs(bound)):
                self.told = bound
                reporter.say(bound=bound)

    scip.includeEventhdlr(Events(), "progress", "tells improvements and stops when asked to")
    scip.optimize()
    verdict = scip.getStatus()
    if verdict == "inforunbd":
        scip.freeTransform()
        scip.setPresolve(pyscipopt.SCIP_PARAMSETTING.OFF)
        scip.optimize()
        verdict = scip.getStatus()
    if verdict == "memlimit":
        reporter.say(status="failed", reason="ran out of memory")
        return
    status = {"optimal": "optimal", "gaplimit": "optimal", "infeasible": "infeasible", "unbounded": UNBOUNDED}
    if scip.getNSols() and verdict != "unbounded":
        keep()
    bound = scip.getDualbound()
    infinite = scip.isInfinity(abs(bound))
    reporter.say(
        status=status.get(verdict, STOPPED),
        bound=float("-inf") if infinite else bound,
        nodes=scip.getNTotalNodes(),
    )


if __name__ == "__main__":
    main(sys.argv[1])
