"""A process of its own may do what it likes; the end is told honestly."""

import os
import sys
import threading
import time

import pytest

from mapopt.solvers import isolation
from mapopt.solvers.isolation import Exit, close_input, interrupt, supervise
from mapopt.solvers.model import Limits
from mapopt.solvers.watch import Watch


def run(program, *, stop=close_input, time_s=30.0, **options):
    lines = []
    watch = options.pop("watch", None) or Watch(Limits(time_s=time_s))
    ended = supervise([sys.executable, "-c", program], watch, lines.append, stop=stop, **options)
    return ended, lines


def test_output_arrives_line_by_line_while_it_runs():
    times = []
    watch = Watch(Limits(time_s=30.0))
    program = "import time\nfor n in range(2): print(n, flush=True); time.sleep(0.5)"
    supervise(
        [sys.executable, "-c", program], watch, lambda _line: times.append(watch.elapsed_s), stop=close_input
    )
    assert 0.3 < times[1] - times[0] < 5


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("pass", ""),
        ("raise SystemExit(3)", "ended with exit code 3"),
        ("raise ValueError('odd')", "ended with exit code 1: ValueError: odd"),
        ("import os; os.kill(os.getpid(), 11)", "was ended by SIGSEGV"),
        ("import os; os.kill(os.getpid(), 9)", "was ended by SIGKILL"),
        ("raise MemoryError", "ran out of memory"),
    ],
)
def test_how_it_ended_is_said(program, reason):
    assert run(program)[0].reason == reason


def test_the_memory_limit_holds():
    ended, lines = run("x = bytearray(10**9); print(len(x))", memory_mb=500)
    assert ended.reason.startswith("ran out of memory (the limit is 500 MB")
    assert lines == []
    assert run("x = bytearray(10**8); print(len(x))", memory_mb=500)[1] == ["100000000\n"]


@pytest.mark.parametrize(
    ("stop", "program"),
    [
        (close_input, "import sys; sys.stdin.read(); print('bye')"),
        (interrupt, "import time\ntry: time.sleep(60)\nexcept KeyboardInterrupt: print('bye')"),
    ],
)
def test_it_stops_when_asked_to_and_hands_over(stop, program):
    watch = Watch(Limits(time_s=60.0))
    threading.Timer(1.0, watch.stop).start()
    ended, lines = run(program, stop=stop, watch=watch)
    assert (ended.code, lines) == (0, ["bye\n"])
    assert watch.elapsed_s < 8


def test_what_does_not_stop_is_killed(monkeypatch):
    monkeypatch.setattr(isolation, "GRACE_S", 0.3)
    ended, lines = run("print('here', flush=True)\nimport time; time.sleep(60)", time_s=1.0)
    assert ended.killed
    assert "did not stop" in ended.reason
    assert lines == ["here\n"]
    began = time.monotonic()
    assert run("import time; time.sleep(60)", time_s=None, limit_s=0.5)[0].killed
    assert time.monotonic() - began < 8


def test_ctrl_c_does_not_reach_it():
    ended, lines = run("import os; print(os.getsid(0))")
    assert ended.code == 0
    assert int(lines[0]) != os.getsid(0)


def test_a_program_that_does_not_exist_is_an_error():
    with pytest.raises(OSError, match="nonexistent"):
        supervise(["/nonexistent"], Watch(Limits()), print, stop=close_input)
    assert Exit(-99).reason == "was ended by signal 99"
