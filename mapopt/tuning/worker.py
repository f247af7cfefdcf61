"""A process that makes trials: ``python -m mapopt.tuning.worker``.

It reads one line, a :class:`mapopt.tuning.processes.Order`, and ends with the process that started it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import msgspec

from mapopt.errors import MapoptError
from mapopt.studies.folder import Folder
from mapopt.tuning.processes import Order
from mapopt.tuning.setup import join
from mapopt.tuning.trials import work


def main() -> int:
    """Make the trials that the order asks for."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started this may ignore it
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    until = None if order.time_s is None else time.monotonic() + order.time_s
    try:
        setup = join(order.tuning, order.cases, Folder(Path(order.folder)), order.url)
        work(setup, trials=order.trials, until=until, worker=order.worker)
    except MapoptError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _end_with_parent() -> None:
    while os.read(0, 1 << 10):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
