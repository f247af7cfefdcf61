import signal
import subprocess
import sys
from pathlib import Path


def test_a_closed_pipe_ends_quietly():
    command = [sys.executable, "-m", "mapopt", "inspect", "resnet18"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == -signal.SIGPIPE


def test_a_full_disk_is_one_line():
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "mapopt", "networks"]
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert ran.returncode == 2
    assert ran.stderr == "mapopt: output cannot be written (No space left on device)\n"


def test_help_is_quick_to_import():
    code = (
        "import sys; import mapopt, mapopt.cli.app; "
        "sys.exit(any(name in sys.modules for name in ('numba', 'onnx', 'numpy', 'networkx', 'altair', 'rich')))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
