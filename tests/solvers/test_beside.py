import time
from typing import Any

import pytest

from mapopt.solvers.beside import beside
from mapopt.solvers.forking import Send
from mapopt.solvers.model import Limits
from mapopt.solvers.watch import Watch

LIMITS = Limits(time_s=20)


def count(send: Send, watch: Watch) -> None:
    number = 0
    while not watch.stopped:
        send(number)
        number += 1
        time.sleep(0.01)


def test_what_the_work_sends_is_heard_until_the_body_ends() -> None:
    heard: list[Any] = []
    with beside(count, heard.append, LIMITS):
        while len(heard) < 3:
            time.sleep(0.01)
    ended = len(heard)
    assert heard == list(range(ended))
    time.sleep(0.1)
    assert len(heard) == ended


def test_failed_work_is_no_error() -> None:
    def fail(send: Send, _: Watch) -> None:
        send(1)
        raise ValueError("of the work")

    heard: list[Any] = []
    with beside(fail, heard.append, LIMITS):
        while not heard:
            time.sleep(0.01)
    assert heard == [1]


def test_errors_here_are_raised() -> None:
    def refuse(_: Any) -> None:
        raise ValueError("of the listener")

    with pytest.raises(ValueError, match="of the listener"), beside(count, refuse, LIMITS):
        time.sleep(0.1)
    with pytest.raises(KeyError, match="of the body"), beside(count, refuse, LIMITS):
        raise KeyError("of the body")
