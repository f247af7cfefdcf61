"""Map CNNs onto in-memory-computing chips, emulate the pipeline, and measure the distance to the best possible.

>>> import mapopt
>>> instance = mapopt.load_instance("resnet8", platform="imce:imc=4,dpu=1")
>>> mapping = mapopt.map_instance(instance, "lblp")
>>> mapopt.check(instance, mapping)
()
>>> mapopt.measure(instance, mapping).exact
True
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_EXPORTS = {
    "Bounds": "mapopt.bounds",
    "Certificate": "mapopt.certificate",
    "Comparison": "mapopt.comparison",
    "InfeasibleError": "mapopt.errors",
    "InputError": "mapopt.errors",
    "Instance": "mapopt.instance",
    "Limits": "mapopt.solvers.model",
    "MapoptError": "mapopt.errors",
    "Mapping": "mapopt.mapping",
    "Measurement": "mapopt.emulator.measurement",
    "Network": "mapopt.network.model",
    "NoMappingError": "mapopt.errors",
    "Outcome": "mapopt.solvers.outcome",
    "Platform": "mapopt.platform.model",
    "build_instance": "mapopt.costs",
    "certify": "mapopt.certificate",
    "check": "mapopt.feasibility",
    "compare": "mapopt.comparison",
    "explain_mapping": "mapopt.explanation",
    "load_instance": "mapopt.sources",
    "load_network": "mapopt.network.library",
    "load_platform": "mapopt.platform.library",
    "lower_bounds": "mapopt.bounds",
    "map_instance": "mapopt.mappers.run",
    "measure": "mapopt.emulator.measure",
    "pareto": "mapopt.solvers.pareto",
    "schedule": "mapopt.emulator.schedule",
    "solve": "mapopt.solvers.driver",
    "verify": "mapopt.verification",
    "verify_certificate": "mapopt.certificate",
}

__all__ = [*_EXPORTS, "__version__"]

if TYPE_CHECKING:
    from mapopt.bounds import Bounds as Bounds
    from mapopt.bounds import lower_bounds as lower_bounds
    from mapopt.certificate import Certificate as Certificate
    from mapopt.certificate import certify as certify
    from mapopt.certificate import verify_certificate as verify_certificate
    from mapopt.comparison import Comparison as Comparison
    from mapopt.comparison import compare as compare
    from mapopt.costs import build_instance as build_instance
    from mapopt.emulator.measure import measure as measure
    from mapopt.emulator.measurement import Measurement as Measurement
    from mapopt.emulator.schedule import schedule as schedule
    from mapopt.errors import InfeasibleError as InfeasibleError
    from mapopt.errors import InputError as InputError
    from mapopt.errors import MapoptError as MapoptError
    from mapopt.errors import NoMappingError as NoMappingError
    from mapopt.explanation import explain_mapping as explain_mapping
    from mapopt.feasibility import check as check
    from mapopt.instance import Instance as Instance
    from mapopt.mappers.run import map_instance as map_instance
    from mapopt.mapping import Mapping as Mapping
    from mapopt.network.library import load_network as load_network
    from mapopt.network.model import Network as Network
    from mapopt.platform.library import load_platform as load_platform
    from mapopt.platform.model import Platform as Platform
    from mapopt.solvers.driver import solve as solve
    from mapopt.solvers.model import Limits as Limits
    from mapopt.solvers.outcome import Outcome as Outcome
    from mapopt.solvers.pareto import pareto as pareto
    from mapopt.sources import load_instance as load_instance
    from mapopt.verification import verify as verify


def __getattr__(name: str) -> Any:
    """Import what is exported on first use, so that ``import mapopt`` stays cheap."""
    if name not in _EXPORTS:
        raise AttributeError(f"module 'mapopt' has no attribute {name!r}")
    value = getattr(importlib.import_module(_EXPORTS[name]), name)
    globals()[name] = value
    return value
