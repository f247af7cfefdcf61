"""What solvers call: schedules of least latency at a given period."""

from mapopt.search.assignment import assign_within
from mapopt.search.cyclic_search import annealed_cyclic
from mapopt.search.elastic_search import annealed_elastic
from mapopt.search.list_annealing import Shares
from mapopt.search.list_search import Tactics, annealed_list
from mapopt.search.relaxation import Relaxation
from mapopt.search.retimed_search import annealed_retimed
from mapopt.search.schedule import Schedule

__all__ = [
    "Relaxation",
    "Schedule",
    "Shares",
    "Tactics",
    "annealed_cyclic",
    "annealed_elastic",
    "annealed_list",
    "annealed_retimed",
    "assign_within",
]
