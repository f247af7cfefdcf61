"""Exact solving: formulations by name, the solvers that run them, and the driver that combines them with bounds."""
