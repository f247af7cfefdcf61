"""Trials on the workers of a Dask cluster, all of which reach the storage of the study.

Dask says where, and starts again what is lost with a worker; which trial comes next is between each worker and the
storage, as it is for processes on one machine.
"""

from __future__ import annotations

import tempfile
import time
import uuid
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from mapopt.errors import InputError
from mapopt.studies.cluster import Dask, distributed_package
from mapopt.studies.folder import Folder
from mapopt.tuning.processes import END_S, POLL_S, Order, WorkerProcess, all_failed
from mapopt.tuning.storage import file_of, is_local, shown
from mapopt.tuning.trials import Progress
from mapopt.tuning.tuning import read_tuning

LOST_S = 120.0
"""How long, once the workers have ended, trials are waited for that nobody may be making any more."""


def storage_for_all(url: str | None) -> str:
    """Return the storage as workers on other machines know it.

    Raises
    ------
    InputError
        If it is not one that they can share.
    """
    if url is None or url.startswith("sqlite:"):
        given = "none is given" if url is None else f"it is {shown(url)}"
        raise InputError(
            f"--executor dask: the workers share the trials through --storage, and {given}; use postgresql://..., or "
            "journal:FILE in a folder that all of them see"
        )
    return f"journal:{file_of(url).resolve()}" if is_local(url) else url


def supervise_cluster(
    dask: Dask, order_of: Callable[[int], Order], look: Callable[[], Progress], until: float | None
) -> None:
    """Have the workers of a cluster make trials until there are enough, one at a time per thread.

    Parameters
    ----------
    order_of
        What the worker of this number does.
    look
        Has lost trials made again, and says how far the study is.
    until
        Value of :func:`time.monotonic` after which no trial begins.

    Raises
    ------
    InputError
        If the cluster cannot be used, or all workers failed.
    """
    with dask.connected() as client:
        stop = distributed_package().Event(f"mapopt-stop-{uuid.uuid4().hex}", client=client)
        threads = sum(client.nthreads().values())
        futures = [_submit(client, order_of(worker), stop.name) for worker in range(threads)]
        idle_since: float | None = None
        try:
            while True:
                time.sleep(POLL_S)
                progress = look()
                if not all(future.done() for future in futures):
                    idle_since = None
                    continue
                reasons = [_failure(future) for future in futures]
                if all(reasons):
                    raise all_failed(reasons[0])
                late = until is not None and time.monotonic() >= until
                if late or progress.nothing_left or progress.done >= progress.total:
                    return
                if progress.done + progress.running < progress.total:  # a lost trial is to be made again
                    futures = [_submit(client, order_of(len(futures)), stop.name)]
                    continue
                idle_since = idle_since or time.monotonic()
                if time.monotonic() - idle_since > LOST_S:  # others are making them
                    return
        except BaseException:
            with suppress(Exception):  # the cluster may be what is lost
                stop.set()
                distributed_package().wait(futures, timeout=END_S)
            raise
        finally:
            with suppress(Exception):
                client.cancel(futures)


def _submit(client: Any, order: Order, stop: str) -> Any:
    return client.submit(
        make, msgspec.json.encode(order), stop, key=f"mapopt-trials-{uuid.uuid4().hex}", pure=False
    )


def _failure(future: Any) -> str:
    """Return why a worker made no trials, or nothing."""
    try:
        reason: str = future.result()
    except (Exception, CancelledError) as error:
        return f"Dask: {type(error).__name__}: {error}"
    return reason


def make(data: bytes, stop: str) -> str:
    """Make trials on a Dask worker, until its order is done or the event ``stop`` is set.

    Returns
    -------
    str
        Why it failed, or nothing.
    """
    order = msgspec.json.decode(data, type=Order)
    event = distributed_package().Event(stop)
    with tempfile.TemporaryDirectory(prefix="mapopt-", ignore_cleanup_errors=True) as own:
        if not _is_shared(order):
            order = msgspec.structs.replace(order, folder=own)
        process = WorkerProcess(order)
        try:
            while process.poll() is None:
                if event.wait(timeout=POLL_S):
                    process.interrupt()
                    process.wait(END_S)
                    return ""
            return process.reason() if process.poll() else ""
        finally:
            process.close()


def _is_shared(order: Order) -> bool:
    """Return whether the folder of the study is seen from here, so that records can be kept there."""
    folder = Folder(Path(order.folder))
    try:
        same = read_tuning(folder.path / "tuning.toml") == order.tuning
    except InputError:
        return False
    return same and all(folder.instance_file(case.instance.digest).exists() for case in order.cases)
