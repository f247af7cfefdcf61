"""The MILP solvers: one file each, behind one seam (:mod:`mapopt.solvers.backends.base`)."""
