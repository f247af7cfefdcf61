"""Compiled annealing searches for time-triggered schedules of least latency at a given period."""
