"""Optuna's tables on PostgreSQL."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy.exc import SQLAlchemyError

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

HEARTBEAT_S = 20
"""How often a worker says that it lives."""

GRACE_S = 80
"""After how long a silence its trial is made again."""

CONNECT_S = 10
"""How long to look for a server, in seconds."""


class PostgresqlStorage(RDBStorage):
    """Optuna's storage with heartbeats, one of which may fail in silence: the worker's next write says why.

    Parameters
    ----------
    url
        ``postgresql://USER:PASSWORD@HOST:PORT/DATABASE``.
    retry
        Called with a study and a trial whose worker was lost.
    """

    def __init__(self, url: str, retry: Callable[[Study, FrozenTrial], None]) -> None:
        with warnings.catch_warnings(action="ignore", category=ExperimentalWarning):
            super().__init__(
                url.replace("postgresql://", "postgresql+psycopg://", 1),
                engine_kwargs={"pool_pre_ping": True, "connect_args": {"connect_timeout": CONNECT_S}},
                heartbeat_interval=HEARTBEAT_S,
                grace_period=GRACE_S,
                heartbeat_stale_trial_callback=retry,
            )

    def record_heartbeat(self, trial_id: int) -> None:
        """Say that the worker of a trial lives."""
        with suppress(StorageInternalError, SQLAlchemyError):
            super().record_heartbeat(trial_id)
